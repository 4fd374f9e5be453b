"""What waited: counted when its subject appears, corrected when what it corrects is counted."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from subscriptions.models import UsageKey, UsageKind, UsagePending, UsageRejected
from subscriptions.models.usage import DISMISSED
from subscriptions.usage.rules.judging import SKEW
from subscriptions.usage.services.correcting import retry_correction
from subscriptions.usage.statements import RELEASE

AT_ONCE = 5_000


def release_waiting(*, machine_now: datetime, most: int = AT_ONCE) -> int:
    """Count what can be counted now, at most so many; return how many were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RELEASE, {"now": machine_now, "skew": f"{SKEW.seconds} s", "most": most})
        released: int = cursor.fetchone()[0]
    return released + _retry_corrections(machine_now, most)


def _retry_corrections(machine_now: datetime, most: int) -> int:
    """Corrections whose event is counted by now, each by itself; in the order they came."""
    key = UsageKey.objects.filter(source=OuterRef("source"), key=OuterRef("corrects"))
    # An event that is known, does not wait itself and was not dismissed is counted.
    gone = UsageRejected.objects.filter(
        source=OuterRef("source"), key=OuterRef("corrects"), code=DISMISSED
    )
    waits = UsagePending.objects.filter(source=OuterRef("source"), key=OuterRef("corrects"))
    ready = (
        UsagePending.objects.exclude(kind=UsageKind.USED)
        .filter(Exists(key), ~Exists(waits), ~Exists(gone))
        .order_by("pk")
        .values_list("pk", flat=True)[:most]
    )
    return sum(retry_correction(pk, at=machine_now) for pk in list(ready))
