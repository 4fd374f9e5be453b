"""Pools of prepaid units: what comes in, in lots, what is used, and which lot covers what.

The order of drawing, the same whatever order events came in:

1. Each charge uses its own allowance first; only what is beyond it is drawn from the pool.
2. Days one after the other; on one day who draws in the order of their services' numbers; calls of
   a charge by the clock, of one day's calls without a time the shorter first, then by prefix.
3. Of the lots that are good on the day: the lowest priority, then the one that ends first, then
   the one that began first, then by reference.

What a day draws hangs on that day and those before, never on later ones. Sources: OpenMeter and
Stripe (grants: priority, then expiry, then age), Zuora (prepaid with drawdown).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import NamedTuple

from o2b.charging.facts import ChargeFacts
from o2b.charging.measuring import Measured, Measuring, billed_units, included_of
from o2b.charging.rating import terms_of, walk_to
from o2b.charging.schedule import schedule_of
from o2b.charging.terms import ChargeTerms, Kind, Model
from o2b.charging.usage import Aggregation, Used
from o2b.money import EXACT
from o2b.periods import FOREVER, Period

_ZERO = Decimal(0)
_DAY = timedelta(days=1)
_ADDED_UP = frozenset({Aggregation.SUM, Aggregation.COUNT, Aggregation.EACH})
# Money is no unit that a pool could cover: that is what wallets are for.
_NOT_UNITS = frozenset({Model.FLAT, Model.PERCENTAGE, Model.GRADUATED_PERCENTAGE})


class Lot(NamedTuple):
    """Units that came at once and may be drawn on the days from `begins` until `ends`.

    At its end at most `rollover` of what is left goes on, until the next day of `lives`. `taken`
    were taken back on a day, before anybody drew them: they are never drawn.
    """

    ref: str
    units: Decimal
    begins: date
    ends: date = FOREVER
    priority: int = 100
    rollover: Decimal | None = None
    lives: tuple[date, ...] = ()
    taken: tuple[date, Decimal] | None = None

    @property
    def drawable(self) -> Decimal:
        """The units that may ever be drawn."""
        return EXACT.subtract(self.units, self.taken[1]) if self.taken else self.units


class Use(NamedTuple):
    """Units that somebody wants on a day; `order` says who comes first on it."""

    day: date
    order: int
    ref: Hashable
    units: Decimal


class Draw(NamedTuple):
    """Units of a lot that cover a use."""

    day: date
    ref: Hashable
    lot: str
    units: Decimal


class Holding(NamedTuple):
    """What is left of a lot, and until when."""

    lot: Lot
    left: Decimal
    ends: date


class Lapse(NamedTuple):
    """Units that nobody used in time: from this day on they are gone."""

    day: date
    lot: str
    units: Decimal


class Rolled(NamedTuple):
    """Units left at an end that go on: from this day until `ends`."""

    day: date
    lot: str
    units: Decimal
    ends: date


@dataclass(slots=True)
class Drawing:
    """What covered what, what lapsed or was taken back, what nothing covered, and what is left."""

    draws: list[Draw] = field(default_factory=list)
    lapsed: list[Lapse] = field(default_factory=list)
    taken: list[Lapse] = field(default_factory=list)
    rolled: list[Rolled] = field(default_factory=list)
    uncovered: list[Use] = field(default_factory=list)
    held: tuple[Holding, ...] = ()

    @property
    def left(self) -> Decimal:
        """Units that may still be drawn."""
        return reduce(EXACT.add, (each.left for each in self.held), _ZERO)

    def by_ref(self) -> dict[Hashable, dict[date, Decimal]]:
        """For each who used: the units that were covered, by day."""
        found: dict[Hashable, dict[date, Decimal]] = defaultdict(dict)
        for each in self.draws:
            before = found[each.ref].get(each.day, _ZERO)
            found[each.ref][each.day] = EXACT.add(before, each.units)
        return dict(found)


def draw(lots: Iterable[Lot], uses: Iterable[Use], *, on: date) -> Drawing:
    """Cover the uses up to and with a day, in the order that stands at the top of this file.

    `held` are the lots that are good on that day, as they stand after it.
    """
    pool = _Pool(lots)
    for use in sorted(uses, key=lambda each: (each.day, each.order)):
        if use.day > on:
            break
        pool.turn(use.day)
        pool.take(use)
    pool.turn(on)
    found = pool.told()
    found.taken = [each for each in found.taken if each.day <= on]
    return found


@dataclass(slots=True)
class _Open:
    lot: Lot
    left: Decimal
    ends: date
    lives: Sequence[date]

    @property
    def rank(self) -> tuple[int, date, date, str]:
        return self.lot.priority, self.ends, self.lot.begins, self.lot.ref


class _Pool:
    """The lots as the days pass."""

    def __init__(self, lots: Iterable[Lot]) -> None:
        self.to_come = sorted(lots, key=lambda each: (each.begins, each.ref), reverse=True)
        self.open: list[_Open] = []
        self.found = Drawing()

    def turn(self, day: date) -> None:
        """Let in what begins, and end what ends, up to a day."""
        while self.to_come and self.to_come[-1].begins <= day:
            lot = self.to_come.pop()
            self.open.append(_Open(lot, lot.drawable, lot.ends, lot.lives))
            if lot.taken:
                self.found.taken.append(Lapse(lot.taken[0], lot.ref, lot.taken[1]))
        stays = [each for each in self.open if self._goes_on(each, day)]
        self.open = sorted(stays, key=lambda each: each.rank)

    def _goes_on(self, each: _Open, day: date) -> bool:
        while each.ends <= day:
            most = each.lot.rollover if each.lives else None
            kept = _ZERO if most is None else min(each.left, most)
            gone = EXACT.subtract(each.left, kept)
            if gone:
                self.found.lapsed.append(Lapse(each.ends, each.lot.ref, gone))
            if not kept:
                return False
            self.found.rolled.append(Rolled(each.ends, each.lot.ref, kept, each.lives[0]))
            each.left, each.ends, each.lives = kept, each.lives[0], each.lives[1:]
        return True

    def take(self, use: Use) -> None:
        wanted = use.units
        for each in self.open:
            if wanted <= 0:
                return
            part = min(each.left, wanted)
            if part > 0:
                each.left = EXACT.subtract(each.left, part)
                wanted = EXACT.subtract(wanted, part)
                self.found.draws.append(Draw(use.day, use.ref, each.lot.ref, part))
        if wanted > 0:
            self.found.uncovered.append(use._replace(units=wanted))

    def told(self) -> Drawing:
        self.found.held = tuple(
            Holding(each.lot, each.left, each.ends) for each in self.open if each.left
        )
        return self.found


def may_pool(aggregation: Aggregation) -> bool:
    """Whether usage of a meter adds up day by day, so that a pool can cover it."""
    return aggregation in _ADDED_UP


def may_draw(terms: ChargeTerms, aggregation: Aggregation) -> bool:
    """Whether a pool can cover what a charge uses: units that add up day by day, and no money."""
    return (
        terms.kind is Kind.USAGE
        and aggregation in _ADDED_UP
        and terms.model not in _NOT_UNITS
        and terms.event is None
    )


def wanted_by_day(charge: ChargeFacts, *, on: date) -> list[tuple[date, Decimal]]:
    """What a usage charge wants from a pool, by day up to `on`: its units beyond its allowance.

    The units of a period that its allowance covers are the first ones of the period. Where values
    below zero came later in a period, they are taken off the days before.
    """
    terms = terms_of(charge)
    schedule = schedule_of(charge, terms)
    if schedule is None or on < schedule.begins_on or not may_draw(terms, charge.aggregation):
        return []
    usage = Measuring(charge.usage, terms, charge.aggregation)
    walked = walk_to(schedule, on)
    measured = [usage.of(full, pieces) for full, pieces in walked.periods]
    found: list[tuple[date, Decimal]] = []
    for each, free in zip(measured, included_of(terms, schedule, usage, measured), strict=True):
        found += _beyond(usage, each, free.included if free else _ZERO)
    return [(day, units) for day, units in found if day <= on]


def _beyond(usage: Measuring, each: Measured, free: Decimal) -> list[tuple[date, Decimal]]:
    """The last units of a period, by day: what the first `free` ones leave."""
    days = sorted(
        {used.day for used in usage.used.usage if any(p.contains(used.day) for p in each.days)}
    )
    reached: list[Decimal] = []
    total = _ZERO
    for day in days:
        total = EXACT.add(total, _of_day(usage, day))
        reached.append(max(EXACT.subtract(total, free), _ZERO))
    for i in range(len(reached) - 2, -1, -1):
        reached[i] = min(reached[i], reached[i + 1])
    before = [_ZERO, *reached]
    steps = (
        (day, EXACT.subtract(now, then))
        for day, now, then in zip(days, reached, before, strict=False)
    )
    return [(day, units) for day, units in steps if units]


def units_of(charge: ChargeFacts, used: Used) -> Decimal:
    """What some usage adds to its day: its quantity, of calls the seconds of their increments."""
    terms = terms_of(charge)
    if terms.call is None or not used.events:
        return used.quantity
    return reduce(EXACT.add, (billed_units(terms, each) for each in used.events), _ZERO)


def _of_day(usage: Measuring, day: date) -> Decimal:
    one = [Period(day, day + _DAY)]
    if usage.terms.call is None:
        return usage.used.quantity(one)
    total = _ZERO
    for event in usage.used.events(one):
        total = EXACT.add(total, billed_units(usage.terms, event))
    return total
