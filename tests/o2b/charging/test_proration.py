"""Proration by the day: multiplied before divided, pieces that add up."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import Proration, prorate
from o2b.charging.daycount import running
from o2b.charging.pricing import price as price_of
from o2b.charging.proration import delivered_of, targets
from o2b.charging.terms import Conventions, DayCount
from o2b.money import Rounding, quantise
from o2b.periods import Interval, Period
from tests.o2b.charging.build import charge, day, half_up

APRIL = Period(day("2026-04-01"), day("2026-05-01"))


def span(start: str, end: str) -> Period:
    return Period(day(start), day(end))


def in_a_row(shares, first=APRIL.start):
    """(quantity, days) as pieces that follow each other."""
    pieces = []
    for quantity, days in shares:
        following = first + timedelta(days=days)
        pieces.append((Decimal(quantity), Period(first, following)))
        first = following
    return pieces


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
        ("30", ("2026-04-30", "2026-05-01"), "full", "30.00"),
        ("30", ("2026-04-30", "2026-05-01"), "none", "30.00"),
        ("30", ("2026-05-01", "2026-05-02"), "full", "0.00"),
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
    assert targets(terms, in_a_row(pieces), full=APRIL) == [Decimal(each) for each in amounts]


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
def test_each_started_unit_costs_the_whole_period(pieces, amounts):
    terms = charge("10", proration="full")
    assert targets(terms, in_a_row(pieces), full=APRIL) == [Decimal(each) for each in amounts]


@pytest.mark.parametrize(
    ("pieces", "amounts"),
    [
        ([(1, 3)], ["10.00"]),
        ([(1, 3), (4, 5)], ["10.00", "0.00"]),  # three more from the next period
        ([(4, 3), (1, 5)], ["40.00", "0.00"]),
        ([(0, 3), (4, 5), (2, 5)], ["0.00", "0.00", "0.00"]),
    ],
)
def test_without_proration_what_stands_first_counts(pieces, amounts):
    terms = charge("10", proration="none")
    assert targets(terms, in_a_row(pieces), full=APRIL) == [Decimal(each) for each in amounts]


@pytest.mark.parametrize(
    ("rounding", "price", "amounts"),
    [
        # 3.3336…, 6.6673…, 10.001
        ("half_up", "10.001", ["3.33", "3.34", "3.33"]),
        ("up", "10.001", ["3.34", "3.33", "3.34"]),
        ("down", "10.001", ["3.33", "3.33", "3.34"]),
        # 3.335, 6.67, 10.005
        ("half_up", "10.005", ["3.34", "3.33", "3.34"]),
        ("half_even", "10.005", ["3.34", "3.33", "3.33"]),
    ],
)
def test_rounding_is_that_of_the_conventions(rounding, price, amounts):
    terms = charge(price, conventions=Conventions(rounding=Rounding(rounding)))
    pieces = in_a_row([(1, 10), (1, 10), (1, 10)])
    assert targets(terms, pieces, full=APRIL) == [Decimal(each) for each in amounts]


MAY = span("2026-05-01", "2026-06-01")
FEBRUARY = span("2026-02-01", "2026-03-01")


@pytest.mark.parametrize(
    ("day_count", "full", "days", "amounts"),
    [
        ("actual", MAY, [10, 20, 1], ["10.00", "20.00", "1.00"]),
        ("actual_30", MAY, [10, 20, 1], ["10.33", "20.67", "0.00"]),  # 30 days are the whole
        ("actual_30", MAY, [10], ["10.33"]),
        ("actual_30", FEBRUARY, [27], ["27.90"]),
        ("actual_30", FEBRUARY, [27, 1], ["27.90", "3.10"]),
        ("thirty_360", FEBRUARY, [27, 1], ["27.90", "3.10"]),  # the 28th counts for three
        ("thirty_360", MAY, [29, 1, 1], ["29.97", "0.00", "1.03"]),  # nothing on the 30th
        ("fixed_30", MAY, [10, 21], ["10.33", "20.67"]),
        ("calendar_months", MAY, [10, 21], ["10.00", "21.00"]),
    ],
)
def test_pieces_by_day_count(day_count, full, days, amounts):
    terms = charge("31", conventions=Conventions(DayCount(day_count)))
    pieces = in_a_row([(1, each) for each in days], full.start)
    assert targets(terms, pieces, full=full) == [Decimal(each) for each in amounts]


def test_a_share_of_so_many_places():
    """A third at two places is 0.33 and two thirds 0.67: the whole stays whole."""
    terms = charge("1000", conventions=Conventions(fraction_places=2))
    pieces = in_a_row([(1, 10), (1, 10), (1, 10)])
    assert targets(terms, pieces[:1], full=APRIL) == [Decimal("330.00")]
    assert targets(terms, pieces, full=APRIL) == [Decimal(n) for n in ("330", "340", "330")]


@pytest.mark.parametrize(
    ("terms", "pieces", "amounts"),
    [
        # Lago: the minimum of a period served in part is its share by days
        (charge("8", minimum=Decimal(10)), [(1, 30)], ["10.00"]),
        (charge("8", minimum=Decimal(10)), [(1, 15)], ["5.00"]),
        (charge("8", minimum=Decimal(10)), [(2, 15)], ["8.00"]),
        (charge("8", maximum=Decimal(10)), [(2, 15)], ["5.00"]),
        (charge("8", maximum=Decimal(10)), [(2, 30)], ["10.00"]),
        # the sum of the pieces is bounded, not each: 5, then 10 of 5 + 8
        (charge("10", minimum=Decimal(10)), [(1, 15), (0, 15)], ["5.00", "5.00"]),
        (charge("10", maximum=Decimal(12)), [(1, 15), (2, 15)], ["5.00", "7.00"]),
        # half of it bounded: 6 at most after 15 days, 12 at most in all
        (charge("10", maximum=Decimal(12)), [(2, 15), (0, 15)], ["6.00", "4.00"]),
        # discounts first: 16 − 4 = 12; else max(16, 20) − 4, by half
        (charge("16", discounts=["4"], minimum=Decimal(20)), [(1, 30)], ["20.00"]),
        (charge("16", discounts=["4"], minimum=Decimal(20)), [(1, 15)], ["10.00"]),
        (
            charge(
                "16",
                discounts=["4"],
                minimum=Decimal(20),
                conventions=Conventions(order="commitment_first"),
            ),
            [(1, 15)],
            ["8.00"],
        ),
        (
            charge(
                "30",
                discounts=["10%", "4"],
                maximum=Decimal(20),
                conventions=Conventions(order="commitment_first"),
            ),
            [(1, 10), (1, 20)],
            ["4.67", "9.33"],  # (20 × 0.9 − 4) × 1/3, then the whole
        ),
        # below zero only if the list price is
        (
            charge(
                "1",
                discounts=["9"],
                maximum=Decimal(5),
                conventions=Conventions(order="commitment_first"),
            ),
            [(1, 10), (1, 20)],
            ["0.00", "0.00"],
        ),
    ],
)
def test_minimum_and_maximum_of_the_days_served(terms, pieces, amounts):
    assert targets(terms, in_a_row(pieces), full=APRIL) == [Decimal(each) for each in amounts]


@pytest.mark.parametrize("order", ["discount_first", "commitment_first"])
@pytest.mark.parametrize("quantity", [0, 1, 3, 9])
def test_a_full_period_costs_its_price(order, quantity):
    terms = charge(
        "7.77",
        discounts=["12.5%", "2"],
        minimum=Decimal("20.005"),
        maximum=Decimal("55.5"),
        conventions=Conventions(order=order),
    )
    found = targets(terms, [(Decimal(quantity), APRIL)], full=APRIL)
    assert found == [quantise(price_of(terms, Decimal(quantity)), "EUR")]


conventions = st.builds(
    Conventions,
    day_count=st.sampled_from(DayCount),
    fraction_places=st.sampled_from([None, None, 2, 6, 9]),
    rounding=st.sampled_from(Rounding),
)
months = st.sampled_from(["2024-02-01", "2025-02-01", "2026-01-15", "2026-01-31", "2026-04-01"])


@settings(deadline=None)
@given(
    price=st.decimals(-(10**6), 10**6, places=4),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    first=months,
    count=st.integers(1, 12),
    how=conventions,
    data=st.data(),
)
def test_pieces_of_one_quantity_add_up_to_the_rounded_price(
    price, currency, first, count, how, data
):
    """In every convention, however a fully served period is cut."""
    interval = Interval("month", count)
    full = Period(day(first), interval.advance(day(first), 1))
    cuts = data.draw(st.sets(st.integers(1, full.days - 1), max_size=6))
    edges = [full.start, *(full.start + timedelta(days=n) for n in sorted(cuts)), full.end]
    pieces = [(Decimal(1), Period(a, b)) for a, b in zip(edges, edges[1:], strict=False)]
    terms = charge(str(price), currency=currency, interval=interval, conventions=how)
    amounts = targets(terms, pieces, full=full)
    assert sum(amounts) == quantise(Decimal(str(price)), currency, how.rounding)
    assert all(each == quantise(each, currency) for each in amounts)
    sums, whole = running([piece for _, piece in pieces], full=full, interval=interval)
    assert sums == sorted(sums)
    assert sums[-1] == whole


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
    full = Period(APRIL.start, APRIL.start + timedelta(days=full_days))
    exact = sum(Fraction(price) * Fraction(q) * days / full_days for q, days in pieces)
    amounts = targets(terms, in_a_row(pieces), full=full)
    assert sum(amounts) == half_up(exact, currency)
    assert all(each == quantise(each, currency) for each in amounts)


@pytest.mark.parametrize(
    ("changes", "pieces", "delivered", "amounts"),
    [
        # (quantity, days) of April; 30.00 a month
        ({}, [("1", 10), ("1", 20)], ["0.75", "1"], ["7.50", "20.00"]),
        ({"model": "flat"}, [("4", 30)], ["0.5"], ["15.00"]),
        ({}, [("2", 10), ("4", 20)], ["0.75", "0.75"], ["15.00", "60.00"]),
        # A minimum and a fixed discount hold for as much as is there.
        ({"minimum": Decimal(60)}, [("1", 10), ("1", 20)], ["0.5", "1"], ["10.00", "40.00"]),
        ({"discounts": ["3"]}, [("1", 10), ("1", 20)], ["0.5", "1"], ["4.50", "18.00"]),
        # Without proration: what is there when it begins, or the most that ever was.
        ({"proration": "none"}, [("1", 10), ("1", 20)], ["0.75", "1"], ["22.50", "0.00"]),
        ({"proration": "full"}, [("1", 10), ("1", 20)], ["0.75", "1"], ["22.50", "7.50"]),
        # Half of four, then all of two: no more is there. Of a flat price it is.
        ({"proration": "full"}, [("4", 10), ("2", 20)], ["0.5", "1"], ["60.00", "0.00"]),
        ({"proration": "full"}, [("4", 10), ("3", 20)], ["0.5", "1"], ["60.00", "30.00"]),
        (
            {"proration": "full", "model": "flat"},
            [("4", 10), ("2", 20)],
            ["0.75", "1"],
            ["22.50", "7.50"],
        ),
        # Thirds add up to the whole.
        ({"model": "flat"}, [("1", 30)], ["0.33333333"], ["10.00"]),
    ],
)
def test_a_part_that_is_delivered_costs_its_share(changes, pieces, delivered, amounts):
    terms = charge("30", alignment="bill_day", **changes)
    parts = [Decimal(each) for each in delivered]
    found = targets(terms, in_a_row(pieces), full=APRIL, delivered=parts)
    assert found == [Decimal(each) for each in amounts]


def test_all_of_everything_is_told_as_nothing():
    assert delivered_of([Decimal(1), Decimal("1.00000000")]) == ()
    assert delivered_of([Decimal("0.5"), Decimal(1)]) == (Decimal("0.5"), Decimal(1))
