"""charge.percentage, graduated_percentage, graduated_prorated: prices of values and of units."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Optional

from o2b.charging import (
    Alignment,
    ChargeTerms,
    EventRates,
    Kind,
    Model,
    Proration,
    Tier,
    Timing,
    price,
    running_prices,
)
from o2b.charging.allocation import allocate
from o2b.charging.models import Added, events_of_running_totals, graduated_prorated
from o2b.charging.pricing import Events
from o2b.charging.tax import add_tax
from o2b.charging.usage import Event
from o2b.money import quantise, sum_of
from o2b.periods import FOREVER
from tests.cases.adapter import words
from tests.cases.adapter.grid import interval_like
from tests.cases.adapter.selling import (
    NOTHING,
    ONE,
    as_usage,
    net,
    served,
    terms,
    tiers,
    used_in_month,
)
from tests.cases.asking import Asked, Charge, Drafts, Pure
from tests.cases.reading import CaseInput

MaybeRates = Optional[EventRates]  # noqa: UP045
MaybeLevels = Optional[Mapping[date, Decimal]]  # noqa: UP045 - the adapter has no operators


def graduated_percentage(case: CaseInput) -> Asked:
    """As graduated, the price of each tier a share of the value."""
    words.read_tier_words(case)
    told = tuple(
        Tier.of_fraction(
            each.maybe_decimal("up_to"),
            each.decimal("unit_price"),
            each.maybe_decimal("flat_fee") or NOTHING,
        )
        for each in case.given.each("tiers")
    )
    promised = _of_usage(Model.GRADUATED_PERCENTAGE, tiers=told)
    quantity = case.given.decimal("quantity")
    return used_in_month(promised, quantity, exact=lambda: {"amount": price(promised, quantity)})


def graduated_prorated_units(case: CaseInput) -> Asked:
    """Units that came and went during the period, each counted from its day.

    A service of so many units at a time; what tiers cost once a period for being reached is a
    charge of its own, which is not shared by days.
    """
    given = case.given
    rules = words.conventions(case)
    told = tiers(case)
    # Where the case does not say it, its period is a calendar month: the last day is inside.
    last_inside = case.conventions.word("period_end", words.PERIOD_END, True)
    period = words.span(*given.days("period"), last_inside=last_inside)
    carried = given.maybe_decimal("carried_over_units") or NOTHING
    told_events = given.each("events") if given.has("events") else ()
    events = [Added(each.day("date"), each.decimal("add")) for each in told_events]
    amount = quantise(
        graduated_prorated(told, period, carried, events), words.CURRENCY, rules.rounding
    )
    levels = _levels(period.start, carried, events)
    if levels is None:
        return Pure(lambda: {"amount": amount})
    shape = {
        "interval": interval_like(period),
        "alignment": Alignment.BILL_DAY,
        "timing": Timing.ARREARS,
        "model": Model.GRADUATED,
        "conventions": rules,
    }
    by_day = tuple(replace(each, flat_fee=NOTHING) for each in told)
    reached = tuple(replace(each, unit_price=NOTHING) for each in told)
    promised = (
        terms(tiers=by_day, **shape),
        terms(tiers=reached, proration=Proration.FULL, **shape),
    )
    ends = [*list(levels)[1:], FOREVER]
    days = tuple(
        served(day, end, units) for (day, units), end in zip(levels.items(), ends, strict=True)
    )
    in_use = tuple(each for each in days if each.quantity)
    return Drafts(
        [Charge(each, period.start, period.start.day, in_use) for each in promised],
        period.end,
        lambda found: {"amount": net([line for lines in found for line in lines])},
        exact=lambda: {"amount": amount},
    )


def _levels(start: date, carried: Decimal, events: Sequence[Added]) -> MaybeLevels:
    """From which day on how many units were there; none that a service in use could have."""
    level = carried
    found = {start: level}
    for day, units in events:
        level = sum_of([level, units])
        if (day in found and day != start) or level.is_signed():
            return None
        found[day] = level
    return found if list(found) == sorted(found) and any(found.values()) else None


def percentage(case: CaseInput) -> Asked:
    """Percent of a value, with what each event adds, what bounds it, and what is free."""
    given = case.given
    if given.has("multiplier"):
        # A dynamic price: what it cost the seller, times a factor.
        promised = terms(unit_price=given.decimal("multiplier"))
        rounding = words.conventions(case).rounding
        cost = given.decimal("cost")
        amount = quantise(price(promised, cost), words.CURRENCY, rounding)
        return used_in_month(as_usage(promised), cost, exact=lambda: {"amount": amount})
    rates = EventRates(
        fee=given.maybe_decimal("fixed_per_event") or NOTHING,
        minimum=given.maybe_decimal("min_per_event"),
        maximum=given.maybe_decimal("max_per_event"),
        free_events=given.integer("free_events") if given.has("free_events") else 0,
        free_amount=given.maybe_decimal("free_amount") or NOTHING,
    )
    promised = _of_usage(Model.PERCENTAGE, unit_price=given.decimal("rate_percent"), event=rates)
    if given.has("event_amounts"):
        values = given.decimals("event_amounts")
        events = tuple(Event(value) for value in values)
        return _percentage(case, promised, sum_of(values), events)
    value = given.decimal("amount")
    count = given.integer("events") if given.has("events") else 1
    if given.has("running_totals"):
        return _percentage(
            case,
            promised,
            value,
            events_of_running_totals(given.decimals("running_totals"), value, count),
        )
    return _percentage(case, promised, value, count)


def _percentage(case: CaseInput, promised: ChargeTerms, value: Decimal, events: Events) -> Asked:
    """The price of a month's events, what it was after each, and what it comes to with tax."""
    case.conventions.word("rounding", words.ROUNDING, words.Rounding.HALF_UP)
    percent = case.given.maybe_decimal("tax_percent")
    answers: dict[str, Any] = {}
    if "running" in case.wanted and not isinstance(events, int):
        answers["running"] = running_prices(promised, events)
    if percent is not None:
        exact = price(promised, value, events)
        answers["with_tax"] = add_tax(exact, percent, words.CURRENCY).total
    if isinstance(events, int):
        told = events
        if _by_event(promised.event):
            return Pure(lambda: {"amount": price(promised, value, told), **answers})
        # Where each pays the same, whatever its share of the value, any shares will do.
        parts = allocate(value, [ONE for _ in range(told)], words.CURRENCY)
        events = tuple(Event(part) for part in parts)
    return used_in_month(
        promised,
        value,
        events=tuple(events),
        exact=lambda: {"amount": price(promised, value, events), **answers},
        more=answers,
    )


def _by_event(rates: MaybeRates) -> bool:
    """Whether the price asks which value each event had."""
    if rates is None:
        return False
    bounds = (rates.minimum, rates.maximum)
    return bounds != (None, None) or bool(rates.free_events or rates.free_amount)


def _of_usage(model: Model, **given: Any) -> ChargeTerms:
    return terms(kind=Kind.USAGE, model=model, timing=Timing.ARREARS, **given)
