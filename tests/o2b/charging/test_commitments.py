"""Commitments: true-ups to a minimum, discounts at a maximum, prepaid credits."""

from decimal import Decimal
from fractions import Fraction

import pytest

from o2b.charging.commitments import capped, credits_worth, true_up, true_up_over
from o2b.money import Rounding


@pytest.mark.parametrize(
    ("minimum", "charged", "share", "owed"),
    [
        ("10.00", "8.00", "25/28", "0.93"),  # Lago, spending minimum: 8.93 − 8.00
        ("10000.00", "714.29", "5/7", "6428.57"),  # Lago, a week begun on Wednesday
        ("10000.00", "892.86", "25/28", "8035.71"),
        ("10000.00", "622.22", "56/90", "5600.00"),
        ("10000.00", "100.00", "1", "9900.00"),
        ("1000", "900", "1", "100.00"),  # MonetizeNow
        ("150", "100", "1", "50.00"),  # OpenMeter, tiers at quantity 0
        ("1000", "600", "0.5", "0.00"),
        ("1000", "1000", "1", "0.00"),
        ("1000", "1000.01", "1", "0.00"),
        ("1000", "-5", "1", "1005.00"),
        ("0", "0", "1", "0.00"),
    ],
)
def test_true_up(minimum, charged, share, owed):
    found = true_up(Decimal(minimum), Decimal(charged), share=Fraction(share), currency="EUR")
    assert str(found) == owed


def test_true_up_takes_a_full_period_if_not_told():
    assert true_up(Decimal(10), Decimal(8), currency="JPY") == 2
    assert str(true_up(Decimal(10), Decimal(12), currency="KWD")) == "0.000"


@pytest.mark.parametrize(
    ("rounding", "owed"),
    [("half_up", "1.01"), ("half_even", "1.00"), ("up", "1.00"), ("down", "1.00")],
)
def test_true_up_rounds_the_minimum_and_the_charge(rounding, owed):
    minimum, charged = Decimal("2.005"), Decimal("1.001")  # up: 2.01 − 1.01
    found = true_up(minimum, charged, currency="EUR", rounding=Rounding(rounding))
    assert str(found) == owed


def test_half_up_if_not_told():
    """Ties that half even would take to the other side."""
    assert true_up(Decimal("2.005"), Decimal(0), currency="EUR") == Decimal("2.01")
    assert true_up_over(Decimal("2.005"), [], currency="EUR") == Decimal("2.01")
    assert credits_worth(Decimal(5), Decimal("0.001"), "EUR").amount == Decimal("0.01")


def test_a_plans_minimum_counts_several_charges_each_as_it_was_billed():
    charges = [Decimal("33.335"), Decimal("33.335"), Decimal("10")]
    assert true_up_over(Decimal(100), charges, currency="EUR") == Decimal("23.32")
    assert true_up_over(Decimal(100), charges, share=Fraction(3, 4), currency="EUR") == 0
    assert true_up_over(Decimal(100), [], currency="EUR") == 100
    down = true_up_over(Decimal(100), charges, currency="EUR", rounding=Rounding.DOWN)
    assert down == Decimal("23.34")


@pytest.mark.parametrize(
    ("maximum", "charged", "already", "discount", "amount"),
    [
        ("100", "66.67", "93.33", "60.00", "6.67"),  # OpenMeter
        ("100", "50", "70", "20", "30"),
        ("125", "150", "0", "25", "125"),
        ("125", "125", "0", "0", "125"),
        ("125", "124.99", "0", "0", "124.99"),
        ("170", "20", "160", "10", "10"),
        ("100", "20", "100", "20", "0"),
        ("100", "20", "110", "20", "0"),
        ("100", "-20", "110", "0", "-20"),
        ("0", "5", "0", "5", "0"),
    ],
)
def test_capped(maximum, charged, already, discount, amount):
    found = capped(Decimal(maximum), Decimal(charged), Decimal(already))
    assert found == (Decimal(charged), Decimal(discount), Decimal(amount))
    if already == "0":
        assert capped(Decimal(maximum), Decimal(charged)) == found


def test_capped_takes_quotients():
    third = Decimal(1) / 3
    found = capped(Decimal(1000), third * 10000, already=Decimal("0.1") ** 40)
    assert found.amount < 1000
    assert found.charge == third * 10000


@pytest.mark.parametrize(
    ("credits", "value", "currency", "rounding", "bought", "amount"),
    [
        ("1034", "0.001", "EUR", "half_up", "1030", "1.03"),  # Lago
        ("1035", "0.001", "EUR", "half_up", "1040", "1.04"),
        ("1035", "0.001", "EUR", "down", "1030", "1.03"),
        ("1034", "0.001", "KWD", "half_up", "1034", "1.034"),
        ("100", "0.50", "USD", "half_up", "100", "50.00"),  # Konnect
        ("7", "1.5", "JPY", "half_even", "6.666666666667", "10"),
        ("0", "1", "EUR", "half_up", "0", "0.00"),
    ],
)
def test_credits_worth(credits, value, currency, rounding, bought, amount):
    found = credits_worth(Decimal(credits), Decimal(value), currency, Rounding(rounding))
    assert round(found.credits, 12) == Decimal(bought)
    assert str(found.amount) == amount


@pytest.mark.parametrize("value", ["0", "-1"])
def test_credits_are_worth_something(value):
    with pytest.raises(ValueError, match="cannot be sold"):
        credits_worth(Decimal(10), Decimal(value), "EUR")
