"""The price of a full period, and of groups of usage that are priced apart or together."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from o2b.charging.pricing.adjustments import Priced, adjusted
from o2b.charging.pricing.listed import Events, list_price, listed, ready
from o2b.charging.terms import ChargeTerms
from o2b.charging.usage import Event
from o2b.money import EXACT

_ZERO = Decimal(0)


def price(
    charge: ChargeTerms,
    quantity: Decimal,
    events: Events = (),
    *,
    included: Decimal | None = None,
    tier_quantity: Decimal | None = None,
) -> Decimal:
    """One full period, exact: the list price less discounts, within minimum and maximum.

    The order is that of `Conventions.order`; below zero only when the list price is (a charge
    that pays the customer). `events`: the single events, or their count where only a fee for
    each depends on it. `included`, `tier_quantity`: as of `list_price`.
    """
    made = ready(charge)
    before = listed(made, quantity, events, included, tier_quantity)
    return before if made.plain else adjusted(charge, before).amount


def priced(
    charge: ChargeTerms,
    quantity: Decimal,
    events: Events = (),
    *,
    included: Decimal | None = None,
    tier_quantity: Decimal | None = None,
) -> Priced:
    """The same price in its parts: list price, discount, true-up and what the maximum takes."""
    before = list_price(charge, quantity, events, included=included, tier_quantity=tier_quantity)
    return adjusted(charge, before)


def price_groups(charge: ChargeTerms, quantities: Iterable[Decimal]) -> Decimal:
    """Each quantity at its own list price, discounts and bounds once for all.

    Source: Zuora, usage rating by group (by usage record). An allowance is one pool, drawn by
    the earliest records.
    """
    left = ready(charge).included
    total = _ZERO
    for quantity in quantities:
        total = EXACT.add(total, list_price(charge, quantity, included=left))
        left = max(EXACT.subtract(left, max(quantity, _ZERO)), _ZERO)
    return adjusted(charge, total).amount


def price_together(charges: Iterable[tuple[ChargeTerms, Decimal]]) -> Decimal:
    """The sum of what several charges cost at their quantities."""
    total = _ZERO
    for charge, quantity in charges:
        total = EXACT.add(total, price(charge, quantity))
    return total


def running_prices(charge: ChargeTerms, events: Sequence[Event]) -> tuple[Decimal, ...]:
    """The price after each event: what a current bill shows while events arrive."""
    found = []
    quantity = _ZERO
    for i, event in enumerate(events, start=1):
        quantity = EXACT.add(quantity, event.value)
        found.append(price(charge, quantity, events[:i]))
    return tuple(found)
