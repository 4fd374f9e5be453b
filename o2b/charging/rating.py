"""Usage of a charge, period by period: how much it was, what of it is included, what it costs."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from o2b.charging.aggregating import UsageOfDays
from o2b.charging.allowances import Part, PoolPeriod, included_units, settle
from o2b.charging.daycount import running
from o2b.charging.decks import RateMissing
from o2b.charging.facts import ChargeFacts, CompiledCharge
from o2b.charging.pricing import list_price
from o2b.charging.proration import shared_total
from o2b.charging.ramps import terms_on
from o2b.charging.schedule import Piece, Schedule, Walk, schedule_of, walk
from o2b.charging.terms import ChargeTerms, DeckRates, Model, Proration
from o2b.charging.usage import Aggregation, Event, Used
from o2b.money import EXACT, quantise
from o2b.periods import Period

_BY_EVENT = (Model.PERCENTAGE, Model.RATED)


class RatedPeriod(NamedTuple):
    """A full period of usage: the days served, what was used in them, and its rounded amount.

    Of an allowance, `available` is what could be used without charge when the period began (its
    own units and those carried on), `free` what was; both None where the Terms have none.
    """

    full: Period
    served: Period
    quantity: Decimal
    amount: Decimal
    available: Decimal | None = None
    free: Decimal | None = None


class _Free(NamedTuple):
    """Units of a period that cost nothing: what there were, and what counts as used of them."""

    available: Decimal
    included: Decimal


def running_period(charge: ChargeFacts, *, on: date) -> Period | None:
    """The full period of a charge that holds a day; None on a day that it does not serve."""
    terms = charge.terms.terms if isinstance(charge.terms, CompiledCharge) else charge.terms
    schedule = schedule_of(charge, terms)
    if schedule is None or not schedule.begins_on <= on < schedule.ends_on:
        return None
    return schedule.period_on(on)


def rate_periods(charge: ChargeFacts, *, on: date) -> list[RatedPeriod]:
    """The periods of a usage charge up to the one that holds a day, as a bill run rates them.

    The last one is rated as if nothing more were used in it.
    """
    terms = charge.terms.terms if isinstance(charge.terms, CompiledCharge) else charge.terms
    schedule = schedule_of(charge, terms)
    if schedule is None or on < schedule.begins_on:
        return []
    until = schedule.period_on(min(on, schedule.ends_on)).end
    walked = walk(schedule, since=schedule.begins_on, until=until)
    return [each for each in rate_usage(charge, terms, schedule, walked) if each.full.start <= on]


class _Measured(NamedTuple):
    """Usage of one full period with the share of it that was served, as days over days."""

    full: Period
    served: Period
    quantity: Decimal
    events: tuple[Event, ...]
    parts: tuple[Part, ...]
    reached: int
    whole: int


def rate_usage(
    charge: ChargeFacts, terms: ChargeTerms, schedule: Schedule, walked: Walk
) -> list[RatedPeriod]:
    """Every period of a walk, each as one piece.

    Used counts what falls on days served, put together as `charge.aggregation` says (see
    `o2b.charging.aggregating`); one price is in force for a period, that of its first
    such day. A period served in part pays its usage whole and its share, by days, of fixed
    discounts, minimum and maximum, and of the allowance if that is prorated. Units that roll over
    or are pooled are followed from the first day that is charged.
    """
    usage = _Usage(charge.usage, terms, charge.aggregation)
    measured = [usage.of(full, pieces) for full, pieces in walked.periods]
    free = _included(terms, schedule, usage, measured)
    found: list[RatedPeriod] = []
    for each, included in zip(measured, free, strict=True):
        begins = each.served.start
        in_force = terms_on(terms, begins, started_on=charge.started_on)
        amount = _amount(in_force, each, included.included if included else None)
        rated = RatedPeriod(each.full, each.served, each.quantity, amount)
        if included:
            drawn = min(included.included, each.quantity)
            rated = rated._replace(available=included.available, free=drawn)
        found.append(rated)
    return found


class _Usage:
    """What was used, by full period."""

    def __init__(self, usage: Sequence[Used], terms: ChargeTerms, aggregation: Aggregation) -> None:
        self.used = UsageOfDays(usage, aggregation)
        self.terms = terms
        self.by_event = terms.model in _BY_EVENT

    def of(self, full: Period, pieces: Sequence[Piece]) -> _Measured:
        """The usage on the served days of a full period."""
        periods = [piece.period for piece in pieces]
        quantity = self.used.quantity(periods)
        events = self.used.events(periods) if self.by_event else ()
        sums, whole = self._running(full, periods)
        shares = [now - before for before, now in zip([0, *sums], sums, strict=False)]
        parts = [
            Part(piece.quantity, Fraction(share, whole))
            for piece, share in zip(pieces, shares, strict=True)
        ]
        served = Period(periods[0].start, periods[-1].end)
        return _Measured(full, served, quantity, tuple(events), tuple(parts), sums[-1], whole)

    def _running(self, full: Period, periods: list[Period]) -> tuple[list[int], int]:
        if self.terms.proration is not Proration.DAY:
            return [1] * len(periods), 1
        return running(
            periods,
            full=full,
            interval=self.terms.interval,
            conventions=self.terms.conventions,
        )


def _included(
    terms: ChargeTerms, schedule: Schedule, usage: _Usage, measured: list[_Measured]
) -> Sequence[_Free | None]:
    """The units of each period that cost nothing; None where there is no allowance."""
    allowance = terms.allowance
    if allowance is None or not measured:
        return [None] * len(measured)
    if allowance.rollover is None and allowance.window == 1:
        units = [included_units(allowance, each.parts) for each in measured]
        return [_Free(each, each) for each in units]
    every = _since_start(schedule, usage, measured)
    settled = settle(allowance, [PoolPeriod(each.quantity, parts=each.parts) for each in every])
    free = {
        each.full.start: _Free(pool.available, EXACT.subtract(each.quantity, pool.overage))
        for each, pool in zip(every, settled, strict=True)
    }
    return [free[each.full.start] for each in measured]


def _since_start(schedule: Schedule, usage: _Usage, measured: list[_Measured]) -> list[_Measured]:
    """Every period from the first day that is charged to the last one measured."""
    known = {each.full.start: each for each in measured}
    last = measured[-1].full.start
    found: list[_Measured] = []
    full = schedule.period_on(schedule.begins_on)
    while full.start <= last:
        pieces = schedule.pieces(full, since=schedule.begins_on)
        if full.start in known:
            found.append(known[full.start])
        elif pieces:
            found.append(usage.of(full, pieces))
        full = schedule.period_on(full.end)
    return found


def _amount(terms: ChargeTerms, each: _Measured, included: Decimal | None) -> Decimal:
    """The price of what was used, within the bounds of the share served; rounded."""
    if isinstance(terms.call, DeckRates) and each.quantity and not each.events:
        raise RateMissing  # of a total that does not tell its calls
    listed = list_price(terms, each.quantity, each.events, included=included)
    total = shared_total(terms, listed, reached=each.reached, whole=each.whole)
    return quantise(total, terms.currency, terms.conventions.rounding)
