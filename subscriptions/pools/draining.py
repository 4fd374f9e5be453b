"""A pool as it drains while usage is added: what nothing covers, and what is left for more."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import NamedTuple

from o2b.charging import Aggregation, Used
from o2b.charging.pooling import Drawing, Lot, Use, draw, units_of, wanted_by_day
from o2b.charging.rating import terms_of
from o2b.money import EXACT
from subscriptions.pools.rules import Drawer
from subscriptions.usage.rules.metering import Total, used_of

_ZERO = Decimal(0)

_Days = Sequence[tuple[date, Decimal]]


class Wanted(NamedTuple):
    """What an event would add to a total of a service."""

    n: int
    service: int
    total: Total


class Effect(NamedTuple):
    """What an event adds to the charges that may draw: to which ones, and how many units to each.

    At least so many units are then drawn, or not covered.
    """

    whose: tuple[int, ...]
    units: tuple[Decimal, ...]
    at_least: Decimal

    def covers(self, other: "Effect") -> bool:
        """Whether it adds as much or more of everything; to the same charges."""
        return all(mine >= theirs for mine, theirs in zip(self.units, other.units, strict=True))


class Draining:
    """A pool and all who may draw; what each wants is worked out again only when it changes."""

    def __init__(
        self, pool_id: int, lots: Sequence[Lot], drawers: Sequence[Drawer], on: date
    ) -> None:
        self.pool_id, self.lots, self.on = pool_id, lots, on
        self.drawers = list(drawers)
        self.of_service: dict[int, list[int]] = defaultdict(list)
        for place, drawer in enumerate(drawers):
            self.of_service[drawer.service].append(place)
        self.known: dict[int, _Days] = {}
        self.steady: dict[int, bool] = {}
        self.serves: dict[tuple[int, date], bool] = {}
        self._drawing: Drawing | None = None

    @property
    def drawing(self) -> Drawing:
        """How the pool stands with all that is counted."""
        if self._drawing is None:
            self._drawing = self._drawn({})
        return self._drawing

    def uncovered(self) -> Decimal:
        """The units that nothing covers by now."""
        return _sum(each.units for each in self.drawing.uncovered)

    def uncovered_with(self, wanted: Sequence[Wanted]) -> Decimal:
        """The units that nothing would cover with these too."""
        changed = {place: self._wants(drawer) for place, drawer in self._with(wanted).items()}
        return _sum(each.units for each in self._drawn(changed).uncovered)

    def add(self, wanted: Sequence[Wanted]) -> None:
        """These are counted."""
        for place, drawer in self._with(wanted).items():
            self.drawers[place] = drawer
            self.known.pop(place, None)
            self._drawing = None

    def effect_of(self, wanted: Wanted) -> Effect:
        """What an event adds by itself."""
        whose: list[int] = []
        units: list[Decimal] = []
        at_least = _ZERO
        for place in self.of_service.get(wanted.service, ()):
            drawer = self.drawers[place]
            used = _used(wanted.total, drawer)
            if used is None:
                continue
            adds = units_of(drawer.facts, used)
            if adds:
                whose.append(place)
                units.append(adds)
                if self._draws(place, used):
                    at_least = EXACT.add(at_least, adds)
        return Effect(tuple(whose), tuple(units), at_least)

    def spare(self, days: Iterable[date]) -> dict[date, Decimal]:
        """For each day more than this cannot be drawn on it, if nobody else is to go without.

        Not more than is left when the day is over; nor more than lapses afterwards, or is left at
        the end, of the lots that could take the place of those which are good on the day.
        """
        return {day: min(self._left(day), self._over(day)) for day in days}

    def _left(self, day: date) -> Decimal:
        came = _sum(lot.drawable for lot in self.lots if lot.begins <= day)
        drawn = _sum(each.units for each in self.drawing.draws if each.day <= day)
        gone = _sum(each.units for each in self.drawing.lapsed if each.day <= day)
        return EXACT.subtract(came, EXACT.add(drawn, gone))

    def _over(self, day: date) -> Decimal:
        lots = {lot.ref for lot in _linked(self.lots, day)}
        held = (each.left for each in self.drawing.held if each.lot.ref in lots)
        gone = (e.units for e in self.drawing.lapsed if e.day > day and e.lot in lots)
        return EXACT.add(_sum(held), _sum(gone))

    def _draws(self, place: int, used: Used) -> bool:
        """Whether all that is added to a day is wanted on it from this pool."""
        drawer = self.drawers[place]
        if place not in self.steady:
            self.steady[place] = _is_steady(drawer)
        key = place, used.day
        if key not in self.serves:
            alone = drawer.facts._replace(usage=(used,))
            drawn = drawer.draws.on(used.day) == self.pool_id
            self.serves[key] = drawn and bool(wanted_by_day(alone, on=self.on))
        return self.steady[place] and self.serves[key]

    def _wants(self, drawer: Drawer) -> _Days:
        return [
            (day, units)
            for day, units in wanted_by_day(drawer.facts, on=self.on)
            if drawer.draws.on(day) == self.pool_id
        ]

    def _drawn(self, changed: Mapping[int, _Days]) -> Drawing:
        """With some charges wanting something else than is known."""
        uses: list[Use] = []
        for order, drawer in enumerate(self.drawers):
            days = changed.get(order)
            if days is None:
                days = self.known.get(order)
            if days is None:
                days = self.known[order] = self._wants(drawer)
            uses += [Use(day, order, drawer.ref, units) for day, units in days]
        return draw(self.lots, uses, on=self.on)

    def _with(self, wanted: Iterable[Wanted]) -> dict[int, Drawer]:
        """The charges that these change, as they are then."""
        more: dict[int, list[Used]] = defaultdict(list)
        for each in wanted:
            for place in self.of_service.get(each.service, ()):
                used = _used(each.total, self.drawers[place])
                if used is not None:
                    more[place].append(used)
        return {place: _adding(self.drawers[place], used) for place, used in more.items()}


def _is_steady(drawer: Drawer) -> bool:
    """Whether units add up day by day: no allowance, nothing given back, calls one by one."""
    terms, facts = terms_of(drawer.facts), drawer.facts
    if terms.allowance is not None:
        return False
    if terms.call is not None and facts.aggregation is not Aggregation.EACH:
        return False
    return all(used.quantity >= 0 for used in facts.usage)


def _linked(lots: Collection[Lot], day: date) -> list[Lot]:
    """The lots that are good on a day, and all that are good beside one of those later on."""
    later = sorted((lot for lot in lots if _last(lot) > day), key=lambda lot: lot.begins)
    found: list[Lot] = []
    until = day
    for lot in later:
        if lot.begins > day and lot.begins >= until:
            break
        found.append(lot)
        until = max(until, _last(lot))
    return found


def _last(lot: Lot) -> date:
    """From this day on the lot is gone, whatever goes on at its ends."""
    return max(lot.ends, *lot.lives) if lot.lives else lot.ends


def _used(total: Total, drawer: Drawer) -> Used | None:
    return used_of(total, drawer.facts.aggregation, drawer.where, drawer.by_deck)


def _adding(drawer: Drawer, more: Iterable[Used]) -> Drawer:
    facts = drawer.facts
    return drawer._replace(facts=facts._replace(usage=(*facts.usage, *more)))


def _sum(units: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, units, _ZERO)
