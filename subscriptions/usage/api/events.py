"""GET /api/v1/usage/events: one event by its id, or those of a service and days."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from o2b.api.fields import plain
from o2b.api.problems import Malformed
from subscriptions.models import UsageEvent, UsageKind
from subscriptions.usage import selectors
from subscriptions.usage.api.reading import KINDS, SERVICE, Read, Word, with_days
from subscriptions.usage.rules.parts import read_part


class UsageEventOutput(serializers.Serializer):
    """One event that was counted, and what corrected it."""

    source = serializers.CharField()  # type: ignore[assignment]
    id = serializers.CharField(source="key")
    kind = serializers.SerializerMethodField(help_text="used, replaces or retracts.")
    meter = serializers.CharField()
    unit = serializers.CharField()
    subject = serializers.CharField()
    service = serializers.SerializerMethodField()
    time = serializers.DateTimeField(source="at")
    day = serializers.DateField(help_text="The day that it counts on.")
    value = serializers.SerializerMethodField()
    dimensions = serializers.SerializerMethodField()
    properties = serializers.SerializerMethodField()
    corrects = serializers.CharField(allow_null=True, help_text="An id of the same source.")
    corrected_by = serializers.CharField(source="by", allow_null=True)
    recorded_at = serializers.DateTimeField()

    def get_kind(self, event: Any) -> str:
        return KINDS[event.kind]

    def get_service(self, event: Any) -> str:
        return f"S-{event.subscription}.{event.service_id}"

    def get_value(self, event: Any) -> str | None:
        return None if event.kind == UsageKind.RETRACTS else plain(event.value)

    def get_dimensions(self, event: Any) -> dict[str, str]:
        return dict(read_part(event.part).dimensions)

    def get_properties(self, event: Any) -> dict[str, Any]:
        return event.properties or {}


class EventFilter(filters.FilterSet):
    source = Word(help_text="With id: one event.")
    id = Word(help_text="With source: one event.")
    service = Word(help_text=SERVICE)
    meter = filters.CharFilter(field_name="meter", help_text="The code of the meter.")

    class Meta:
        model = UsageEvent
        fields = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        told = self.form.cleaned_data
        if told["source"] and told["id"]:
            rows = selectors.with_id(told["source"], told["id"])
        elif told["service"] and not told["id"]:
            rows = selectors.of_service(told["service"])
            if told["source"]:
                rows = rows.filter(source=told["source"])
        else:
            field = "source" if told["id"] else "service"
            raise Malformed(_("Name a source and an id, or a service."), field=field)
        return super().filter_queryset(selectors.dressed(rows))


with_days(EventFilter)


class EventViewSet(Read):
    """Events that were counted."""

    queryset = UsageEvent.objects.none()
    serializer_class = UsageEventOutput
    filterset_class = EventFilter

    @extend_schema(operation_id="usage_events_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The event of a source and id, or those of a service and days, the newest first."""
        return super().list(request, *args, **kwargs)
