"""Proration by the day: multiplied before divided, pieces that add up."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import Proration, prorate
from o2b.charging.proration import targets
from o2b.money import quantise
from o2b.periods import Period
from tests.o2b.charging.build import charge, day, half_up

APRIL = Period(day("2026-04-01"), day("2026-05-01"))


def span(start: str, end: str) -> Period:
    return Period(day(start), day(end))


@pytest.mark.parametrize(
    ("full", "used", "how", "rounded"),
    [
        ("2.25", ("2026-04-01", "2026-04-02"), "day", "0.08"),  # 0.075, a tie: not 0.07
        ("2.25", ("2026-04-30", "2026-05-01"), "day", "0.08"),
        ("-2.25", ("2026-04-01", "2026-04-02"), "day", "-0.08"),
        ("30", ("2026-04-11", "2026-04-21"), "day", "10.00"),
        ("30", ("2026-04-01", "2026-05-01"), "day", "30.00"),
        ("30", ("2026-03-01", "2026-06-01"), "day", "30.00"),  # only days within count
        ("30", ("2026-03-01", "2026-04-02"), "day", "1.00"),
        ("30", ("2026-05-01", "2026-05-02"), "day", "0.00"),
        ("30", ("2026-04-30", "2026-05-01"), "none", "30.00"),
        ("30", ("2026-05-01", "2026-05-02"), "none", "0.00"),
        ("100", ("2026-04-01", "2026-04-08"), "day", "23.33"),  # 700/30
    ],
)
def test_prorate(full, used, how, rounded):
    share = prorate(Decimal(full), used=span(*used), full_period=APRIL, how=Proration(how))
    assert quantise(share, "EUR") == Decimal(rounded)


def test_a_share_is_not_rounded():
    share = prorate(
        Decimal(1), used=span("2026-04-01", "2026-04-08"), full_period=APRIL, how=Proration.DAY
    )
    assert abs(Fraction(share) - Fraction(7, 30)) < Fraction(1, 10**110)


@pytest.mark.parametrize(
    ("currency", "price", "pieces", "amounts"),
    [
        # thirds of 10.00: 3.333, 6.666, 10
        ("EUR", "10", [(1, 10), (1, 10), (1, 10)], ["3.33", "3.34", "3.33"]),
        ("JPY", "100", [(1, 10), (1, 10), (1, 10)], ["33", "34", "33"]),
        ("KWD", "1", [(1, 10), (1, 10), (1, 10)], ["0.333", "0.334", "0.333"]),
        # one unit for 10 days, three for 20: 3.333, then 23.333 in all
        ("EUR", "10", [(1, 10), (3, 20)], ["3.33", "20.00"]),
        # a price with half a cent: 5.0025 and 10.005, a tie that thirds would hide
        ("EUR", "10.005", [(1, 15), (1, 15)], ["5.00", "5.01"]),
        ("EUR", "10.005", [(1, 10), (1, 10), (1, 10)], ["3.34", "3.33", "3.34"]),
    ],
)
def test_pieces_are_rounded_by_running_total(currency, price, pieces, amounts):
    terms = charge(price, currency=currency)
    shares = [(Decimal(quantity), days) for quantity, days in pieces]
    assert targets(terms, shares, full_days=30) == [Decimal(each) for each in amounts]


@pytest.mark.parametrize(
    ("pieces", "amounts"),
    [
        ([(1, 3)], ["10.00"]),
        ([(1, 3), (1, 5)], ["10.00", "0.00"]),
        ([(1, 3), (4, 5)], ["10.00", "30.00"]),  # three more units start their period
        ([(4, 3), (1, 5)], ["40.00", "0.00"]),  # three started units are not given back
        ([(2, 3), (1, 5), (3, 2)], ["20.00", "0.00", "10.00"]),
    ],
)
def test_without_proration_each_started_unit_costs_the_whole_period(pieces, amounts):
    terms = charge("10", proration="none")
    shares = [(Decimal(quantity), days) for quantity, days in pieces]
    assert targets(terms, shares, full_days=30) == [Decimal(each) for each in amounts]


@settings(deadline=None)
@given(
    price=st.decimals(-(10**6), 10**6, places=4),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    pieces=st.lists(
        st.tuples(st.decimals(0, 1000, places=3), st.integers(1, 31)), min_size=1, max_size=12
    ),
)
def test_pieces_add_up_to_the_rounded_sum_of_their_exact_shares(price, currency, pieces):
    terms = charge(str(price), currency=currency)
    full_days = max(31, sum(days for _, days in pieces))
    exact = sum(Fraction(price) * Fraction(q) * days / full_days for q, days in pieces)
    amounts = targets(terms, pieces, full_days=full_days)
    assert sum(amounts) == half_up(exact, currency)
    assert all(each == quantise(each, currency) for each in amounts)


@settings(deadline=None)
@given(
    price=st.decimals(-(10**6), 10**6, places=4),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    days=st.lists(st.integers(1, 31), min_size=1, max_size=12),
)
def test_pieces_of_one_quantity_add_up_to_the_rounded_price(price, currency, days):
    terms = charge(str(price), currency=currency)
    amounts = targets(terms, [(Decimal(1), each) for each in days], full_days=sum(days))
    assert sum(amounts) == half_up(Fraction(price), currency)
