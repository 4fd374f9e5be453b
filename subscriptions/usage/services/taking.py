"""Take events: each is judged, counted once for ever, and answered for by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from subscriptions.models import UsageRejected
from subscriptions.pools.services import beyond_limits
from subscriptions.usage.rules.answers import (
    ACCEPTED,
    DUPLICATE,
    PENDING,
    REJECTED,
    Answer,
    Taken,
)
from subscriptions.usage.rules.judging import RETRACTS, SKEW, Judge, Judged, Rejection
from subscriptions.usage.rules.known import differs, may_be_known
from subscriptions.usage.rules.sorting import Columns, sort_out
from subscriptions.usage.rules.told import Told, Unreadable, identity_of, text_of
from subscriptions.usage.selectors import meters_to_judge_by
from subscriptions.usage.services.columns import columns_of
from subscriptions.usage.services.correcting import take_correction
from subscriptions.usage.services.knowing import known_under
from subscriptions.usage.statements import DIFFERENT, LIMITED, TAKE
from subscriptions.usage.words import say

AT_ONCE = 10_000
ATTEMPTS = 5
KEPT = 4_000  # characters of an event that was refused


@dataclass(slots=True)
class _Batch:
    """Events as they were sorted out, and what becomes of each; numbers are places in the batch."""

    events: Sequence[Told | Unreadable]
    at: datetime
    plain: Columns
    corrections: Mapping[int, Judged]
    refused: dict[int, Rejection]
    answers: dict[int, Answer] = field(default_factory=dict)
    again: list[int] = field(default_factory=list)  # corrections whose id is taken


def take_usage(
    events: Sequence[Told | Unreadable], *, at: datetime, keep_refused: bool = True
) -> Taken:
    """Count what can be counted; the totals are right when this returns.

    At most AT_ONCE events. May run again with the same events: they are duplicates then. What is
    refused is kept, unless the caller has it already.
    """
    if len(events) > AT_ONCE:
        raise ValueError(f"at most {AT_ONCE} events at once")
    found = sort_out(events, Judge(meters_to_judge_by(), now=at))
    for attempt in range(1, ATTEMPTS + 1):
        # What an attempt finds out goes with it.
        batch = _Batch(events, at, found.plain, found.corrections, dict(found.refused))
        try:
            with transaction.atomic():
                _take_plain(batch)
                for number in batch.corrections:
                    _take_correction(batch, number)
                _answer_known(batch)
                rows = _refused_rows(batch)
                if keep_refused:
                    UsageRejected.objects.bulk_create(rows)
        except OperationalError as exc:
            alone = not connection.in_atomic_block
            if not (alone and attempt < ATTEMPTS and _in_each_others_way(exc)):
                raise
        else:
            break
    return Taken([batch.answers[number] for number in range(len(events))])


def _in_each_others_way(exc: OperationalError) -> bool:
    """Two batches with corrections waited for each other, and Postgres chose this one to go."""
    return getattr(exc.__cause__, "pgcode", None) in ("40P01", "40001")


def _take_plain(batch: _Batch) -> None:
    """Usage, all at once."""
    told, answers = batch.plain, batch.answers
    numbers, sources, keys = told.numbers, told.sources, told.keys
    if not numbers:
        return
    for number, source, key in zip(numbers, sources, keys, strict=True):
        answers[number] = Answer(source, key, ACCEPTED)
    with connection.cursor() as cursor:
        others = _take(cursor, batch, range(len(numbers)), covered=False)
        limited = [place for place, verdict in others if verdict == LIMITED_BY_POOL]
        if limited:
            others = [each for each in others if each[1] != LIMITED_BY_POOL]
            others += _take_limited(cursor, batch, limited)
        duplicates = [place for place, verdict in others if verdict == DUPLICATE]
        different: set[int] = set()
        if duplicates:
            DIFFERENT.execute(cursor, columns_of(told, duplicates))
            different = {duplicates[n - 1] for (n,) in cursor.fetchall()}
    for place, verdict in others:
        number, source, key = numbers[place], sources[place], keys[place]
        if verdict in _LATE_REFUSALS:
            batch.refused[number] = Rejection(verdict, _LATE_REFUSALS[verdict])
        elif verdict == DUPLICATE:
            answers[number] = Answer(source, key, DUPLICATE, differs=place in different)
        else:
            answers[number] = Answer(source, key, PENDING, verdict, "subject")


def _take(
    cursor: CursorWrapper, batch: _Batch, places: Sequence[int], *, covered: bool
) -> list[tuple[int, str]]:
    """Count events of a batch; of those that are not counted the place, and why."""
    told = batch.plain
    chosen = None if len(places) == len(told.numbers) else places
    more = {"now": batch.at, "skew": SKEW, "covered": covered}
    TAKE.execute(cursor, columns_of(told, chosen) | more)
    return [(places[n - 1], verdict) for n, verdict in cursor.fetchall()]


def _take_limited(
    cursor: CursorWrapper, batch: _Batch, places: Sequence[int]
) -> list[tuple[int, str]]:
    """The same of events that draw from a hard pool: what it does not cover is refused.

    Their pools are locked by now, so that nobody else takes what these are promised.
    """
    told = batch.plain
    first: dict[tuple[str, str], int] = {}
    same = {
        place: first.setdefault((told.sources[place], told.keys[place]), place) for place in places
    }
    once = list(first.values())
    LIMITED.execute(cursor, columns_of(told, once) | {"now": batch.at})
    refused = beyond_limits([(once[row[0] - 1], *row[1:]) for row in cursor.fetchall()])
    beyond = {place for place in places if same[place] in refused}
    rest = [place for place in places if place not in beyond]
    counted = _take(cursor, batch, rest, covered=True) if rest else []
    return [*counted, *((place, BEYOND) for place in sorted(beyond))]


LIMITED_BY_POOL, BEYOND = "limited", "beyond_limit"
# What only the database can see, and the field that it is about.
_LATE_REFUSALS = {"in_the_future": "time", "other_account": "account", BEYOND: "value"}


def _take_correction(batch: _Batch, number: int) -> None:
    judged = batch.corrections[number]
    found = take_correction(judged, at=batch.at)
    if isinstance(found, Rejection):
        batch.refused[number] = found
        return
    status, code = found
    if status == DUPLICATE:
        batch.again.append(number)
    where = "retracts" if judged.kind == RETRACTS else "replaces"
    field_ = "subject" if code.endswith("subject") else where if code else ""
    batch.answers[number] = Answer(judged.source, judged.key, status, code, field_)


def _answer_known(batch: _Batch) -> None:
    """Whose id is taken is a duplicate, whatever is wrong with it by now.

    Asked only where something is refused, or a correction is known.
    """
    if not batch.refused and not batch.again:
        return
    claimed = {
        (answer.source, answer.id): number
        for number, answer in batch.answers.items()
        if answer.status != DUPLICATE and number not in batch.refused
    }
    asked: dict[int, Told] = {}
    for number in (*batch.refused, *batch.again):
        event = batch.events[number]
        if isinstance(event, Unreadable) or not may_be_known(event):
            continue
        # An event that comes after it in the same batch may have the id that it left free.
        left_free = number in batch.refused and claimed.get((event.source, event.id), -1) > number
        if not left_free:
            asked[number] = event
    known = known_under((event.source, event.id) for event in asked.values())
    for number, event in asked.items():
        who = event.source, event.id
        if who in known:
            batch.refused.pop(number, None)
            batch.answers[number] = Answer(*who, DUPLICATE, differs=differs(event, known[who]))


def _refused_rows(batch: _Batch) -> list[UsageRejected]:
    """Answers to what was refused, and the rows by which it stays to be looked at."""
    rows = []
    for number, rejection in batch.refused.items():
        event = batch.events[number]
        if isinstance(event, Unreadable):
            text = event.text
            source, key = identity_of(text)
        else:
            text, source, key = text_of(event), event.source, event.id
        message = say(rejection)
        batch.answers[number] = Answer(
            *(_plain(source), _plain(key), REJECTED),
            *(rejection.code, _plain(rejection.field), _plain(message)),
        )
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
