"""REST of accounts: who is billed; opened, changed and closed."""

from typing import Any

from django.db.models import QuerySet
from django.urls import include, path
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from o2b import clock
from o2b.api.fields import Asked, Exact, Key, Link, Plain, State
from o2b.api.idempotency import once
from o2b.api.views import Noun
from o2b.customers import services
from o2b.customers.families import Tie
from o2b.customers.layouts import ACCOUNT_SENDING, LANGUAGES, Grouping, Split
from o2b.customers.models import Account, Customer
from o2b.customers.references import (
    UnknownReference,
    account_named,
    legal_entity_named,
    person_named,
)

CHANGEABLE = (
    "name",
    "advocate_id",
    "bill_day",
    "bill_group",
    "time_zone",
    "payment_days",
    "tax_exempt",
    "address",
)


class CustomerOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    segment = serializers.CharField()


class AccountOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-account-detail")
    reference = serializers.CharField()
    name = serializers.CharField()
    state = State(name="AccountState", choices=Account.State.choices)
    customer = CustomerOutput()
    legal_entity = serializers.CharField(source="legal_entity.code")
    parent = serializers.CharField(source="parent.reference", default=None, allow_null=True)  # type: ignore[assignment]
    billed_to_parent = serializers.BooleanField(
        help_text="Its lines are on the bills of the next account above with bills of its own."
    )
    advocate = serializers.CharField(source="advocate.username")
    currency = serializers.CharField()
    bill_day = serializers.IntegerField()
    bill_group = serializers.CharField()
    time_zone = serializers.CharField()
    payment_days = serializers.IntegerField()
    tax_exempt = serializers.BooleanField()
    dunning_profile = serializers.CharField()
    invoice_grouping = serializers.CharField()
    invoice_split = serializers.CharField(
        help_text="What its bills are split by: purchase_order, site, item; empty: one document."
    )
    minimum_invoice = Plain(
        allow_null=True, help_text="Smaller bills wait for the next run; null: as the seller."
    )
    address = serializers.CharField()
    sending = serializers.CharField(help_text="Empty: as the seller does.")
    bill_to = serializers.CharField(help_text="Where invoices are mailed; empty: to the contact.")
    language = serializers.CharField(
        source="customer.language", help_text="Empty: that of the customer's country."
    )
    created_at = serializers.DateTimeField()


class AccountAsked(Asked):
    """An account of a customer who is known (`customer`), or of a new one."""

    reference = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=200)
    legal_entity = serializers.CharField(max_length=50, help_text="Its code.")
    advocate = serializers.CharField(
        max_length=150, required=False, help_text="A user name; your own, if nothing is said."
    )
    customer = Key(required=False)
    customer_name = serializers.CharField(max_length=200, required=False)
    segment = serializers.CharField(max_length=50, required=False)
    currency = serializers.CharField(max_length=3, required=False)
    bill_day = serializers.IntegerField(min_value=1, max_value=31, required=False)
    bill_group = serializers.SlugField(max_length=50, allow_blank=True, required=False)
    time_zone = serializers.CharField(max_length=60, required=False)
    payment_days = serializers.IntegerField(min_value=0, max_value=32767, required=False)
    tax_exempt = serializers.BooleanField(required=False)
    address = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    sending = serializers.ChoiceField(ACCOUNT_SENDING, allow_blank=True, required=False)
    bill_to = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    invoice_grouping = serializers.ChoiceField(
        Grouping.choices[1:], allow_blank=True, required=False
    )
    invoice_split = serializers.ChoiceField(Split.choices[1:], allow_blank=True, required=False)
    minimum_invoice = Exact(required=False, allow_null=True, help_text="0: none waits.")
    language = serializers.ChoiceField(LANGUAGES, allow_blank=True, required=False)
    parent = serializers.CharField(  # type: ignore[assignment]
        max_length=40,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="The account above it, by reference; null or empty: none.",
    )
    billed_to_parent = serializers.BooleanField(required=False)


class AccountChangeAsked(Asked):
    """What may change; currency, seller and customer stay: what was billed hangs on them."""

    name = serializers.CharField(max_length=200, required=False)
    advocate = serializers.CharField(max_length=150, required=False)
    customer_name = serializers.CharField(max_length=200, required=False)
    segment = serializers.CharField(max_length=50, allow_blank=True, required=False)
    bill_day = serializers.IntegerField(min_value=1, max_value=31, required=False)
    bill_group = serializers.SlugField(max_length=50, allow_blank=True, required=False)
    time_zone = serializers.CharField(max_length=60, required=False)
    payment_days = serializers.IntegerField(min_value=0, max_value=32767, required=False)
    tax_exempt = serializers.BooleanField(required=False)
    address = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    sending = serializers.ChoiceField(ACCOUNT_SENDING, allow_blank=True, required=False)
    bill_to = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    invoice_grouping = serializers.ChoiceField(
        Grouping.choices[1:], allow_blank=True, required=False
    )
    invoice_split = serializers.ChoiceField(Split.choices[1:], allow_blank=True, required=False)
    minimum_invoice = Exact(required=False, allow_null=True, help_text="0: none waits.")
    language = serializers.ChoiceField(LANGUAGES, allow_blank=True, required=False)
    parent = serializers.CharField(  # type: ignore[assignment]
        max_length=40,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="The account above it, by reference; null or empty: none.",
    )
    billed_to_parent = serializers.BooleanField(required=False)


class AccountFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=Account.State.choices)
    reference = filters.CharFilter()
    legal_entity = filters.CharFilter(field_name="legal_entity__code")
    advocate = filters.CharFilter(field_name="advocate__username")
    customer = filters.NumberFilter(field_name="customer_id")

    class Meta:
        model = Account
        fields = ("state", "reference", "legal_entity", "advocate", "customer")


class AccountViewSet(Noun):
    """Who is billed."""

    queryset = Account.objects.all()
    serializer_class = AccountOutput
    filterset_class = AccountFilter
    doors = dict.fromkeys(("list", "retrieve"), "customers.view_account") | dict.fromkeys(
        ("create", "partial_update", "close"), "customers.change_account"
    )

    def get_queryset(self) -> QuerySet[Account]:
        related = ("customer", "legal_entity", "parent", "advocate", "test_clock")
        return Account.objects.select_related(*related)

    @extend_schema(request=AccountAsked, responses={201: AccountOutput})
    @once
    def create(self, request: Request) -> Response:
        """Open an account."""
        asked = self.asked(AccountAsked)
        advocate = asked.pop("advocate", None)
        asked |= _tied(asked, Account())
        account = services.create_account(
            legal_entity_id=legal_entity_named(asked.pop("legal_entity")),
            advocate_id=person_named(advocate) if advocate else self.user_id,
            customer_id=self._customer(asked.pop("customer", None)),
            at=clock.now(),
            actor_id=self.user_id,
            **asked,
        )
        return self.created(account.pk)

    @extend_schema(request=AccountChangeAsked, responses=AccountOutput)
    @once
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what may change; what is left out stays."""
        account = self.get_object()
        asked = self.asked(AccountChangeAsked)
        if "advocate" in asked:
            asked["advocate_id"] = person_named(asked.pop("advocate"))
        asked |= _tied(asked, account)
        kept = {name: getattr(account, name) for name in CHANGEABLE}
        services.change_account(
            account_id=account.pk, at=clock.now(account), actor_id=self.user_id, **kept | asked
        )
        return self.shown(account.pk)

    @extend_schema(request=None, responses=AccountOutput)
    @action(detail=True, methods=["post"])
    @once
    def close(self, request: Request, pk: str) -> Response:
        """Sell to it no more; what is in service goes on until it is ended; so do its minimums."""
        account = self.get_object()
        services.close_account(account_id=account.pk, at=clock.now(account), actor_id=self.user_id)
        return self.shown(account.pk)

    def _customer(self, pk: int | None) -> int | None:
        if pk and not Customer.objects.filter(pk=pk).exists():
            raise UnknownReference(_("There is no such customer."), field="customer")
        return pk


def _tied(asked: dict[str, Any], account: Account) -> dict[str, Tie]:
    """Where it belongs, as it was asked; what was not said stays."""
    if not asked.keys() & {"parent", "billed_to_parent"}:
        return {}
    is_billed = asked.pop("billed_to_parent", account.billed_to_parent)
    if "parent" not in asked:
        return {"tied": Tie(account.parent_id, is_billed)}
    named = asked.pop("parent")
    parent_id = account_named(named, field="parent").pk if named else None
    return {"tied": Tie(parent_id, is_billed)}


router = SimpleRouter(trailing_slash=False)
router.register("accounts", AccountViewSet, basename="api-account")
urlpatterns = [path("", include(router.urls))]
