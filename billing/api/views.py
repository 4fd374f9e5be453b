"""REST of billing: bill runs, invoices, payments, and how an account stands."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.adjustments.api_outputs import AdjustmentExplainedOutput
from billing.api import outputs, run_outputs
from billing.api.control import DOORS, RunControl
from billing.api.filters import InvoiceFilter, PaymentFilter, RunFilter
from billing.api.inputs import PaymentAsked, ReversalAsked, RunAsked
from billing.explaining.selectors import explain_line, line_at
from billing.explaining.selectors.adjusted import explain_adjustments
from billing.explaining.shown import adjustment_as_json, as_json
from billing.invoices import selectors as invoices
from billing.invoices.adjusted import adjustments_of
from billing.invoices.correcting import corrections_on
from billing.invoices.parts import name_accounts, parts_of
from billing.invoices.pdf import file_name
from billing.invoices.sums import taxes_of
from billing.models import Allocation, BillRun, Invoice, ParkedAccount, Payment
from billing.payments.selectors import payments_for_list
from billing.payments.services import record_payment
from billing.runs import services as runs
from billing.runs.selectors import runs_with_people
from billing.sending.pages import page_of
from billing.wallets.selectors import paid_on
from o2b import clock
from o2b.api.idempotency import once
from o2b.api.views import Noun
from o2b.customers.references import account_named, accounts_named, legal_entity_named
from o2b.errors import Refused


class RunViewSet(RunControl, Noun):
    """Bill runs."""

    queryset = BillRun.objects.all()
    filterset_class = RunFilter
    doors = (
        dict.fromkeys(("list", "retrieve", "parked"), "billing.view_billrun")
        | dict.fromkeys(("create", "cancel", "pause", "resume", "reverse"), "billing.run_bills")
        | {"approve": "billing.approve_run"}
        | DOORS
    )

    def get_queryset(self) -> QuerySet[BillRun]:
        return runs_with_people()

    def get_serializer_class(self) -> Any:
        return run_outputs.RunHeadOutput if self.action == "list" else run_outputs.RunOutput

    @extend_schema(request=RunAsked, responses={201: run_outputs.RunOutput})
    @once
    def create(self, request: Request) -> Response:
        """Open a run; it is drafted by the workers."""
        asked = self.asked(RunAsked)
        accounts = asked.get("accounts")
        run = runs.open_run(
            legal_entity_id=legal_entity_named(asked["legal_entity"]),
            on=asked["on"],
            account_ids=None if accounts is None else accounts_named(accounts),
            bill_day=asked.get("bill_day"),
            bill_group=asked["bill_group"],
            kind=asked["kind"],
            opened_by_id=self.user_id,
            at=clock.now(),
        )
        return self.created(run.pk)

    @extend_schema(request=None, responses=run_outputs.RunOutput)
    @action(detail=True, methods=["post"])
    @once
    def approve(self, request: Request, pk: str) -> Response:
        """Let it become final; not by who opened it."""
        runs.approve_run(run_id=self.key(), user_id=self.user_id, at=clock.now())
        return self.shown(self.key())

    @extend_schema(request=None, responses=run_outputs.RunOutput)
    @action(detail=True, methods=["post"])
    @once
    def cancel(self, request: Request, pk: str) -> Response:
        """Throw its drafts away, until it is approved."""
        runs.cancel_run(run_id=self.key(), at=clock.now(), actor_id=self.user_id)
        return self.shown(self.key())

    @extend_schema(request=None, responses=run_outputs.RunOutput)
    @action(detail=True, methods=["post"])
    @once
    def pause(self, request: Request, pk: str) -> Response:
        """Begin no other shard."""
        runs.pause_run(run_id=self.key(), at=clock.now(), actor_id=self.user_id)
        return self.shown(self.key())

    @extend_schema(request=None, responses=run_outputs.RunOutput)
    @action(detail=True, methods=["post"])
    @once
    def resume(self, request: Request, pk: str) -> Response:
        """Go on where it was paused."""
        runs.resume_run(run_id=self.key(), at=clock.now(), actor_id=self.user_id)
        return self.shown(self.key())

    @extend_schema(request=ReversalAsked, responses={201: run_outputs.RunOutput})
    @action(detail=True, methods=["post"])
    @once
    def reverse(self, request: Request, pk: str) -> Response:
        """Ask for all of a final run to be taken back; the answer is the run that does it."""
        asked = self.asked(ReversalAsked)
        reversal = runs.reverse_run(
            run_id=self.key(), reason=asked["reason"], opened_by_id=self.user_id, at=clock.now()
        )
        return self.created(reversal.pk)

    @extend_schema(responses=run_outputs.ParkedOutput(many=True))
    @action(detail=True, filterset_class=None)
    def parked(self, request: Request, pk: str) -> Response:
        """The accounts that it left out, each with the reason."""
        run = self.get_object()
        rows = ParkedAccount.objects.filter(run=run).select_related("account", "owner")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(run_outputs.ParkedOutput(page, many=True).data)


class PdfRenderer(JSONRenderer):
    """For who accepts a PDF and nothing else; a problem is JSON even to them."""

    media_type = "application/pdf"
    format = "pdf"


class InvoiceViewSet(Noun):
    """What was billed; final from the moment it is there."""

    queryset = Invoice.objects.all()
    filterset_class = InvoiceFilter
    doors = dict.fromkeys(
        ("list", "retrieve", "pdf", "explanation", "adjustments"), "billing.view_invoice"
    ) | {"reverse": "billing.run_bills"}

    def get_queryset(self) -> QuerySet[Any]:
        rows = Invoice.objects.select_related("account__customer", "legal_entity")
        if self.action != "list":
            rows = rows.select_related("wallet_draw", "reverses")
        return invoices.with_standing(rows, on=clock.today())

    def get_serializer_class(self) -> Any:
        return outputs.InvoiceHeadOutput if self.action == "list" else outputs.InvoiceOutput

    def get_object(self) -> Any:
        invoice = super().get_object()
        invoice.shown_lines = list(invoices.lines_of(invoice_id=invoice.pk))
        invoice.shown_adjustments = adjustments_of(invoice)
        invoice.shown_taxes = taxes_of([*invoice.shown_lines, *invoice.shown_adjustments])
        invoice.shown_corrections = corrections_on(
            invoice, invoice.shown_lines, invoice.shown_adjustments
        )
        invoice.shown_prepaid = paid_on(invoice)
        invoice.shown_parts = parts_of(invoice)
        name_accounts(invoice)
        return invoice

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, renderer_classes=[PdfRenderer, JSONRenderer])
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """The document as the customer got it; before it was made, as it will be."""
        invoice = self.get_object()
        page = page_of(
            invoice,
            invoice.shown_lines,
            invoice.shown_prepaid,
            invoice.shown_adjustments,
            invoice.shown_parts,
        )
        name = f'inline; filename="{file_name(invoice.number)}"'
        return HttpResponse(
            page, content_type="application/pdf", headers={"Content-Disposition": name}
        )

    @extend_schema(
        responses=outputs.ExplanationOutput,
        parameters=[OpenApiParameter("position", OpenApiTypes.INT, OpenApiParameter.PATH)],
    )
    @action(
        detail=True,
        filterset_class=None,
        url_path=r"lines/(?P<position>[0-9]{1,9})/explanation",
    )
    def explanation(self, request: Request, pk: str, position: str) -> Response:
        """A line computed again from what was kept of it: the arithmetic and its result."""
        line = line_at(invoice_id=self.key(), position=int(position))
        return Response(as_json(explain_line(line)))

    @extend_schema(request=ReversalAsked, responses={201: run_outputs.RunOutput})
    @action(detail=True, methods=["post"], filterset_class=None)
    @once
    def reverse(self, request: Request, pk: str) -> Response:
        """Ask for a document to be taken back; the answer is the run that does it.

        Somebody else approves that run, as any other.
        """
        asked = self.asked(ReversalAsked)
        invoice = Invoice.objects.select_related("account__test_clock").get(pk=self.key())
        reversal = runs.reverse_invoice(
            invoice_id=invoice.pk,
            reason=asked["reason"],
            opened_by_id=self.user_id,
            at=clock.now(invoice.account),
        )
        shown = run_outputs.RunOutput(
            runs_with_people().get(pk=reversal.pk), context={"request": request}
        )
        return Response(shown.data, status=201)

    @extend_schema(responses=AdjustmentExplainedOutput(many=True))
    @action(detail=True, filterset_class=None, pagination_class=None)
    def adjustments(self, request: Request, pk: str) -> Response:
        """Its discounts and true-ups, each computed again from what was kept of it."""
        found = explain_adjustments(Invoice.objects.get(pk=self.key()))
        return Response([adjustment_as_json(each) for each in found])


class PaymentViewSet(Noun):
    """Money that came in."""

    queryset = Payment.objects.all()
    filterset_class = PaymentFilter
    doors = dict.fromkeys(("list", "retrieve"), "billing.view_invoice") | {
        "create": "billing.record_payment"
    }

    def get_queryset(self) -> QuerySet[Any]:
        payments = payments_for_list()
        if self.action == "list":
            return payments
        parts = Allocation.objects.select_related("invoice")
        return payments.prefetch_related(Prefetch("allocations", parts))

    def get_serializer_class(self) -> Any:
        return outputs.PaymentHeadOutput if self.action == "list" else outputs.PaymentOutput

    @extend_schema(request=PaymentAsked, responses={201: outputs.PaymentOutput})
    @once
    def create(self, request: Request) -> Response:
        """Record money received and settle invoices with it, the oldest due first unless told."""
        asked = self.asked(PaymentAsked)
        account = account_named(asked["account"])
        try:
            payment = record_payment(
                account_id=account.pk,
                amount=asked["amount"],
                on=asked["received_on"],
                method=asked["method"],
                reference=asked["reference"],
                allocations=asked.get("allocations"),
                at=clock.now(account),
                actor_id=self.user_id,
            )
        except Refused as exc:
            exc.field = "received_on" if exc.field == "on" else exc.field
            raise
        return self.created(payment.pk)
