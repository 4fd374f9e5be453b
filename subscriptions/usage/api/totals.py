"""GET /api/v1/usage/totals: what a service used by meter, day and dimensions."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from o2b.api.fields import Plain, plain
from o2b.api.paging import CursorPages
from subscriptions.models import UsageTotal
from subscriptions.usage import selectors
from subscriptions.usage.api.reading import SERVICE, Read, Word, with_days
from subscriptions.usage.rules.parts import read_part


class TotalPages(CursorPages):
    """By day, the newest first; a row has no number of its own."""

    ordering: Any = ("-day", "service_id", "meter_id", "part")
    offset_cutoff = 1_000_000

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        return tuple(self.ordering)

    def is_position(self, position: str) -> bool:
        try:
            date.fromisoformat(position)
        except ValueError:
            return False
        return len(position) == 10


class UsageTotalOutput(serializers.Serializer):
    """What a service used by a meter on a day, by dimensions; what billing reads."""

    service = serializers.SerializerMethodField()
    meter = serializers.CharField()
    unit = serializers.CharField()
    day = serializers.DateField()
    dimensions = serializers.SerializerMethodField()
    value = serializers.SerializerMethodField(
        help_text="Of unique, average and each: the value whose events these are."
    )
    time = serializers.SerializerMethodField(help_text="Where the local time counts.")
    quantity = Plain()
    events = serializers.IntegerField(source="count")
    last_at = serializers.DateTimeField()
    priced = serializers.BooleanField(help_text="False: no price is for it, so nobody is billed.")

    def get_service(self, total: Any) -> str:
        return f"S-{total.subscription}.{total.service_id}"

    def get_dimensions(self, total: Any) -> dict[str, str]:
        return dict(read_part(total.part).dimensions)

    def get_value(self, total: Any) -> str | None:
        value = read_part(total.part).value
        return None if value is None else plain(value)

    def get_time(self, total: Any) -> str | None:
        at = read_part(total.part).at
        return None if at is None else at.isoformat()


class TotalFilter(filters.FilterSet):
    service = Word(required=True, help_text=SERVICE)
    meter = filters.CharFilter(field_name="meter", help_text="The code of the meter.")

    class Meta:
        model = UsageTotal
        fields = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        services = selectors.services_of_text(self.form.cleaned_data["service"])
        return super().filter_queryset(selectors.totals_of(services))


with_days(TotalFilter)


class TotalViewSet(Read):
    """Totals by day."""

    queryset = UsageTotal.objects.none()
    serializer_class = UsageTotalOutput
    filterset_class = TotalFilter
    pagination_class = TotalPages

    @extend_schema(operation_id="usage_totals_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What a service used, by meter, day and dimensions."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        for total, priced in zip(page, selectors.with_prices(page), strict=True):
            total.priced = priced
        return self.get_paginated_response(UsageTotalOutput(page, many=True).data)
