"""REST of prepaid money: wallets, their lots and movements, grants that two people agree on."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import Wallet, WalletGrant
from billing.wallets import api_outputs as outputs
from billing.wallets import selectors
from billing.wallets.services import granting
from o2b import clock
from o2b.api.fields import Asked, Exact, KeyOrReference
from o2b.api.idempotency import once
from o2b.api.views import Noun
from o2b.charging.terms.granted import DEFAULT_PRIORITY, MOST_PRIORITY
from o2b.customers.references import account_named

VIEW, GRANT, APPROVE = "billing.view_invoice", "billing.grant_money", "billing.approve_grant"


class WalletFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    currency = filters.CharFilter()

    class Meta:
        model = Wallet
        fields = ("account_id", "currency")


class WalletViewSet(Noun):
    """Prepaid money of accounts."""

    queryset = Wallet.objects.all()
    filterset_class = WalletFilter
    doors = dict.fromkeys(("list", "retrieve", "lots", "movements"), VIEW)

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.wallets_for_list()

    def get_serializer_class(self) -> Any:
        return outputs.WalletHeadOutput if self.action == "list" else outputs.WalletOutput

    def get_object(self) -> Any:
        wallet = super().get_object()
        if self.action == "retrieve":
            today = clock.today(wallet.account)
            wallet.standing = selectors.standing_of(wallet, today=today)
        return wallet

    @extend_schema(responses=outputs.WalletLotOutput(many=True))
    @action(detail=True, filterset_class=None)
    def lots(self, request: Request, pk: str) -> Response:
        """Money that came at once, with what is left of it; the newest first."""
        page: Any = self.paginate_queryset(selectors.lots_of(self.get_object()))
        return self.get_paginated_response(outputs.WalletLotOutput(page, many=True).data)

    @extend_schema(responses=outputs.WalletMovementOutput(many=True))
    @action(detail=True, filterset_class=None)
    def movements(self, request: Request, pk: str) -> Response:
        """The statement, the newest movement first."""
        page: Any = self.paginate_queryset(selectors.movements_of(self.get_object()))
        return self.get_paginated_response(outputs.WalletMovementOutput(page, many=True).data)


class GrantAsked(Asked):
    """Money to be given to an account, in its currency; a second person approves it."""

    account = KeyOrReference()
    amount = Exact()
    source = serializers.ChoiceField(choices=outputs.GIFTS)  # type: ignore[assignment]
    reason = serializers.CharField(max_length=granting.LONGEST_REASON)
    priority = serializers.IntegerField(
        min_value=0, max_value=MOST_PRIORITY, required=False, default=DEFAULT_PRIORITY
    )
    ends_on = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="First day on which it is gone."
    )


class GrantFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=WalletGrant.State.choices)
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()

    class Meta:
        model = WalletGrant
        fields = ("state", "account_id")


class WalletGrantViewSet(Noun):
    """Grants by hand, from the question to the money."""

    queryset = WalletGrant.objects.all()
    filterset_class = GrantFilter
    serializer_class = outputs.WalletGrantOutput
    doors = (
        dict.fromkeys(("list", "retrieve"), VIEW)
        | dict.fromkeys(("create", "withdraw"), GRANT)
        | dict.fromkeys(("approve", "refuse"), APPROVE)
    )

    def get_queryset(self) -> QuerySet[WalletGrant]:
        return selectors.grants_for_list()

    @extend_schema(request=GrantAsked, responses={201: outputs.WalletGrantOutput})
    @once
    def create(self, request: Request) -> Response:
        """Ask for money for an account; nothing moves until somebody else approves it."""
        asked = self.asked(GrantAsked)
        account = account_named(asked.pop("account"))
        grant = granting.ask_grant(
            account_id=account.pk, asked_by_id=self.user_id, at=clock.now(account), **asked
        )
        return self.created(grant.pk)

    @extend_schema(request=None, responses=outputs.WalletGrantOutput)
    @action(detail=True, methods=["post"])
    @once
    def approve(self, request: Request, pk: str) -> Response:
        """Let the money come in; not by who asked for it."""
        granting.approve_grant(grant_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())

    @extend_schema(request=None, responses=outputs.WalletGrantOutput)
    @action(detail=True, methods=["post"])
    @once
    def refuse(self, request: Request, pk: str) -> Response:
        """Say no."""
        granting.refuse_grant(grant_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())

    @extend_schema(request=None, responses=outputs.WalletGrantOutput)
    @action(detail=True, methods=["post"])
    @once
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take the question back; only who asked."""
        granting.withdraw_grant(grant_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())
