"""Look at the services whose usage changed, some at a time; what a kill leaves is looked at again.

Which they are is told by the events that came since the last look, so that a service without any
costs nothing, and takes no note in the statement that counts usage.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from o2b.sql import ask
from subscriptions.usage.alerts.selectors import items_of, watched, watched_pools
from subscriptions.usage.alerts.services.telling import tell_passed
from subscriptions.usage.alerts.statements import (
    CHANGED,
    FIRST_LOOK,
    NEXT_LOOK,
    NEXT_SINCE,
    SINCE,
    TAKE_SOME,
)

log = logging.getLogger(__name__)

AT_ONCE = 200
ROUNDS = 10_000  # what is left then the next call finds


def look_at_usage(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Tell of every threshold that was passed since the last look; how many services changed.

    May run in several processes at once, and again: each threshold is told once a period.
    """
    note_changed()
    looked = 0
    for _round in range(ROUNDS):
        some = look_at_some(machine_now=machine_now, limit=limit)
        looked += some
        if not some:
            break
    return looked


@transaction.atomic
def note_changed() -> None:
    """Write down the services that have events since the last look; where one is at it, nothing."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_LOOK)
        cursor.execute(SINCE)
        if (row := cursor.fetchone()) is None:
            return
        # Asked before the events are: who ends in between is seen here, and its events below.
        cursor.execute(NEXT_SINCE)
        following = cursor.fetchone()[0]
        cursor.execute(CHANGED, row)
        cursor.execute(NEXT_LOOK, [following])


@transaction.atomic
def look_at_some(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Some services that nobody else is at; what is told of them stands with their rows gone."""
    services = sorted(key for (key,) in ask(TAKE_SOME, [limit]))
    if services:
        _look_at(services, machine_now)
    return len(services)


def _look_at(services: Sequence[int], machine_now: datetime) -> None:
    """All together; where that fails halves of them, down to the one at fault, which is left."""
    try:
        with transaction.atomic():
            seen = watched(items_of(services), machine_now=machine_now)
            tell_passed([*seen, *watched_pools(services)], machine_now)
    except Exception:
        if len(services) == 1:
            log.exception("usage of service %s cannot be looked at", services[0])
            return
        half = len(services) // 2
        _look_at(services[:half], machine_now)
        _look_at(services[half:], machine_now)
