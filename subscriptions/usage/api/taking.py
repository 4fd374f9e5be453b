"""POST /api/v1/usage: one event, a list, or lines without end; an answer for each."""

from collections.abc import Iterator
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, ClassVar

import msgspec
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from o2b import clock
from o2b.api.problems import Malformed, TooLarge
from o2b.api.views import Verbs
from o2b.errors import Invalid
from subscriptions.models import UsageEvent
from subscriptions.usage.api.lines import csv_lines, json_lines
from subscriptions.usage.bodies import Unsupported, whole
from subscriptions.usage.rules.answers import REJECTED, STATUSES, Answer, Taken
from subscriptions.usage.rules.told import Told, Unreadable, read_cloud_headers, read_many, read_one
from subscriptions.usage.services import AT_ONCE, take_usage

JSON, LINES = "application/json", "application/x-ndjson"
EVENTS = {JSON, "application/cloudevents+json", "application/cloudevents-batch+json"}
CSV = "text/csv"
MANY_LINES = {LINES, "application/jsonl", "application/ndjson"}
IN_MEMORY = 4 * 1024 * 1024

_encode = msgspec.json.Encoder().encode


class EventRefused(Invalid):
    """A single event that cannot be counted; of several each says so for itself."""

    code = "event_refused"


class EventInput(serializers.Serializer):
    """One event. CloudEvents 1.0 are taken too: `type` is the meter, `data` has value and unit."""

    id = serializers.CharField(help_text="With the source: who it is, for ever.")
    source = serializers.CharField()  # type: ignore[assignment]
    meter = serializers.CharField(help_text="The code of the meter.")
    subject = serializers.CharField(
        help_text="A number of a subscription or item, a serial, a licence key, or a text that"
        " describes the service, such as its phone number."
    )
    time = serializers.DateTimeField()
    value = serializers.DecimalField(max_digits=30, decimal_places=12)
    unit = serializers.CharField(required=False)
    account = serializers.CharField(required=False, help_text="If said, the subject is of it.")
    properties = serializers.DictField(required=False, help_text="Dimensions and what else.")
    replaces = serializers.CharField(required=False, help_text="The id of an event of the source.")
    retracts = serializers.CharField(required=False, help_text="The id of an event of the source.")


class AnswerOutput(serializers.Serializer):
    """What became of one event."""

    source = serializers.CharField()  # type: ignore[assignment]
    id = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    code = serializers.CharField(required=False, help_text="Why it waits or was refused.")
    field = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    differs = serializers.BooleanField(
        required=False, help_text="A duplicate that says something else than what was taken."
    )


class TakenOutput(serializers.Serializer):
    """How many of each, and the answers in the order of the events."""

    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    pending = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = AnswerOutput(many=True)


class UsageViewSet(Verbs):
    """Usage comes in."""

    queryset: QuerySet[UsageEvent] = UsageEvent.objects.none()
    doors: ClassVar[dict[str, str]] = {"create": "subscriptions.send_usage"}

    @extend_schema(
        operation_id="send_usage",
        request={
            JSON: EventInput(many=True),
            "application/cloudevents-batch+json": EventInput(many=True),
            LINES: EventInput,
            CSV: OpenApiTypes.STR,
        },
        responses={(200, JSON): TakenOutput, (200, LINES): OpenApiResponse(AnswerOutput)},
    )
    def create(self, request: Request) -> HttpResponseBase:
        """Count events, each once for ever by its source and id; totals are right at the answer.

        A list has at most 10,000 events; lines (JSON, or CSV under a header) have no end. Sending
        the same again does no harm.
        """
        http = request._request
        media = (http.content_type or JSON).lower()
        if media in MANY_LINES:
            return _take_lines(json_lines(http))
        if media == CSV:
            return _take_lines(csv_lines(http))
        if media not in EVENTS:
            raise Unsupported(_("Send %(one)s or %(lines)s.") % {"one": JSON, "lines": LINES})
        return _take_body(http, media)


def _take_body(http: HttpRequest, media: str) -> HttpResponse:
    """One event or a list."""
    body = whole(http)
    if "HTTP_CE_SPECVERSION" in http.META:
        return _take_one(read_cloud_headers(http.headers, body))
    if body.lstrip()[:1] != b"[":
        return _take_one(read_one(body))
    try:
        events = read_many(body)
    except Unreadable as exc:
        raise Malformed(_("The body is no JSON: %(why)s") % {"why": exc.message}) from exc
    if len(events) > AT_ONCE:
        raise TooLarge(_("At most %(most)s events at once.") % {"most": AT_ONCE})
    taken = take_usage(events, at=clock.now())
    told = taken.counts() | {"results": taken.answers}
    return HttpResponse(_encode(told), content_type=JSON)


def _take_one(event: Told | Unreadable) -> HttpResponse:
    if isinstance(event, Unreadable) and not event.field:
        raise Malformed(_("The body is no JSON: %(why)s") % {"why": event.message})
    answer = take_usage([event], at=clock.now()).answers[0]
    if answer.status == REJECTED:
        raise EventRefused(answer.message, field=answer.field or None, reason=answer.code)
    return HttpResponse(_encode(answer), content_type=JSON)


def _take_lines(reading: Iterator[Told | Unreadable]) -> HttpResponseBase:
    """Lines, batch by batch, each in its own transaction; the answers are lines too, then the sum.

    What was counted stays so if the client breaks off; it sends everything again, to no harm.
    """
    answers = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the response
    sums = dict.fromkeys(STATUSES, 0)
    try:
        while batch := list(islice(reading, AT_ONCE)):
            for answer in _counted(batch, sums):
                answers.write(_encode(answer) + b"\n")
        answers.write(_encode(sums) + b"\n")
    except APIException as exc:
        answers.close()
        raise _Broken(exc, sums) from exc
    except BaseException:
        answers.close()
        raise
    answers.seek(0)
    return StreamingHttpResponse(_read(answers), content_type=LINES)


class _Broken(Invalid):
    """Lines that ended early: the reason, and how many were counted before."""

    def __init__(self, why: APIException, sums: dict[str, int]) -> None:
        super().__init__(str(why.detail), taken=sums)
        self.status, self.code = why.status_code, why.default_code


def _counted(batch: list[Told | Unreadable], sums: dict[str, int]) -> list[Answer]:
    taken: Taken = take_usage(batch, at=clock.now())
    for status, count in taken.counts().items():
        sums[status] += count
    return taken.answers


def _read(file: Any) -> Iterator[bytes]:
    with file:
        while chunk := file.read(64 * 1024):
            yield chunk
