"""What was refused: taken again as it was sent, or settled by hand."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from o2b import events
from subscriptions.models import UsageRejected
from subscriptions.usage.rules.answers import PENDING, REJECTED, Answer
from subscriptions.usage.rules.told import read_one
from subscriptions.usage.services.taking import KEPT, take_usage

MOST_AT_ONCE = 1_000


class Mended(NamedTuple):
    """How many rows were counted (or known already), wait now, and are refused still."""

    taken: int
    pending: int
    refused: int


@transaction.atomic
def retry_rejected(*, row_ids: Collection[int], user_id: int, at: datetime) -> Mended:
    """Take the stored texts again, by the meters of now; what goes well is settled.

    At most MOST_AT_ONCE. One that is refused again stays open and says why it is now.
    """
    rows = _open(row_ids)
    answers = take_usage(
        [read_one(row.told.encode()) for row in rows], at=at, keep_refused=False
    ).answers
    _write(rows, answers, at)
    well = [row for row in rows if row.settled_at]
    events.record_many("usage_rejected.retried", well, at=at, actor_id=user_id)
    waits = sum(answer.status == PENDING for answer in answers)
    return Mended(len(well) - waits, waits, len(rows) - len(well))


@transaction.atomic
def settle_rejected(*, row_ids: Collection[int], user_id: int, at: datetime) -> int:
    """Nothing is to be done about these any more; how many they were. At most MOST_AT_ONCE."""
    rows = _open(row_ids)
    UsageRejected.objects.filter(pk__in=[row.pk for row in rows]).update(settled_at=at)
    events.record_many("usage_rejected.settled", rows, at=at, actor_id=user_id)
    return len(rows)


def _open(row_ids: Collection[int]) -> list[UsageRejected]:
    """Those that are not settled, locked, the oldest first."""
    wanted = sorted(row_ids)[:MOST_AT_ONCE]
    rows = UsageRejected.objects.select_for_update().filter(pk__in=wanted, settled_at=None)
    return list(rows.order_by("pk"))


def _write(rows: Sequence[UsageRejected], answers: Sequence[Answer], at: datetime) -> None:
    for row, answer in zip(rows, answers, strict=True):
        if answer.status == REJECTED:
            # What was kept may be a part of the event only: the first reason says more.
            if answer.code == "unreadable" and len(row.told) >= KEPT:
                continue
            row.code, row.field = answer.code, answer.field[:80]
            row.message = answer.message[:500]
        else:
            row.settled_at = at
    UsageRejected.objects.bulk_update(rows, ["code", "field", "message", "settled_at"])
