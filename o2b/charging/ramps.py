"""What changes by itself with time: trials that end and prices that step."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from o2b.charging.terms import ChargeTerms, RampStep
from o2b.periods import add_months


def free_until(terms: ChargeTerms, started_on: date) -> date:
    """The first day that is charged: the day of the start, or the day after the trial's last.

    30 days from 1 March end on 31 March, whatever the clock does in between. Sources: Kill Bill
    (trial phases), Lago (trial periods).
    """
    if terms.trial is None:
        return started_on
    return terms.trial.length.advance(started_on, 1)


def step_day(step: RampStep, started_on: date) -> date:
    """The first day at a step's price; months count from the start, a trial included."""
    if step.on is not None:
        return step.on
    return add_months(started_on, step.after_months or 0)


def step_days(terms: ChargeTerms, started_on: date) -> tuple[date, ...]:
    """The days on which the price steps, in order. Source: Salesforce, Zuora (ramp deals)."""
    return tuple(step_day(step, started_on) for step in terms.ramp)


def terms_on(terms: ChargeTerms, day: date, *, started_on: date) -> ChargeTerms:
    """The terms with the unit price in force on a day: that of the last step so far."""
    price = terms.unit_price
    for step in terms.ramp:
        if step_day(step, started_on) > day:
            break
        price = step.unit_price
    return terms if price == terms.unit_price else _stepped(terms, price)


@lru_cache(maxsize=2048)
def _stepped(terms: ChargeTerms, price: Decimal) -> ChargeTerms:
    return replace(terms, unit_price=price)
