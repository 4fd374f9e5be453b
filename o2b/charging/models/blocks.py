"""Started blocks, packages and increments, and the one way to divide."""

from decimal import Decimal

from o2b.charging.terms import Started
from o2b.money import EXACT, ROUNDING

QUOTIENT_PLACES = 30

_ONE = Decimal(1)
_SMALLEST = Decimal(1).scaleb(-QUOTIENT_PLACES)


def quotient(dividend: Decimal, divisor: Decimal | int) -> Decimal:
    """The one division of prices: half up at 30 decimals, so that what follows stays exact.

    Far more decimals than a price has: on which side of half a minor unit it lies is exact.
    """
    found = ROUNDING.divide(dividend, divisor)
    rounded = found.quantize(_SMALLEST, context=ROUNDING)
    return found if found == rounded else rounded  # an even quotient keeps its few digits


def started_blocks(quantity: Decimal, size: Decimal, started: Started = Started.WHOLE) -> Decimal:
    """How many blocks of `size` a quantity is: ⌈q ÷ size⌉, ⌊q ÷ size⌋, or q ÷ size.

    Sources: Kill Bill (consumable blocks, started ones whole), OpenMeter and Lago (packages),
    BillRun (round up, down, none).

    >>> size = Decimal(10)
    >>> [str(started_blocks(Decimal(q), size)) for q in ("0", "10", "10.5")]
    ['0', '1', '2']
    >>> started_blocks(Decimal(15), size, Started.NOTHING)
    Decimal('1')
    """
    if started is Started.SHARE:
        return quotient(quantity, size)
    whole = EXACT.divide_int(quantity, size)
    rest = EXACT.fma(whole, -size, quantity)
    if started is Started.WHOLE:
        return EXACT.add(whole, _ONE) if rest > 0 else whole
    return EXACT.subtract(whole, _ONE) if rest < 0 else whole


def cost_of_blocks(
    price: Decimal, quantity: Decimal, size: Decimal, started: Started = Started.WHOLE
) -> Decimal:
    """Price × blocks; a share is multiplied before it is divided."""
    if started is Started.SHARE:
        return quotient(EXACT.multiply(price, quantity), size)
    return EXACT.multiply(price, started_blocks(quantity, size, started))
