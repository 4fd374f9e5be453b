"""What waited: counted when its subject appears, corrected when what it corrects is counted."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef

from subscriptions.models import UsageKey, UsageKind, UsagePending, UsageRejected
from subscriptions.models.usage import DISMISSED
from subscriptions.pools.services import beyond_limits
from subscriptions.usage.rules.judging import SKEW
from subscriptions.usage.services.correcting import retry_correction
from subscriptions.usage.statements import MARK_OTHERS, RELEASE, RELEASE_LIMITED

AT_ONCE = 5_000
NEVER = (UsagePending.Reason.ALREADY_CORRECTED, UsagePending.Reason.OF_A_RETRACTION)


def release_waiting(*, machine_now: datetime, most: int = AT_ONCE) -> int:
    """Count what can be counted now, at most so many; return how many were.

    Of what needs a closer look (hard pools, corrections) at most so many are looked at, and those
    first that were not for the longest time, so that what stays keeps nothing from its turn.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        asked: dict[str, Any] = {"now": machine_now, "skew": f"{SKEW.seconds} s", "most": most}
        cursor.execute(RELEASE_LIMITED, asked)
        limited = sorted(cursor.fetchall())  # of those that are looked at, the oldest first
        beyond = beyond_limits(limited) if limited else set()
        if beyond:
            waits = UsagePending.objects.filter(pk__in=beyond)
            waits.update(reason=UsagePending.Reason.BEYOND_LIMIT, tried_at=machine_now)
        covered = [row[0] for row in limited if row[0] not in beyond]
        cursor.execute(RELEASE, asked | {"covered": covered})
        released: int = cursor.fetchone()[0]
        cursor.execute(MARK_OTHERS, asked)
    return released + _retry_corrections(machine_now, most)


def _retry_corrections(machine_now: datetime, most: int) -> int:
    """Corrections whose event is counted by now, each by itself."""
    key = UsageKey.objects.filter(source=OuterRef("source"), key=OuterRef("corrects"))
    # An event that is known, does not wait itself and was not dismissed is counted.
    gone = UsageRejected.objects.filter(
        source=OuterRef("source"), key=OuterRef("corrects"), code=DISMISSED
    )
    waits = UsagePending.objects.filter(source=OuterRef("source"), key=OuterRef("corrects"))
    ready = list(
        UsagePending.objects.exclude(kind=UsageKind.USED)
        .exclude(reason__in=NEVER)
        .filter(Exists(key), ~Exists(waits), ~Exists(gone))
        .order_by(F("tried_at").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)[:most]
    )
    released = sum(retry_correction(pk, at=machine_now) for pk in sorted(ready))
    if released < len(ready):
        UsagePending.objects.filter(pk__in=ready).update(tried_at=machine_now)
    return released
