"""What coupons and minimums promise, reckoned apart from drafting: in whole minor units.

The check holds all that was given and is drafted of an account against this. It shares the days of
`o2b.periods` with drafting and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import NamedTuple

from o2b.periods import add_months

_HALF = Fraction(1, 2)


class Line(NamedTuple):
    """One line that was billed or is drafted, in minor units; served from a day until before `to`.

    `of` says what it bills but for the price (item, kind, key), `tax` its code and rate.
    """

    charge: int
    starts: date
    revision: int
    segment: int
    of: tuple[int, str, str]
    product: int
    tax: tuple[str, Decimal]
    since: date
    to: date
    units: int


class Row(NamedTuple):
    """Lines that are one for a discount: of one full period, whatever the price, at one tax rate.

    `days` has the units of each stretch of days of which some are left.
    """

    charge: int
    starts: date
    product: int
    units: int
    serves: date
    days: tuple[tuple[date, date, int], ...]


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
    """A minimum of each period, in minor units; `today` is the day where its account lives."""

    id: int
    units: int
    months: int
    calendar: bool
    prorated: bool
    since: date
    until: date
    today: date


Promised = dict[tuple[str, int, int, date], int]  # kind, source, charge or 0, period → minor units


def promised(
    lines: Iterable[Line], coupons: Iterable[Off], minimums: Iterable[AtLeast], *, on: date
) -> Promised:
    """What is to be given in all by a day; what is nothing is left out."""
    rows = rows_of(lines)
    rest = {(row.charge, row.starts): max(row.units, 0) for row in rows}
    found: Promised = {}
    for coupon in coupons:
        for turn in _turns(coupon, rows):
            keys = [(row.charge, row.starts) for row in turn if rest[row.charge, row.starts]]
            for key, units in zip(keys, _off(coupon, [rest[key] for key in keys]), strict=True):
                rest[key] -= units
                found["coupon", coupon.grant, *key] = -units
    off: dict[tuple[int, date], int] = {}
    for (_, _, charge, day), units in found.items():
        off[charge, day] = off.get((charge, day), 0) + units
    for minimum in minimums:
        for start, end, days, of_days in _periods(minimum, min(on, minimum.today)):
            asked = minimum.units
            if minimum.prorated:
                asked = floor(Fraction(minimum.units * days, of_days) + _HALF)
            spent = [_spent(row, off, start, end, minimum.since) for row in rows]
            rest_of_it = asked - _whole(sum(spent, Fraction(0)))
            found["minimum", minimum.id, 0, start] = max(rest_of_it, 0)
    return {key: units for key, units in found.items() if units}


def still_open(key: tuple[str, int, int, date], minimums: Iterable[AtLeast], *, on: date) -> bool:
    """Whether a true-up is of a period that is not over, so that this run has no say in it."""
    kind, source, _, start = key
    for minimum in minimums:
        if kind == "minimum" and minimum.id == source:
            all_ = {first: end for first, end, *_ in _periods(minimum, date.max, start)}
            return start in all_ and all_[start] > min(on, minimum.today)
    return False


def rows_of(lines: Iterable[Line]) -> list[Row]:
    """What is discounted together, by the first of its charges."""
    periods: dict[tuple[int, date], list[Line]] = {}
    for line in sorted(lines):
        periods.setdefault((line.charge, line.starts), []).append(line)
    together: dict[tuple[object, ...], list[Line]] = {}
    for own in periods.values():
        last = [line for line in own if line.revision == own[-1].revision][0]
        key = (last.starts, last.of, last.product, last.tax)
        together.setdefault(key, []).extend(own)
    return sorted(_row(own) for own in together.values())


def _row(lines: Sequence[Line]) -> Row:
    stretches: dict[tuple[int, int], tuple[date, date, int]] = {}
    for line in lines:  # a later revision says the days anew
        units = stretches.get((line.charge, line.segment), (line.since, line.to, 0))[2]
        stretches[line.charge, line.segment] = line.since, line.to, units + line.units
    days = tuple(each for each in stretches.values() if each[2])
    first = lines[0]
    serves = min((since for since, _, _ in days), default=first.starts)
    units = sum(line.units for line in lines)
    return Row(first.charge, first.starts, first.product, units, serves, days)


def _spent(
    row: Row, off: Mapping[tuple[int, date], int], start: date, end: date, since: date
) -> Fraction:
    """What counts of a row for a period: all, or only days of which the minimum knew."""
    if not start <= max(row.serves, since) < end:
        return Fraction(0)
    net = row.units + off.get((row.charge, row.starts), 0)
    if row.serves >= since:
        return Fraction(net)
    late = sum(
        (
            Fraction(units * (to - max(since, first)).days, (to - first).days)
            for first, to, units in row.days
            if to > since
        ),
        Fraction(0),
    )
    return late * net / row.units if row.units else late


def _whole(units: Fraction) -> int:
    """To a whole minor unit, half away from zero."""
    found = floor(abs(units) + _HALF)
    return found if units >= 0 else -found


def _turns(coupon: Off, rows: Sequence[Row]) -> list[list[Row]]:
    """The rows that it is good for, by its own periods and their first days of service."""
    good = [row for row in rows if not coupon.products or row.product in coupon.products]
    turns: list[list[Row]] = []
    start, n = coupon.granted_from, 0
    last = max((row.serves for row in good), default=start)
    while start <= last and (coupon.periods is None or n < coupon.periods):
        n += 1
        end = add_months(coupon.granted_from, n * coupon.months)
        turns.append(
            [
                row
                for row in good
                if start <= row.serves < end
                and row.serves >= coupon.since
                and all(row.serves < day for day in coupon.until)
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


def _periods(
    minimum: AtLeast, on: date, last: date = date.max
) -> Iterable[tuple[date, date, int, int]]:
    """The days held of each period that is over: from, to, how many, of how many.

    None is told that begins after the `last` day asked for.
    """
    first = minimum.since
    if minimum.calendar:
        first = first.replace(month=first.month - (first.month - 1) % minimum.months, day=1)
    n = 0
    while True:
        opens, closes = (add_months(first, (n + k) * minimum.months) for k in (0, 1))
        start, end = max(opens, minimum.since), min(closes, minimum.until)
        if end > on or start >= end or start > last:
            return
        yield start, end, (end - start).days, (closes - opens).days
        n += 1
