"""What a service owes that goes on under other prices: counted by hand, without a rule of O2B.

Whole numbers, fractions and days alone. A service is told as what was there from which day on; each
period of a month is owed by the price under which each day stood, and rounded as pieces are.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import NamedTuple

Price = Callable[[Fraction], Fraction]
There = tuple[Fraction, Fraction]  # units, and how much of them is delivered


class Way(NamedTuple):
    """A price of units and month, and how a part of it is paid: "none", "full" or "day"."""

    price: Price
    proration: str
    least: Fraction | None = None  # by the day of each month, as much of it as days are served
    most: Fraction | None = None

    def of(self, there: There) -> Fraction:
        """A whole month of it."""
        units, delivered = there
        return self.held(self.price(units), 1) * delivered

    def held(self, amount: Fraction, scale: Fraction | int) -> Fraction:
        if self.least is not None:
            amount = max(amount, self.least * scale)
        return amount if self.most is None else min(amount, self.most * scale)


class Stood(NamedTuple):
    """From a day on so many units are there, as far as delivered, under one of the ways."""

    on: date
    way: int
    units: Fraction
    delivered: Fraction = Fraction(1)


class Days(NamedTuple):
    """Days of one month under one way on which nothing changed."""

    first: date
    end: date
    way: int
    there: There


def months(start: date, end: date) -> list[tuple[date, date]]:
    found = []
    first = start.replace(day=1)
    while first < end:
        after = (first + timedelta(days=31)).replace(day=1)
        found.append((first, after))
        first = after
    return found


def days_of(stood: Sequence[Stood], first: date, after: date) -> list[Days]:
    """Neighbours that are equal are one."""
    found: list[Days] = []
    ends = [each.on for each in stood[1:]] + [date.max]
    for each, end in zip(stood, ends, strict=True):
        own = Days(max(each.on, first), min(end, after), each.way, (each.units, each.delivered))
        if own.first >= own.end:
            continue
        if found and found[-1][2:] == own[2:]:
            own = own._replace(first=found.pop().first)
        found.append(own)
    return found


def owed(
    stood: Sequence[Stood], ways: Sequence[Way], *, until: date
) -> dict[tuple[int, date], Fraction]:
    """(way, month) → what is owed of it, of all months that begin before `until`."""
    found: dict[tuple[int, date], Fraction] = {}
    for first, after in months(stood[0].on, until):
        days = days_of(stood, first, after)
        for way in {each.way for each in days}:
            found[way, first] = _of_month(way, days, ways, (after - first).days)
    return found


def _of_month(own: int, days: Sequence[Days], ways: Sequence[Way], length: int) -> Fraction:
    """What others had paid whole before a day is not paid again, only what is there on top."""
    way, whole = ways[own], [each for each in days if ways[each.way].proration != "day"]
    amounts: list[Fraction] = []
    mine: list[There] = []
    shared = weight = beyond = Fraction(0)
    reached = Fraction(0)  # rounded
    for each in days:
        if each.way != own:
            continue
        had = [b.there for b in whole if b.way != own and b.first < each.first]
        part = Fraction((each.end - each.first).days)
        if way.proration == "none":
            amounts.append(Fraction(0) if had or mine else cents(way.of(each.there)))
        elif way.proration == "full":
            before = cents(_of_most(way, [*had, *mine])) if had or mine else Fraction(0)
            amounts.append(cents(_of_most(way, [*had, *mine, each.there])) - before)
        else:
            if had:
                paid = _of_most(way, had)
                more = way.of(each.there) - paid
                beyond += part * (more if abs(way.of(each.there)) > abs(paid) else 0)
            else:
                shared += part * each.there[1] * way.price(each.there[0])
                weight += part * each.there[1]
            total = cents((way.held(shared, weight) + beyond) / length)
            amounts.append(total - reached)
            reached = total
        mine.append(each.there)
    return sum(amounts, Fraction(0))


def _of_most(way: Way, there: Iterable[There]) -> Fraction:
    """Of the most that was there at once: what no other holds, and of several what costs most."""
    known = list(there)
    front = [
        one
        for one in known
        if not any(o != one and o[0] >= one[0] and o[1] >= one[1] for o in known)
    ]
    return max((way.of(each) for each in front), key=abs)


def cents(value: Fraction) -> Fraction:
    """Half up, away from zero."""
    units = floor(abs(value) * 100 + Fraction(1, 2))
    return Fraction(units if value >= 0 else -units, 100)


def graduated(*tiers: tuple[int | None, str]) -> Price:
    """(up to, price of one) each."""

    def price(units: Fraction) -> Fraction:
        total, lower = Fraction(0), Fraction(0)
        for end, one in tiers:
            upper = units if end is None else min(units, Fraction(end))
            total += max(upper - lower, Fraction(0)) * Fraction(one)
            lower = max(lower, upper)
        return total

    return price


def by_volume(*tiers: tuple[int | None, str]) -> Price:
    """All units at the price of the tier that they reach."""

    def price(units: Fraction) -> Fraction:
        return units * next(Fraction(one) for end, one in tiers if end is None or units <= end)

    return price


def per_unit(one: str, *, off: str = "0") -> Price:
    """Less so many percent."""
    return lambda units: units * Fraction(one) * (100 - Fraction(off)) / 100
