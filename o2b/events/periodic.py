"""Work by the clock: one of the processes at it at a time may live a whole day alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import wraps

from celery import Task, shared_task
from django.db import DatabaseError, OperationalError, connection, transaction

LOCK = 0x0B2D  # whoever works by the clock shares it; who lives a day has it alone
_is_alone: ContextVar[bool] = ContextVar("is_alone", default=False)


def periodic(name: str) -> Callable[[Callable[[], int]], Task]:
    """Make a task of work that beat calls for; it returns how much was done.

    While a test clock lives a day it stands aside, else it might do on the next day what was due
    on this one. Nothing is lost: the day carries the same work out itself, for all accounts.
    """

    def wrap(work: Callable[[], int]) -> Task:
        @shared_task(name=name)  # type: ignore[untyped-decorator, unused-ignore]
        @wraps(work)
        def task() -> int:
            if _is_alone.get():
                return work()
            with _held("_shared") as free:
                return work() if free else 0

        return task

    return wrap


@contextmanager
def alone(*, patience_seconds: float) -> Iterator[bool]:
    """Nobody else works by the clock meanwhile; False if somebody does not come to an end.

    Who waits stands in a queue, so that two clocks live their days by turns.
    """
    with _held("", patience_seconds) as mine:
        before = _is_alone.set(mine)
        try:
            yield mine
        finally:
            _is_alone.reset(before)


@contextmanager
def _held(share: str, patience_seconds: float = 0) -> Iterator[bool]:
    """The lock of this session, if it is free; it ends with the session, so kill -9 frees it."""
    free = _wait(patience_seconds) if patience_seconds else _ask("try_advisory_lock", share)
    try:
        yield free
    finally:
        if free:
            with suppress(DatabaseError):  # a broken session holds nothing any more
                _ask("advisory_unlock", share)


def _wait(seconds: float) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{seconds * 1000:.0f}"])
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    except OperationalError:
        return False
    return True


def _ask(what: str, share: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_{what}{share}(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
