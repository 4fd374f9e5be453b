"""Money: exact sums, half up at the minor unit, splits that add up."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.money import (
    PRECISION,
    CurrencyMismatch,
    Money,
    Rounding,
    UnknownCurrency,
    is_currency,
    minor_unit,
    minor_units,
    of_minor_units,
    part_of,
    quantise,
    round_cash,
    rounded,
    sum_of,
    to_decimal,
    zero,
)

CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3, "USD": 2}


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("currency", "unit"), [("EUR", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("CHF", "0.01")]
)
def test_minor_unit(currency, unit):
    assert str(minor_unit(currency)) == unit


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("0.00499999999999999999999999999999999999", "EUR", "0.00"),
        ("-0.004", "EUR", "0.00"),
        ("2.675", "EUR", "2.68"),
        ("1.5", "JPY", "2"),
        ("2.5", "JPY", "3"),
        ("-2.5", "JPY", "-3"),
        ("0.0005", "KWD", "0.001"),
        ("20", "EUR", "20.00"),
        ("123456789012345678901234567890.005", "EUR", "123456789012345678901234567890.01"),
    ],
)
def test_rounding_is_half_up_away_from_zero(amount, currency, rounded):
    assert str(quantise(Decimal(amount), currency)) == rounded
    assert Money(Decimal(amount), currency).rounded() == Money(Decimal(rounded), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "half_up", "half_even", "up", "down"),
    [
        ("2.665", "EUR", "2.67", "2.66", "2.67", "2.66"),
        ("2.675", "EUR", "2.68", "2.68", "2.68", "2.67"),
        ("2.6651", "EUR", "2.67", "2.67", "2.67", "2.66"),
        ("2.661", "EUR", "2.66", "2.66", "2.67", "2.66"),
        ("2.66", "EUR", "2.66", "2.66", "2.66", "2.66"),
        ("-2.665", "EUR", "-2.67", "-2.66", "-2.67", "-2.66"),
        ("-0.001", "EUR", "0.00", "0.00", "-0.01", "0.00"),
        ("0.5", "JPY", "1", "0", "1", "0"),
        ("1.2345", "KWD", "1.235", "1.234", "1.235", "1.234"),
    ],
)
def test_rounding_modes(amount, currency, half_up, half_even, up, down):
    found = {mode.value: str(quantise(Decimal(amount), currency, mode)) for mode in Rounding}
    assert found == {"half_up": half_up, "half_even": half_even, "up": up, "down": down}
    places = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    assert {mode.value: str(rounded(Decimal(amount), places, mode)) for mode in Rounding} == found


@pytest.mark.parametrize(
    ("amount", "places", "result"),
    [
        (Decimal("1.23455"), 4, "1.2346"),  # tokens, credits: units with decimals of their own
        (Fraction(2, 3), 6, "0.666667"),
        (Fraction(1, 8), 2, "0.13"),
        (7, 2, "7.00"),
        (Decimal("-0.00001"), 4, "0.0000"),
        (Decimal("15"), -1, "2E+1"),
    ],
)
def test_rounded_to_any_decimals(amount, places, result):
    assert str(rounded(amount, places)) == result


@pytest.mark.parametrize(
    ("amount", "increment", "rounding", "paid"),
    [
        ("10.09", "0.05", "half_up", "10.10"),  # Invoice Ninja, Swiss francs
        ("20.18", "0.05", "half_up", "20.20"),
        ("20.17", "0.05", "half_up", "20.15"),
        ("20.175", "0.05", "half_up", "20.20"),
        ("20.175", "0.05", "down", "20.15"),
        ("20.125", "0.05", "half_even", "20.10"),
        ("-20.18", "0.05", "half_up", "-20.20"),
        ("12.24", "0.50", "half_up", "12.00"),
        ("12.25", "0.50", "half_up", "12.50"),
        ("12.01", "1", "up", "13"),
        ("-0.01", "0.05", "half_up", "0.00"),
    ],
)
def test_round_cash(amount, increment, rounding, paid):
    assert str(round_cash(Decimal(amount), Decimal(increment), Rounding(rounding))) == paid


@pytest.mark.parametrize("increment", ["0", "-0.05"])
def test_there_is_no_coin_of_nothing(increment):
    with pytest.raises(ValueError, match="does not exist"):
        round_cash(Decimal(1), Decimal(increment))


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("12.34", "EUR", 1234), ("12", "JPY", 12), ("1.2345", "KWD", 1235), ("-0.05", "EUR", -5)],
)
def test_minor_units(amount, currency, units):
    assert minor_units(Decimal(amount), currency) == units
    assert of_minor_units(units, currency) == quantise(Decimal(amount), currency)


def test_minor_units_by_mode_and_in_part():
    assert minor_units(Decimal("0.019"), "EUR", Rounding.DOWN) == 1
    assert of_minor_units(Decimal("1234.5"), "EUR") == Decimal("12.345")


@pytest.mark.parametrize(
    ("amount", "share", "part"),
    [
        (Decimal(30), Fraction(1, 3), "10"),
        (Decimal("2.25"), Fraction(1, 30), "0.075"),
        (Decimal(20), Decimal("0.5"), "10.0"),
        (Decimal(20), 1, "20"),
        (3, Decimal("0.5"), "1.5"),
        (Fraction(20, 3), Decimal("0.3"), "2"),
    ],
)
def test_part_of(amount, share, part):
    assert str(part_of(amount, share)) == part


def test_numbers_without_error():
    many = [Decimal("1e30"), Decimal("0.01"), Decimal("-1e30")]
    assert sum_of(many) == Decimal("0.01")
    assert str(sum_of([])) == "0"
    assert to_decimal(Fraction(1, 3)) == Decimal("0." + "3" * PRECISION)
    assert str(to_decimal(Decimal("1.50"))) == "1.50"
    assert quantise(to_decimal(Fraction(201, 200)), "EUR") == Decimal("1.01")


def test_arithmetic_is_exact_beyond_the_default_context():
    big = eur("100000000000000000000000000000.01")
    assert big + eur("0.001") == eur("100000000000000000000000000000.011")
    assert big - big == zero("EUR")
    assert big * Decimal("0.1") == eur("10000000000000000000000000000.001")
    assert 3 * eur("0.10") == eur("0.30")
    assert -eur("0.10") == eur("-0.10")
    assert str(-eur("0.00")) == "0.00 EUR"
    assert str(Money.zero("KWD")) == "0.000 KWD"
    assert sum([eur("1"), eur("2")], zero("EUR")) == eur("3")


def test_order_and_truth():
    assert eur("1") < eur("1.01") <= eur("1.01") < eur("2")
    assert eur("2") > eur("1") >= eur("1.00")
    assert bool(eur("0.01"))
    assert not eur("0.00")
    assert eur("1") != Money(Decimal(1), "USD")


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
    ],
)
def test_currencies_do_not_mix(mix):
    with pytest.raises(CurrencyMismatch, match="EUR and USD"):
        mix(eur("1"), Money(Decimal(1), "USD"))
    with pytest.raises(TypeError):
        mix(eur("1"), Decimal(1))


@pytest.mark.parametrize(
    ("amount", "currency", "refusal"),
    [
        (1.5, "EUR", TypeError),
        (1, "EUR", TypeError),
        (Decimal("NaN"), "EUR", ValueError),
        (Decimal("Infinity"), "EUR", ValueError),
        (Decimal(1), "EURO", UnknownCurrency),
        (Decimal(1), "eur", UnknownCurrency),
        (Decimal(1), "", UnknownCurrency),
    ],
)
def test_what_is_not_money(amount, currency, refusal):
    with pytest.raises(refusal):
        Money(amount, currency)


def test_a_float_factor_is_refused():
    with pytest.raises(TypeError):
        eur("1") * 0.1


@pytest.mark.parametrize(
    ("code", "known"),
    [("EUR", True), ("KWD", True), ("XXX", False), ("XTS", False), ("ZZZ", False), ("eur", False)],
)
def test_is_currency(code, known):
    assert is_currency(code) is known


@pytest.mark.parametrize(
    ("amount", "currency", "weights", "parts"),
    [
        ("10.00", "EUR", ["1", "1", "1"], ["3.34", "3.33", "3.33"]),
        ("-10.00", "EUR", ["1", "1", "1"], ["-3.34", "-3.33", "-3.33"]),
        ("0.05", "EUR", ["3", "7"], ["0.02", "0.03"]),  # 1.5 and 3.5: the tie goes to the first
        ("1.00", "EUR", ["0.2", "0.3", "0.5"], ["0.20", "0.30", "0.50"]),
        ("5.00", "EUR", ["0", "1", "0"], ["0.00", "5.00", "0.00"]),
        ("0.05", "EUR", ["0", "0"], ["0.03", "0.02"]),
        ("0.00", "EUR", ["1", "2"], ["0.00", "0.00"]),
        ("100", "JPY", ["1", "1", "1"], ["34", "33", "33"]),
        ("0.010", "KWD", ["2", "1"], ["0.007", "0.003"]),
        ("7.00", "EUR", ["20", "25", "5"], ["2.80", "3.50", "0.70"]),
        ("0.01", "EUR", ["1", "1000000"], ["0.00", "0.01"]),
    ],
)
def test_allocate(amount, currency, weights, parts):
    found = Money(Decimal(amount), currency).allocate([Decimal(each) for each in weights])
    assert [part.amount for part in found] == [Decimal(part) for part in parts]
    assert {part.currency for part in found} == {currency}


@pytest.mark.parametrize(
    ("amount", "weights"), [("1.00", []), ("1.00", [Decimal(-1), Decimal(2)]), ("1.005", [1])]
)
def test_allocate_refuses(amount, weights):
    with pytest.raises(ValueError, match=r"nobody|negative|rounded"):
        eur(amount).allocate(weights)


@settings(deadline=None)
@given(
    units=st.integers(-(10**12), 10**12),
    currency=st.sampled_from(sorted(CURRENCIES)),
    weights=st.lists(st.decimals(0, 10**6, places=4), min_size=1, max_size=12),
)
def test_parts_add_up_and_are_within_one_unit_of_their_share(units, currency, weights):
    unit = Fraction(1, 10 ** CURRENCIES[currency])
    whole = Money(Decimal(units).scaleb(-CURRENCIES[currency]), currency)
    parts = whole.allocate(weights)
    assert sum(parts, zero(currency)) == whole
    total = sum(Fraction(each) for each in weights)
    for part, weight in zip(parts, weights, strict=True):
        share = Fraction(weight) / total if total else Fraction(1, len(weights))
        assert abs(Fraction(part.amount) - Fraction(whole.amount) * share) < unit
