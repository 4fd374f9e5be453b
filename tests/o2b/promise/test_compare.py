"""The promise check: each difference has its name, and silence is no difference."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.promise import Difference, Promise, compare

JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)
PROMISED = Promise(
    product="fibre",
    version=3,
    quantity=Decimal(2),
    terms="ab12",
    amounts={("base", JAN, 1): Decimal("50.00"), ("extra", JAN, 1): Decimal("5.00")},
)


def test_what_is_kept_has_no_difference():
    same = Promise("fibre", 3, Decimal("2.000"), "ab12", dict(PROMISED.amounts))
    assert compare(PROMISED, same) == []
    assert compare(PROMISED, PROMISED) == []


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (
            Promise(product="dsl"),
            [Difference("product", "fibre", "dsl", "product: promised fibre, found dsl")],
        ),
        (Promise(version=2), [Difference("version", 3, 2, "version: promised 3, found 2")]),
        (
            Promise(quantity=Decimal(1)),
            [Difference("quantity", Decimal(2), Decimal(1), "quantity: promised 2, found 1")],
        ),
        (
            Promise(terms="ff"),
            [Difference("terms", "ab12", "ff", "terms: promised ab12, found ff")],
        ),
        (
            Promise(product="dsl", version=2, quantity=Decimal(2), terms="ab12"),
            [
                Difference("product", "fibre", "dsl", "product: promised fibre, found dsl"),
                Difference("version", 3, 2, "version: promised 3, found 2"),
            ],
        ),
    ],
)
def test_evidence_against_the_promise(actual, expected):
    assert compare(PROMISED, actual) == expected


def test_what_one_side_does_not_say_is_not_compared():
    assert compare(PROMISED, Promise()) == []
    assert compare(Promise(), PROMISED) == []
    assert compare(Promise(version=3), Promise(version=3, product="dsl", amounts={})) == []


def test_zero_is_something_said():
    found = compare(PROMISED, Promise(quantity=Decimal(0)))
    assert [(each.field, each.actual) for each in found] == [("quantity", Decimal(0))]


def test_amounts_are_joined_both_ways():
    actual = Promise(
        amounts={("base", JAN, 1): Decimal("49.99"), ("base", FEB, 1): Decimal("50.00")}
    )
    assert compare(PROMISED, actual) == [
        Difference(
            "amount",
            Decimal("50.00"),
            Decimal("49.99"),
            "base from 2026-01-01, segment 1: promised 50.00, found 49.99",
            ("base", JAN, 1),
        ),
        Difference(
            "unexpected",
            None,
            Decimal("50.00"),
            "base from 2026-02-01, segment 1: 50.00 was not promised",
            ("base", FEB, 1),
        ),
        Difference(
            "missing",
            Decimal("5.00"),
            None,
            "extra from 2026-01-01, segment 1: promised 5.00, not found",
            ("extra", JAN, 1),
        ),
    ]


def test_no_amounts_at_all_are_missing_amounts():
    assert [each.field for each in compare(PROMISED, Promise(amounts={}))] == ["missing"] * 2
    assert [each.field for each in compare(Promise(amounts={}), PROMISED)] == ["unexpected"] * 2


def test_a_missing_amount_of_zero_is_still_missing():
    zero = Promise(amounts={("base", JAN, 1): Decimal("0.00")})
    assert [each.field for each in compare(zero, Promise(amounts={}))] == ["missing"]


def test_an_amount_is_equal_by_value():
    left = Promise(amounts={("base", JAN, 1): Decimal("50")})
    right = Promise(amounts={("base", JAN, 1): Decimal("50.00")})
    assert compare(left, right) == []
