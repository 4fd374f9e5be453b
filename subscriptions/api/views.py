"""REST of subscriptions: what is in service, since when, under which Terms."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from o2b.api.charges import TermsOutput
from o2b.api.fields import Link, Plain, State
from o2b.api.links import AccountLink
from o2b.api.views import Noun
from subscriptions.models import Item, ItemVersion, ServiceState, Subscription


class ItemVersionOutput(serializers.Serializer):
    """What an item was in a span of days; `known_to` is empty while it is believed."""

    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    quantity = Plain()
    terms = TermsOutput()
    valid_from = serializers.DateField(source="valid.lower", allow_null=True)
    valid_to = serializers.DateField(
        source="valid.upper", allow_null=True, help_text="First day outside."
    )
    known_from = serializers.DateTimeField(source="recorded.lower", allow_null=True)
    known_to = serializers.DateTimeField(source="recorded.upper", allow_null=True)


class ItemOutput(serializers.Serializer):
    id = serializers.IntegerField()
    order_line = serializers.IntegerField(source="order_line_id")
    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    serial = serializers.CharField()
    state = State(name="ServiceState", choices=ServiceState.choices)
    started_on = serializers.DateField(allow_null=True)
    ended_on = serializers.DateField(allow_null=True)
    revision = serializers.IntegerField()
    versions = ItemVersionOutput(many=True)


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
    items = ItemOutput(many=True)


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


class SubscriptionViewSet(Noun):
    """What is in service."""

    queryset = Subscription.objects.all()
    filterset_class = SubscriptionFilter
    doors = dict.fromkeys(("list", "retrieve"), "subscriptions.view_subscription")

    def get_queryset(self) -> QuerySet[Subscription]:
        subscriptions = Subscription.objects.select_related("account")
        if self.action == "list":
            return subscriptions
        versions = ItemVersion.objects.select_related("product_version__product", "terms")
        items = Item.objects.select_related("product_version__product").prefetch_related(
            Prefetch("versions", versions.prefetch_related("terms__charges"))
        )
        return subscriptions.prefetch_related(Prefetch("items", items))

    def get_serializer_class(self) -> Any:
        return SubscriptionHeadOutput if self.action == "list" else SubscriptionOutput
