"""What still fits into a hard pool as it was first written: the whole pool drawn for every event.

What a limit answers is held against it; it takes a second for a few hundred events.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2b.charging import Used
from o2b.charging.pooling import Lot
from o2b.money import EXACT
from subscriptions.pools.limits import Wanted
from subscriptions.pools.rules import Drawer, drawn_from
from subscriptions.usage.rules.metering import Total, used_of


@dataclass(slots=True)
class PlainLimit:
    """A hard pool with everything that is counted so far, to be asked event by event."""

    pool_id: int
    lots: tuple[Lot, ...]
    drawers: tuple[Drawer, ...]
    on: date

    def beyond(self, wanted: Sequence[Wanted]) -> set[int]:
        """Which of these do not fit, the earlier ones first; what fits is counted from then on.

        What was beyond the pool before it became hard stays so and keeps nothing out.
        """
        refused: set[int] = set()
        rest = list(wanted)
        open_before = self._open(self.drawers)
        while rest:
            fits = self._longest(rest, open_before)
            self.drawers = self._with(rest[:fits])
            if fits == len(rest):
                break
            out = rest[fits]
            refused.add(out.n)
            rest = [each for each in rest[fits + 1 :] if not self._no_less(each, out, refused)]
        return refused

    def _no_less(self, each: Wanted, out: Wanted, refused: set[int]) -> bool:
        """As much or more of the same service and day does not fit either."""
        mine, theirs = each.total, out.total
        if (each.service, mine.day, mine.part) != (out.service, theirs.day, theirs.part):
            return False
        if mine.quantity < theirs.quantity:
            return False
        refused.add(each.n)
        return True

    def _longest(self, rest: Sequence[Wanted], open_before: Decimal) -> int:
        """How many of the first ones fit together; most often all."""
        if self._open(self._with(rest)) <= open_before:
            return len(rest)
        low, high = 0, len(rest)  # so many fit, so many do not
        while high - low > 1:
            middle = (low + high) // 2
            if self._open(self._with(rest[:middle])) <= open_before:
                low = middle
            else:
                high = middle
        return low

    def _open(self, drawers: Sequence[Drawer]) -> Decimal:
        total = Decimal(0)
        for each in drawn_from(self.pool_id, self.lots, drawers, on=self.on).uncovered:
            total = EXACT.add(total, each.units)
        return total

    def _with(self, wanted: Sequence[Wanted]) -> tuple[Drawer, ...]:
        by_service: dict[int, list[Total]] = {}
        for each in wanted:
            by_service.setdefault(each.service, []).append(each.total)
        return tuple(
            _adding(drawer, by_service[drawer.service]) if drawer.service in by_service else drawer
            for drawer in self.drawers
        )


def _adding(drawer: Drawer, totals: Iterable[Total]) -> Drawer:
    more: list[Used] = []
    for total in totals:
        found = used_of(total, drawer.facts.aggregation, drawer.where, drawer.by_deck)
        if found is not None:
            more.append(found)
    facts = drawer.facts
    return drawer._replace(facts=facts._replace(usage=(*facts.usage, *more)))
