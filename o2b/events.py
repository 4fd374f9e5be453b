"""Record what happened, and see to it that every reaction to it takes effect, once or more.

The event and one outbox row a reaction are written in the caller's transaction. After the commit
the rows are sent to Celery; whether that works or not, a row stays until the reaction deletes it in
the transaction of its own effect. The sweeper sends again what stays too long.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from celery import Task, current_app, shared_task
from django.db import models, transaction

from o2b import clock
from o2b.flow import REACTIONS, Reaction
from o2b.models import Event, Outbox

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
LONGEST_WAIT = timedelta(minutes=15)


def record(
    name: str,
    subject: models.Model,
    *,
    at: datetime,
    actor_id: int | None = None,
    cause: str = "",
    **facts: object,
) -> Event:
    """Write one event and its outbox rows. Call it inside the transaction of the change."""
    return record_many(name, [subject], at=at, actor_id=actor_id, cause=cause, **facts)[0]


def record_many(
    name: str,
    subjects: Sequence[models.Model],
    *,
    at: datetime,
    actor_id: int | None = None,
    cause: str = "",
    actor_of: Callable[[Any], int | None] | None = None,
    facts_of: Callable[[Any], dict[str, object]] | None = None,
    **facts: object,
) -> list[Event]:
    """Write one event a subject, in one INSERT, and one outbox row a distinct reaction key."""
    if name not in REACTIONS:
        raise LookupError(f"{name} is not in o2b.flow")
    events = Event.objects.bulk_create(
        Event(
            name=name,
            subject_type=subject._meta.label_lower,
            subject_id=subject.pk,
            account_id=_key(subject, "account"),
            order_id=_key(subject, "order"),
            at=at,
            actor_id=actor_of(subject) if actor_of else actor_id,
            cause=cause,
            facts=facts | facts_of(subject) if facts_of else facts,
        )
        for subject in subjects
    )
    owed = Outbox.objects.bulk_create(
        Outbox(event_name=name, task=reaction.task, key=key)
        for reaction in REACTIONS[name]
        for key in _keys(reaction, events)
    )
    if owed:
        transaction.on_commit(lambda: publish(owed), robust=True)
    return events


def _key(subject: models.Model, kind: str) -> int | None:
    if subject._meta.model_name == kind:
        return subject.pk
    return getattr(subject, f"{kind}_id", None)


def _keys(reaction: Reaction, events: Iterable[Event]) -> list[int]:
    found = {getattr(event, f"{reaction.by}_id") for event in events}
    if None in found:
        raise LookupError(f"{reaction.task} wants the {reaction.by} of an event that has none")
    return sorted(found)


def publish(owed: Iterable[Outbox]) -> int:
    """Send outbox rows to their tasks; a broker that is away costs nothing but time."""
    sent = 0
    for row in owed:
        try:
            current_app.signature(
                row.task, kwargs={"key": row.key, "outbox_id": row.pk}
            ).apply_async(retry=False)
        except Exception as exc:
            log.warning("outbox row %s was not sent: %s", row.pk, exc)
            break
        sent += 1
    return sent


def reaction(name: str) -> Callable[[Callable[[int], None]], Task]:
    """Make a task of a function that is told one key and whose effect is one transaction.

    The outbox row is locked first, skipped when another process holds it, and deleted with the
    effect: a message that comes twice, or late, or after a crash does the work once.
    """

    def wrap(effect: Callable[[int], None]) -> Task:
        @wraps(effect)
        def each(keys: list[int]) -> None:
            for key in keys:
                effect(key)

        return batch_reaction(name, at_once=1)(each)

    return wrap


def batch_reaction(name: str, *, at_once: int) -> Callable[[Callable[[list[int]], None]], Task]:
    """The same for a function that is told many keys at once.

    The task takes along as many rows of its kind as are owed and free, so that a backlog costs a
    few statements a batch; if a batch fails, the row of the message goes alone.
    """

    def wrap(effect: Callable[[list[int]], None]) -> Task:
        @shared_task(name=name)
        @wraps(effect)
        def task(*, key: int, outbox_id: int | None = None) -> None:
            if outbox_id is None:
                with transaction.atomic():
                    effect([key])
            elif at_once == 1 or not _together(name, effect, outbox_id, at_once):
                _alone(effect, outbox_id)

        return task

    return wrap


Effect = Callable[[list[int]], None]


def _together(name: str, effect: Effect, outbox_id: int, at_once: int) -> bool:
    """The effect of this row and of others owed; False when that failed and nothing was done."""
    try:
        with transaction.atomic():
            free = Outbox.objects.select_for_update(skip_locked=True)
            mine = free.filter(pk=outbox_id).first()
            if mine is None:
                return True
            fresh = free.filter(task=name, attempts=0).exclude(pk=outbox_id).order_by("pk")
            _settle([mine, *fresh[: at_once - 1]], effect)
    except Exception as exc:
        log.warning("%s together: %s: %s; now one by one", name, type(exc).__name__, exc)
        return False
    return True


def _alone(effect: Effect, outbox_id: int) -> None:
    try:
        with transaction.atomic():
            free = Outbox.objects.select_for_update(skip_locked=True)
            if row := free.filter(pk=outbox_id).first():
                _settle([row], effect)
    except Exception as exc:
        postpone(outbox_id, exc)
        raise


def _settle(rows: Sequence[Outbox], effect: Effect) -> None:
    effect(sorted({row.key for row in rows}))
    Outbox.objects.filter(pk__in=[row.pk for row in rows]).delete()


def outside_reaction(
    name: str, *, at_once: int = 1
) -> Callable[[Callable[[dict[int, list[int]], int], None]], Task]:
    """Like a batch reaction, for work that may talk to the outside and so holds no transaction.

    The function is told {key: outbox ids} and which key its message was about; it calls `done()`
    in the last transaction of each key, or `hand_back()` for what it leaves to other messages.
    """

    def wrap(effect: Callable[[dict[int, list[int]], int], None]) -> Task:
        @shared_task(name=name)
        @wraps(effect)
        def task(*, key: int, outbox_id: int | None = None) -> None:
            if outbox_id is None:
                effect({key: []}, key)
                return
            owed = _lease(name, outbox_id, at_once)
            if not owed:
                return
            try:
                effect(owed, key)
            except Exception as exc:
                hand_back(pk for other, ids in owed.items() if other != key for pk in ids)
                postpone(outbox_id, exc)
                raise

        return task

    return wrap


def _lease(name: str, outbox_id: int, at_once: int) -> dict[int, list[int]]:
    """What is still owed, by key: this row and others that are free; the sweeper keeps away."""
    moment = clock.now()
    with transaction.atomic():
        free = Outbox.objects.select_for_update(skip_locked=True)
        mine = free.filter(pk=outbox_id).first()
        if mine is None:
            return {}
        rows = [mine]
        if at_once > 1:
            fresh = free.filter(task=name, attempts=0).exclude(pk=outbox_id)
            idle = fresh.filter(models.Q(leased_until=None) | models.Q(leased_until__lt=moment))
            rows += idle.order_by("pk")[: at_once - 1]
        ids = [row.pk for row in rows]
        Outbox.objects.filter(pk__in=ids).update(leased_until=moment + LEASE)
    owed: dict[int, list[int]] = {}
    for row in rows:
        owed.setdefault(row.key, []).append(row.pk)
    return owed


def done(outbox_ids: Iterable[int]) -> None:
    """The effect stands: what was owed is owed no more. In the transaction of the effect."""
    Outbox.objects.filter(pk__in=list(outbox_ids)).delete()


def hand_back(outbox_ids: Iterable[int]) -> None:
    """Leave rows to their own message, or to the sweeper."""
    Outbox.objects.filter(pk__in=list(outbox_ids)).update(leased_until=None)


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
    """Send again what has waited too long and nobody holds; return how many were sent."""
    moment = clock.now()
    with transaction.atomic():
        lost = list(
            Outbox.objects.select_for_update(skip_locked=True)
            .filter(recorded_at__lt=moment - older_than)
            .filter(models.Q(leased_until=None) | models.Q(leased_until__lt=moment))
            .order_by("recorded_at", "pk")[:limit]
        )
        Outbox.objects.filter(pk__in=[row.pk for row in lost]).update(leased_until=moment + LEASE)
    return publish(lost)


def drain(*, rounds: int = 10_000) -> int:
    """Run every reaction owed in this process, oldest first, until none is left (for tests)."""
    for ran in range(rounds):
        row = Outbox.objects.order_by("pk").first()
        if row is None:
            return ran
        current_app.tasks[row.task](key=row.key, outbox_id=row.pk)
    raise RuntimeError(f"the outbox does not empty; it still holds {row}")
