"""How a full period's price is shared by the days that were served."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from o2b.charging.daycount import fraction, running
from o2b.charging.pricing import list_price, price
from o2b.charging.pricing.adjustments import bounded, discounted
from o2b.charging.terms import (
    DEFAULT_CONVENTIONS,
    AdjustmentOrder,
    ChargeTerms,
    Conventions,
    Proration,
)
from o2b.money import EXACT, ROUNDING, quantise
from o2b.periods import Interval, Period

_ZERO, _WHOLE = Decimal(0), Decimal(1)
Days = int | Decimal
There = tuple[Decimal, Decimal]  # a quantity, and how much of it is delivered


def prorate(
    full: Decimal,
    *,
    used: Period,
    full_period: Period,
    how: Proration,
    interval: Interval | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Decimal:
    """By the day: full × served days ÷ days of the full period; not yet rounded.

    Kill Bill: actual days over the days of the anchored period that contains the fragment; other
    day counts by `conventions` and the interval's months. Multiplied before it is divided; the
    quotient has 200 digits, so whether it lies at, above or below half a minor unit is exact.
    Without proration a started period costs the whole price.
    """
    served = used.overlap(full_period)
    if served is None:
        return _ZERO
    if how is not Proration.DAY or served == full_period:
        return full
    days, whole = fraction(served, full=full_period, interval=interval, conventions=conventions)
    return ROUNDING.divide(EXACT.multiply(full, days), whole)


def targets(
    charge: ChargeTerms,
    pieces: Sequence[tuple[Decimal, Period]],
    *,
    full: Period,
    in_force: Sequence[ChargeTerms] | None = None,
    delivered: Sequence[Decimal] = (),
    paid: Collection[int] = (),
) -> list[Decimal]:
    """The rounded amount of each (quantity, served days) of one full period, in their order.

    By running total: amount k = round(sum to k) − round(sum to k−1), so that the pieces add up
    to the rounded whole. Days are summed before the one division. `in_force` are the terms of
    each piece where the price steps.

    day: the sum to k is Σ price × share of each piece, held against the minimum and maximum of
    the share served so far (Lago: minimum × billable days ÷ days of the period).
    none: the price of the first piece, at once; nothing for what follows.
    full: the price of the most that was there so far: more units add their price and fewer bring
    none back. Without proration a price that steps counts from the next full period.

    `delivered` is how much of each piece was there (empty: all of it), and so much of its price is
    paid. By the day it weighs the days, so that a minimum and a fixed discount hold for as much;
    without proration that of the first piece counts, or the most so far.

    `paid` are the pieces, counted from 1, that were paid whole, as another charge. By the day only
    what costs more than they do is paid after them; without proration they are as all others.
    """
    currency, rounding = charge.currency, charge.conventions.rounding
    amounts: list[Decimal] = []
    before: Decimal | None = None
    terms = in_force or [charge] * len(pieces)
    for total in running_totals(charge, pieces, full, terms, delivered, paid=paid):
        rounded = quantise(total, currency, rounding)
        amounts.append(rounded if before is None else EXACT.subtract(rounded, before))
        before = rounded
    return amounts


def running_totals(
    charge: ChargeTerms,
    pieces: Sequence[tuple[Decimal, Period]],
    full: Period,
    in_force: Sequence[ChargeTerms],
    delivered: Sequence[Decimal] = (),
    *,
    paid: Collection[int] = (),
) -> list[Decimal]:
    """What the full period costs up to and with each piece, not yet rounded."""
    if charge.proration is Proration.NONE:
        return [price_of(in_force[0], there_of(pieces, delivered)[0])] * len(pieces)
    if charge.proration is Proration.FULL:
        there = list(there_of(pieces, delivered))
        return [price_of_most(in_force[0], there[:n]) for n in range(1, len(there) + 1)]
    reached, whole = running(
        own_days(pieces, paid),
        full=full,
        interval=charge.interval,
        conventions=charge.conventions,
    )
    if paid:
        scaled = _scaled_beyond(charge, pieces, reached, in_force, delivered, paid)
    else:
        scaled = _scaled(charge, pieces, reached, in_force, delivered)
    return [ROUNDING.divide(each, whole) for each in scaled]


def own_days(pieces: Sequence[tuple[Decimal, Period]], paid: Collection[int] = ()) -> list[Period]:
    """The days of those pieces that were not paid as another charge."""
    if not paid:
        return [period for _, period in pieces]
    return [period for n, (_, period) in enumerate(pieces, start=1) if n not in paid]


def _scaled(
    charge: ChargeTerms,
    pieces: Sequence[tuple[Decimal, Period]],
    reached: Sequence[int],
    in_force: Sequence[ChargeTerms],
    delivered: Sequence[Decimal],
) -> list[Decimal]:
    """By the day, as many times as the full period has days."""
    bound = charge.minimum is not None or charge.maximum is not None
    shared = _ZERO
    before: Days = 0
    totals = []
    for (quantity, _), terms, days in zip(
        pieces, in_force, weighed(reached, delivered), strict=True
    ):
        each = _unbound_price(terms, quantity) if bound else price(terms, quantity)
        shared = EXACT.fma(each, days - before, shared)
        before = days
        totals.append(_bounded(charge, shared, scale=days) if bound else shared)
    return totals


def _scaled_beyond(
    charge: ChargeTerms,
    pieces: Sequence[tuple[Decimal, Period]],
    reached: Sequence[int],
    in_force: Sequence[ChargeTerms],
    delivered: Sequence[Decimal],
    paid: Collection[int],
) -> list[Decimal]:
    """The same where some pieces were paid whole: after them only what costs more than they do."""
    ahead = min(paid) - 1
    totals = _scaled(charge, pieces[:ahead], reached[:ahead], in_force[:ahead], delivered[:ahead])
    total, before = (totals[-1], reached[ahead - 1]) if ahead else (_ZERO, 0)
    own = iter(reached[ahead:])
    had: list[There] = []
    for n, there in enumerate(there_of(pieces, delivered)[ahead:], start=ahead):
        if n + 1 in paid:
            had.append(there)
        else:
            days = next(own)
            total = EXACT.fma(beyond(in_force[n], there, had), days - before, total)
            before = days
        totals.append(total)
    return totals


def beyond(charge: ChargeTerms, there: There, paid: Iterable[There]) -> Decimal:
    """What a full period of it costs more than what was paid whole; fewer units bring none back."""
    amount, had = price_of(charge, there), price_of_most(charge, paid)
    more = EXACT.subtract(amount, had)
    return more if amount.copy_abs() > had.copy_abs() else _ZERO


def price_of(charge: ChargeTerms, there: There) -> Decimal:
    """The price of as much as is delivered of a quantity."""
    quantity, delivered = there
    return EXACT.multiply(price(charge, quantity), delivered)


def price_of_most(charge: ChargeTerms, there: Iterable[There]) -> Decimal:
    """The price of the most that was there at once: half of four, then all of two, is two."""
    return price_of(charge, dearest(charge, there))


def dearest(charge: ChargeTerms, there: Iterable[There]) -> There:
    """Of the most that was there, what costs most (of a price below zero: gives most)."""
    front = most(there)
    if len(front) == 1:
        return front[0]
    return max(front, key=lambda each: price_of(charge, each).copy_abs())


def most(there: Iterable[There]) -> tuple[There, ...]:
    """Without what is held by another, which has as many units of which as much is delivered.

    >>> D = Decimal
    >>> [(str(q), str(d)) for q, d in most([(D(4), D("0.5")), (D(2), D("0.5")), (D(2), D(1))])]
    [('4', '0.5'), ('2', '1')]
    """
    found: list[There] = []
    for quantity, delivered in sorted(set(there), reverse=True):
        if not found or delivered > found[-1][1]:
            found.append((quantity, delivered))
    return tuple(found)


def there_of(
    pieces: Sequence[tuple[Decimal, Period]], delivered: Sequence[Decimal]
) -> Sequence[There]:
    """Each piece as what was there of it; where nothing is told of deliveries, all was."""
    parts = delivered or [_WHOLE] * len(pieces)
    return [(quantity, part) for (quantity, _), part in zip(pieces, parts, strict=True)]


def delivered_of(pieces: Iterable[Decimal]) -> tuple[Decimal, ...]:
    """How much of each piece is delivered; empty where all of each is."""
    told = tuple(pieces)
    return told if any(each != 1 for each in told) else ()


def weighed(reached: Sequence[int], delivered: Sequence[Decimal]) -> Sequence[Days]:
    """Running totals of days, those of each piece counted as much as of it was delivered.

    >>> [str(each) for each in weighed([10, 31], [Decimal("0.5"), Decimal(1)])]
    ['5.0', '26.0']
    """
    if not delivered:
        return reached
    found: list[Decimal] = []
    total, before = _ZERO, 0
    for days, part in zip(reached, delivered, strict=True):
        total = EXACT.fma(Decimal(days - before), part, total)
        found.append(total)
        before = days
    return found


def _unbound_price(charge: ChargeTerms, quantity: Decimal) -> Decimal:
    """What `_bounded` is told: less discounts already, unless the bounds come before them."""
    listed = list_price(charge, quantity)
    if charge.conventions.order is AdjustmentOrder.COMMITMENT_FIRST:
        return listed
    return discounted(charge, listed)


def shared_total(charge: ChargeTerms, listed: Decimal, *, reached: int, whole: int) -> Decimal:
    """A list price that is not prorated, with its share of fixed discounts and of the bounds.

    What usage costs in a period served in part: reached/whole of it. Not yet rounded.
    """
    total = EXACT.multiply(listed, whole)
    if charge.conventions.order is AdjustmentOrder.DISCOUNT_FIRST:
        total = discounted(charge, total, scale=reached)
    return ROUNDING.divide(_bounded(charge, total, scale=reached), whole)


def _bounded(charge: ChargeTerms, amount: Decimal, *, scale: Days) -> Decimal:
    """Held against `scale` times the minimum and maximum; discounts come last if so agreed."""
    amount = bounded(charge, amount, scale=scale)
    if charge.conventions.order is AdjustmentOrder.COMMITMENT_FIRST:
        return discounted(charge, amount, scale=scale)
    return amount
