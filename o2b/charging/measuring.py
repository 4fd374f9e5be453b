"""Usage of a charge, period by period: how much it was, and what of it costs nothing."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from o2b.charging.aggregating import UsageOfDays
from o2b.charging.allowances import Part, PoolPeriod, included_units, settle
from o2b.charging.daycount import running
from o2b.charging.decks import DeckRate
from o2b.charging.facts import Prepaid
from o2b.charging.models.calls import rate_call
from o2b.charging.models.decked import rate_decked
from o2b.charging.schedule import Piece, Schedule
from o2b.charging.terms import (
    CallRates,
    ChargeTerms,
    Conventions,
    DeckRates,
    Model,
    Proration,
)
from o2b.charging.usage import Aggregation, Event, Used
from o2b.money import EXACT
from o2b.periods import Interval, Period

_BY_EVENT = (Model.PERCENTAGE, Model.RATED)
_ZERO = Decimal(0)
_DAY = timedelta(days=1)


class Free(NamedTuple):
    """Units of a period that cost nothing: what there were, and what counts as used of them."""

    available: Decimal
    included: Decimal


class Measured(NamedTuple):
    """Usage of one full period with the share of it that was served, as days over days."""

    full: Period
    served: Period
    days: tuple[Period, ...]
    quantity: Decimal
    events: tuple[Event, ...]
    parts: tuple[Part, ...]
    reached: int
    whole: int


class _Share(NamedTuple):
    """The days of a full period that were served, and how much of it each piece is."""

    served: Period
    fractions: tuple[Fraction, ...]
    reached: int
    whole: int


@lru_cache(maxsize=4096)
def _share_of(
    full: Period,
    days: tuple[Period, ...],
    prorated: bool,
    interval: Interval | None,
    conventions: Conventions,
) -> _Share:
    """Equal of all charges that have the same days, whatever was used in them."""
    sums, whole = [1] * len(days), 1
    if prorated:
        sums, whole = running(days, full=full, interval=interval, conventions=conventions)
    shares = [now - before for before, now in zip([0, *sums], sums, strict=False)]
    fractions = tuple(Fraction(share, whole) for share in shares)
    return _Share(Period(days[0].start, days[-1].end), fractions, sums[-1], whole)


class Measuring:
    """What was used, by full period; `prepaid` are the units that a pool covered."""

    def __init__(
        self,
        usage: Sequence[Used],
        terms: ChargeTerms,
        aggregation: Aggregation,
        prepaid: Iterable[Prepaid] = (),
    ) -> None:
        self.used = UsageOfDays(usage, aggregation)
        self.terms = terms
        self.by_event = terms.model in _BY_EVENT
        self.prepaid: dict[date, Decimal] = {}
        for day, units in prepaid:
            self.prepaid[day] = EXACT.add(self.prepaid.get(day, _ZERO), units)

    def of(self, full: Period, pieces: Sequence[Piece]) -> Measured:
        """The usage on the served days of a full period."""
        terms, days = self.terms, tuple(piece.period for piece in pieces)
        prorated = terms.proration is Proration.DAY
        share = _share_of(full, days, prorated, terms.interval, terms.conventions)
        parts = tuple(map(Part, [piece.quantity for piece in pieces], share.fractions))
        quantity = self.used.quantity(days)
        events = tuple(self._events(days)) if self.by_event else ()
        return Measured(
            full, share.served, days, quantity, events, parts, share.reached, share.whole
        )

    def covered(self, each: Measured) -> Decimal:
        """The prepaid units of the days served."""
        total = _ZERO
        for day, units in self.prepaid.items():
            if any(period.contains(day) for period in each.days):
                total = EXACT.add(total, units)
        return total

    def _events(self, periods: Sequence[Period]) -> Sequence[Event]:
        """Single events; of calls the prepaid seconds of a day cover the first ones of that day."""
        if not self.prepaid or self.terms.model is not Model.RATED:
            return self.used.events(periods)
        found: list[Event] = []
        for period in periods:
            since = period.start
            for day in sorted(day for day in self.prepaid if period.contains(day)):
                if since < day:
                    found += self.used.events([Period(since, day)])
                since = day + _DAY
                found += self._cover(self.used.events([Period(day, since)]), self.prepaid[day])
            if since < period.end:
                found += self.used.events([Period(since, period.end)])
        return found

    def _cover(self, events: Iterable[Event], left: Decimal) -> Iterable[Event]:
        for event in events:
            part = min(billed_units(self.terms, event), left) if left else _ZERO
            left = EXACT.subtract(left, part)
            yield event._replace(covered=part) if part else event


def billed_units(terms: ChargeTerms, event: Event) -> Decimal:
    """What one event counts for: of a call the seconds of its started increments.

    Of a call whose rate no deck knows the seconds it took: who made it is not billed until then.
    """
    started = terms.conventions.started
    if isinstance(terms.call, CallRates):
        return rate_call(terms.call, event.value, event.at, started=started).billed_seconds
    if isinstance(terms.call, DeckRates) and isinstance(event.rate, DeckRate):
        return rate_decked(terms.call, event, started=started)[1].billed_seconds
    return event.value


def included_of(
    terms: ChargeTerms, schedule: Schedule, usage: Measuring, measured: list[Measured]
) -> Sequence[Free | None]:
    """The units of each period that cost nothing; None where there is no allowance."""
    allowance = terms.allowance
    if allowance is None or not measured:
        return [None] * len(measured)
    if allowance.rollover is None and allowance.window == 1:
        units = [included_units(allowance, each.parts) for each in measured]
        return [Free(each, each) for each in units]
    every = _since_start(schedule, usage, measured)
    settled = settle(allowance, [PoolPeriod(each.quantity, parts=each.parts) for each in every])
    free = {
        each.full.start: Free(pool.available, EXACT.subtract(each.quantity, pool.overage))
        for each, pool in zip(every, settled, strict=True)
    }
    return [free[each.full.start] for each in measured]


def _since_start(schedule: Schedule, usage: Measuring, measured: list[Measured]) -> list[Measured]:
    """Every period from the first day that is charged to the last one measured."""
    known = {each.full.start: each for each in measured}
    last = measured[-1].full.start
    found: list[Measured] = []
    full = schedule.period_on(schedule.begins_on)
    while full.start <= last:
        pieces = schedule.pieces(full, since=schedule.begins_on)
        if full.start in known:
            found.append(known[full.start])
        elif pieces:
            found.append(usage.of(full, pieces))
        full = schedule.period_on(full.end)
    return found
