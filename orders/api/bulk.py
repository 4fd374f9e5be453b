"""REST of bulk orders: send a sheet, tried or to be placed, and read what became of its rows."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import IO, Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.exact import ExactJSONParser
from o2b.api.fields import Link, State
from o2b.api.idempotency import once
from o2b.api.problems import Malformed, TooLarge
from o2b.api.views import Noun
from o2b.asks import held_by
from o2b.web.uploads import SLACK, is_longer
from orders import services
from orders.bulk.sheet import LARGEST_FILE
from orders.models import BulkOrder, BulkRow

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
YES, NO = ("true", "1"), ("false", "0", "")


class Sheet:
    """The bytes of a sheet; as text their digest, by which a repeated request is known."""

    def __init__(self, body: bytes, name: str) -> None:
        self.body, self.name = body, name

    def __str__(self) -> str:
        return sha256(self.body).hexdigest()


class SheetParser(BaseParser):
    """A body that is the sheet itself."""

    media_type = CSV
    name = "sheet.csv"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {"file": Sheet(_read(stream), self.name)}


class WorkbookParser(SheetParser):
    media_type = XLSX
    name = "sheet.xlsx"


class SheetFormParser(MultiPartParser):
    """A form with a field `file`."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        sent = super().parse(*args, **kwargs)
        told: dict[str, Any] = {name: str(value) for name, value in sent.data.items()}
        if file := sent.files.get("file"):
            told["file"] = Sheet(_read(file), file.name or "sheet")
        return told


class BulkOutput(serializers.Serializer):
    """How far a sheet is: over when every row is looked at."""

    id = serializers.IntegerField()
    url = Link("api-bulk-detail")
    rows_url = Link("api-bulk-rows")
    file_name = serializers.CharField()
    dry_run = serializers.BooleanField(source="is_dry_run")
    at = serializers.DateTimeField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    rows = serializers.IntegerField()
    looked_at = serializers.IntegerField()
    is_over = serializers.BooleanField()
    orders_placed = serializers.IntegerField(help_text="In a dry run: that can be placed.")
    lines_placed = serializers.IntegerField()
    rejected = serializers.IntegerField()


class BulkRowOutput(serializers.Serializer):
    row = serializers.IntegerField(source="number")
    reference = serializers.CharField(source="key")
    outcome = State(name="BulkOutcome", choices=BulkRow.Outcome.choices)
    order = serializers.IntegerField(source="order_id", allow_null=True)
    column = serializers.CharField(source="field")
    problem = serializers.CharField()
    told = serializers.ListField(child=serializers.CharField())


class BulkFilter(filters.FilterSet):
    dry_run = filters.BooleanFilter(field_name="is_dry_run")

    class Meta:
        model = BulkOrder
        fields = ("dry_run",)


class BulkViewSet(Noun):
    """Orders by the sheet."""

    queryset = BulkOrder.objects.select_related("by")
    serializer_class = BulkOutput
    filterset_class = BulkFilter
    parser_classes: Any = (ExactJSONParser, SheetParser, WorkbookParser, SheetFormParser)
    doors = dict.fromkeys(("list", "retrieve", "create", "place", "rows"), "orders.place_order")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A body that is too large is refused unread: a session looks for its token in a form."""
        if is_longer(request, LARGEST_FILE + SLACK):
            raise TooLarge(_("The file is larger than 10 MB: order in parts."))
        super().initial(request, *args, **kwargs)

    def now(self) -> datetime:
        """A sheet is of many accounts: it came by the machine's clock."""
        return clock.now()

    @extend_schema(
        request={
            CSV: OpenApiTypes.BINARY,
            XLSX: OpenApiTypes.BINARY,
            "multipart/form-data": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "dry_run": {"type": "boolean"},
                },
            },
        },
        parameters=[
            OpenApiParameter("dry_run", bool, description="Order nothing, only say what would be.")
        ],
        responses={202: BulkOutput},
    )
    @once
    def create(self, request: Request) -> Response:
        """Send a sheet: its orders are placed, or tried; the answer says where to look."""
        told = request.data if isinstance(request.data, dict) else {}
        sheet = told.get("file")
        if not isinstance(sheet, Sheet):
            raise Malformed(_("A sheet is wanted: CSV, XLSX or a form with a file."), field="file")
        bulk = services.take_sheet(
            stream=BytesIO(sheet.body),
            file_name=request.query_params.get("name", "")[:200] or sheet.name,
            dry_run=self._flag(told),
            at=self.now(),
            by_id=self.user_id,
            already_of=held_by,
        )
        return self._accepted(bulk)

    @extend_schema(request=None, responses={202: BulkOutput})
    @action(detail=True, methods=["post"])
    @once
    def place(self, request: Request, pk: str) -> Response:
        """Place what was found fit when the sheet was tried."""
        bulk = services.place_bulk(
            bulk_id=self.key(), at=self.now(), by_id=self.user_id, already_of=held_by
        )
        return self._accepted(bulk)

    @extend_schema(
        parameters=[OpenApiParameter("outcome", enum=BulkRow.Outcome.values)],
        responses=BulkRowOutput(many=True),
    )
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pk: str) -> Response:
        """What became of each row, the last one first."""
        bulk = self.queryset.get(pk=self.key())
        found: QuerySet[BulkRow] = bulk.results.all()
        if outcome := request.query_params.get("outcome"):
            if outcome not in BulkRow.Outcome.values:
                raise Malformed(_("This filter is not known."), field="outcome")
            found = found.filter(outcome=outcome)
        page: Any = self.paginate_queryset(found)
        return self.get_paginated_response(BulkRowOutput(page, many=True).data)

    def _flag(self, told: Mapping[str, Any]) -> bool:
        said = str(told.get("dry_run", self.request.query_params.get("dry_run", ""))).lower()
        if said not in YES + NO:
            raise Malformed(_("Say true or false."), field="dry_run")
        return said in YES

    def _accepted(self, bulk: BulkOrder) -> Response:
        data = BulkOutput(self.queryset.get(pk=bulk.pk)).data
        return Response(data, status=202, headers={"Location": data["url"]})


def _read(stream: Any) -> bytes:
    body: bytes = stream.read(LARGEST_FILE + 1)
    if len(body) > LARGEST_FILE:
        raise TooLarge(_("The file is larger than 10 MB: order in parts."))
    return body
