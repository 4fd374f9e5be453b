"""What a change in the middle of a paid period gives back and costs, where no bill is at hand.

Bills are by difference (`o2b.charging.draft`); these are the two sides that a customer is shown.
"""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from o2b.charging.daycount import fraction
from o2b.charging.terms import DEFAULT_CONVENTIONS, Conventions
from o2b.money import EXACT, ROUNDING, quantise, rounded
from o2b.periods import Interval, Period


class Change(NamedTuple):
    """The unused part of what was, as a credit, and what comes in its place; each rounded."""

    credit: Decimal
    debit: Decimal

    @property
    def net(self) -> Decimal:
        """What is to pay; below zero what stays as a credit."""
        return EXACT.subtract(self.debit, self.credit)

    def with_next(self, upcoming: Decimal) -> Decimal:
        """What is to pay if the next full period is billed together with the change."""
        return EXACT.add(self.net, upcoming)


def share(
    amount: Decimal,
    part: Decimal | int,
    whole: Decimal | int = 1,
    *,
    currency: str,
    places: int | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Decimal:
    """amount × part ÷ whole, rounded: 15 of 30 days, 5,250 of 10,500 credits, 10.258065 months.

    `places` instead of the currency's own decimals, for a unit that is no ISO currency.
    """
    product = EXACT.multiply(amount, Decimal(part))
    exact = ROUNDING.divide(product, Decimal(whole))
    if places is not None:
        return rounded(exact, places, conventions.rounding)
    return quantise(exact, currency, conventions.rounding)


def charge_for(
    price: Decimal,
    served: Period,
    *,
    full: Period,
    currency: str,
    interval: Interval | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Decimal:
    """What some days cost of a full period that costs `price`, rounded; never more than that.

    A service period longer than the full one costs the full price (OpenMeter, flat fees).
    """
    days, whole = fraction(served, full=full, interval=interval, conventions=conventions)
    return share(price, days, whole, currency=currency, conventions=conventions)


def remaining_credit(
    price: Decimal,
    *,
    paid: Period,
    on: date,
    currency: str,
    full: Period | None = None,
    ends: bool = False,
    interval: Interval | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Decimal:
    """The unused part of a paid period from a day on: nothing once it is over.

    `price` is that of the full period. Where service `ends` and the last day is billed, that day
    is used: from the 12th on, 13–29 February come back (Lago); at a change it belongs to what
    comes. Sources: Kill Bill (repair), Lago (credit notes), Polar (proration).
    """
    if ends and conventions.last_day_billed:
        on += timedelta(days=1)
    unused = paid.overlap(Period(max(on, paid.start), paid.end)) if on < paid.end else None
    if unused is None:
        return quantise(Decimal(0), currency)
    return charge_for(
        price,
        unused,
        full=full or paid,
        currency=currency,
        interval=interval,
        conventions=conventions,
    )


def change_plan(
    old: Decimal,
    new: Decimal,
    *,
    paid: Period,
    on: date,
    currency: str,
    old_full: Period | None = None,
    new_full: Period | None = None,
    interval: Interval | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Change:
    """Another price from a day within a paid period: credit of the old one, debit of the new.

    The new price is paid up to the end of `new_full`, by its own days: the paid period if not
    told (Polar, Lago, Kill Bill); a longer one, aligned (Kill Bill: a quarter from 1 May to
    1 August, changed to on 12 May, costs 81 of its 92 days). A `new_full` that begins on the day
    costs the whole: a change of interval (Polar). `interval` is that of both.
    """
    credit = remaining_credit(
        old,
        paid=paid,
        on=on,
        currency=currency,
        full=old_full,
        interval=interval,
        conventions=conventions,
    )
    coming = new_full or old_full or paid
    debit = charge_for(
        new,
        Period(max(on, coming.start), coming.end if new_full else paid.end),
        full=coming,
        currency=currency,
        interval=interval,
        conventions=conventions,
    )
    return Change(credit, debit)


def change_by_share(
    old: Decimal,
    new: Decimal,
    *,
    left: tuple[Decimal | int, Decimal | int],
    charged: tuple[Decimal | int, Decimal | int] | None = None,
    currency: str,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> Change:
    """The same where only shares are known: `left` as (15, 30) of the old price comes back.

    The new one costs the share `charged`, the same if not told; (1, 1) is a new full period.
    """
    return Change(
        share(old, *left, currency=currency, conventions=conventions),
        share(new, *(charged or left), currency=currency, conventions=conventions),
    )


def smaller_share(
    *shares: tuple[Decimal | int, Decimal | int],
) -> tuple[Decimal | int, Decimal | int]:
    """The smallest of several shares, each as (part, whole): of time and of credits left.

    Source: Vercel, prorated billing (the smaller of time left and credits left comes back).

    >>> smaller_share((1, 2), (5250, 21000))
    (5250, 21000)
    """
    return min(shares, key=lambda share: Fraction(share[0]) / Fraction(share[1]))
