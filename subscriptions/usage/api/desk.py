"""GET /api/v1/usage/pending, rejected and equation: what does not count, and whether all stands."""

from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from o2b.api.fields import plain
from o2b.api.problems import Malformed
from o2b.api.views import PAGING, Verbs
from subscriptions.models import UsageEvent, UsageKind, UsagePending, UsageRejected, Waiting
from subscriptions.usage import selectors
from subscriptions.usage.api.reading import KINDS, SEE, Read
from subscriptions.usage.rules.judging import LONGEST_TEXT


class UsagePendingOutput(serializers.Serializer):
    """An event that was taken and waits."""

    row = serializers.IntegerField(source="pk", help_text="What it is dismissed by.")
    source = serializers.CharField()  # type: ignore[assignment]
    id = serializers.CharField(source="key")
    reason = serializers.ChoiceField(choices=Waiting.choices)
    kind = serializers.SerializerMethodField(help_text="used, replaces or retracts.")
    meter = serializers.CharField()
    subject = serializers.CharField()
    account = serializers.CharField()
    time = serializers.DateTimeField(source="at")
    value = serializers.SerializerMethodField()
    corrects = serializers.CharField()
    recorded_at = serializers.DateTimeField()

    def get_kind(self, row: Any) -> str:
        return KINDS[row.kind]

    def get_value(self, row: Any) -> str | None:
        return None if row.kind == UsageKind.RETRACTS else plain(row.value)


class PendingFilter(filters.FilterSet):
    source = filters.CharFilter()
    id = filters.CharFilter(field_name="key")
    subject = filters.CharFilter()
    meter = filters.CharFilter(help_text="The code of the meter.")
    reason = filters.ChoiceFilter(choices=Waiting.choices)

    class Meta:
        model = UsagePending
        fields = ()


class PendingViewSet(Read):
    """Events that wait."""

    queryset = selectors.pending()
    serializer_class = UsagePendingOutput
    filterset_class = PendingFilter

    @extend_schema(operation_id="usage_pending_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every event that waits for its subject, or for the event that it corrects."""
        return super().list(request, *args, **kwargs)


class UsageRejectedOutput(serializers.Serializer):
    """An event that was refused, as it was sent."""

    row = serializers.IntegerField(source="pk", help_text="What it is retried or settled by.")
    source = serializers.CharField()  # type: ignore[assignment]
    id = serializers.CharField(source="key")
    code = serializers.CharField()
    field = serializers.CharField()
    message = serializers.CharField()
    told = serializers.CharField(help_text="At most 4,000 characters of what was sent.")
    recorded_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    came_well = serializers.BooleanField(help_text="The same id was taken since.")


STANDINGS = [(each, each) for each in ("open", "settled", "dismissed")]


class RejectedFilter(filters.FilterSet):
    source = filters.CharFilter()
    id = filters.CharFilter(field_name="key")
    code = filters.CharFilter()
    field = filters.CharFilter()
    standing = filters.ChoiceFilter(choices=STANDINGS, method="by_standing")

    class Meta:
        model = UsageRejected
        fields = ()

    def by_standing(self, rows: QuerySet[Any], name: str, told: str) -> QuerySet[Any]:
        return selectors.by_standing(rows, told)


class RejectedViewSet(Read):
    """Events that were refused."""

    queryset = selectors.rejected()
    serializer_class = UsageRejectedOutput
    filterset_class = RejectedFilter

    @extend_schema(operation_id="usage_rejected_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every event that was refused, open or not."""
        return super().list(request, *args, **kwargs)


# the equation


class EquationAsked(serializers.Serializer):
    source = serializers.CharField(required=False, default="", max_length=LONGEST_TEXT)  # type: ignore[assignment]
    on = serializers.DateField(required=False)


class UsageEquationOutput(serializers.Serializer):
    """received = rated + pending + dismissed, each counted in a table of its own."""

    source = serializers.CharField(help_text="Empty: all of them.")  # type: ignore[assignment]
    on = serializers.DateField()
    received = serializers.IntegerField()
    rated = serializers.IntegerField()
    pending = serializers.IntegerField()
    dismissed = serializers.IntegerField()
    rejected = serializers.IntegerField(help_text="Beside the equation.")
    holds = serializers.BooleanField()


class EquationViewSet(Verbs):
    """What came in on a day."""

    queryset: QuerySet[UsageEvent] = UsageEvent.objects.none()
    doors: ClassVar[dict[str, str]] = {"show": SEE}

    @extend_schema(
        operation_id="usage_equation",
        parameters=[
            OpenApiParameter("source", str, description="All of them without it."),
            OpenApiParameter("on", date, description="A day in UTC; without it today."),
        ],
        responses=UsageEquationOutput,
    )
    def show(self, request: Request) -> Response:
        """Whether every event that came on a day stands somewhere, and only once."""
        for name in request.query_params:
            if name not in {"source", "on"} | PAGING:
                raise Malformed(_("This filter is not known."), field=name[:80])
        asked = EquationAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        told = asked.validated_data
        on = told.get("on") or selectors.recorded_today()
        return Response(UsageEquationOutput(selectors.equation(on=on, source=told["source"])).data)
