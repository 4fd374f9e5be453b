"""REST of files of usage: send one to be loaded by a kept mapping, read how far it is."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from tempfile import SpooledTemporaryFile
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
from o2b.api.views import Door, Noun
from o2b.web.uploads import SLACK, is_longer
from subscriptions.models import FileShape, FileState, RowStatus, UsageFile, UsageFileRow
from subscriptions.usage.bodies import chunks
from subscriptions.usage.files import services
from subscriptions.usage.files.sheet import ENCODINGS, LARGEST_FILE, UTF8

CSV = "text/csv"
SEE, SEND = "subscriptions.see_usage", "subscriptions.send_usage"
OWN = ("list", "retrieve", "rows")
PIECE = 256 * 1024
IN_MEMORY = 4 * 1024 * 1024


class SentFile:
    """The bytes of a file; as text their digest, by which a repeated request is known."""

    def __init__(self, stream: Any, name: str) -> None:
        self.name, self.stream = name, SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        try:
            self.digest = self._take(stream)
        except BaseException:
            self.stream.close()
            raise

    def _take(self, stream: Any) -> str:
        digest, size = sha256(), 0
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > LARGEST_FILE:
                raise _too_large()
            digest.update(piece)
            self.stream.write(piece)
        return digest.hexdigest()

    def __str__(self) -> str:
        return self.digest


class Pieces:
    """A body that is unpacked as it comes, to be read like a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces

    def read(self, size: int = -1) -> bytes:
        """The next piece, however large it is; empty at the end."""
        return next(filter(None, self.pieces), b"")


class FileParser(BaseParser):
    """A body that is the file itself."""

    media_type = CSV

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = (parser_context or {})["request"]
        if request.META.get("HTTP_CONTENT_ENCODING"):
            stream = Pieces(chunks(request._request))  # type: ignore[assignment]
        return {"file": _kept(SentFile(stream, "usage.csv"), parser_context)}


class FileFormParser(MultiPartParser):
    """A form with a field `file`."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        sent: Any = super().parse(stream, media_type, parser_context)
        told: dict[str, Any] = {name: str(value) for name, value in sent.data.items()}
        if file := sent.files.get("file"):
            told["file"] = _kept(SentFile(file, file.name or "usage.csv"), parser_context)
        return told


def _kept(file: SentFile, context: Any) -> SentFile:
    """The file, where the view closes it at the end of the request."""
    context["view"].sent = file
    return file


class UsageFileOutput(serializers.Serializer):
    """How far a file is; the counts are right at every moment."""

    id = serializers.IntegerField()
    url = Link("api-usage-file-detail")
    rows_url = Link("api-usage-file-rows")
    file_name = serializers.CharField()
    shape = State(name="UsageFileShape", choices=FileShape.choices)
    state = State(name="UsageFileState", choices=FileState.choices)
    at = serializers.DateTimeField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    rows = serializers.IntegerField()
    taken = serializers.IntegerField(help_text="Rows that are done with.")
    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    pending = serializers.IntegerField()
    rejected = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Rows that the mapping says are no usage.")
    problem = serializers.CharField()
    done_at = serializers.DateTimeField(allow_null=True)


class UsageFileRowOutput(serializers.Serializer):
    row = serializers.IntegerField(source="number")
    id = serializers.CharField(source="key")
    status = State(name="UsageRowStatus", choices=RowStatus.choices)
    code = serializers.CharField()
    field = serializers.CharField()
    message = serializers.CharField()


class UsageFileFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=FileState.choices)

    class Meta:
        model = UsageFile
        fields = ("state",)


class OwnFileDoor(Door):
    """Whoever may send usage sees what became of the files that they sent themselves."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) or (
            view.action in OWN and request.user.has_perm(SEND)
        )


class UsageFileViewSet(Noun):
    """Files of usage and call records; without `see_usage` one's own."""

    queryset = UsageFile.objects.select_related("by")
    serializer_class = UsageFileOutput
    filterset_class = UsageFileFilter
    parser_classes: Any = (ExactJSONParser, FileParser, FileFormParser)
    sent: SentFile | None = None
    doors = {
        **dict.fromkeys(OWN, SEE),
        "create": SEND,
    }
    permission_classes = (OwnFileDoor,)

    def get_queryset(self) -> QuerySet[UsageFile]:
        rows = super().get_queryset()
        return rows if self.request.user.has_perm(SEE) else rows.filter(by=self.user_id)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A body that is too large is refused unread: a session looks for its token in a form."""
        if is_longer(request, LARGEST_FILE + SLACK):
            raise _too_large()
        super().initial(request, *args, **kwargs)

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        """Whatever the answer is, the file that came is closed."""
        if self.sent:
            self.sent.stream.close()
        return super().finalize_response(*args, **kwargs)

    def now(self) -> datetime:
        """A file is of many accounts: it came by the machine's clock."""
        return clock.now()

    @extend_schema(
        request={
            CSV: OpenApiTypes.BINARY,
            "multipart/form-data": {
                "type": "object",
                "required": ["file", "mapping"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "mapping": {"type": "string"},
                    "encoding": {"type": "string", "enum": list(ENCODINGS)},
                },
            },
        },
        parameters=[
            OpenApiParameter("mapping", str, description="The name of a kept mapping."),
            OpenApiParameter("encoding", enum=ENCODINGS, description="utf-8 if not said."),
            OpenApiParameter("name", str, description="What the file is called."),
        ],
        responses={202: UsageFileOutput},
    )
    @once
    def create(self, request: Request) -> Response:
        """Send a file: it is loaded by the mapping; the answer says where to look."""
        told = request.data if isinstance(request.data, dict) else {}
        file = told.get("file")
        if not isinstance(file, SentFile):
            raise Malformed(_("A file is wanted: text/csv or a form with a file."), field="file")
        mapping = self._said(told, "mapping")
        if not mapping:
            raise Malformed(_("Name a kept mapping."), field="mapping")
        encoding = self._said(told, "encoding") or UTF8
        if encoding not in ENCODINGS:
            raise Malformed(_("utf-8 or latin-1."), field="encoding")
        taken = services.take_file(
            stream=file.stream,  # type: ignore[arg-type]
            file_name=self._said(told, "name") or file.name,
            at=self.now(),
            by_id=self.user_id,
            encoding=encoding,
            mapping_name=mapping,
        )
        data = UsageFileOutput(self.queryset.get(pk=taken.pk)).data
        return Response(data, status=202, headers={"Location": data["url"]})

    @extend_schema(
        parameters=[OpenApiParameter("status", enum=RowStatus.values)],
        responses=UsageFileRowOutput(many=True),
    )
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pk: str) -> Response:
        """What became of each row, the last one first."""
        found: QuerySet[UsageFileRow] = self.get_queryset().get(pk=self.key()).results.all()
        if status := request.query_params.get("status"):
            if status not in RowStatus.values:
                raise Malformed(_("This filter is not known."), field="status")
            found = found.filter(status=status)
        page: Any = self.paginate_queryset(found)
        return self.get_paginated_response(UsageFileRowOutput(page, many=True).data)

    def _said(self, told: Mapping[str, Any], name: str) -> str:
        """A field of the form, or of the address."""
        return str(told.get(name) or self.request.query_params.get(name, ""))


def _too_large() -> TooLarge:
    return TooLarge(_("The file is larger than 100 MB: load it in parts."))
