"""Coupons over what was billed, as pure tables; the check's own arithmetic says the same."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.adjustments.rules.bases import bases_of
from billing.adjustments.rules.expected import AtLeast, Line, Off, promised
from billing.adjustments.rules.facts import (
    Base,
    CouponFacts,
    Measure,
    MinimumFacts,
    Piece,
    coupon_facts,
)
from billing.adjustments.rules.targets import discounts, periods_of, true_ups
from o2b.periods import FOREVER, add_months

D = Decimal
JANUARY = date(2026, 1, 1)


def base(charge: int, amount: str, start: date = JANUARY, product: int = 1) -> Base:
    return Base(charge, product, start, add_months(start, 1), D(amount), "", D(19), False, start)


def coupon(kind: str = "percent", value: str = "10", **given: Any) -> CouponFacts:
    fields: dict[str, Any] = {
        "grant": 1,
        "kind": kind,
        "value": D(value),
        "currency": "" if kind == "percent" else "EUR",
        "months": 1,
        "periods": None,
        "starts_on": JANUARY,
        "ends_on": None,
        "first_on": None,
        "last_on": None,
        "products": None,
        "text": "Welcome",
    }
    return coupon_facts(**fields | given)


def taken(coupons: list[CouponFacts], bases: list[Base]) -> dict[tuple[int, int, str], str]:
    """(grant, charge, month) → the discount."""
    found = discounts(coupons, bases, "EUR")
    return {
        (key[1], key[2] or 0, key[3].strftime("%m")): f"{-each.amount:.2f}"
        for key, each in found.items()
    }


@pytest.mark.parametrize(
    ("coupons", "amounts", "expected"),
    [
        ([("percent", "20")], ["300"], ["60.00"]),  # Lago
        ([("amount", "12")], ["300"], ["12.00"]),  # Lago
        ([("amount", "25")], ["10", "10"], ["10.00", "10.00"]),  # Polar: capped
        ([("amount", "1")], ["1", "2"], ["0.33", "0.67"]),  # Polar: pro rata, whole cents
        ([("amount", "10"), ("amount", "20")], ["100"], ["10.00", "20.00"]),  # Lago
        ([("amount", "10"), ("percent", "10")], ["100"], ["10.00", "9.00"]),
        ([("percent", "10"), ("amount", "10")], ["100"], ["10.00", "10.00"]),
        ([("percent", "100"), ("amount", "10")], ["100"], ["100.00"]),
        ([("percent", "33.3333")], ["0.05", "0.01"], ["0.02"]),
        ([("percent", "10")], ["-50"], []),  # a credit of its own is not made larger
        ([("amount", "0.02")], ["1", "1", "1"], ["0.01", "0.01"]),
    ],
)
def test_discounts(coupons: Any, amounts: list[str], expected: list[str]) -> None:
    own = [coupon(kind, value, grant=n) for n, (kind, value) in enumerate(coupons, start=1)]
    bases = [base(n, amount) for n, amount in enumerate(amounts, start=1)]
    assert list(taken(own, bases).values()) == expected


def test_another_currency_takes_nothing() -> None:
    assert taken([coupon("amount", "10", currency="USD")], [base(1, "100")]) == {}


def test_a_fixed_amount_is_given_once_a_period_of_its_own() -> None:
    months = [base(1, "100", add_months(JANUARY, n)) for n in range(4)]
    every_month = taken([coupon("amount", "10")], months)
    assert set(every_month.values()) == {"10.00"}
    assert len(every_month) == 4
    quarterly = taken([coupon("amount", "10", months=3)], months)
    assert list(quarterly.values()) == ["3.34", "3.33", "3.33", "10.00"]


@pytest.mark.parametrize(
    ("limits", "months"),
    [
        ({"periods": 3}, ["01", "02", "03"]),
        ({"periods": 1, "months": 3}, ["01", "02", "03"]),
        ({"starts_on": date(2026, 2, 15), "periods": 2}, ["03", "04"]),
        ({"last_on": date(2026, 3, 1)}, ["01", "02"]),
        ({"ends_on": date(2026, 3, 2)}, ["01", "02", "03"]),
        ({"first_on": date(2026, 4, 1)}, ["04", "05"]),
        ({"starts_on": date(2025, 12, 31), "periods": 2}, ["01", "02"]),
    ],
)
def test_which_periods_count(limits: Any, months: list[str]) -> None:
    bases = [base(1, "100", add_months(JANUARY, n)) for n in range(5)]
    assert [key[2] for key in taken([coupon(**limits)], bases)] == months


def test_only_its_products() -> None:
    bases = [base(1, "100", product=7), base(2, "100", product=8)]
    assert list(taken([coupon(products=frozenset({8}))], bases)) == [(1, 2, "01")]


def held(**given: Any) -> MinimumFacts:
    fields: dict[str, Any] = {
        "id": 1,
        "minimum": D("10000"),
        "currency": "EUR",
        "months": 1,
        "calendar": True,
        "prorated": True,
        "starts": JANUARY,
        "ends": FOREVER,
        "tax_code": "",
        "text": "Minimum",
    }
    return MinimumFacts(**fields | given)


@pytest.mark.parametrize(
    ("given", "billed", "asked"),
    [
        ({"starts": date(2023, 2, 4)}, "892.86", ["8035.71"]),  # Lago: 25 of 28 days
        ({"months": 3, "starts": date(2023, 2, 4)}, "622.22", ["5600.00"]),  # Lago: 56 of 90
        ({"starts": date(2023, 2, 4), "prorated": False}, "892.86", ["9107.14"]),
        ({"minimum": D(10), "starts": date(2023, 2, 1), "ends": date(2023, 2, 26)}, "8", ["0.93"]),
        ({"minimum": D(1000), "starts": date(2023, 2, 1)}, "900", ["100.00"]),
        ({"minimum": D(1000), "starts": date(2023, 2, 1)}, "1200", ["0.00"]),
        ({"minimum": D(1000), "months": 12, "starts": date(2022, 4, 1), "calendar": False}, "600",
         ["400.00"]),
    ],
)  # fmt: skip
def test_minimums(given: Any, billed: str, asked: list[str]) -> None:
    each = held(**given)
    until = next(periods_of(each, until=date(2024, 1, 1)))[0].end
    spent = [(base(1, billed, each.starts), D(0))]
    found = true_ups([each], spent, until=until, currency="EUR")
    assert [f"{target.amount:.2f}" for target in found.values()] == asked


def test_a_period_that_goes_on_asks_for_nothing() -> None:
    assert true_ups([held()], [], until=date(2026, 1, 31), currency="EUR") == {}
    assert len(true_ups([held()], [], until=date(2026, 2, 1), currency="EUR")) == 1


amounts = st.integers(-5_000, 20_000).map(lambda cents: D(cents) / 100)
days = st.integers(0, 200).map(lambda n: date.fromordinal(JANUARY.toordinal() + n))
# Charge, period, segment, from which of its days on, for how many; amount, at which rate of tax.
lines = st.lists(
    st.tuples(st.integers(1, 6), days, st.integers(1, 2), st.integers(0, 27), st.integers(1, 20),
              amounts, st.sampled_from([7, 19])),
    max_size=12, unique_by=lambda told: told[:3],
)  # fmt: skip
granted = st.lists(
    st.tuples(
        st.sampled_from(["percent", "amount"]),
        st.integers(1, 10_000).map(lambda n: D(n) / 100),
        st.sampled_from([1, 3, 12]),
        st.none() | st.integers(1, 4),
        days,
        st.none() | days,
        st.none() | st.sets(st.integers(1, 3), min_size=1),
    ),
    max_size=4,
)
minimums = st.lists(
    st.tuples(amounts.filter(lambda a: a > 0), st.sampled_from([1, 3, 12]), st.booleans(),
              st.booleans(), days, st.none() | days), max_size=2,
)  # fmt: skip


@given(lines, granted, minimums, days)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_check_reckons_the_same_by_itself(
    told: Any, coupons: Any, at_least: Any, until: date
) -> None:
    measures = {n: Measure(n // 2, n // 2 % 3 + 1, "recurring", "base") for n in range(1, 7)}
    pieces, billed_lines = [], []
    for charge, start, segment, first, length, amount, rate in told:
        since = date.fromordinal(start.toordinal() + first)
        to = date.fromordinal(since.toordinal() + length)
        end = add_months(start, 1)
        of = measures[charge]
        pieces.append(
            Piece(charge, start, segment, 1, end, since, to, amount, "", D(rate), billed=True)
        )
        billed_lines.append(
            Line(charge, start, 1, segment, (of.item, of.kind, of.key), of.product,
                 ("", D(rate)), since, to, int(amount * 100))
        )  # fmt: skip
    bases = bases_of(pieces, measures)
    ours, theirs = [], []
    for n, (kind, value, months, periods, start, end, products) in enumerate(coupons, start=1):
        ours.append(
            coupon(kind, str(value), grant=n, months=months, periods=periods, starts_on=start,
                   ends_on=end, products=frozenset(products) if products else None)
        )  # fmt: skip
        units = value if kind == "percent" else value * 100
        theirs.append(
            Off(n, kind == "percent", units, months, periods, start, (end,) if end else (), start,
                frozenset(products or ()))
        )  # fmt: skip
    mine, others = [], []
    for n, (amount, months, calendar, prorated, start, end) in enumerate(at_least, start=1):
        end = max(end, start) if end else FOREVER
        mine.append(held(id=n, minimum=amount, months=months, calendar=calendar,
                         prorated=prorated, starts=start, ends=end))  # fmt: skip
        others.append(
            AtLeast(n, int(amount * 100), months, calendar, prorated, start, end, FOREVER)
        )
    found = discounts(ours, bases, "EUR")
    spent = [
        (
            each,
            sum((t.amount for k, t in found.items() if k[2:] == each[:1] + each[2:3]), D(0)),
        )
        for each in bases
    ]
    found |= true_ups(mine, spent, until=until, currency="EUR")
    said = promised(billed_lines, theirs, others, on=until)
    assert said == {
        (kind, source, charge or 0, start): int(target.amount * 100)
        for (kind, source, charge, start), target in found.items()
        if target.amount
    }
    for each in bases:
        off = sum(-t.amount for k, t in found.items() if k[2:] == (each.charge, each.period_start))
        assert 0 <= off <= max(each.amount, 0)
