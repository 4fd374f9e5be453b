"""How a full period's price is shared by the days that were served."""

from collections.abc import Sequence
from decimal import Decimal

from o2b.charging.pricing import price
from o2b.charging.terms import ChargeTerms, Proration
from o2b.money import EXACT, ROUNDING, quantise
from o2b.periods import Period

_ZERO = Decimal(0)


def prorate(full: Decimal, *, used: Period, full_period: Period, how: Proration) -> Decimal:
    """By the day: full × served days ÷ days of the full period; not yet rounded.

    Kill Bill: actual days over the days of the anchored period that contains the fragment.
    Multiplied before it is divided; the quotient has 120 digits, so whether it lies at, above or
    below half a minor unit is exact. Without proration a started period costs the whole price.
    """
    served = used.overlap(full_period)
    if served is None:
        return _ZERO
    if how is Proration.NONE or served == full_period:
        return full
    return ROUNDING.divide(EXACT.multiply(full, served.days), full_period.days)


def targets(
    charge: ChargeTerms, pieces: Sequence[tuple[Decimal, int]], *, full_days: int
) -> list[Decimal]:
    """The rounded amount of each (quantity, served days) of one full period, in their order.

    By running total: amount k = round(sum to k) − round(sum to k−1), so that the pieces add up
    to the rounded whole. Days are summed before the one division. Without proration each unit
    whose period has started costs the whole period: the sum to k is the price of the largest
    quantity so far, so more units add their price and fewer bring none back.
    """
    amounts: list[Decimal] = []
    before = quantise(_ZERO, charge.currency)
    by_days = largest = _ZERO
    for quantity, days in pieces:
        if charge.proration is Proration.NONE:
            largest = max(largest, quantity)
            total = price(charge, largest)
        else:
            by_days = EXACT.fma(price(charge, quantity), days, by_days)
            total = ROUNDING.divide(by_days, full_days)
        rounded = quantise(total, charge.currency)
        amounts.append(EXACT.subtract(rounded, before))
        before = rounded
    return amounts
