"""REST of what is ahead and of the install base: planned changes, services that end, every item."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Link, Plain, State
from o2b.api.links import AccountLink
from o2b.api.views import Noun
from subscriptions import selectors
from subscriptions.api.changes import FactOutput
from subscriptions.changes.selectors import planned
from subscriptions.installbase import selectors as installbase
from subscriptions.installbase import shown
from subscriptions.models import Act, Item, ItemChange, ServiceState

VIEW = "subscriptions.view_subscription"
ACTS = [choice for choice in Act.choices if choice[0] != Act.WITHDRAW]
KINDS = [(kind, kind) for kind in (installbase.EQUIPMENT, installbase.LICENCE, installbase.NEITHER)]


class Listed(Noun):
    """A list that has no page of each row."""

    doors: ClassVar[dict[str, str]] = {"list": VIEW}


class PlannedOutput(FactOutput):
    """A change that is ordered and whose day is still to come; `item` is who has it then."""

    item = serializers.IntegerField(source="had.pk")
    number = serializers.CharField(source="had.number")
    subscription = serializers.IntegerField(source="had.subscription_id")
    subscription_url = Link("api-subscription-detail", key="had.subscription_id")
    account = AccountLink(source="had.account")


class PlannedFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="leg_reference", help_text="Its reference.")
    act = filters.MultipleChoiceFilter(choices=ACTS)
    product = filters.CharFilter(method="of_product", help_text="Its code.")
    on_after = filters.DateFilter(field_name="on", lookup_expr="gte")
    on_before = filters.DateFilter(field_name="on", lookup_expr="lt")

    class Meta:
        model = ItemChange
        fields = ()

    def of_product(self, facts: QuerySet[Any], name: str, code: str) -> QuerySet[Any]:
        items = Item.objects.filter(product_version__product__code=code).order_by()
        return facts.filter(leg__in=items.values("pk"))


class PlannedViewSet(Listed):
    """Changes that are ordered and still to come."""

    queryset = ItemChange.objects.all()
    serializer_class = PlannedOutput
    filterset_class = PlannedFilter

    def get_queryset(self) -> QuerySet[Any]:
        return planned(machine_now=clock.now())

    @extend_schema(operation_id="planned_changes_list", responses=PlannedOutput(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every change that is ordered and holds from a day that is still to come."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        items = Item.objects.select_related("account").in_bulk({fact.leg for fact in page})
        for fact in page:
            fact.had = items[fact.leg]
        return self.get_paginated_response(PlannedOutput(page, many=True).data)


class EndingOutput(serializers.Serializer):
    """A service whose last day is known; it is out of service from `ended_on`."""

    item = serializers.IntegerField(source="pk")
    number = serializers.CharField()
    subscription = serializers.IntegerField(source="subscription_id")
    subscription_url = Link("api-subscription-detail", key="subscription_id")
    account = AccountLink()
    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    state = State(name="ServiceState", choices=ServiceState.choices)
    started_on = serializers.DateField(allow_null=True)
    ended_on = serializers.DateField()


class EndingFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="account__reference")
    product = filters.CharFilter(field_name="product_version__product__code")
    ended_after = filters.DateFilter(field_name="ended_on", lookup_expr="gte")
    ended_before = filters.DateFilter(field_name="ended_on", lookup_expr="lt")

    class Meta:
        model = Item
        fields = ()


class EndingViewSet(Listed):
    """Services that end."""

    queryset = Item.objects.all()
    serializer_class = EndingOutput
    filterset_class = EndingFilter

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.ending(machine_now=clock.now())

    @extend_schema(operation_id="services_ending_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every service whose end is known and still to come."""
        return super().list(request, *args, **kwargs)


class InstalledOutput(serializers.Serializer):
    """One item as it is on the day that is asked for."""

    item = serializers.IntegerField(source="pk")
    number = serializers.CharField()
    subscription = serializers.IntegerField(source="subscription_id")
    subscription_url = Link("api-subscription-detail", key="subscription_id")
    account = AccountLink()
    customer = serializers.CharField(source="account.customer.name")
    country = serializers.CharField(source="account.customer.country")
    on = serializers.DateField(source="day", help_text="The day that is looked at.")
    product = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    quantity = serializers.SerializerMethodField(help_text="Null: out of service on the day.")
    state = serializers.SerializerMethodField()
    since = serializers.SerializerMethodField()
    until = serializers.SerializerMethodField(help_text="First day out of service.")
    place = serializers.SerializerMethodField()
    serials = serializers.SerializerMethodField(help_text="Keys of licences are masked.")
    terms = serializers.SerializerMethodField(help_text="The name of the Terms.")

    def get_product(self, item: Any) -> str:
        return shown.code_of(item)

    def get_name(self, item: Any) -> str:
        return shown.product_of(item)

    def get_version(self, item: Any) -> int:
        return shown.version_number_of(item)

    def get_quantity(self, item: Any) -> str | None:
        quantity = shown.quantity_of(item)
        return None if quantity is None else Plain().to_representation(quantity)

    def get_state(self, item: Any) -> str:
        return str(shown.state_of(item))

    def get_since(self, item: Any) -> str | None:
        since = shown.since_of(item)
        return since.isoformat() if since else None

    def get_until(self, item: Any) -> str | None:
        until = shown.until_of(item)
        return until.isoformat() if until else None

    def get_place(self, item: Any) -> str:
        return shown.place_shown(item)

    def get_serials(self, item: Any) -> list[str]:
        return shown.serials_of(item)

    def get_terms(self, item: Any) -> str:
        return shown.terms_of(item)


class InstalledFilter(filters.FilterSet):
    """What depends on the day is asked of the versions of that day."""

    on = filters.DateFilter(help_text="As of a day; today, where each account lives.")
    account = filters.CharFilter(help_text="Its reference, or a part of its name.")
    customer = filters.CharFilter(help_text="A part of its name.")
    country = filters.CharFilter()
    product = filters.CharFilter(help_text="Its code, or a part of its name.")
    version = filters.NumberFilter(help_text="The number of the product's version.")
    serial = filters.CharFilter(help_text="A part of a serial, or a whole licence key.")
    kind = filters.ChoiceFilter(choices=KINDS)
    state = filters.ChoiceFilter(choices=ServiceState.choices)

    class Meta:
        model = Item
        fields = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        told = self.form.cleaned_data
        on = told["on"]
        rows = installbase.items_for_list(on=on, machine_now=clock.now())
        if told["product"]:
            rows = installbase.by_product(rows, told["product"], on=on)
        if told["version"] is not None:
            rows = installbase.by_version(rows, f"{told['version']}", on=on)
        if told["state"]:
            rows = installbase.by_state(rows, told["state"], on=on)
        if told["account"]:
            rows = installbase.by_account(rows, told["account"])
        if told["customer"]:
            rows = rows.filter(account__customer__name__icontains=told["customer"])
        if told["country"]:
            rows = installbase.by_country(rows, told["country"])
        if told["serial"]:
            rows = installbase.by_serial(rows, told["serial"])
        return installbase.by_kind(rows, told["kind"]) if told["kind"] else rows


class InstalledViewSet(Listed):
    """The install base."""

    queryset = Item.objects.all()
    serializer_class = InstalledOutput
    filterset_class = InstalledFilter

    @extend_schema(operation_id="install_base_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What every customer has or had, item by item, as of today or of another day."""
        return super().list(request, *args, **kwargs)
