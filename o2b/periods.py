"""Periods of days: half open, and anchored on a day of the month that short months do not lose."""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice

FOREVER = date.max  # the end of a period that has no end
CALENDAR_EPOCH = date(2001, 1, 1)  # a Monday, a New Year's Day and the first day of a century


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_DAYS = {Unit.DAY: 1, Unit.WEEK: 7}
_MONTHS = {Unit.MONTH: 1, Unit.YEAR: 12}
_DAY = timedelta(days=1)

_NAMES = {
    "day": (Unit.DAY, 1),
    "daily": (Unit.DAY, 1),
    "week": (Unit.WEEK, 1),
    "weekly": (Unit.WEEK, 1),
    "month": (Unit.MONTH, 1),
    "monthly": (Unit.MONTH, 1),
    "quarter": (Unit.MONTH, 3),
    "quarterly": (Unit.MONTH, 3),
    "half-year": (Unit.MONTH, 6),
    "half-yearly": (Unit.MONTH, 6),
    "semi-annual": (Unit.MONTH, 6),
    "biannual": (Unit.MONTH, 6),
    "year": (Unit.YEAR, 1),
    "yearly": (Unit.YEAR, 1),
    "annual": (Unit.YEAR, 1),
    "biennial": (Unit.YEAR, 2),
}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Days from `start` up to, and without, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a period ends after it starts: {self}")

    def __str__(self) -> str:
        return f"[{self.start}, {self.end})"

    @classmethod
    def inclusive(cls, first: date, last: date) -> "Period":
        """From the first day to the last one, both inside.

        >>> print(Period.inclusive(date(2026, 1, 1), date(2026, 1, 31)))
        [2026-01-01, 2026-02-01)
        """
        return cls(first, last + _DAY)

    @property
    def last(self) -> date:
        """The last day inside."""
        return self.end - _DAY

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def overlap(self, other: "Period") -> "Period | None":
        """The days that both periods hold, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    def contains(self, day: date) -> bool:
        return self.start <= day < self.end


def add_months(day: date, n: int, anchor: int | None = None) -> date:
    """The day `n` months on, on day `anchor` of the month (that of `day` if not given).

    A month that is too short gives its last day; a longer one later returns to the anchor.

    >>> add_months(date(2026, 1, 31), 1), add_months(date(2026, 2, 28), 1, anchor=31)
    (datetime.date(2026, 2, 28), datetime.date(2026, 3, 31))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    wanted = anchor or day.day
    if wanted > 28:
        wanted = min(wanted, monthrange(year, month + 1)[1])
    return date(year, month + 1, wanted)


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a full period lasts: so many days, weeks, months or years."""

    unit: Unit
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError("an interval counts at least one unit")
        object.__setattr__(self, "unit", Unit(self.unit))

    @classmethod
    def named(cls, name: str) -> "Interval":
        """The interval that a word names: "quarter", "half-year", "monthly", "30 days", "2 weeks".

        >>> str(Interval.named("quarter")), str(Interval.named("30 days"))
        ('3 months', '30 days')
        """
        count, _, word = name.strip().lower().rpartition(" ")
        unit, times = _NAMES.get(word) or _NAMES.get(word.removesuffix("s")) or (None, 0)
        if unit is None or not (count or "1").isdecimal():
            raise ValueError(f"{name!r} is not an interval")
        return cls(unit, times * int(count or 1))

    def __str__(self) -> str:
        return self.unit.value if self.count == 1 else f"{self.count} {self.unit.value}s"

    @property
    def months(self) -> int:
        """The length in months; 0 for an interval of days or weeks."""
        return _MONTHS.get(self.unit, 0) * self.count

    @property
    def days(self) -> int:
        """The length in days; 0 for an interval of months or years."""
        return _DAYS.get(self.unit, 0) * self.count

    def advance(self, anchor_start: date, n: int) -> date:
        """The boundary `n` intervals after `anchor_start`, always counted from there.

        >>> [str(Interval(Unit.MONTH).advance(date(2026, 1, 31), n)) for n in (1, 2)]
        ['2026-02-28', '2026-03-31']
        """
        if self.months:
            return add_months(anchor_start, n * self.months)
        return anchor_start + timedelta(days=n * self.days)


def anchored_period(on: date, interval: Interval, anchor: date, anchor_day: int) -> Period:
    """The full period that contains `on`.

    Boundaries run both ways from the first `anchor_day` on or after `anchor` (Kill Bill: the
    first billing cycle day on or after the start); days and weeks run from `anchor` itself.

    >>> print(anchored_period(date(2026, 1, 20), Interval(Unit.MONTH), date(2026, 1, 20), 15))
    [2026-01-15, 2026-02-15)
    """
    step = interval.months
    if not step:
        start = on - timedelta(days=(on - anchor).days % interval.days)
        return Period(start, start + timedelta(days=interval.days))
    first = _first_on_or_after(anchor, anchor_day)
    n = ((on.year - first.year) * 12 + on.month - first.month) // step
    start = add_months(first, n * step, anchor_day)
    if start > on:
        n -= 1
        start = add_months(first, n * step, anchor_day)
    return Period(start, add_months(first, (n + 1) * step, anchor_day))


def calendar_period(on: date, interval: Interval, anchor: date) -> Period:
    """The full period of the calendar that contains `on`.

    Weeks begin on Monday; months, quarters, half-years and years on the first of their first
    month; so many weeks or months are counted from 2001-01-01. Days know no calendar: they run
    from `anchor`. Sources: Lago (calendar billing), ERPNext (follow calendar months).

    >>> print(calendar_period(date(2026, 5, 20), Interval.named("quarter"), date(2026, 5, 20)))
    [2026-04-01, 2026-07-01)
    """
    epoch = anchor if interval.unit is Unit.DAY else CALENDAR_EPOCH
    return anchored_period(on, interval, epoch, 1)


def periods_from(
    start: date,
    interval: Interval,
    *,
    anchor_day: int | None = None,
    calendar: bool = False,
    end: date = FOREVER,
    cuts: Iterable[date] = (),
) -> Iterator[Period]:
    """The periods of a service one after the other, the first and the last perhaps short.

    They end where full periods do, at `end`, and at each day of `cuts` (the end of a trial).
    Without an anchor day they are counted from the start's own day.
    """
    ordered = sorted(cuts)
    first = start
    while first < end:
        if calendar:
            full = calendar_period(first, interval, start)
        else:
            full = anchored_period(first, interval, start, anchor_day or start.day)
        cut = next((each for each in ordered if each > first), FOREVER)
        period = Period(first, min(full.end, end, cut))
        yield period
        first = period.end


def boundaries(
    start: date,
    interval: Interval,
    *,
    count: int,
    anchor_day: int | None = None,
    calendar: bool = False,
    end: date = FOREVER,
) -> list[date]:
    """The start and the ends of the first `count` periods from there.

    >>> [str(day) for day in boundaries(date(2025, 3, 31), Interval.named("month"), count=2)]
    ['2025-03-31', '2025-04-30', '2025-05-31']
    """
    found = periods_from(start, interval, anchor_day=anchor_day, calendar=calendar, end=end)
    return [start, *(each.end for each in islice(found, count))]


def _first_on_or_after(day: date, anchor_day: int) -> date:
    candidate = add_months(day, 0, anchor_day)
    return candidate if candidate >= day else add_months(day, 1, anchor_day)
