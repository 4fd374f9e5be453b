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
        true_up, capped, amount = _bounded(charge, left)
        return Priced(listed, EXACT.subtract(listed, left), true_up, capped, amount)
    true_up, capped, left = _bounded(charge, listed)
    amount = discounted(charge, left)
    return Priced(listed, EXACT.subtract(left, amount), true_up, capped, amount)


def discounted(charge: ChargeTerms, listed: Decimal) -> Decimal:
    """Less each discount in its order; below zero only if the price was so before."""
    left = listed
    for discount in charge.discounts:
        left = less(left, discount)
    return _ZERO if left < 0 <= listed else left


def less(left: Decimal, discount: Discount) -> Decimal:
    """What a discount leaves; a percentage acts on what is left at its turn."""
    if discount.kind is DiscountKind.AMOUNT:
        return EXACT.subtract(left, discount.value)
    kept = EXACT.subtract(_HUNDRED, discount.value)
    return EXACT.multiply(left, kept).scaleb(-2, context=EXACT)


def _bounded(charge: ChargeTerms, left: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """What the minimum adds, what the maximum takes off, and what is left of it."""
    if charge.minimum is not None and left < charge.minimum:
        return EXACT.subtract(charge.minimum, left), _ZERO, charge.minimum
    if charge.maximum is not None and left > charge.maximum:
        return _ZERO, EXACT.subtract(left, charge.maximum), charge.maximum
    return _ZERO, _ZERO, left
