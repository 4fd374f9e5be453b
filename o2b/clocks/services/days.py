"""Live one moment of a test clock: all that beat would do, then all that follows from it."""

import time
from collections import Counter

from celery import current_app
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from o2b.customers.models import Account
from o2b.models import Outbox

ROUNDS = 10  # what is due again after so many is left to the next day
TRIES = 5
PATIENCE_SECONDS = 90.0  # longer than a lease: what a dead process held is free again by then
LOOK_SECONDS = 0.02
AT_ONCE = 500


class DayFailed(Exception):
    """What is due on a day cannot be done; says what and why."""


def live_moment(*, clock_id: int) -> int:
    """Do what is due and what follows from it, until nothing does; how many reactions that took."""
    ran = 0
    for _round in range(ROUNDS):
        for name in settings.O2B_DAILY_WORK:
            _work(name)
        followed = settle(clock_id=clock_id)
        ran += followed
        if not followed:
            break
    return ran


def _work(name: str) -> None:
    try:
        current_app.tasks[name]()
    except Exception as exc:
        raise DayFailed(f"{name}: {type(exc).__name__}: {exc}") from exc


def settle(*, clock_id: int, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Run every reaction that is owed to the clock's accounts; return how many were.

    Here, not in the workers, so that no worker waits for another; what one of them is at already
    is waited for. A reaction that keeps failing fails the day.
    """
    ran, failed = 0, Counter[int]()
    until = time.monotonic() + patience_seconds
    while waiting := list(_owed(clock_id).order_by("pk")[:AT_ONCE]):
        for row in _free(clock_id).order_by("pk")[:AT_ONCE]:
            _run(row, failed)
        left = Outbox.objects.filter(pk__in=[row.pk for row in waiting])
        moved = len(waiting) - left.count()
        ran += moved
        if moved:
            until = time.monotonic() + patience_seconds
        elif time.monotonic() > until:
            raise DayFailed(_still_owed(left))
        else:
            time.sleep(LOOK_SECONDS * 2 ** max(failed.values(), default=0))
    return ran


def _owed(clock_id: int) -> QuerySet[Outbox]:
    accounts = Account.objects.filter(test_clock=clock_id).values("pk")
    return Outbox.objects.filter(account_id__in=accounts)


def _free(clock_id: int) -> QuerySet[Outbox]:
    """What nobody is at: leases are over, or hold back only what failed before."""
    idle = Q(leased_until=None) | Q(leased_until__lt=Now()) | ~Q(last_error="")
    return _owed(clock_id).filter(idle)


def _run(row: Outbox, failed: Counter[int]) -> None:
    try:
        current_app.tasks[row.task](key=row.key, outbox_id=row.pk)
    except Exception as exc:
        failed[row.pk] += 1
        if failed[row.pk] >= TRIES:
            message = _("%(what)s failed %(n)s times: %(why)s")
            why = f"{type(exc).__name__}: {exc}"
            raise DayFailed(message % {"what": row, "n": TRIES, "why": why}) from exc


def _still_owed(left: QuerySet[Outbox]) -> str:
    oldest = left.order_by("pk").first()
    message = _("Reactions are still owed and nobody gets them done, such as %(what)s.")
    return message % {"what": oldest}
