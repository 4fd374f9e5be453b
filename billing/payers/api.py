"""REST of payers: agreements that others pay a part of an account, which two people agree on."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import PayerAgreement
from billing.payers import selectors, services
from o2b import clock
from o2b.api.fields import Asked, Exact, Key, KeyOrReference, Link, Plain, State
from o2b.api.idempotency import once
from o2b.api.links import AccountLink
from o2b.api.views import Noun
from o2b.customers.references import account_named, accounts_named

VIEW, SHARE, APPROVE = "billing.view_invoice", "billing.share_charges", "billing.approve_payers"


class PayerShareAsked(Asked):
    payer = KeyOrReference()
    percent = Exact()


class PayersAsked(Asked):
    """Others pay parts of an account, in this order; it pays the rest. A second person approves."""

    account = KeyOrReference()
    service = Key(
        required=False, allow_null=True, default=None, help_text="An item; all of it if null."
    )
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="First day outside."
    )
    reason = serializers.CharField(max_length=services.LONGEST_REASON)
    shares = PayerShareAsked(many=True)


class PayersEndAsked(Asked):
    """The account pays all of the periods that start on this day or later."""

    ends_on = serializers.DateField()
    reason = serializers.CharField(max_length=services.LONGEST_REASON)


class PayerShareOutput(serializers.Serializer):
    payer = AccountLink()
    percent = Plain()


class PayerAgreementOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-payer-agreement-detail")
    number = serializers.CharField(source="__str__")
    account = AccountLink()
    service = serializers.IntegerField(source="service_id", allow_null=True)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, help_text="First day outside.")
    shares = PayerShareOutput(many=True, source="shares.all")
    reason = serializers.CharField()
    state = State(name="PayerAgreementState", choices=PayerAgreement.State.choices)
    asked_by = serializers.CharField(source="asked_by.username")
    asked_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    ended_by = serializers.CharField(source="ended_by.username", default=None, allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.CharField()


class PayersFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=PayerAgreement.State.choices)
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    payer = filters.CharFilter(field_name="shares__payer__reference")

    class Meta:
        model = PayerAgreement
        fields = ("state", "account_id")


class PayerAgreementViewSet(Noun):
    """Who pays a part of whose charges, from the question to the end."""

    queryset = PayerAgreement.objects.all()
    filterset_class = PayersFilter
    serializer_class = PayerAgreementOutput
    doors = (
        dict.fromkeys(("list", "retrieve"), VIEW)
        | dict.fromkeys(("create", "withdraw", "end"), SHARE)
        | dict.fromkeys(("approve", "refuse"), APPROVE)
    )

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.agreements()

    @extend_schema(request=PayersAsked, responses={201: PayerAgreementOutput})
    @once
    def create(self, request: Request) -> Response:
        """Ask that others pay; nothing changes until somebody else approves it."""
        asked = self.asked(PayersAsked)
        account = account_named(asked.pop("account"))
        told = asked.pop("shares")
        payers = accounts_named([each["payer"] for each in told], field="shares")
        agreement = services.ask_payers(
            account_id=account.pk,
            service_id=asked.pop("service"),
            shares=[
                selectors.Share(payer, each["percent"])
                for payer, each in zip(payers, told, strict=True)
            ],
            asked_by_id=self.user_id,
            at=clock.now(account),
            **asked,
        )
        return self.created(agreement.pk)

    @extend_schema(request=None, responses=PayerAgreementOutput)
    @action(detail=True, methods=["post"])
    @once
    def approve(self, request: Request, pk: str) -> Response:
        """Let the parts hold, not by who asked; what was billed since is corrected by next run."""
        services.approve_payers(agreement_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())

    @extend_schema(request=None, responses=PayerAgreementOutput)
    @action(detail=True, methods=["post"])
    @once
    def refuse(self, request: Request, pk: str) -> Response:
        """Say no."""
        services.refuse_payers(agreement_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())

    @extend_schema(request=None, responses=PayerAgreementOutput)
    @action(detail=True, methods=["post"])
    @once
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take the question back; only who asked."""
        services.withdraw_payers(agreement_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())

    @extend_schema(request=PayersEndAsked, responses=PayerAgreementOutput)
    @action(detail=True, methods=["post"])
    @once
    def end(self, request: Request, pk: str) -> Response:
        """Let the account pay all again from a day on, which may be past."""
        asked = self.asked(PayersEndAsked)
        services.end_payers(agreement_id=self.key(), user_id=self.user_id, at=self.now(), **asked)
        return self.shown(self.key())
