"""Discounts over an amount and over several lines: in the order given, never below zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor, lcm
from typing import NamedTuple

from o2b.charging.terms import Discount, DiscountKind
from o2b.money import (
    EXACT,
    Exact,
    Money,
    Rounding,
    minor_unit,
    minor_units,
    of_minor_units,
    quantise,
    rounded,
    sum_of,
    to_decimal,
)

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Coupon:
    """A discount on an invoice; perhaps of one currency, perhaps on some of the lines only.

    One of another currency does not apply. `lines` are indices; None: all.
    """

    discount: Discount
    currency: str | None = None
    lines: frozenset[int] | None = None

    def applies(self, currency: str, line: int | None = None) -> bool:
        """Whether it counts in this currency and, if asked, for this line."""
        if self.currency not in (None, currency):
            return False
        return line is None or self.lines is None or line in self.lines


class Reduction(NamedTuple):
    """What one discount took, and what it left."""

    discount: Decimal
    left: Decimal


class Stacked(NamedTuple):
    """Each discount in turn, their sum, and what is left after all."""

    steps: tuple[Reduction, ...]
    discount: Decimal
    left: Decimal


def stack(
    amount: Decimal,
    discounts: Sequence[Discount | Coupon],
    *,
    currency: str,
    rounding: Rounding = Rounding.HALF_UP,
) -> Stacked:
    """Take discounts off an amount in the order given, each rounded when it is taken.

    A percentage acts on what is left at its turn; a fixed discount takes at most what is left, so
    nothing falls below zero. A surcharge (below zero) adds. Source: Lago, applied coupons.
    """
    steps: list[Reduction] = []
    left = amount
    for each in discounts:
        coupon = each if isinstance(each, Coupon) else Coupon(each)
        taken = to_decimal(_taken(Fraction(left), coupon, currency, rounding))
        left = EXACT.subtract(left, taken)
        steps.append(Reduction(taken, left))
    return Stacked(tuple(steps), EXACT.subtract(amount, left), left)


class Spread(NamedTuple):
    """Coupons over lines: what each coupon took in all, and each line's share, without error."""

    coupons: tuple[Decimal, ...]
    shares: tuple[Fraction, ...]
    left: tuple[Fraction, ...]

    @property
    def discount(self) -> Decimal:
        """All coupons together."""
        return sum_of(self.coupons)

    @property
    def total(self) -> Decimal:
        """What is left of all lines."""
        return to_decimal(sum(self.left, Fraction(0)))

    def rounded_shares(
        self, places: int, rounding: Rounding = Rounding.HALF_UP
    ) -> tuple[Decimal, ...]:
        """The shares to show, with so many decimals; each is rounded by itself."""
        return tuple(rounded(share, places, rounding) for share in self.shares)

    def whole_shares(self, currency: str) -> tuple[Decimal, ...]:
        """The shares in minor units, by largest remainder, so that they add up to the discount."""
        unit = Fraction(minor_unit(currency))
        sign = -1 if self.discount < 0 else 1
        exact = [sign * share / unit for share in self.shares]
        whole = [floor(each) for each in exact]
        more = abs(minor_units(self.discount, currency)) - sum(whole)
        by_remainder = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
        for i in by_remainder[:more]:
            whole[i] += 1
        return tuple(of_minor_units(sign * each, currency) for each in whole)


def spread(
    lines: Sequence[Decimal],
    coupons: Sequence[Coupon],
    *,
    currency: str,
    rounding: Rounding = Rounding.HALF_UP,
) -> Spread:
    """Take coupons off several lines, each pro rata to what is left of the lines it applies to.

    share of line i = coupon × left i ÷ sum of left, as a fraction; the coupon itself is rounded,
    and at most what is left of its lines. Tax then acts on the exact rest of each line.
    Source: Lago, coupons limited to plans or metrics.
    """
    left = [Fraction(line) for line in lines]
    taken: list[Decimal] = []
    for coupon in coupons:
        mine = [i for i in range(len(left)) if coupon.applies(currency, i)]
        base = sum((left[i] for i in mine), Fraction(0))
        amount = _taken(base, coupon, currency, rounding) if mine else Fraction(0)
        for i in mine:  # where nothing is left only a surcharge remains: in equal parts
            left[i] -= amount * left[i] / base if base else amount / len(mine)
        taken.append(to_decimal(amount))
    shares = tuple(Fraction(line) - rest for line, rest in zip(lines, left, strict=True))
    return Spread(tuple(taken), shares, tuple(left))


def allocate(total: Decimal, weights: Sequence[Exact], currency: str) -> list[Decimal]:
    """Split a rounded amount by weight in whole minor units, by largest remainder.

    A tie goes to the earlier part. Source: OpenMeter, currencyx allocation; Hamilton's method.
    """
    fractions = [Fraction(weight) for weight in weights]
    common = lcm(*(each.denominator for each in fractions))
    whole = [int(each * common) for each in fractions]
    return [part.amount for part in Money(total, currency).allocate(whole)]


class Allocated(NamedTuple):
    """A discount over lines: each line's share, and what is left of each."""

    shares: tuple[Decimal, ...]
    left: tuple[Decimal, ...]


def allocate_discount(discount: Decimal, lines: Sequence[Decimal], currency: str) -> Allocated:
    """Share one fixed discount over rounded lines, capped at their sum, in whole minor units.

    2,500 cents off two lines of 1,000 take 1,000 each; 100 off 100 and 200 are 33 and 67.
    Source: Polar, discounts.
    """
    total = sum_of(lines)
    if not total:
        return Allocated(tuple(quantise(_ZERO, currency) for _ in lines), tuple(lines))
    shares = allocate(quantise(min(discount, total), currency), lines, currency)
    left = [EXACT.subtract(line, share) for line, share in zip(lines, shares, strict=True)]
    return Allocated(tuple(shares), tuple(left))


def _taken(left: Fraction, coupon: Coupon, currency: str, rounding: Rounding) -> Fraction:
    """What a coupon takes of what is left: whole minor units, nothing of what is not there."""
    if not coupon.applies(currency):
        return Fraction(0)
    value = coupon.discount.value
    if coupon.discount.kind is DiscountKind.PERCENT:
        wanted = to_decimal(left * Fraction(value) / 100)
    else:
        wanted = value
    there = quantise(to_decimal(max(left, Fraction(0))), currency, Rounding.DOWN)
    return Fraction(min(quantise(wanted, currency, rounding), there))
