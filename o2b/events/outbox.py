"""The outbox: rows of what is owed, sent to their tasks, kept until done, sent again when lost."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from celery import current_app
from django.db import models, transaction

from o2b import clock
from o2b.models import Outbox

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
LONGEST_WAIT = timedelta(minutes=15)


def publish(owed: Iterable[Outbox]) -> int:
    """Send outbox rows to their tasks; a broker that is away costs nothing but time.

    A task that takes rows along needs no message for each: one for as many as it takes at once.
    """
    by_task: dict[str, list[Outbox]] = {}
    for row in owed:
        by_task.setdefault(row.task, []).append(row)
    sent = 0
    for name, rows in by_task.items():
        step = getattr(current_app.tasks.get(name), "at_once", 1)
        for row in rows[::step]:
            if not send(row):
                return sent
        sent += len(rows)
    return sent


def send(row: Outbox) -> bool:
    try:
        current_app.signature(row.task, kwargs={"key": row.key, "outbox_id": row.pk}).apply_async(
            retry=False
        )
    except Exception as exc:
        log.warning("outbox row %s was not sent: %s", row.pk, exc)
        return False
    return True


def _send_each(rows: Iterable[Outbox]) -> int:
    """A message for every row, until the broker fails."""
    sent = 0
    for row in rows:
        if not send(row):
            break
        sent += 1
    return sent


def done(outbox_ids: Iterable[int]) -> None:
    """The effect stands: what was owed is owed no more. In the transaction of the effect."""
    Outbox.objects.filter(pk__in=list(outbox_ids)).delete()


def hand_back(outbox_ids: Iterable[int]) -> None:
    """Leave rows to a message of their own; nobody takes them along any more."""
    rows = Outbox.objects.filter(pk__in=list(outbox_ids))
    rows.update(leased_until=None, attempts=models.F("attempts") + 1)
    _send_each(rows)


def postpone(outbox_id: int | None, exc: BaseException) -> None:
    """Keep what failed, say why, and let it wait twice as long each time."""
    if outbox_id is None:
        return
    row = Outbox.objects.filter(pk=outbox_id).first()
    if row is None:
        return
    wait = min(timedelta(seconds=2) * 2 ** min(row.attempts, 12), LONGEST_WAIT)
    Outbox.objects.filter(pk=outbox_id).update(
        attempts=models.F("attempts") + 1,
        last_error=f"{type(exc).__name__}: {exc}"[:2000],
        leased_until=clock.now() + wait,
    )


def sweep(*, older_than: timedelta = timedelta(seconds=20), limit: int = 1000) -> int:
    """Send again what has waited too long and nobody holds; return how many were sent.

    What was recorded or leased later than anybody could by now is from before the clock was set
    back: it does not wait until the old time comes again.
    """
    moment = clock.now()
    never = moment + LONGEST_WAIT + LEASE
    with transaction.atomic():
        lost = list(
            Outbox.objects.select_for_update(skip_locked=True)
            .filter(models.Q(recorded_at__lt=moment - older_than) | models.Q(recorded_at__gt=never))
            .filter(
                models.Q(leased_until=None)
                | models.Q(leased_until__lt=moment)
                | models.Q(leased_until__gt=never)
            )
            .order_by("recorded_at", "pk")[:limit]
        )
        Outbox.objects.filter(pk__in=[row.pk for row in lost]).update(leased_until=moment + LEASE)
    return _send_each(lost)


def drain(*, rounds: int = 10_000) -> int:
    """Run every reaction owed in this process, oldest first, until none is left (for tests)."""
    for ran in range(rounds):
        row = Outbox.objects.order_by("pk").first()
        if row is None:
            return ran
        current_app.tasks[row.task](key=row.key, outbox_id=row.pk)
    raise RuntimeError(f"the outbox does not empty; it still holds {row}")
