"""How many full periods a stretch of service is: the multiplier that some systems publish."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from o2b.charging.daycount import Ratio, fraction
from o2b.charging.terms import DEFAULT_CONVENTIONS, Conventions, Timing
from o2b.money import Rounding, rounded, to_decimal
from o2b.periods import FOREVER, Interval, Period, anchored_period, calendar_period, periods_from


class Cycle(NamedTuple):
    """A served period, the full period that holds it, and which part of that it is."""

    period: Period
    full: Period
    part: Ratio


def cycles(
    start: date,
    interval: Interval,
    *,
    anchor_day: int | None = None,
    calendar: bool = False,
    end: date = FOREVER,
    until: date | None = None,
    timing: Timing = Timing.ADVANCE,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Iterator[Cycle]:
    """The periods from `start` to `end` that are due by `until` (None: all of them)."""
    if until is None and end == FOREVER:
        raise ValueError("cycles without end cannot be counted")
    for period in periods_from(start, interval, anchor_day=anchor_day, calendar=calendar, end=end):
        due = period.start if timing is Timing.ADVANCE else period.end
        if until is not None and due > until:
            return
        if calendar:
            full = calendar_period(period.start, interval, start)
        else:
            full = anchored_period(period.start, interval, start, anchor_day or start.day)
        part = fraction(period, full=full, interval=interval, conventions=conventions)
        yield Cycle(period, full, part)


def number_of_cycles(
    start: date,
    interval: Interval,
    *,
    anchor_day: int | None = None,
    calendar: bool = False,
    end: date = FOREVER,
    until: date | None = None,
    timing: Timing = Timing.ADVANCE,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Decimal:
    """Leading part + whole periods + trailing part, each rounded to the `fraction_places`.

    1 January 2011 to 27 January 2012 with bill day 15: 14/365 + 1 + 12/366 = 1.071143049 at 9
    places (Kill Bill). 28 March to 4 February with day 5: 8/31 + 10 = 10.258065 at 6 places
    (Salesforce, proration multiplier). Five weeks and two days are 37/7 (Zuora).
    """
    found = cycles(
        start,
        interval,
        anchor_day=anchor_day,
        calendar=calendar,
        end=end,
        until=until,
        timing=timing,
        conventions=conventions,
    )
    return to_decimal(sum((each.part.value for each in found), Fraction(0)))


def term_multiplier(length: int, default_length: int, *, places: int) -> Decimal:
    """A term over the term that a price is for, both in months or both in days.

    35 months of a yearly price at 4 places are 2.9167. Source: Salesforce CPQ, subscription
    proration precision.
    """
    return rounded(Fraction(length, default_length), places, Rounding.HALF_UP)
