"""Discounts over amounts and lines: the order counts, nothing below zero, parts add up."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging.allocation import Coupon, allocate, allocate_discount, spread, stack
from o2b.money import Rounding
from tests.o2b.charging.build import off


def numbers(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def limited(value: str, *lines: int, currency: str | None = None) -> Coupon:
    return Coupon(off(value), currency, frozenset(lines) if lines else None)


@pytest.mark.parametrize(
    ("amount", "discounts", "taken", "left"),
    [
        ("300", ["12"], ["12"], "288"),  # Lago
        ("300", ["20%"], ["60"], "240"),
        ("100", ["10", "20"], ["10", "20"], "70"),
        ("100", ["10%", "10"], ["10", "10"], "80"),
        ("100", ["10", "10%"], ["10", "9"], "81"),
        ("100", ["50%", "50%"], ["50", "25"], "25"),
        ("100", ["120"], ["100"], "0"),
        ("100", ["60", "60", "10%"], ["60", "40", "0"], "0"),
        ("0.05", ["50%"], ["0.03"], "0.02"),
        ("100", ["-5"], ["-5"], "105"),
        ("100", ["-10%", "10%"], ["-10", "11"], "99"),
        ("-100", ["10%"], ["-10"], "-90"),
        ("-100", ["10"], ["0"], "-100"),
        ("0", ["10"], ["0"], "0"),
        ("100", [], [], "100"),
    ],
)
def test_stack(amount, discounts, taken, left):
    found = stack(Decimal(amount), [off(each) for each in discounts], currency="EUR")
    assert [step.discount for step in found.steps] == numbers(*taken)
    assert found.left == Decimal(left)
    assert found.discount == Decimal(amount) - Decimal(left)
    assert [step.left for step in found.steps][-1:] == numbers(left)[: len(taken)]


@pytest.mark.parametrize(
    ("rounding", "taken"),
    [("half_up", "0.13"), ("half_even", "0.12"), ("up", "0.13"), ("down", "0.12")],
)
def test_each_discount_is_rounded_when_it_is_taken(rounding, taken):
    found = stack(Decimal("1.25"), [off("10%")], currency="EUR", rounding=Rounding(rounding))
    assert found.discount == Decimal(taken)


def test_a_coupon_of_another_currency_does_not_apply():
    coupons = [Coupon(off("10"), "USD"), Coupon(off("7"), "EUR"), Coupon(off("1"))]
    found = stack(Decimal(100), coupons, currency="EUR")
    assert [step.discount for step in found.steps] == [0, 7, 1]
    lines = spread(numbers("60", "40"), coupons, currency="EUR")
    assert lines.coupons == (0, 7, 1)
    assert lines.total == 92


LAGO_LINES = numbers("10", "20", "30", "40", "10", "20", "30", "40")
LAGO_COUPONS = [limited("20", 0, 1), limited("10", 4, 5, 6, 7), limited("5")]


def test_coupons_on_some_lines_as_lago_spreads_them():
    found = spread(LAGO_LINES, LAGO_COUPONS, currency="EUR")
    assert found.coupons == (20, 10, 5)
    assert (found.discount, found.total) == (35, 165)
    assert found.rounded_shares(7) == tuple(
        numbers(
            *("6.7647059", "13.5294118", "0.8823529", "1.1764706"),
            *("1.2647059", "2.5294118", "3.7941176", "5.0588235"),
        )
    )
    assert sum(found.left) == 165
    assert found.left[0] == 10 - found.shares[0] == Fraction(55, 17)
    assert found.whole_shares("EUR") == tuple(
        numbers("6.77", "13.53", "0.88", "1.18", "1.26", "2.53", "3.79", "5.06")
    )


@pytest.mark.parametrize(
    ("lines", "coupons", "taken", "shares"),
    [
        (["10", "20"], [], [], ["0", "0"]),
        (["10", "20"], [limited("6")], ["6"], ["2", "4"]),
        (["10", "20"], [limited("60")], ["30"], ["10", "20"]),
        (["10", "20"], [limited("60", 1)], ["20"], ["0", "20"]),
        (["10", "20"], [limited("60", 1), limited("3")], ["20", "3"], ["3", "20"]),
        (["10", "20"], [limited("60"), limited("3")], ["30", "0"], ["10", "20"]),
        (["10", "20"], [limited("50%", 0), limited("10%")], ["5", "2.50"], ["5.50", "2"]),
        (["0.01", "0.02"], [limited("0.01"), limited("5", 0)], ["0.01", "0"], ["0", "0.01"]),
        (["10", "20"], [limited("5", 7)], ["0"], ["0", "0"]),
        (["0", "0"], [limited("5")], ["0"], ["0", "0"]),
        (["10", "20"], [limited("-3")], ["-3"], ["-1", "-2"]),
        (["0", "0"], [limited("-0.03")], ["-0.03"], ["-0.02", "-0.01"]),
        (["10", "0"], [limited("-3", 1)], ["-3"], ["0", "-3"]),
        (["10"], [limited("-3", 1)], ["0"], ["0"]),
        (["0.05", "0.06"], [limited("50%")], ["0.06"], ["0.03", "0.03"]),
    ],
)
def test_spread(lines, coupons, taken, shares):
    found = spread(numbers(*lines), coupons, currency="EUR")
    assert found.coupons == tuple(numbers(*taken))
    assert found.whole_shares("EUR") == tuple(numbers(*shares))
    assert found.discount == sum(numbers(*taken))
    assert found.total == sum(numbers(*lines)) - found.discount


def test_rounding_of_shown_shares_and_of_coupons():
    found = spread(numbers("1", "2"), [limited("0.05")], currency="EUR")
    assert found.rounded_shares(4, Rounding.DOWN) == tuple(numbers("0.0166", "0.0333"))
    assert found.rounded_shares(4) == tuple(numbers("0.0167", "0.0333"))
    half = spread(numbers("1"), [limited("0.01"), limited("50%", 0)], currency="EUR")
    assert half.coupons == (Decimal("0.01"), Decimal("0.50"))
    tie = spread(numbers("1", "1"), [limited("0.05")], currency="EUR")
    assert tie.rounded_shares(2) == tuple(numbers("0.03", "0.03"))
    even = spread(numbers("1", "1"), [limited("0.01")], currency="EUR")
    assert even.rounded_shares(2) == tuple(numbers("0.01", "0.01"))
    assert spread(
        numbers("1.25"), [limited("10%")], currency="EUR", rounding=Rounding.DOWN
    ).coupons == (Decimal("0.12"),)


@pytest.mark.parametrize(
    ("total", "weights", "currency", "parts"),
    [
        ("6", ["10", "5"], "USD", ["4", "2"]),  # OpenMeter
        ("5", ["1", "1", "1"], "JPY", ["2", "2", "1"]),
        ("100", ["1", "2", "3"], "USD", ["16.67", "33.33", "50"]),
        ("5", ["10", "5"], "USD", ["3.33", "1.67"]),
        ("1", [Fraction(1, 3), Fraction(2, 3)], "USD", ["0.33", "0.67"]),
        ("1", [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)], "KWD", ["0.5", "0.333", "0.167"]),
        ("1", ["0.5", "0.25", "0.25"], "USD", ["0.5", "0.25", "0.25"]),
    ],
)
def test_allocate(total, weights, currency, parts):
    exact = [Decimal(each) if isinstance(each, str) else each for each in weights]
    assert allocate(Decimal(total), exact, currency) == numbers(*parts)


@pytest.mark.parametrize(
    ("discount", "lines", "shares", "left"),
    [
        ("25.00", ["10.00", "10.00"], ["10.00", "10.00"], ["0.00", "0.00"]),  # Polar
        ("1.00", ["1.00", "2.00"], ["0.33", "0.67"], ["0.67", "1.33"]),
        ("10", ["100", "200"], ["3.33", "6.67"], ["96.67", "193.33"]),  # Joist
        ("30", ["10", "20"], ["10.00", "20.00"], ["0.00", "0.00"]),
        ("5", ["0", "0"], ["0.00", "0.00"], ["0", "0"]),
        ("5", [], [], []),
    ],
)
def test_allocate_discount(discount, lines, shares, left):
    found = allocate_discount(Decimal(discount), numbers(*lines), "EUR")
    assert [str(share) for share in found.shares] == shares
    assert [str(rest) for rest in found.left] == left


amounts = st.decimals(0, 1000, places=2)
coupons = st.builds(
    Coupon,
    st.sampled_from(["5", "12.34", "10%", "33.3%", "100%", "-3", "-5%", "500"]).map(off),
    st.sampled_from([None, None, "EUR", "USD"]),
    st.none() | st.frozensets(st.integers(0, 5)),
)


@settings(deadline=None)
@given(st.lists(amounts, max_size=6), st.lists(coupons, max_size=4))
def test_shares_add_up_and_no_line_falls_below_zero(lines, given_coupons):
    found = spread(lines, given_coupons, currency="EUR")
    assert sum(found.shares) == sum(map(Fraction, found.coupons))
    assert all(rest >= 0 for rest in found.left)
    whole = found.whole_shares("EUR")
    assert sum(whole) == found.discount
    for share, exact in zip(whole, found.shares, strict=True):
        assert abs(Fraction(share) - exact) < Fraction(1, 100)
        assert share.as_tuple().exponent == -2


@settings(deadline=None)
@given(amounts, st.lists(coupons, max_size=4))
def test_one_line_spread_is_a_stack(amount, given_coupons):
    everywhere = [Coupon(each.discount, each.currency) for each in given_coupons]
    piled = stack(amount, everywhere, currency="EUR")
    found = spread([amount], everywhere, currency="EUR")
    assert found.coupons == tuple(step.discount for step in piled.steps)
    assert found.total == piled.left >= 0
