"""REST of subscriptions: what is in service, since when, under which Terms."""

from datetime import date
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.charges import TermsOutput
from o2b.api.fields import Asked, Link, Plain, State
from o2b.api.idempotency import once
from o2b.api.links import AccountLink
from o2b.api.views import Noun
from o2b.asks import ask
from o2b.customers.models import Account
from o2b.errors import Refused
from orders.models import Order
from quotes.inputs import FIRST_YEAR, LAST_YEAR
from subscriptions.api.addresses import asked_in_address
from subscriptions.api.changes import (
    ChangeAsked,
    ChangedOutput,
    ChangePreviewOutput,
    FactOutput,
    wish_of,
)
from subscriptions.asof import Look, look_at
from subscriptions.changes.asking import place_of
from subscriptions.changes.permission import require_change
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.refusals import ItemUnknown
from subscriptions.changes.selectors import facts
from subscriptions.changes.services import change_services
from subscriptions.changes.shown import show_preview
from subscriptions.changes.wishes import Wish
from subscriptions.models import Item, ItemVersion, ServiceState, Standing, Subscription


class ItemVersionOutput(serializers.Serializer):
    """What an item was in a span of days; `known_to` is empty while it is believed."""

    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    quantity = Plain()
    delivered = Plain(help_text="How much of it is delivered, at most 1: so much is billed.")
    terms = TermsOutput()
    valid_from = serializers.DateField(source="valid.lower", allow_null=True)
    valid_to = serializers.DateField(
        source="valid.upper", allow_null=True, help_text="First day outside."
    )
    in_use = serializers.SerializerMethodField(help_text="False: suspended.")
    billed = serializers.BooleanField()
    known_from = serializers.DateTimeField(source="recorded.lower", allow_null=True)
    known_to = serializers.DateTimeField(source="recorded.upper", allow_null=True)

    def get_in_use(self, version: ItemVersion) -> bool:
        return version.standing == Standing.IN_USE


class ItemOutput(serializers.Serializer):
    """An item; `on_the_day` is what it was on the day that is looked at, as known then."""

    id = serializers.IntegerField()
    order_line = serializers.IntegerField(source="order_line_id")
    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    serial = serializers.CharField()
    state = State(name="ServiceState", choices=ServiceState.choices)
    started_on = serializers.DateField(allow_null=True)
    ended_on = serializers.DateField(allow_null=True)
    revision = serializers.IntegerField()
    on_the_day = serializers.SerializerMethodField()
    versions = serializers.SerializerMethodField()

    @extend_schema_field(ItemVersionOutput(allow_null=True))
    def get_on_the_day(self, item: Item) -> Any:
        look: Look = self.context["look"]
        found = (v for v in self._known(item) if look.believes(v) and look.on in v.valid)
        version = next(found, None)
        return ItemVersionOutput(version).data if version else None

    @extend_schema_field(ItemVersionOutput(many=True))
    def get_versions(self, item: Item) -> Any:
        return ItemVersionOutput(self._known(item), many=True).data

    def _known(self, item: Item) -> list[ItemVersion]:
        look: Look = self.context["look"]
        return [version for version in item.versions.all() if look.knows(version)]


class SubscriptionHeadOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-subscription-detail")
    number = serializers.CharField()
    account = AccountLink()
    order = serializers.IntegerField(source="order_id")
    order_url = Link("api-order-detail", key="order_id")
    state = State(name="ServiceState", choices=ServiceState.choices)
    started_on = serializers.DateField(allow_null=True)
    ended_on = serializers.DateField(allow_null=True)


class SubscriptionOutput(SubscriptionHeadOutput):
    as_of = serializers.SerializerMethodField()
    known_on = serializers.SerializerMethodField(help_text="Empty: all that is known.")
    items = ItemOutput(many=True)

    def get_as_of(self, subscription: Subscription) -> date:
        look: Look = self.context["look"]
        return look.on

    def get_known_on(self, subscription: Subscription) -> date | None:
        look: Look = self.context["look"]
        return look.known_on


class SubscriptionFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=ServiceState.choices)
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    order = filters.NumberFilter(field_name="order_id")
    started_after = filters.DateFilter(field_name="started_on", lookup_expr="gte")
    started_before = filters.DateFilter(field_name="started_on", lookup_expr="lt")

    class Meta:
        model = Subscription
        fields = ("state", "account_id", "order")


class LookAsked(Asked):
    """The day that is looked at, and the day until whose end what was known counts."""

    as_of = serializers.DateField(required=False)
    known_on = serializers.DateField(required=False)

    def validate(self, told: dict[str, Any]) -> dict[str, Any]:
        for name, day in told.items():
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise serializers.ValidationError({name: _("No such day is in any calendar here.")})
        return told


class SubscriptionViewSet(Noun):
    """What is in service."""

    queryset = Subscription.objects.all()
    filterset_class = SubscriptionFilter
    doors = dict.fromkeys(
        # To change something one may order besides.
        ("list", "retrieve", "changes", "change"),
        "subscriptions.view_subscription",
    )

    def get_queryset(self) -> QuerySet[Subscription]:
        subscriptions = Subscription.objects.select_related("account__test_clock")
        if self.action == "list":
            return subscriptions
        versions = ItemVersion.objects.select_related("product_version__product", "terms")
        items = Item.objects.select_related("product_version__product").prefetch_related(
            Prefetch("versions", versions.prefetch_related("terms__charges"))
        )
        return subscriptions.prefetch_related(Prefetch("items", items))

    def get_serializer_class(self) -> Any:
        return SubscriptionHeadOutput if self.action == "list" else SubscriptionOutput

    @extend_schema(parameters=[LookAsked], responses=SubscriptionOutput)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One subscription as of a day (today), as it was known at the end of another (now)."""
        asked = asked_in_address(request, LookAsked)
        found = self.get_queryset().get(pk=self.key())
        look = look_at(
            found.account,
            on=asked.get("as_of"),
            known_on=asked.get("known_on"),
            machine_now=clock.now(),
        )
        return Response(SubscriptionOutput(found, context={"look": look}).data)

    @extend_schema(responses=FactOutput(many=True))
    @action(detail=True, methods=["get"])
    def changes(self, request: Request, pk: str) -> Response:
        """What was told of its services, the last one first: changes, suspensions, transfers."""
        Subscription.objects.only("pk").get(pk=self.key())
        items = Item.objects.filter(subscription=self.key())
        told = facts().filter(Q(item__in=items) | Q(item__in=items.values("root")))
        page: Any = self.paginate_queryset(told)
        return self.get_paginated_response(FactOutput(page, many=True).data)

    @extend_schema(request=ChangeAsked, responses={200: ChangePreviewOutput, 201: ChangedOutput})
    @changes.mapping.post
    @once
    def change(self, request: Request, pk: str) -> Response:
        """Order a change of an item, or with `dry_run` look at what it would bring."""
        require_change(request.user)
        account = self.account()
        asked = self.asked(ChangeAsked)
        item = Item.objects.filter(subscription=self.key(), pk=asked["item"]).first()
        if item is None:
            message = _("This subscription has no item %(item)s.") % {"item": asked["item"]}
            raise ItemUnknown(message, field="item")
        try:
            wish = wish_of(asked)
            return self._look(wish, account) if asked["dry_run"] else self._order(wish, account)
        except Refused as refusal:
            refusal.field = place_of(refusal) or None
            raise

    def _look(self, wish: Wish, account: Account) -> Response:
        preview = preview_changes(
            account_id=account.pk,
            wishes=[wish],
            at=clock.now(account),
            billed=lambda items: ask("billed_so_far", items),
            actor_id=self.user_id,
        )
        shown = show_preview(preview, today=clock.today(account))
        return Response(ChangePreviewOutput(shown).data)

    def _order(self, wish: Wish, account: Account) -> Response:
        changed = change_services(
            account_id=account.pk,
            wishes=[wish],
            at=clock.now(account),
            actor_id=self.user_id,
            channel=Order.Channel.REST,
        )
        told = facts().filter(order_line__in=[line.pk for line in changed.lines])
        made = {"order": changed.order, "changes": told, "is_delivered_first": wish.deliver}
        data = ChangedOutput(made).data
        return Response(data, status=201, headers={"Location": data["url"]})
