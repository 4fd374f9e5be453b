"""REST of renewals: every term that comes to an end, what comes then, the price now and then."""

from typing import Any, ClassVar

from django.db.models import F, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Amount, Link, Plain
from o2b.api.links import AccountLink
from o2b.api.views import Noun
from o2b.customers.models import Account
from subscriptions.commitments import selectors, shown
from subscriptions.models import Renewal, RenewalDue


class RenewalOutput(serializers.Serializer):
    """One service whose running term ends; amounts are those of a full period."""

    item = serializers.IntegerField(source="service.pk")
    number = serializers.CharField(source="service.number")
    subscription = serializers.IntegerField(source="service.subscription_id")
    subscription_url = Link("api-subscription-detail", key="service.subscription_id")
    product = serializers.CharField(source="product.code", allow_null=True)
    account = AccountLink()
    advocate = serializers.CharField(
        source="account.advocate.username", default=None, allow_null=True
    )
    due_on = serializers.DateField(help_text="First day after the term.")
    notice_on = serializers.DateField(help_text="Until when it can be told that it ends then.")
    renewal = serializers.ChoiceField(
        choices=Renewal.choices, help_text="What comes then; a closed account is bound no further."
    )
    uplift_percent = Plain()
    months = serializers.IntegerField(source="commitment.months", allow_null=True)
    currency = serializers.CharField(source="account.currency")
    before = Amount(currency="account.currency", allow_null=True)
    after = Amount(
        currency="account.currency", allow_null=True, help_text="Null: it ends, or has no price."
    )
    waits = serializers.BooleanField(help_text="It was due while it was suspended.")
    fault = serializers.CharField(help_text="Why it could not be renewed.")


class RenewalFilter(filters.FilterSet):
    account = filters.CharFilter(method="of_account", help_text="Its reference.")
    advocate = filters.CharFilter(method="of_advocate", help_text="Their user name.")
    renewal = filters.MultipleChoiceFilter(
        field_name="commitment__renewal", choices=Renewal.choices, help_text="As it was agreed."
    )
    due_after = filters.DateFilter(field_name="due_on", lookup_expr="gte")
    due_before = filters.DateFilter(field_name="due_on", lookup_expr="lt")
    overdue = filters.BooleanFilter(method="is_overdue")

    class Meta:
        model = RenewalDue
        fields = ()

    def of_account(self, rows: QuerySet[Any], name: str, told: str) -> QuerySet[Any]:
        return _held_by(rows, reference=told)

    def of_advocate(self, rows: QuerySet[Any], name: str, told: str) -> QuerySet[Any]:
        return _held_by(rows, advocate__username=told)

    def is_overdue(self, rows: QuerySet[Any], name: str, told: bool) -> QuerySet[Any]:
        past = {"due_on__lt": F("its_day")}
        return rows.filter(**past) if told else rows.exclude(**past)


def _held_by(rows: QuerySet[Any], **which: Any) -> QuerySet[Any]:
    return rows.filter(holder__in=Account.objects.filter(**which).order_by().values("pk"))


class RenewalViewSet(Noun):
    """Terms that come to an end."""

    queryset = RenewalDue.objects.all()
    serializer_class = RenewalOutput
    filterset_class = RenewalFilter
    doors: ClassVar[dict[str, str]] = {"list": "subscriptions.view_subscription"}

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.renewals(machine_now=clock.now())

    @extend_schema(responses=RenewalOutput(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every service whose running term ends, what comes then, the price now and then."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(RenewalOutput(shown.dress(page), many=True).data)
