"""Take events: each is judged, counted once for ever, and answered for by itself."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO

from django.db import connection, transaction

from o2b.copying import copied
from subscriptions.models import UsageRejected
from subscriptions.usage.rules.answers import (
    ACCEPTED,
    DUPLICATE,
    PENDING,
    REJECTED,
    Answer,
    Taken,
)
from subscriptions.usage.rules.judging import RETRACTS, SKEW, USED, Judge, Judged, Rejection
from subscriptions.usage.rules.told import Told, Unreadable, identity_of, text_of
from subscriptions.usage.selectors import meters_in_force
from subscriptions.usage.services.correcting import take_correction
from subscriptions.usage.statements import COPY, DIFFERENT, NEXT_BATCH, STAGE, TAKE
from subscriptions.usage.words import say

AT_ONCE = 10_000
KEPT = 4_000  # characters of an event that was refused
NULL = r"\N"


def take_usage(
    events: Sequence[Told | Unreadable], *, at: datetime, keep_refused: bool = True
) -> Taken:
    """Count what can be counted; the totals are right when this returns.

    At most AT_ONCE events. May run again with the same events: they are duplicates then. What is
    refused is kept, unless the caller has it already.
    """
    if len(events) > AT_ONCE:
        raise ValueError(f"at most {AT_ONCE} events at once")
    judge = Judge(meters_in_force(), now=at)
    answers: list[Answer | None] = [None] * len(events)
    plain: list[tuple[int, Judged]] = []
    corrections: list[tuple[int, Judged]] = []
    refused: dict[int, Rejection] = {}
    for number, event in enumerate(events):
        if isinstance(event, Unreadable):
            refused[number] = Rejection("unreadable", event.field, event.message[:300])
            continue
        found = judge(event)
        if isinstance(found, Rejection):
            refused[number] = found
        elif found.kind == USED:
            plain.append((number, found))
        else:
            corrections.append((number, found))
    with transaction.atomic():
        _take_plain(plain, answers, refused, at)
        for number, judged in corrections:
            _take_correction(number, judged, answers, refused, at)
        rows = _refused_rows(events, refused, answers)
        if keep_refused:
            UsageRejected.objects.bulk_create(rows)
    return Taken([answer for answer in answers if answer is not None])


def _take_plain(
    plain: Sequence[tuple[int, Judged]],
    answers: list[Answer | None],
    refused: dict[int, Rejection],
    at: datetime,
) -> None:
    """Usage, all at once."""
    if not plain:
        return
    for number, judged in plain:
        answers[number] = Answer(judged.source, judged.key, ACCEPTED)
    told = dict(plain)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.execute(STAGE)
        cursor.copy_expert(COPY, StringIO("".join(_lines(plain))))
        cursor.execute(NEXT_BATCH)
        base = cursor.fetchone()[0]
        cursor.execute(TAKE, {"base": base, "now": at, "skew": f"{SKEW.seconds} s"})
        others = cursor.fetchall()
        duplicates = [number for number, verdict in others if verdict == DUPLICATE]
        different: set[int] = set()
        if duplicates:
            cursor.execute(DIFFERENT, {"numbers": duplicates})
            different = {number for (number,) in cursor.fetchall()}
    for number, verdict in others:
        if verdict in _LATE_REFUSALS:
            refused[number] = Rejection(verdict, _LATE_REFUSALS[verdict])
            continue
        judged = told[number]
        if verdict == DUPLICATE:
            answer = Answer(judged.source, judged.key, DUPLICATE, differs=number in different)
        else:
            answer = Answer(judged.source, judged.key, PENDING, verdict, "subject")
        answers[number] = answer


# What only the database can see, and the field that it is about.
_LATE_REFUSALS = {"in_the_future": "time", "other_account": "account"}


def _lines(plain: Iterable[tuple[int, Judged]]) -> Iterable[str]:
    """The rows as COPY wants them."""
    for number, judged in plain:
        said = judged.properties
        yield (
            f"{number}\t{_safe(judged.source)}\t{_safe(judged.key)}\t{judged.meter_id}"
            f"\t{judged.meter}\t{_safe(judged.subject)}\t{_safe(judged.account)}"
            f"\t{judged.at.isoformat()}\t{judged.value:f}\t{judged.amount:f}\t{_safe(judged.part)}"
            f"\t{judged.how}\t{'t' if judged.timed else 'f'}"
            f"\t{copied(json.dumps(said)) if said else NULL}\n"
        )


def _safe(text: str) -> str:
    """A printable text as COPY wants it: all that could harm is a backslash."""
    return text.replace("\\", "\\\\") if "\\" in text else text


def _take_correction(
    number: int,
    judged: Judged,
    answers: list[Answer | None],
    refused: dict[int, Rejection],
    at: datetime,
) -> None:
    found = take_correction(judged, at=at)
    if isinstance(found, Rejection):
        refused[number] = found
    else:
        status, code = found
        where = "retracts" if judged.kind == RETRACTS else "replaces"
        field_ = "subject" if code.endswith("subject") else where if code else ""
        answers[number] = Answer(judged.source, judged.key, status, code, field_)


def _refused_rows(
    events: Sequence[Told | Unreadable],
    refused: dict[int, Rejection],
    answers: list[Answer | None],
) -> list[UsageRejected]:
    """Answers to what was refused, and the rows by which it stays to be looked at."""
    rows = []
    for number, rejection in refused.items():
        event = events[number]
        text = event.text if isinstance(event, Unreadable) else text_of(event)
        source, key = (
            identity_of(text) if isinstance(event, Unreadable) else (event.source, event.id)
        )
        message = say(rejection)
        answers[number] = Answer(source, key, REJECTED, rejection.code, rejection.field, message)
        rows.append(
            UsageRejected(
                source=_kept(source),
                key=_kept(key),
                code=rejection.code,
                field=rejection.field[:80],
                message=message[:500],
                told=_shown(text),
            )
        )
    return rows


def _kept(text: str) -> str:
    return _plain(text)[:200]


def _plain(text: str) -> str:
    """What Postgres can keep: no NUL, no half of a character."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def _shown(text: bytes) -> str:
    return _plain(text[: KEPT * 4].decode("utf-8", "replace"))[:KEPT]
