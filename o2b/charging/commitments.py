"""Commitments: what a minimum still asks for, what a maximum forgives, what credits are worth."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from o2b.money import EXACT, ROUNDING, Exact, Rounding, part_of, quantise

_ZERO = Decimal(0)


def true_up(
    minimum: Decimal,
    charged: Decimal,
    *,
    share: Exact = 1,
    currency: str,
    rounding: Rounding = Rounding.HALF_UP,
) -> Decimal:
    """What a minimum adds to what was charged: round(minimum × share) − round(charged), or 0.

    `share` is the part of the period that was served; `charged` is prorated already. 10.00 for
    25 of 28 days is 8.93; with 8.00 used the true-up is 0.93. Source: Lago, minimum commitments
    and spending minimums.
    """
    return true_up_over(minimum, [charged], share=share, currency=currency, rounding=rounding)


def true_up_over(
    minimum: Decimal,
    charges: Iterable[Decimal],
    *,
    share: Exact = 1,
    currency: str,
    rounding: Rounding = Rounding.HALF_UP,
) -> Decimal:
    """The same for a plan's minimum over several charges, each rounded as it was billed."""
    left = quantise(part_of(minimum, share), currency, rounding)
    for charged in charges:
        left = EXACT.subtract(left, quantise(charged, currency, rounding))
    return max(left, quantise(_ZERO, currency))


class Capped(NamedTuple):
    """A charge held against a maximum: charge − discount = amount."""

    charge: Decimal
    discount: Decimal
    amount: Decimal


def capped(maximum: Decimal, charged: Decimal, already: Decimal = _ZERO) -> Capped:
    """At most `maximum` for the whole period, of which `already` has been billed.

    discount = charge − max(min(charge, maximum − already), 0); a credit passes as it is.
    93.33 of 100 billed and 66.67 more leaves 6.67 to pay. Source: OpenMeter, maximum spend.
    """
    # Either may be a quotient of 200 digits, so their difference is one too.
    room = max(ROUNDING.subtract(maximum, already), _ZERO)
    amount = min(charged, room)
    return Capped(charged, ROUNDING.subtract(charged, amount), amount)


class Credits(NamedTuple):
    """Prepaid credits that whole minor units can pay for, and that amount."""

    credits: Decimal
    amount: Decimal


def credits_worth(
    credits: Decimal,
    value: Decimal,
    currency: str,
    rounding: Rounding = Rounding.HALF_UP,
) -> Credits:
    """What credits at a value each cost, and how many of them that amount buys.

    amount = round(credits × value), credits = amount ÷ value: 1,034 credits of 0.001 EUR cost
    1.03 EUR, which buys 1,030. Source: Lago, WalletCredit.
    """
    if value <= 0:
        raise ValueError(f"a credit worth {value} cannot be sold")
    amount = quantise(EXACT.multiply(credits, value), currency, rounding)
    return Credits(ROUNDING.divide(amount, value), amount)
