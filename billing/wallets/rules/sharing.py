"""How much money a charge brings, which lots pay an invoice, and which are given back to."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.allowances import Part, included_units
from o2b.charging.pooling import Lot, Use, draw
from o2b.charging.terms import Allowance, Grant
from o2b.money import EXACT, quantise
from o2b.periods import FOREVER

_ZERO = Decimal(0)


class Held(NamedTuple):
    """A lot with what is left of it."""

    lot: int
    left: Decimal
    priority: int
    begins_on: date
    ends_on: date | None


class Share(NamedTuple):
    """An amount, more than zero, of a lot (or of a draw that is undone)."""

    of: int
    amount: Decimal


def money_of(grant: Grant, parts: Iterable[Part], currency: str) -> Decimal:
    """What a full period of a charge brings: units × quantity [× share], rounded half up.

    As units of a pool are granted (`included_units`); where nothing was served, nothing.
    """
    served = [part for part in parts if part.quantity > 0]
    if not served:
        return quantise(_ZERO, currency)
    by = Allowance(grant.units, prorated=grant.prorated, per_unit=grant.per_unit)
    return quantise(included_units(by, served), currency)


def drawn_from(lots: Iterable[Held], wanted: Decimal, *, on: date) -> list[Share]:
    """What each lot pays of an amount, in the order in which pools are drawn.

    The lowest priority first, then what ends first, then what began first, then the older row.
    """
    pool = [
        Lot(f"{each.lot:020d}", each.left, each.begins_on, each.ends_on or FOREVER, each.priority)
        for each in lots
    ]
    found = draw(pool, [Use(on, 0, None, wanted)], on=on)
    return [Share(int(each.lot), each.units) for each in found.draws]


def given_back(drawn: Sequence[Share], wanted: Decimal) -> list[Share]:
    """What is given back of each draw, told in the order in which they are undone."""
    found = []
    for each in drawn:
        part = min(each.amount, wanted)
        if part > 0:
            found.append(Share(each.of, part))
            wanted = EXACT.subtract(wanted, part)
    return found
