"""What still fits into a pool that is a hard limit: nothing that nothing would cover."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.pooling import Lot
from subscriptions.pools.draining import Draining, Effect, Wanted
from subscriptions.pools.rules import Drawer

__all__ = ["Limit", "Wanted"]

_ZERO = Decimal(0)


class _Asked(NamedTuple):
    """An event that is to be decided, and what it would do."""

    wanted: Wanted
    effect: Effect

    @property
    def group(self) -> tuple[int, date, tuple[int, ...]]:
        """Those of one group differ in their units only."""
        return self.wanted.service, self.wanted.total.day, self.effect.whose


@dataclass(slots=True)
class Limit:
    """A hard pool with everything that is counted so far, to be asked event by event."""

    pool_id: int
    lots: tuple[Lot, ...]
    drawers: tuple[Drawer, ...]
    on: date

    def beyond(self, wanted: Sequence[Wanted]) -> set[int]:
        """Which of these do not fit, the earlier ones first; what fits is counted from then on.

        What was beyond the pool before it became hard stays so and keeps nothing out.
        """
        pool = Draining(self.pool_id, self.lots, self.drawers, self.on)
        refused: set[int] = set()
        if pool.uncovered_with(wanted) <= pool.uncovered():  # most often
            pool.add(wanted)
        else:
            refused = {each.n for each in _Deciding(pool, wanted).refused()}
        self.drawers = tuple(pool.drawers)
        return refused


class _Deciding:
    """The events of a batch, decided in their order.

    Whatever is drawn, less is left: what does not fit does not fit later either, nor does more of
    the same. So most are refused without looking at the whole pool again. Values below zero give
    units back: beside them only the same is compared.
    """

    def __init__(self, pool: Draining, wanted: Sequence[Wanted]) -> None:
        self.pool = pool
        self.allowed = pool.uncovered()
        self.gives_back = any(each.total.quantity < 0 for each in wanted)
        self.rest = [_Asked(each, pool.effect_of(each)) for each in wanted]

    def refused(self) -> Iterator[Wanted]:
        """Those that do not fit; the others are counted."""
        while self.rest:
            yield from self._drop(self._hopeless())
            fits = self._longest()
            self._count(fits)
            if not self.rest:
                return
            out = self.rest.pop(0)
            yield out.wanted
            yield from self._drop(self._no_less(out))

    def _count(self, first: int) -> None:
        self.pool.add([each.wanted for each in self.rest[:first]])
        self.rest = self.rest[first:]

    def _drop(self, gone: Collection[int]) -> Iterator[Wanted]:
        """Those of these numbers are decided."""
        if not gone:
            return
        yield from (each.wanted for each in self.rest if each.wanted.n in gone)
        self.rest = [each for each in self.rest if each.wanted.n not in gone]

    def _fit(self, first: int) -> bool:
        """Whether the first ones of the rest fit together."""
        return self._all_fit(self.rest[:first])

    def _all_fit(self, asked: Sequence[_Asked]) -> bool:
        return self.pool.uncovered_with([each.wanted for each in asked]) <= self.allowed

    def _longest(self) -> int:
        """How many of the first ones fit together: by twice as many, then by halves."""
        if self.gives_back:
            every = len(self.rest)
            return every if self._fit(every) else self._between(0, every)
        low, high = 0, 1  # so many fit; of so many it is asked
        while low < len(self.rest):
            high = min(high, len(self.rest))
            if not self._fit(high):
                return self._between(low, high)
            low, high = high, high * 2
        return low

    def _between(self, low: int, high: int) -> int:
        """So many fit, more than the first number and fewer than the second, which does not."""
        while high - low > 1:
            middle = (low + high) // 2
            if self._fit(middle):
                low = middle
            else:
                high = middle
        return low

    def _hopeless(self) -> set[int]:
        """Those that want more than is left on their day, or that those after it may spare."""
        if self.gives_back:
            return set()
        most = self.pool.spare({each.wanted.total.day for each in self.rest})
        return {
            each.wanted.n
            for each in self.rest
            if each.effect.at_least > most[each.wanted.total.day]
        }

    def _no_less(self, out: _Asked) -> set[int]:
        """As much or more of the same service and day does not fit either."""
        if self.gives_back:
            return {each.wanted.n for each in self.rest if _as_much_of_the_same(each, out)}
        alike = [each for each in self.rest if each.group == out.group]
        less = [each for each in alike if not each.effect.covers(out.effect)]
        gone = {each.wanted.n for each in alike} - {each.wanted.n for each in less}
        if len(out.effect.whose) == 1 and less:
            gone |= self._above_what_fits(less)
        return gone

    def _above_what_fits(self, asked: Sequence[_Asked]) -> set[int]:
        """Of some that differ in one number of units those that alone do not fit."""
        by_units = {each.effect.units[0]: each for each in asked}
        steps = sorted(by_units)
        low, high = 0, len(steps)  # so many steps fit, so many are not known to
        while low < high:
            middle = (low + high) // 2
            if self._all_fit([by_units[steps[middle]]]):
                low = middle + 1
            else:
                high = middle
        fitting = set(steps[:low])
        return {each.wanted.n for each in asked if each.effect.units[0] not in fitting}


def _as_much_of_the_same(each: _Asked, out: _Asked) -> bool:
    mine, theirs = each.wanted, out.wanted
    if (mine.service, mine.total.day, mine.total.part) != (
        theirs.service,
        theirs.total.day,
        theirs.total.part,
    ):
        return False
    return mine.total.quantity >= theirs.total.quantity
