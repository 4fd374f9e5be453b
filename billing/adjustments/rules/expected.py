"""What coupons and minimums promise, reckoned apart from drafting: in whole minor units.

The check holds all that was given and is drafted of an account against this. It shares the days of
`o2b.periods` with drafting and nothing else.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import NamedTuple

from o2b.periods import add_months

_HALF = Fraction(1, 2)


class Line(NamedTuple):
    """All that a charge's period is billed, drafts included, in minor units."""

    charge: int
    starts: date
    product: int
    units: int


class Off(NamedTuple):
    """A coupon that an account has; its value in percent or minor units."""

    grant: int
    percent: bool
    value: Decimal
    months: int
    periods: int | None
    granted_from: date
    until: tuple[date, ...]
    since: date
    products: frozenset[int]


class AtLeast(NamedTuple):
    """A minimum of each period, in minor units."""

    id: int
    units: int
    months: int
    calendar: bool
    prorated: bool
    since: date
    until: date


Promised = dict[tuple[str, int, int, date], int]  # kind, source, charge or 0, period → minor units


def promised(
    lines: Iterable[Line], coupons: Iterable[Off], minimums: Iterable[AtLeast], *, on: date
) -> Promised:
    """What is to be given in all by a day; what is nothing is left out."""
    rows = sorted(lines)
    rest = {(row.charge, row.starts): max(row.units, 0) for row in rows}
    found: Promised = {}
    for coupon in coupons:
        for turn in _turns(coupon, rows):
            keys = [(row.charge, row.starts) for row in turn if rest[row.charge, row.starts]]
            for key, units in zip(keys, _off(coupon, [rest[key] for key in keys]), strict=True):
                rest[key] -= units
                found["coupon", coupon.grant, *key] = -units
    for minimum in minimums:
        for start, end, days, of_days in _periods(minimum, on):
            asked = minimum.units
            if minimum.prorated:
                asked = floor(Fraction(minimum.units * days, of_days) + _HALF)
            spent = sum(row.units for row in rows if start <= row.starts < end)
            spent += sum(
                units
                for (kind, _, _, day), units in found.items()
                if kind == "coupon" and start <= day < end
            )
            found["minimum", minimum.id, 0, start] = max(asked - spent, 0)
    return {key: units for key, units in found.items() if units}


def _turns(coupon: Off, rows: Sequence[Line]) -> list[list[Line]]:
    """The lines that it is good for, by its own periods."""
    good = [row for row in rows if not coupon.products or row.product in coupon.products]
    turns: list[list[Line]] = []
    start, n = coupon.granted_from, 0
    last = max((row.starts for row in good), default=start)
    while start <= last and (coupon.periods is None or n < coupon.periods):
        n += 1
        end = add_months(coupon.granted_from, n * coupon.months)
        turns.append(
            [
                row
                for row in good
                if start <= row.starts < end
                and row.starts >= coupon.since
                and all(row.starts < day for day in coupon.until)
            ]
        )
        start = end
    return turns


def _off(coupon: Off, units: Sequence[int]) -> list[int]:
    """A percentage of each, half up; or an amount over all, the largest remainders first."""
    if coupon.percent:
        return [floor(Fraction(each) * Fraction(coupon.value) / 100 + _HALF) for each in units]
    of = sum(units)
    whole = min(int(coupon.value), of)
    if not of:
        return [0 for _ in units]
    shares = [whole * each // of for each in units]
    remainders = sorted(range(len(units)), key=lambda i: (-(whole * units[i] % of), i))
    for i in remainders[: whole - sum(shares)]:
        shares[i] += 1
    return shares


def _periods(minimum: AtLeast, on: date) -> Iterable[tuple[date, date, int, int]]:
    """The days held of each period that is over: from, to, how many, of how many."""
    first = minimum.since
    if minimum.calendar:
        first = first.replace(month=first.month - (first.month - 1) % minimum.months, day=1)
    n = 0
    while True:
        opens, closes = (add_months(first, (n + k) * minimum.months) for k in (0, 1))
        start, end = max(opens, minimum.since), min(closes, minimum.until)
        if end > on or start >= end:
            return
        yield start, end, (end - start).days, (closes - opens).days
        n += 1
