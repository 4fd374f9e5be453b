"""Which part of a full period some days are: the day counts that billing systems use.

Every count is a whole number over a whole number (days over days), so that a price is multiplied
before it is divided. Two rules make each of them fit for money, whatever the count: a full period
served from its first day to its last is 1, and no part of it is more than 1.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from o2b.charging.terms import DEFAULT_CONVENTIONS, Conventions, DayCount
from o2b.periods import Interval, Period, add_months

MONTH_DAYS = 30  # of each month in a year of 360 days

_MONTH_LENGTHS = lcm(28, 29, 30, 31)


class Ratio(NamedTuple):
    """Days over days, as published tables print them: "5/31"; not reduced."""

    numerator: int
    denominator: int

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"

    @property
    def value(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)


def days_360(period: Period) -> int:
    """Days of a year of 360: 30 × (months between) + (day − day), no day later than the 30th.

    The end is the first day outside, so the last day of a month reaches the 30th: 27–31 January
    and 27–28 February are 4, February is 30. Source: Zuora, "Assume 30 days – Strict 30/360".

    >>> days_360(Period(date(2021, 2, 27), date(2021, 3, 1)))
    4
    """
    return _position(period.end) - _position(period.start)


def fixed_days(period: Period, *, month_days: int = MONTH_DAYS) -> int:
    """Days where each month has `month_days`: month_days × (months between) + (day − day).

    23 May to 15 June and 23 February to 15 March are both 22 of 30. Source: Kill Bill,
    daysBetweenWithFixedDaysInMonth: actual days less (length of the first month − fixed days)
    if the end lies in another month. Kill Bill means one month; this is the same for several.

    >>> fixed_days(Period(date(2023, 2, 23), date(2023, 3, 15)))
    22
    """
    start, end = period.start, period.end
    return month_days * _months_between(start, end) + end.day - start.day


def calendar_months(period: Period) -> Fraction:
    """Months of a period: of each calendar month the days inside ÷ its own length, summed.

    11–12 February 2019 are 2/28; 31 December and 1 January 2/31. Source: BillRun, monthsDiff.
    """
    return Fraction(_month_parts(period), _MONTH_LENGTHS)


def ratio(
    served: Period,
    *,
    full: Period,
    interval: Interval | None,
    day_count: DayCount = DayCount.ACTUAL,
    month_days: int = MONTH_DAYS,
) -> Ratio:
    """What the formula of a day count says of some days of a full period, nothing mended.

    actual: days ÷ days of the full period that holds them (Kill Bill, Lago, Salesforce, Zuora).
    calendar_months: `calendar_months` ÷ months of the interval (BillRun).
    actual_30: days ÷ (30 × months) (Zuora, "Assume 30 days – Actual / 360").
    thirty_360: `days_360` ÷ (30 × months) (Zuora, "Strict 30 / 360").
    fixed_30: `fixed_days` ÷ (month_days × months) (Kill Bill, proration.fixed.days).
    Intervals of days and weeks are always counted in actual days.
    """
    months = interval.months if interval is not None else 0
    if day_count is DayCount.ACTUAL or not months:
        return Ratio(served.days, full.days)
    if day_count is DayCount.CALENDAR_MONTHS:
        return Ratio(_month_parts(served), _MONTH_LENGTHS * months)
    if day_count is DayCount.ACTUAL_30:
        return Ratio(served.days, month_days * months)
    if day_count is DayCount.THIRTY_360:
        return Ratio(days_360(served), MONTH_DAYS * months)
    return Ratio(fixed_days(served, month_days=month_days), month_days * months)


def running(
    pieces: Sequence[Period],
    *,
    full: Period,
    interval: Interval | None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> tuple[list[int], int]:
    """How much of the full period is served at the end of each piece: numerators over one number.

    The ratios are summed; their sum is at most 1, and is 1 when every day was served: pieces of
    a served period cost the whole between them. With `fraction_places` each sum is rounded half
    up to so many decimals (Kill Bill 9, Salesforce 6).
    """
    sums: list[int] = []
    total = days = 0
    whole = full.days
    if conventions is DEFAULT_CONVENTIONS or conventions == DEFAULT_CONVENTIONS:
        for piece in pieces:
            total += piece.days
            sums.append(total)
        return sums, whole
    for piece in pieces:
        numerator, whole = ratio(
            piece, full=full, interval=interval, day_count=conventions.day_count
        )
        total += numerator
        days += piece.days
        sums.append(whole if days >= full.days else max(0, min(total, whole)))
    if conventions.fraction_places is None:
        return sums, whole
    unit = 10**conventions.fraction_places
    return [(2 * each * unit + whole) // (2 * whole) for each in sums], unit


def fraction(
    served: Period,
    *,
    full: Period,
    interval: Interval | None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Ratio:
    """The part of a full period that `served` is, as drafts use it: never more than the whole."""
    common = served.overlap(full)
    if common is None:
        return Ratio(0, 1)
    (numerator,), denominator = running(
        [common], full=full, interval=interval, conventions=conventions
    )
    return Ratio(numerator, denominator)


def rest_of_month(day: date) -> tuple[Period, Period]:
    """From a day to the end of its month, and that month: what `ratio` is asked about.

    The 5th of January leaves 27/31 in actual days, 27/30 by actual_30, 26/30 by thirty_360.
    Source: Enghouse, ProrateRemainingDaysOfMonth, …CalendarDaysUsing30DayMonth,
    ProrateDayOfMonthUsing30DayMonth.
    """
    first = day.replace(day=1)
    end = add_months(first, 1)
    return Period(day, end), Period(first, end)


def _position(day: date) -> int:
    """The days of 360-day years before `day`."""
    return MONTH_DAYS * (day.year * 12 + day.month) + min(day.day, MONTH_DAYS)


def _months_between(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month


def _month_parts(period: Period) -> int:
    """`calendar_months` in parts of which every length of a month is a whole number."""
    total = 0
    month = period.start.replace(day=1)
    while month < period.end:
        following = add_months(month, 1)
        days = (min(period.end, following) - max(period.start, month)).days
        total += days * (_MONTH_LENGTHS // (following - month).days)
        month = following
    return total
