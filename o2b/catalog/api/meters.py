"""The resource of meters: what usage is measured by, to read."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from o2b.api.views import Noun
from o2b.catalog.api.outputs import MeterHeadOutput, MeterOutput
from o2b.catalog.models import Meter
from o2b.charging import Aggregation


class MeterFilter(filters.FilterSet):
    aggregation = filters.ChoiceFilter(choices=[(each.value, each.value) for each in Aggregation])

    class Meta:
        model = Meter
        fields = ("aggregation",)


class MeterViewSet(Noun):
    """What usage is measured by, with the versions of what an event must look like."""

    queryset = Meter.objects.all()
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    filterset_class = MeterFilter
    doors = dict.fromkeys(("list", "retrieve"), "catalog.view_product")

    def get_queryset(self) -> QuerySet[Meter]:
        meters = Meter.objects.all()
        return meters.prefetch_related("versions") if self.action == "retrieve" else meters

    def get_serializer_class(self) -> Any:
        return MeterHeadOutput if self.action == "list" else MeterOutput
