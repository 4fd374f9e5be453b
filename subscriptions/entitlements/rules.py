"""What may be used on a day, until when, and why not: dated holdings, folded; no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from o2b.periods import FOREVER, Period


class Reason(StrEnum):
    """Why something may not be used."""

    SUSPENDED = "suspended"
    ENDED = "ended"
    NOT_STARTED = "not_started"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Holding:
    """So many of a product in some days; what is suspended is had and not used."""

    period: Period
    in_use: bool
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether and how many; `until` is the first day without, `since` the day of the reason."""

    entitled: bool
    quantity: Decimal = Decimal(0)
    until: date | None = None
    reason: Reason | None = None
    since: date | None = None


def days_of(start: date | None, end: date | None) -> Period:
    """The days that Postgres tells by their bounds, of which each may be open."""
    return Period(start or date.min, end or FOREVER)


def run_around(periods: Iterable[Period], day: date) -> Period | None:
    """The days around a day that the periods cover without a gap; None if they miss the day.

    >>> halves = [Period(date(2026, 1, 1), date(2026, 2, 1)), Period(date(2026, 2, 1), FOREVER)]
    >>> run_around(halves, date(2026, 1, 5)) == Period(date(2026, 1, 1), FOREVER)
    True
    """
    run: Period | None = None
    for period in sorted(periods, key=lambda each: each.start):
        if run is not None and period.start <= run.end:
            run = Period(run.start, max(run.end, period.end))
        elif run is not None and run.contains(day):
            break
        else:
            run = period
    return run if run is not None and run.contains(day) else None


def end_of(run: Period) -> date | None:
    """The first day outside; None where no end is known."""
    return None if run.end == FOREVER else run.end


def verdict(holdings: Sequence[Holding], day: date) -> Verdict:
    """Whether a product may be used on a day, from all holdings of it, past and to come."""
    used = run_around((each.period for each in holdings if each.in_use), day)
    if used is not None:
        now = (each for each in holdings if each.in_use and each.period.contains(day))
        return Verdict(True, sum((each.quantity for each in now), Decimal(0)), end_of(used))
    halted = run_around((each.period for each in holdings if not each.in_use), day)
    if halted is not None:
        return Verdict(False, reason=Reason.SUSPENDED, since=halted.start)
    coming = min((h.period.start for h in holdings if h.period.start > day), default=None)
    if coming is not None:
        return Verdict(False, reason=Reason.NOT_STARTED, since=coming)
    gone = max((each.period.end for each in holdings), default=None)
    if gone is not None:
        return Verdict(False, reason=Reason.ENDED, since=gone)
    return Verdict(False, reason=Reason.NEVER)


# The weightiest reason of several accounts' first.
WEIGHT = {reason: n for n, reason in enumerate(Reason)}


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """One answer for all accounts of a customer: what any of them may use, the customer may."""
    yes = [each for each in verdicts if each.entitled]
    if not yes:
        return min(verdicts, key=lambda each: WEIGHT[each.reason or Reason.NEVER])
    ends = [each.until for each in yes]
    last = None if None in ends else max(filter(None, ends))
    return Verdict(True, sum((each.quantity for each in yes), Decimal(0)), last)
