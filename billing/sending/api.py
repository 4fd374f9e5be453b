"""REST of sending: how far a run is, what could not be sent, and what is done about it."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.invoices.pdf import file_name
from billing.models import BillRun, Invoice, InvoiceSending
from billing.sending import selectors, services
from billing.sending.words import reason_of
from o2b import clock
from o2b.api.fields import Asked, Link, State
from o2b.api.idempotency import once
from o2b.api.links import AccountLink
from o2b.api.views import Verbs

VIEW, VIEW_RUN, SEND = "billing.view_invoice", "billing.view_billrun", "billing.send_invoices"


class SendingProgressOutput(serializers.Serializer):
    """PDFs: `invoices` = `made` + `broken` + `waiting`. Mail: those to mail, and what became."""

    invoices = serializers.IntegerField(help_text="That get a PDF.")
    waiting = serializers.IntegerField()
    made = serializers.IntegerField()
    broken = serializers.IntegerField(help_text="Whose PDF could not be made.")
    kept = serializers.IntegerField(help_text="Made and not mailed.")
    to_mail = serializers.IntegerField()
    mailed = serializers.IntegerField()
    stuck = serializers.IntegerField(help_text="That could not be mailed.")
    settled = serializers.IntegerField(help_text="That people sent otherwise.")
    unasked = serializers.IntegerField(help_text="Whose PDF is made on demand only.")
    trouble = serializers.CharField(help_text="What the mail server says, if it puts letters off.")


class SendingOutput(serializers.Serializer):
    """How an invoice was sent."""

    invoice = serializers.IntegerField(source="invoice_id")
    invoice_url = Link("api-invoice-detail", key="invoice_id")
    number = serializers.CharField(source="invoice.number")
    account = AccountLink()
    state = State(name="SendingState", choices=InvoiceSending.State.choices)
    to = serializers.CharField()
    tries = serializers.IntegerField()
    code = serializers.CharField()
    reason = serializers.SerializerMethodField()
    mailed_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(help_text="How people sent it.")

    def get_reason(self, row: InvoiceSending) -> str:
        return reason_of(row)


class SendAsked(Asked):
    to = serializers.EmailField(
        max_length=254, required=False, help_text="Empty: where the account's invoices go."
    )


class SettleAsked(Asked):
    note = serializers.CharField(max_length=250)


class RunSendingViewSet(Verbs):
    """PDFs and mail of a run."""

    queryset = BillRun.objects.all()
    doors = {
        "sending": VIEW_RUN,
        "unsent": VIEW_RUN,
        "send": SEND,
        "retry_sending": SEND,
    }

    @extend_schema(responses=SendingProgressOutput, tags=["bill-runs"])
    @action(detail=True, pagination_class=None)
    def sending(self, request: Request, pk: str) -> Response:
        """How far its PDFs and its mail are."""
        return self._progress()

    @extend_schema(responses=SendingOutput(many=True), tags=["bill-runs"])
    @action(detail=True)
    def unsent(self, request: Request, pk: str) -> Response:
        """The invoices that could not be made or mailed, each with the reason."""
        run = BillRun.objects.get(pk=self.key())
        page = self.paginate_queryset(selectors.fallout_of(run_id=run.pk))
        return self.get_paginated_response(SendingOutput(page, many=True).data)

    @extend_schema(request=None, responses=SendingProgressOutput, tags=["bill-runs"])
    @action(detail=True, methods=["post"])
    @once
    def send(self, request: Request, pk: str) -> Response:
        """Make and send what has no PDF yet, whatever the seller usually does."""
        services.send_run(run_id=self.key(), at=clock.now(), actor_id=self.user_id)
        return self._progress()

    @extend_schema(request=None, responses=SendingProgressOutput, tags=["bill-runs"])
    @action(detail=True, methods=["post"], url_path="retry-sending")
    @once
    def retry_sending(self, request: Request, pk: str) -> Response:
        """Try again what could not be made or mailed."""
        run = BillRun.objects.get(pk=self.key())
        services.retry_run(run_id=run.pk, at=clock.now(), actor_id=self.user_id)
        return self._progress()

    def _progress(self) -> Response:
        run = BillRun.objects.get(pk=self.key())
        return Response(SendingProgressOutput(selectors.progress_of(run_id=run.pk)).data)


class CsvRenderer(JSONRenderer):
    """For who accepts a CSV and nothing else; a problem is JSON even to them."""

    media_type = "text/csv"
    format = "csv"


class InvoiceSendingViewSet(Verbs):
    """How an invoice reached its customer."""

    queryset = Invoice.objects.all()
    doors = {"sending": VIEW, "details": VIEW, "send": SEND, "settle_sending": SEND}

    @extend_schema(responses=SendingOutput, tags=["invoices"])
    @action(detail=True, pagination_class=None)
    def sending(self, request: Request, pk: str) -> Response:
        """How it was sent; a 404 before anything was."""
        return self._sending()

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY}, tags=["invoices"])
    @action(detail=True, pagination_class=None, renderer_classes=[CsvRenderer, JSONRenderer])
    def details(self, request: Request, pk: str) -> HttpResponse:
        """What was used, day by day, as CSV; a 404 where nothing was metered."""
        number, text = selectors.details_of_invoice(invoice_id=self.key())
        if text is None:
            raise NotFound(_("Nothing on it was metered."))
        name = f'attachment; filename="{file_name(number, "-details.csv")}"'
        headers = {"Content-Disposition": name}
        return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)

    @extend_schema(request=SendAsked, responses=SendingOutput, tags=["invoices"])
    @action(detail=True, methods=["post"])
    @once
    def send(self, request: Request, pk: str) -> Response:
        """Mail it once more, or at last."""
        asked: dict[str, Any] = self.asked(SendAsked)
        services.send_again(
            invoice_id=self.key(), at=self.now(), actor_id=self.user_id, to=asked.get("to", "")
        )
        return self._sending()

    @extend_schema(request=SettleAsked, responses=SendingOutput, tags=["invoices"])
    @action(detail=True, methods=["post"], url_path="settle-sending")
    @once
    def settle_sending(self, request: Request, pk: str) -> Response:
        """Note how it reached the customer when it could not be mailed."""
        note = self.asked(SettleAsked)["note"]
        services.settle_sending(
            invoice_id=self.key(), user_id=self.user_id, note=note, at=self.now()
        )
        return self._sending()

    def _sending(self) -> Response:
        row = selectors.sendings_for_list().get(pk=self.key())
        return Response(SendingOutput(row).data)
