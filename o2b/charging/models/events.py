"""Percentages of single events: a fee for each, bounds of each, and the first ones free."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.terms import EventRates
from o2b.charging.usage import Event
from o2b.money import EXACT

_ZERO = Decimal(0)


class EventsNeeded(ValueError):
    """A count of events does not tell what single events cost under these rates."""


class EventCharge(NamedTuple):
    """What one event costs: its value, how much of it was free, and the amount."""

    value: Decimal
    free: Decimal
    amount: Decimal
    is_free: bool


def charge_events(
    percent: Decimal, rates: EventRates, values: Iterable[Decimal]
) -> list[EventCharge]:
    """Each event: percent of its value that is not free + fee, within minimum and maximum.

    An event is free while no free limit that is set (events, amount) is used up; what passes the
    free amount is charged, and the event that uses it up pays the fee. Events that add up to
    nothing cost nothing, unless each has its bounds. Source: Lago, percentage charges.
    """
    told = list(values)
    bounded = rates.minimum is not None or rates.maximum is not None
    if not bounded and not _sum(told):
        return [EventCharge(value, value, _ZERO, True) for value in told]
    found = []
    events_left = rates.free_events
    amount_left = rates.free_amount
    for value in told:
        free = _ZERO
        if (events_left > 0 or not rates.free_events) and (
            amount_left > 0 or (rates.free_events and not rates.free_amount)
        ):
            events_left -= 1
            if not rates.free_amount or amount_left > value:
                amount_left = EXACT.subtract(amount_left, value)
                found.append(EventCharge(value, value, _ZERO, True))
                continue
            free, amount_left = amount_left, _ZERO
        paid = EXACT.multiply(percent, EXACT.subtract(value, free)).scaleb(-2, context=EXACT)
        amount = _within(EXACT.add(paid, rates.fee), rates)
        found.append(EventCharge(value, free, amount, False))
    return found


def charge_count(percent: Decimal, rates: EventRates, total: Decimal, count: int) -> Decimal:
    """Percent of the total + fee × events, where no rule asks for single events."""
    if rates.minimum is not None or rates.maximum is not None or rates.free_events:
        raise EventsNeeded("what is free or bounded by event needs the events themselves")
    if rates.free_amount:
        raise EventsNeeded("which events a free amount covers needs the events themselves")
    if not total:
        return _ZERO
    paid = EXACT.multiply(percent, total).scaleb(-2, context=EXACT)
    return EXACT.fma(rates.fee, Decimal(count), paid)


def events_of_running_totals(
    running: Sequence[Decimal], total: Decimal, count: int
) -> tuple[Event, ...]:
    """The events behind running totals: differences, then what is left of the total.

    Of several events after the last running total only their sum is known: the first carries it,
    the others nothing. They are all charged, so it is right unless each event has its bounds.
    Source: Lago, which tells running totals only as far as something may be free.
    """
    before = _ZERO
    values = []
    for reached in running:
        values.append(EXACT.subtract(reached, before))
        before = reached
    rest = EXACT.subtract(total, before)
    missing = count - len(values)
    if missing > 0:
        values += [rest] + [_ZERO] * (missing - 1)
    elif rest:
        raise EventsNeeded("the running totals of all events do not end at the total")
    return tuple(Event(value) for value in values)


def without_included(events: Sequence[Event], included: Decimal) -> list[Event]:
    """Events less the included value, earliest first; what it covers wholly falls away."""
    left = included
    kept = []
    for event in events:
        if left <= 0:
            kept.append(event)
        elif event.value <= left:
            left = EXACT.subtract(left, event.value)
        else:
            kept.append(event._replace(value=EXACT.subtract(event.value, left)))
            left = _ZERO
    return kept


def _within(amount: Decimal, rates: EventRates) -> Decimal:
    if rates.minimum is not None and amount < rates.minimum:
        return rates.minimum
    if rates.maximum is not None and amount > rates.maximum:
        return rates.maximum
    return amount


def _sum(values: Iterable[Decimal]) -> Decimal:
    total = _ZERO
    for value in values:
        total = EXACT.add(total, value)
    return total
