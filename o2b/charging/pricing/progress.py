"""Progressive billing: what more usage in the same period adds to what was billed of it."""

from decimal import Decimal
from typing import NamedTuple

from o2b.charging.pricing.adjustments import discounted
from o2b.charging.pricing.listed import list_price
from o2b.charging.terms import AdjustmentOrder, ChargeTerms
from o2b.money import EXACT, quantise

_ZERO = Decimal(0)


class Progress(NamedTuple):
    """What a slice of usage adds: charge − reduction − discount = amount.

    `charge` is its share of the list price, `reduction` what the charge's discounts take off it,
    `discount` what the maximum does.
    """

    charge: Decimal
    reduction: Decimal
    discount: Decimal
    amount: Decimal


def progressive(
    charge: ChargeTerms,
    *,
    before: Decimal,
    now: Decimal,
    already_billed: Decimal | None = None,
) -> Progress:
    """price(before + now) − price(before), each rounded, under the period's maximum.

    Rounded as running totals, so that the amounts of all slices add up to the rounded whole.
    The first slice (nothing before, nothing billed) bears the first tier's flat fee. What was
    billed may be told where it came from elsewhere. A minimum is settled at the period's end.
    Source: OpenMeter, rating of split lines.
    """
    cap = _cap(charge)
    is_first = before == 0 and already_billed is None
    listed, by_then = (_ZERO, _ZERO) if is_first else _uncapped(charge, before)
    listed_now, by_now = _uncapped(charge, EXACT.add(before, now))
    charged = EXACT.subtract(listed_now, listed)
    added = EXACT.subtract(by_now, by_then)
    held = by_then if cap is None else min(by_then, cap)
    billed = held if already_billed is None else already_billed
    # What the maximum has taken off so far stands behind what was billed.
    total = EXACT.add(EXACT.add(billed, EXACT.subtract(by_then, held)), added)
    amount = EXACT.subtract(total if cap is None else min(total, cap), billed)
    return Progress(charged, EXACT.subtract(charged, added), EXACT.subtract(added, amount), amount)


def _uncapped(charge: ChargeTerms, quantity: Decimal) -> tuple[Decimal, Decimal]:
    """The rounded list price, and what discounts leave of it."""
    listed = list_price(charge, quantity)
    return _rounded(charge, listed), _rounded(charge, discounted(charge, listed))


def _cap(charge: ChargeTerms) -> Decimal | None:
    if charge.maximum is None:
        return None
    if charge.conventions.order is AdjustmentOrder.COMMITMENT_FIRST:
        return _rounded(charge, discounted(charge, charge.maximum))
    return _rounded(charge, charge.maximum)


def _rounded(charge: ChargeTerms, amount: Decimal) -> Decimal:
    return quantise(amount, charge.currency, charge.conventions.rounding)
