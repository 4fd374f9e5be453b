"""What waits and what was refused, as the desk and the API list it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from subscriptions.models import UsageKey, UsagePending, UsageRejected
from subscriptions.models.usage import DISMISSED

OPEN, SETTLED, ALL = "open", "settled", "all"


def pending() -> QuerySet[UsagePending]:
    """Events that wait."""
    return UsagePending.objects.all()


def rejected() -> QuerySet[Any]:
    """Refused events; `came_well` where the same id was taken meanwhile."""
    taken = UsageKey.objects.filter(source=OuterRef("source"), key=OuterRef("key"))
    return UsageRejected.objects.annotate(came_well=Exists(taken))


def by_standing(rows: QuerySet[Any], standing: str) -> QuerySet[Any]:
    """Those that are open, settled (by hand, by a retry, or as a better one came), or dismissed."""
    settled = Q(settled_at__isnull=False) | Q(came_well=True)
    match standing:
        case "open":
            return rows.exclude(settled)
        case "settled":
            return rows.filter(settled).exclude(code=DISMISSED)
        case "dismissed":
            return rows.filter(code=DISMISSED)
    return rows


def recorded_from(rows: QuerySet[Any], on: date) -> QuerySet[Any]:
    """Recorded on a day (UTC) or later."""
    return rows.filter(recorded_at__gte=_midnight(on))


def recorded_until(rows: QuerySet[Any], on: date) -> QuerySet[Any]:
    """Recorded on a day (UTC) or earlier."""
    if on == date.max:  # no day follows it
        return rows
    return rows.filter(recorded_at__lt=_midnight(on + timedelta(days=1)))


def waiting_counts() -> tuple[int, int]:
    """How many events wait, and how many refused ones are open."""
    return pending().count(), by_standing(rejected(), OPEN).count()


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), UTC)
