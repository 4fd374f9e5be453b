"""What drafting is told about a charge and what it answers: plain immutable rows.

They are named tuples, not dataclasses: a bill run makes millions, and a tuple costs a third.
"""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from o2b.charging.basis import Basis
from o2b.charging.begun import Begun
from o2b.charging.sharing import Sharing
from o2b.charging.terms import Alignment, ChargeTerms, Kind, Proration, Timing
from o2b.charging.usage import Aggregation, Used
from o2b.periods import Period, Unit


class CompiledCharge:
    """Terms made ready for drafting; compared by identity, so cheap as part of a memo key."""

    __slots__ = ("anniversary", "grid", "metered", "rootless", "terms")

    def __init__(self, terms: ChargeTerms) -> None:
        interval, trial, ramp = terms.interval, terms.trial, terms.ramp
        months, days = (interval.months, interval.days) if interval else (0, 0)
        calendar = terms.alignment is Alignment.CALENDAR
        self.terms = terms
        self.metered = terms.kind is Kind.USAGE
        self.anniversary = terms.alignment is Alignment.ANNIVERSARY
        # A monthly grid depends on the anchor day only, one of the calendar on nothing; all
        # others, trials and steps of a price on where they began too.
        by_calendar = calendar and interval is not None and interval.unit is not Unit.DAY
        self.rootless = (months == 1 or by_calendar) and trial is None and not ramp
        # Charges of equal grids have equal periods and pieces, whatever they cost.
        steps = tuple((each.after_months, each.on) for each in ramp)
        by_day = terms.proration is Proration.DAY
        # A trial may move the day of an anniversary, but never a bill day.
        moved = self.anniversary and trial is not None
        advance = terms.timing is Timing.ADVANCE
        self.grid = (months, days, advance, by_calendar, trial, moved, steps, by_day)

    def __repr__(self) -> str:
        return f"CompiledCharge({self.terms.key!r})"


@lru_cache(maxsize=8192)
def compile_charge(terms: ChargeTerms) -> CompiledCharge:
    """Compile terms; keep the result by the terms' digest and hand it over with each charge."""
    return CompiledCharge(terms)


WHOLE = Decimal(1)


class Segment(NamedTuple):
    """Days in service at one quantity; an open end is periods.FOREVER.

    Not `ends` says that the service goes on after them, billed by another charge or account.
    `delivered` is how much of what was promised is there, above 0 and at most 1: so much of the
    price of the whole `quantity` is paid. What was used is paid as it was used.
    """

    period: Period
    quantity: Decimal
    ends: bool = True
    delivered: Decimal = WHOLE


class Billed(NamedTuple):
    """What a full period (from start to end) and segment has been billed so far.

    `revision` is the highest billed, `amount` the sum over all revisions; `percent` is the tax
    rate that it was billed at, `tax` the sum of its tax. `undone`: every line of it was reversed,
    so that only its revision counts, and what is due is billed as if for the first time.
    `served_to` is the first day that no bill of it reached. A row of segment 0 only tells the rate
    of a period that another charge was billed for.
    """

    period_start: date
    segment: int
    revision: int
    amount: Decimal
    period_end: date
    percent: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    undone: bool = False
    served_to: date | None = None


class Prepaid(NamedTuple):
    """Units of a pool that cover what a charge used on a day, beyond its own allowance."""

    day: date
    units: Decimal


class ChargeFacts(NamedTuple):
    """One charge: its terms, what was in service, and what has been billed.

    `segments` are in order and do not overlap; an ended service has no open one. `billed` None
    says that nothing changed since the last bill: only periods after `billed_through` are looked
    at. A tuple, even an empty one, says that the item changed: every period is computed again and
    the difference is billed. `usage` is that of a usage charge; where units roll over or periods
    share a pool it reaches back to the start of service, of an average to the last event before.
    `aggregation` is that of the charge's meter. `late` says that usage of billed periods came and
    nothing else changed: what is billed for them then has that cause. `prepaid` are the units that
    the pool covers which it draws from, None if it draws from none; see `o2b.charging.pooling`.
    `sharing` is the part of all this that its payer has, None of who pays the whole. `begun` are
    days of the service under other charges of its key and grid, where one is not prorated.
    """

    ref: int
    terms: ChargeTerms | CompiledCharge
    started_on: date
    anchor_day: int
    segments: tuple[Segment, ...]
    billed_through: date | None
    billed: tuple[Billed, ...] | None = None
    usage: tuple[Used, ...] = ()
    aggregation: Aggregation = Aggregation.SUM
    late: bool = False
    prepaid: tuple[Prepaid, ...] | None = None
    sharing: Sharing | None = None
    begun: tuple[Begun, ...] = ()


class DraftLine(NamedTuple):
    """One amount to bill; (ref, full_period.start, segment, revision) is its identity.

    `segment` counts from 1 within the full period, `revision` from 1. `target` is what this
    period and segment should have been billed in all, `amount` what is still to bill. `basis` is
    what `target` cannot be computed without: None for the first piece of a period that is billed
    for the first time and is not of usage.
    """

    ref: int
    key: str
    period: Period
    full_period: Period
    segment: int
    revision: int
    quantity: Decimal
    amount: Decimal
    target: Decimal
    cause: str
    basis: Basis | None = None


class Mark(NamedTuple):
    """Where a charge stands: the first day not yet billed, and when something is due next."""

    billed_through: date | None
    next_due_on: date | None
