"""Which moments a test clock stops at on its way: every day of every zone, each once or more."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from o2b.periods import add_months

DAY = timedelta(days=1)
MOST_DAYS = 1_100
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)


def ahead(now: datetime, *, days: int = 0, months: int = 0) -> datetime:
    """So many months and days later, at the same time of day in UTC.

    >>> ahead(datetime(2028, 1, 31, 12, tzinfo=UTC), months=1).isoformat()
    '2028-02-29T12:00:00+00:00'
    """
    day = add_months(now.astimezone(UTC).date(), months) + timedelta(days=days)
    return datetime.combine(day, now.astimezone(UTC).timetz())


def next_stop(
    now: datetime, *, begun: datetime, until: datetime, zones: Iterable[str] = ()
) -> datetime:
    """A day later by UTC's wall clock; earlier where a zone would else miss a day of its own.

    Where clocks are put forward a day has 23 hours, so 24 hours may go from the evening before it
    to the morning after it. Then its first moment is a stop too.
    """
    usual = min(begun + ((now - begun) // DAY + 1) * DAY, until)
    missed = (_missed(now, usual, ZoneInfo(zone)) for zone in zones)
    return min([usual, *(stop for stop in missed if stop)])


def _missed(now: datetime, then: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment of a day of the zone that lies wholly between the two."""
    between = _day(now, zone) + DAY
    if _day(then, zone) <= between:
        return None
    begins = datetime.combine(between, time(0), zone).astimezone(UTC)
    return begins if now < begins < then else None


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def days_between(begun: datetime, until: datetime) -> int:
    """How many days, the last of which may be a part of one."""
    return -((begun - until) // DAY)
