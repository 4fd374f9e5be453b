"""What of a period was paid whole under an earlier price; of that its successor has no piece."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from o2b.charging.proration import most
from o2b.periods import Period

_ALL = Decimal(1)


class Begun(NamedTuple):
    """Days of a service under another charge; `whole` if that costs whole periods, not days.

    `delivered` is how much of the quantity was there, above 0 and at most 1.
    """

    period: Period
    quantity: Decimal
    whole: bool
    delivered: Decimal = _ALL


Charge = TypeVar("Charge", bound=Hashable)


class Had(NamedTuple, Generic[Charge]):
    """Days of a service under one of the charges that stand on one grid of periods.

    `charge` tells them apart. `terms` that were never `in_use` are a holding fee, which is a price
    of its own: it neither begins a period of the service nor goes on with one.
    """

    charge: Charge
    terms: int
    period: Period
    quantity: Decimal
    whole: bool
    in_use: bool
    delivered: Decimal = _ALL

    def begun(self) -> Begun:
        """What the other charges are told of these days."""
        return Begun(self.period, self.quantity, self.whole, self.delivered)


def begun_by(grids: Iterable[Sequence[Had[Charge]]]) -> dict[Charge, tuple[Begun, ...]]:
    """Charge → the days of all others of its grid, the oldest first; of those that need to know."""
    found: dict[Charge, tuple[Begun, ...]] = {}
    for grid in grids:
        if not any(each.whole for each in grid):
            continue
        used = {each.terms for each in grid if each.in_use}
        days = [each for each in grid if each.terms in used]
        for charge in {each.charge: None for each in days}:
            others = [each.begun() for each in days if each.charge != charge]
            if any(each.whole for each in others):
                found[charge] = tuple(sorted(others))
    return found


class Carried(NamedTuple):
    """The days before a charge's own that were paid whole, and what was there of them at most.

    `there` are (quantity, delivered), none of which holds another: half of four and all of two.
    """

    period: Period
    there: tuple[tuple[Decimal, Decimal], ...]


def carried(begun: Iterable[Begun], *, start: date, end: date) -> Carried | None:
    """The piece before a day that was paid whole, from its first day on.

    What was paid by the day in between is not paid whole. None if no day since `start` was, so that
    the period is the charge's own.
    """
    whole = [
        each for each in begun if each.whole and each.period.start < end and start < each.period.end
    ]
    if not whole:
        return None
    first = min(max(each.period.start, start) for each in whole)
    return Carried(Period(first, end), most((each.quantity, each.delivered) for each in whole))


def by_grid(had: Iterable[tuple[Hashable, Had[Charge]]]) -> Mapping[Hashable, list[Had[Charge]]]:
    """What stands on each grid."""
    found: dict[Hashable, list[Had[Charge]]] = {}
    for grid, each in had:
        found.setdefault(grid, []).append(each)
    return found
