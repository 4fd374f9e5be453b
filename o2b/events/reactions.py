"""How a function becomes the task that answers an event: the work is done once, or owed still."""

import logging
from collections.abc import Callable, Sequence
from functools import wraps

from celery import Task, shared_task
from django.db import models, transaction

from o2b import clock
from o2b.events.outbox import LEASE, hand_back, postpone, send
from o2b.models import Outbox

log = logging.getLogger(__name__)


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
        @shared_task(name=name, at_once=at_once)  # type: ignore[call-overload]
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
            taken = [mine] if mine else []
            taken += _fresh(name).exclude(pk=outbox_id)[: at_once - len(taken)]
            if taken:
                _settle(taken, effect)
    except Exception as exc:
        log.warning("%s together: %s: %s; now one by one", name, type(exc).__name__, exc)
        return False
    if len(taken) == at_once:
        _call_next(name)
    return True


def _fresh(name: str) -> models.QuerySet[Outbox]:
    """Rows of a task that nobody holds and that never failed, locked, oldest first."""
    idle = models.Q(leased_until=None) | models.Q(leased_until__lt=clock.now())
    free = Outbox.objects.select_for_update(skip_locked=True)
    return free.filter(idle, task=name, attempts=0).order_by("pk")


def _call_next(name: str) -> None:
    """There may be more than one message took along: send another."""
    with transaction.atomic():
        row = _fresh(name).first()
    if row:
        send(row)


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
        @shared_task(name=name, at_once=at_once)  # type: ignore[call-overload]
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
                if sum(map(len, owed.values())) == at_once > 1:
                    _call_next(name)
            except Exception as exc:
                hand_back(pk for other, ids in owed.items() if other != key for pk in ids)
                postpone(outbox_id, exc)
                raise

        return task

    return wrap


def _lease(name: str, outbox_id: int, at_once: int) -> dict[int, list[int]]:
    """What is still owed, by key: this row and others that are free; the sweeper keeps away."""
    with transaction.atomic():
        free = Outbox.objects.select_for_update(skip_locked=True)
        rows = list(free.filter(pk=outbox_id))
        rows += _fresh(name).exclude(pk=outbox_id)[: at_once - len(rows)]
        ids = [row.pk for row in rows]
        Outbox.objects.filter(pk__in=ids).update(leased_until=clock.now() + LEASE)
    owed: dict[int, list[int]] = {}
    for row in rows:
        owed.setdefault(row.key, []).append(row.pk)
    return owed
