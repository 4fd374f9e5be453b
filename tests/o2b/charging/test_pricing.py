"""Prices of one full period: exact, discounts in their order, explained."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import Allowance, Step, explain, list_price, price, share_fixed_discount
from o2b.money import Money
from tests.o2b.charging.build import charge


@pytest.mark.parametrize(
    ("unit_price", "model", "quantity", "discounts", "listed", "expected"),
    [
        ("20", "flat", "3", [], "20", "20"),
        ("20", "per_unit", "3", [], "60", "60"),
        ("20", "per_unit", "2.5", [], "50", "50"),
        ("0.000012", "per_unit", "1000001", [], "12.000012", "12.000012"),
        ("20", "per_unit", "3", ["10%"], "60", "54"),
        ("20", "per_unit", "3", ["5"], "60", "55"),  # an amount is for the whole line
        ("20", "per_unit", "3", ["10%", "5"], "60", "49"),
        ("20", "per_unit", "3", ["5", "10%"], "60", "49.5"),
        ("20", "per_unit", "3", ["50%", "50%"], "60", "15"),
        ("20", "flat", "1", ["33.333333%"], "20", "13.3333334"),
        ("20", "flat", "1", ["-10%"], "20", "22"),
        ("20", "flat", "1", ["-4.50"], "20", "24.5"),
        ("20", "flat", "1", ["25"], "20", "0"),
        ("20", "flat", "1", ["25", "-10"], "20", "5"),  # only the total stops at zero
        ("0", "flat", "1", ["5"], "0", "0"),
        ("0", "flat", "1", ["-5"], "0", "5"),
        ("20", "per_unit", "0", [], "0", "0"),
        ("-20", "per_unit", "2", ["10%"], "-40", "-36"),
        ("-20", "per_unit", "2", ["5"], "-40", "-45"),
        ("20", "flat", "1", ["100%"], "20", "0"),
    ],
)
def test_price(unit_price, model, quantity, discounts, listed, expected):
    terms = charge(unit_price, model=model, discounts=discounts)
    assert list_price(terms, Decimal(quantity)) == Decimal(listed)
    assert price(terms, Decimal(quantity)) == Decimal(expected)


def test_a_price_is_explained_step_by_step():
    terms = charge("20.00", discounts=["10%", "60", "-1.50"])
    assert explain(terms, Decimal(3)) == (
        Step("per unit", "20 × 3", Decimal(60)),
        Step("discount", "60 − 10 %", Decimal(54)),
        Step("discount", "54 − 60", Decimal(-6)),
        Step("surcharge", "-6 + 1.5", Decimal("-4.5")),
        Step("not below zero", "max(-4.5, 0)", Decimal(0)),
    )
    assert explain(charge("20.00", model="flat"), Decimal(3)) == (Step("flat", "20", Decimal(20)),)


amounts = st.decimals(-(10**9), 10**9, places=6)
percents = st.decimals(-100, 100, places=6)
offs = st.one_of(amounts.map(str), percents.map(lambda value: f"{value}%"))


@settings(deadline=None)
@given(amounts, st.decimals(0, 10**9, places=6), st.lists(offs, max_size=8))
def test_the_price_is_exact_and_the_last_step_of_its_explanation(unit_price, quantity, discounts):
    terms = charge(str(unit_price), discounts=discounts)
    left = listed = Fraction(unit_price) * Fraction(quantity)
    for each in discounts:
        if each.endswith("%"):
            left = left * (100 - Fraction(each[:-1])) / 100
        else:
            left -= Fraction(each)
    expected = max(left, Fraction(0)) if listed >= 0 else left
    assert Fraction(price(terms, quantity)) == expected
    assert explain(terms, quantity)[-1].result == price(terms, quantity)


@settings(deadline=None)
@given(st.decimals(0, 10**6, places=4), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_units_never_cost_less(unit_price, few, more):
    terms = charge(str(unit_price), discounts=["12.5%", "3"])
    low, high = sorted([few, more])
    assert price(terms, Decimal(low)) <= price(terms, Decimal(high))


@pytest.mark.parametrize(
    ("quantity", "included", "expected"),
    [
        ("15", None, "10"),
        ("10", None, "0"),
        ("3", None, "0"),
        ("15", "0", "30"),
        ("15", "14.5", "1"),
        ("-3", None, "-6"),
    ],
)
def test_included_units_cost_nothing(quantity, included, expected):
    terms = charge("2", allowance=Allowance(Decimal(10)))
    told = None if included is None else Decimal(included)
    assert price(terms, Decimal(quantity), included=told) == Decimal(expected)
    assert list_price(terms, Decimal(quantity), included=told) == Decimal(expected)


def test_charges_are_told_apart_by_what_they_are():
    """Prices are made ready by identity: a charge that is gone leaves nothing to the next."""
    for n in range(10_000):
        assert price(charge(str(n)), Decimal(2)) == 2 * n


def test_a_fixed_discount_is_shared_by_weight():
    weights = [Decimal(20), Decimal(25), Decimal(5)]
    assert share_fixed_discount(Money(Decimal("-3.15"), "EUR"), weights) == [
        Decimal("-1.26"),
        Decimal("-1.58"),  # 1.575 and 0.315 tie: the earlier line takes the cent
        Decimal("-0.31"),
    ]
