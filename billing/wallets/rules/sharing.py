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


def drawn_from(
    lots: Iterable[Held], parts: Sequence[tuple[date, Decimal]], most: Decimal
) -> list[Share]:
    """What each lot pays of amounts by the first day of what they pay for, `most` in all.

    A lot pays for periods that began before it ended, the oldest first; in the order in which pools
    are drawn: the lowest priority, then what ends first, then what began first, then the older row.
    Parts below zero are corrections that leave less to pay: `most` is told with them taken off.
    """
    wanted = [
        Use(day, n, None, part.amount)
        for n, ((day, _), part) in enumerate(zip(parts, _shared(parts, most), strict=True))
    ]
    first = min((use.day for use in wanted), default=date.max)
    pool = [
        # All have begun by now, if not on the first day of what they pay for.
        Lot(
            f"{each.lot:020d}",
            each.left,
            min(each.begins_on, first),
            each.ends_on or FOREVER,
            each.priority,
        )
        for each in lots
        if each.ends_on is None or each.ends_on > first
    ]
    sums: dict[int, Decimal] = {}
    last = max((use.day for use in wanted), default=first)
    for drawn in draw(pool, wanted, on=last).draws:
        lot = int(drawn.lot)
        sums[lot] = EXACT.add(sums.get(lot, _ZERO), drawn.units)
    return [Share(lot, amount) for lot, amount in sums.items()]


def left_after(lots: Iterable[Held], shares: Iterable[Share]) -> list[Held]:
    """The lots less what was drawn from them; those that are empty are gone."""
    drawn = {share.of: share.amount for share in shares}
    rest = [
        each._replace(left=EXACT.subtract(each.left, drawn.get(each.lot, _ZERO))) for each in lots
    ]
    return [each for each in rest if each.left]


def _shared(parts: Sequence[tuple[date, Decimal]], most: Decimal) -> list[Share]:
    """How much of each part is to be paid, the first one first."""
    found = []
    for n, (_, amount) in enumerate(parts):
        part = max(min(amount, most), _ZERO)
        found.append(Share(n, part))
        most = EXACT.subtract(most, part)
    return found


def given_back(drawn: Sequence[Share], wanted: Decimal) -> list[Share]:
    """What is given back of each draw, told in the order in which they are undone."""
    found = []
    for each in drawn:
        part = min(each.amount, wanted)
        if part > 0:
            found.append(Share(each.of, part))
            wanted = EXACT.subtract(wanted, part)
    return found
