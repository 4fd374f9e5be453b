"""GET /api/v1/usage/live: what services used in the period that runs, and what it costs so far."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Link, Plain, plain
from o2b.api.links import AccountLink
from o2b.api.problems import Malformed
from o2b.web.words import no_rate_words
from subscriptions.models import Item
from subscriptions.usage import selectors
from subscriptions.usage.api.reading import SERVICE, Read, Word
from subscriptions.usage.rules.live import Live

ENDS = "The first day after."


class LiveDayOutput(serializers.Serializer):
    """What was used on a day."""

    day = serializers.DateField()
    quantity = Plain()


class LivePeriodOutput(serializers.Serializer):
    """A period that is over, as the bill run rates it."""

    period_start = serializers.DateField(source="served.start")
    period_end = serializers.DateField(source="served.end", help_text=ENDS)
    used = Plain(source="quantity")
    amount = serializers.CharField(help_text="Net.")


class LiveRunningOutput(serializers.Serializer):
    """The period that holds today."""

    period_start = serializers.DateField(source="period.start")
    period_end = serializers.DateField(source="period.end", help_text=ENDS)
    days = serializers.IntegerField(help_text="Served of it, in all.")
    days_passed = serializers.IntegerField(source="passed", help_text="Today included.")
    used = Plain()
    forecast = serializers.SerializerMethodField(
        help_text="used ÷ days passed × days; null: such a quantity does not grow by the day."
    )
    allowance = serializers.SerializerMethodField(
        help_text="What there was when it began, carried units included; null: there is none."
    )
    allowance_left = serializers.SerializerMethodField()
    prepaid = Plain(help_text="What a pool covers beyond the allowance.")
    amount = serializers.CharField(help_text="Net, if nothing more is used.")
    by_day = serializers.SerializerMethodField()

    def get_forecast(self, running: Any) -> str | None:
        return None if running.forecast is None else plain(running.forecast)

    def get_allowance(self, running: Any) -> str | None:
        return None if running.available is None else plain(running.available)

    def get_allowance_left(self, running: Any) -> str | None:
        return None if running.left is None else plain(running.left)

    @extend_schema_field(LiveDayOutput(many=True))
    def get_by_day(self, running: Any) -> list[dict[str, Any]]:
        return [{"day": f"{day}", "quantity": plain(used)} for day, used in running.by_day]


class LivePoolOutput(serializers.Serializer):
    """The pool that the charge draws from today."""

    id = serializers.IntegerField(source="pool.pk")
    url = Link("api-pool-detail", key="pool.pk")
    left = Plain()


class LiveChargeOutput(serializers.Serializer):
    """One metered charge; `running` is null where no period runs today."""

    charge = serializers.CharField(source="charge.key")
    meter = serializers.CharField(source="charge.meter_code")
    unit = serializers.CharField()
    currency = serializers.CharField(source="charge.currency")
    running = LiveRunningOutput(allow_null=True)
    before = LivePeriodOutput(many=True, help_text="The last six that are over, newest first.")
    pool = LivePoolOutput(allow_null=True)
    trouble = serializers.SerializerMethodField(
        help_text="Why it cannot be said what this costs: a call that no deck rates."
    )

    def get_trouble(self, live: Live) -> str:
        return no_rate_words(live.missing) if live.missing else ""


class LiveUsageOutput(serializers.Serializer):
    """A service as it stands today where its account lives."""

    service = serializers.CharField(source="number")
    product = serializers.CharField(source="product_version.product.name")
    account = AccountLink()
    on = serializers.DateField()
    charges = LiveChargeOutput(many=True)


class LiveFilter(filters.FilterSet):
    service = Word(help_text=SERVICE)
    account = filters.CharFilter(field_name="account__reference", help_text="Its reference.")

    class Meta:
        model = Item
        fields = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        told = self.form.cleaned_data
        if not (told["service"] or told["account"]):
            raise Malformed(_("Name a service or an account."), field="service")
        if told["service"]:
            services = selectors.services_of_text(told["service"])
            queryset = queryset.filter(Q(pk__in=services) | Q(root__in=services))
        return super().filter_queryset(queryset)


class LiveViewSet(Read):
    """Live usage of services."""

    queryset = Item.objects.select_related(
        "account__test_clock", "product_version__product", "subscription"
    )
    serializer_class = LiveUsageOutput
    filterset_class = LiveFilter

    @extend_schema(operation_id="usage_live_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Each metered charge of services with its running period; services are paged."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(LiveUsageOutput(_dressed(page), many=True).data)


def _dressed(items: Sequence[Any]) -> Sequence[Any]:
    """Items with `on`, their account's day, and `charges`: few queries for each different day."""
    by_day: dict[date, list[Any]] = defaultdict(list)
    for item in items:
        item.on, item.charges = clock.today(item.account), []
        by_day[item.on].append(item)
    for today, several in by_day.items():
        for live in selectors.live_usage(several, today=today):
            live.item.charges.append(live)
    return items
