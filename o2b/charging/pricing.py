"""What one charge costs for one full period: exact, discounts included, and why."""

from decimal import Decimal
from typing import NamedTuple

from o2b.charging.terms import ChargeTerms, Discount, DiscountKind, Model, plain
from o2b.money import EXACT, Money

_HUNDRED = Decimal(100)
_ZERO = Decimal(0)


class Step(NamedTuple):
    """One line of the arithmetic behind a price."""

    label: str
    arithmetic: str
    result: Decimal


def list_price(charge: ChargeTerms, quantity: Decimal) -> Decimal:
    """Before discounts: flat = unit price; per unit = unit price x quantity."""
    if charge.model is Model.FLAT:
        return charge.unit_price
    return EXACT.multiply(charge.unit_price, quantity)


def price(charge: ChargeTerms, quantity: Decimal) -> Decimal:
    """One full period, exact: the list price less each discount in the order given.

    Below zero only when the list price is (a charge that pays the customer).
    """
    listed = list_price(charge, quantity)
    left = listed
    for discount in charge.discounts:
        left = _less(left, discount)
    return _floored(left, listed)


def explain(charge: ChargeTerms, quantity: Decimal) -> tuple[Step, ...]:
    """The same price step by step; the last result is what `price` returns."""
    listed = list_price(charge, quantity)
    unit = plain(charge.unit_price)
    if charge.model is Model.FLAT:
        steps = [Step("flat", unit, listed)]
    else:
        steps = [Step("per unit", f"{unit} × {plain(quantity)}", listed)]
    left = listed
    for discount in charge.discounts:
        before, left = left, _less(left, discount)
        label = "surcharge" if discount.value < 0 else "discount"
        steps.append(Step(label, _arithmetic(before, discount), left))
    final = _floored(left, listed)
    if final != left:
        steps.append(Step("not below zero", f"max({plain(left)}, 0)", final))
    return tuple(steps)


def share_fixed_discount(amount: Money, weights: list[Decimal]) -> list[Decimal]:
    """Split a contract's fixed discount or surcharge over lines, by largest remainder."""
    return [part.amount for part in amount.allocate(weights)]


def _less(left: Decimal, discount: Discount) -> Decimal:
    """What a discount leaves; a percentage acts on what is left at its turn."""
    if discount.kind is DiscountKind.AMOUNT:
        return EXACT.subtract(left, discount.value)
    kept = EXACT.subtract(_HUNDRED, discount.value)
    return EXACT.multiply(left, kept).scaleb(-2, context=EXACT)


def _floored(left: Decimal, listed: Decimal) -> Decimal:
    return _ZERO if left < 0 <= listed else left


def _arithmetic(before: Decimal, discount: Discount) -> str:
    sign = "+" if discount.value < 0 else "−"
    value = plain(abs(discount.value))
    suffix = " %" if discount.kind is DiscountKind.PERCENT else ""
    return f"{plain(before)} {sign} {value}{suffix}"
