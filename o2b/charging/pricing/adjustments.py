"""What comes off a list price and what bounds it: discounts, minimum and maximum, in order."""

from decimal import Decimal
from typing import NamedTuple

from o2b.charging.terms import AdjustmentOrder, ChargeTerms, Discount, DiscountKind
from o2b.money import EXACT

_HUNDRED = Decimal(100)
_ZERO = Decimal(0)


class Priced(NamedTuple):
    """A full period: listed − discount + true_up − capped is the amount, in the order agreed.

    `true_up` is what a minimum adds, `capped` what a maximum takes off.
    """

    listed: Decimal
    discount: Decimal
    true_up: Decimal
    capped: Decimal
    amount: Decimal


def adjusted(charge: ChargeTerms, listed: Decimal) -> Priced:
    """Discounts, then minimum and maximum; or the bounds first, as the conventions say.

    Sources: OpenMeter and Lago hold the minimum and maximum against the discounted price; others
    discount what was committed.
    """
    if charge.conventions.order is AdjustmentOrder.DISCOUNT_FIRST:
        left = discounted(charge, listed)
        amount = bounded(charge, left)
        true_up, capped = _added(left, amount), _added(amount, left)
        return Priced(listed, EXACT.subtract(listed, left), true_up, capped, amount)
    left = bounded(charge, listed)
    amount = discounted(charge, left)
    true_up, capped = _added(listed, left), _added(left, listed)
    return Priced(listed, EXACT.subtract(left, amount), true_up, capped, amount)


def discounted(charge: ChargeTerms, listed: Decimal, *, scale: int | Decimal = 1) -> Decimal:
    """Less each discount in its order; below zero only if the price was so before.

    `scale`: the price of so many parts of a period; fixed discounts come off as many times.
    """
    left = listed
    for discount in charge.discounts:
        left = less(left, discount, scale=scale)
    return _ZERO if left < 0 <= listed else left


def less(left: Decimal, discount: Discount, *, scale: int | Decimal = 1) -> Decimal:
    """What a discount leaves; a percentage acts on what is left at its turn."""
    if discount.kind is DiscountKind.AMOUNT:
        return EXACT.subtract(left, EXACT.multiply(discount.value, scale))
    kept = EXACT.subtract(_HUNDRED, discount.value)
    return EXACT.multiply(left, kept).scaleb(-2, context=EXACT)


def bounded(charge: ChargeTerms, amount: Decimal, *, scale: int | Decimal = 1) -> Decimal:
    """max(amount, scale × minimum), then min(…, scale × maximum); the maximum is never below."""
    if charge.minimum is not None:
        amount = max(amount, EXACT.multiply(charge.minimum, scale))
    if charge.maximum is not None:
        amount = min(amount, EXACT.multiply(charge.maximum, scale))
    return amount


def _added(before: Decimal, after: Decimal) -> Decimal:
    return EXACT.subtract(after, before) if after > before else _ZERO
