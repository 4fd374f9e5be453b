"""The statement of a pool: what came in, was drawn, went on or lapsed, day by day; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from o2b.charging.pooling import Drawing, Lot
from o2b.money import EXACT
from subscriptions.pools.rules import Drawer, Ref


class What(StrEnum):
    """What happened to units of a pool."""

    CAME = "came_in"
    DRAWN = "drawn"
    ROLLED = "rolled_over"
    LAPSED = "lapsed"
    UNCOVERED = "uncovered"


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the statement; `number` counts them from 1, and `left` is what is left after it.

    `units` are signed: what leaves the pool stands below zero. What rolls over and what nothing
    covered leave what is left as it is. `until`: the last day but one of what came or rolled over.
    """

    number: int
    day: date
    what: What
    units: Decimal
    left: Decimal
    lot: str = ""
    ref: Ref | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    place: tuple[date, int, int, int]
    what: What
    units: Decimal
    lot: str = ""
    ref: Ref | None = None
    until: date | None = None


def movements_of(
    lots: Iterable[Lot], drawing: Drawing, drawers: Sequence[Drawer], *, on: date
) -> list[Movement]:
    """All movements up to and with a day, the first one first.

    On one day units come in before others end, and both before any is drawn, as the rules of
    drawing say.
    """
    orders = {drawer.ref: n for n, drawer in enumerate(drawers)}
    found = [
        _Found((lot.begins, 0, 0, 0), What.CAME, lot.units, lot.ref, until=lot.ends)
        for lot in lots
        if lot.begins <= on
    ]
    found += [
        _Found((day, 1, 0, 0), What.ROLLED, units, lot, until=ends)
        for day, lot, units, ends in drawing.rolled
    ]
    found += [
        _Found((day, 2, 0, 0), What.LAPSED, -units, lot)
        for day, lot, units in (*drawing.taken, *drawing.lapsed)
    ]
    found += _of_uses(drawing, orders)
    movements: list[Movement] = []
    left = Decimal(0)
    for number, each in enumerate(sorted(found, key=lambda each: each.place), start=1):
        if each.what not in (What.ROLLED, What.UNCOVERED):
            left = EXACT.add(left, each.units)
        movements.append(
            Movement(
                number, each.place[0], each.what, each.units, left, each.lot, each.ref, each.until
            )
        )
    return movements


def _of_uses(drawing: Drawing, orders: Mapping[Ref, int]) -> Iterable[_Found]:
    for n, (day, ref, lot, units) in enumerate(drawing.draws):
        if isinstance(ref, tuple):
            yield _Found((day, 3, orders[ref], n), What.DRAWN, -units, lot, ref)
    for use in drawing.uncovered:
        if isinstance(use.ref, tuple):
            last = len(drawing.draws)
            yield _Found(
                (use.day, 3, orders[use.ref], last), What.UNCOVERED, use.units, ref=use.ref
            )
