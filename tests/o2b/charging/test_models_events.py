"""Percentages by event: fees, bounds of each, and what is free."""

from decimal import Decimal

import pytest

from o2b.charging import (
    Allowance,
    EventRates,
    EventsNeeded,
    events_of_running_totals,
    price,
    running_prices,
)
from o2b.charging.models import charge_events
from tests.o2b.charging.shapes import events, percentage, usage


def decimals(*values: str) -> list[Decimal]:
    return [Decimal(value) for value in values]


FREE = {"fee": "1", "free_events": 2, "free_amount": "100"}


@pytest.mark.parametrize(
    ("percent", "rates", "values", "amount"),
    [
        # getlago/lago-api, percentage_spec.rb
        ("1", {"fee": "5", "free_amount": "15"}, ["4", "4", "4", "4"], "5.01"),
        ("1", {"fee": "5", "free_events": 3, "free_amount": "15"}, ["10", "10"], "5.05"),
        # getlago/lago-docs, percentage.md
        (
            "1.2",
            {"fee": "0.10", "free_events": 3, "free_amount": "500"},
            ["200", "100", "100", "50"],
            "0.70",
        ),
        # getlago/lago-api, percentage_service_spec.rb
        ("2.99", {"minimum": "1.75", "maximum": "12"}, ["10", "80", "10000"], "16.142"),
        ("2.99", {"minimum": "1.75", "maximum": "12", "fee": "2"}, ["10", "80", "10000"], "18.691"),
        (
            "2.99",
            {"minimum": "1.75", "maximum": "12", "free_events": 2},
            ["10", "80", "10000"],
            "12",
        ),
        (
            "2.99",
            {"minimum": "1.75", "maximum": "12", "free_amount": "30"},
            ["10", "80", "10000"],
            "13.794",
        ),
        (
            "2.99",
            {"maximum": "12", "free_events": 3, "free_amount": "10000"},
            ["10", "80", "10000"],
            "2.691",
        ),
        # free while both limits last: the count ends first, then the amount does
        ("10", FREE, ["10", "10", "10"], "2"),
        ("10", FREE, ["60", "60", "10"], "5"),  # 20 of the second, and two fees
        ("10", FREE, ["100", "10"], "3"),  # what uses the amount up pays its fee
        ("10", {"fee": "1", "free_amount": "100"}, ["100", "10"], "3"),
        ("10", {"fee": "1", "free_events": 1}, ["100", "10"], "2"),
        ("10", {"fee": "1", "free_events": 2}, ["100", "10"], "0"),
        ("10", {"fee": "1"}, ["100", "10"], "13"),
        ("10", {"minimum": "5"}, ["10", "100"], "15"),
        ("10", {"maximum": "5"}, ["10", "50", "100"], "11"),
        # events that add up to nothing cost nothing, unless each has its bounds
        ("10", {"fee": "1"}, ["50", "-50"], "0"),
        ("10", {"fee": "1"}, ["0"], "0"),
        ("10", {"fee": "1", "minimum": "0.5"}, ["50", "-50"], "6.5"),
        ("10", {"fee": "1", "minimum": "1.5"}, ["0"], "1.5"),
        ("10", {"fee": "1", "maximum": "1.5"}, ["0"], "1"),
        ("10", {"fee": "1"}, [], "0"),
    ],
)
def test_events(percent, rates, values, amount):
    quantity = sum(decimals(*values), Decimal(0))
    assert price(percentage(percent, **rates), quantity, events(*values)) == Decimal(amount)


def test_what_became_of_each_event():
    rates = EventRates(Decimal(1), None, None, 3, Decimal(100))
    found = charge_events(Decimal(10), rates, decimals("40", "90", "5"))
    assert found == [
        (Decimal(40), Decimal(40), Decimal(0), True),
        (Decimal(90), Decimal(60), Decimal(4), False),
        (Decimal(5), Decimal(0), Decimal("1.5"), False),
    ]


def test_prices_while_events_arrive():
    """getlago/lago-api, percentage_spec.rb: bounds of each event."""
    terms = percentage("1", fee="1", minimum="1.75", maximum="12")
    running = running_prices(terms, events("100", "1000", "10000"))
    assert running == (Decimal("2"), Decimal("13"), Decimal("25"))


@pytest.mark.parametrize(
    ("percent", "fee", "total", "count", "amount"),
    [
        ("1.3", "2", "800", 4, "18.4"),  # getlago/lago-api, percentage_service_spec.rb
        ("0", "2", "800", 4, "8"),
        ("1.3", "2", "0", 4, "0"),
        ("1.3", "0", "800", 0, "10.4"),
    ],
)
def test_a_count_is_enough_for_a_fee(percent, fee, total, count, amount):
    assert price(percentage(percent, fee=fee), Decimal(total), count) == Decimal(amount)


@pytest.mark.parametrize(
    "rates", [{"minimum": "1"}, {"maximum": "1"}, {"free_events": 1}, {"free_amount": "1"}]
)
def test_a_count_is_not_enough_for_rules_of_single_events(rates):
    with pytest.raises(EventsNeeded):
        price(percentage("1", **rates), Decimal(800), 4)


def test_a_count_does_not_tell_what_is_included():
    terms = usage(
        "1", model="percentage", event=EventRates(Decimal(1)), allowance=Allowance(Decimal(5))
    )
    with pytest.raises(EventsNeeded):
        price(terms, Decimal(800), 4)
    assert price(terms, Decimal(800), 4, included=Decimal(0)) == 12


@pytest.mark.parametrize(
    ("running", "total", "count", "values"),
    [
        (["50", "150", "400"], "800", 4, ["50", "100", "250", "400"]),
        (["50", "150", "400"], "400", 3, ["50", "100", "250"]),
        (["50"], "800", 3, ["50", "750", "0"]),
        ([], "800", 2, ["800", "0"]),
        ([], "0", 0, []),
    ],
)
def test_events_behind_running_totals(running, total, count, values):
    found = events_of_running_totals(decimals(*running), Decimal(total), count)
    assert [event.value for event in found] == decimals(*values)


def test_running_totals_that_end_elsewhere_are_refused():
    with pytest.raises(EventsNeeded):
        events_of_running_totals(decimals("50", "150"), Decimal(160), 2)


@pytest.mark.parametrize(
    ("rates", "amount"),
    [
        # getlago/lago-api, percentage_service_spec.rb: running totals 50, 150, 400; 800 in all
        ({"free_events": 3, "free_amount": "250"}, "11.15"),
        ({"free_amount": "250"}, "11.15"),
        ({"free_events": 3}, "7.2"),
        ({"free_events": 3, "free_amount": "500"}, "7.2"),
        ({"free_events": 5}, "0"),
    ],
)
def test_running_totals_are_priced(rates, amount):
    told = events_of_running_totals(decimals("50", "150", "400"), Decimal(800), 4)
    assert price(percentage("1.3", fee="2", **rates), Decimal(800), told) == Decimal(amount)


@pytest.mark.parametrize(
    ("included", "values", "amount"),
    [
        ("0", ["60", "60"], "14"),
        ("50", ["60", "60"], "9"),
        ("60", ["60", "60"], "7"),  # wholly included: no fee either
        ("90", ["60", "60"], "4"),
        ("200", ["60", "60"], "0"),
        ("60", ["60", "0", "60"], "8"),  # used up: an event of nothing pays its fee
    ],
)
def test_included_value_is_taken_off_the_earliest_events(included, values, amount):
    rates = EventRates(Decimal(1))
    terms = usage("10", model="percentage", event=rates, allowance=Allowance(Decimal(included)))
    assert price(terms, Decimal(120), events(*values)) == Decimal(amount)
    bare = usage("10", model="percentage", event=rates)
    told = Decimal(included)
    assert price(bare, Decimal(120), events(*values), included=told) == Decimal(amount)


def test_a_quantity_without_events_is_one_event():
    terms = percentage("10", fee="1", minimum="3")
    assert price(terms, Decimal(15)) == 3
    assert price(terms, Decimal(100)) == 11
    assert price(terms, Decimal(0)) == 0


@pytest.mark.parametrize(
    ("multiplier", "cost", "amount"), [("133.333", "10", "13.3333"), ("100", "0", "0")]
)
def test_a_multiple_of_the_cost_is_a_percentage(multiplier, cost, amount):
    """openmeterio/openmeter, dynamic_test.go: cost × 1.33333."""
    assert price(usage(multiplier, model="percentage"), Decimal(cost)) == Decimal(amount)


@pytest.mark.parametrize(("quantity", "amount"), [("100", "5"), ("50", "0"), ("-10", "-1")])
def test_a_plain_percentage_has_included_units(quantity, amount):
    terms = usage("10", model="percentage", allowance=Allowance(Decimal(50)))
    assert price(terms, Decimal(quantity)) == Decimal(amount)
