"""The driver itself: an unknown key or word skips with its name, a wrong figure fails."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from o2b.charging import Billed, Discount, DiscountKind, Model, Segment, Tier
from o2b.charging.usage import Used
from subscriptions.models import Act
from tests.cases.adapter.selling import served, terms
from tests.cases.asking import Boundaries, Charge, Credit, Drafts, First
from tests.cases.comparing import differences, same, unanswered
from tests.cases.dated import has_dates_and_money
from tests.cases.lives import Deed, lives_of, why_unsold
from tests.cases.loading import NotCases, PublishedCase, load, path_of_cases
from tests.cases.reading import to_date
from tests.cases.running import Skipped, ask, drafted

UNIT = {"unit_price": "2.50", "quantity": 3}


def a_case(topic: str = "charge.unit", **changes: Any) -> PublishedCase:
    fields: dict[str, Any] = {
        "name": "x-1",
        "topic": topic,
        "given": UNIT,
        "conventions": {},
        "expect": {"amount": "7.50"},
        "verified": True,
    }
    return PublishedCase(**fields | changes)


def a_file(folder: Path, *cases: dict[str, Any], schema: str = "o2b-worked-case/1") -> Path:
    path = folder / "cases.json"
    path.write_text(json.dumps({"schema": schema, "count": len(cases), "cases": cases}))
    return path


def test_a_case_is_drafted():
    asked = ask(a_case())
    assert isinstance(asked, Drafts)
    assert differences({"amount": "7.50"}, drafted(asked)) == []
    assert differences({"amount": "7.51"}, drafted(asked)) == [
        "amount: published '7.51', the engine says 7.50"
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"verified": False}, "not verified by those who collected it: not asserted"),
        ({"topic": "charge.magic"}, "not built yet: charge.magic"),
        ({"stray": ("colour",)}, "unknown: colour"),
        ({"given": UNIT | {"colour": "red"}}, "unknown: given.colour"),
        ({"conventions": {"mood": "glad"}}, "unknown: conventions.mood"),
        ({"given": {"unit_price": "1"}}, "unknown: given without quantity"),
        ({"given": UNIT | {"quantity": "many"}}, "unknown: given.quantity = 'many'"),
        ({"given": UNIT | {"quantity": 1.5}}, "unknown: given.quantity = 1.5"),
        (
            {
                "topic": "charge.volume",
                "given": {"tiers": [{"up_to": None, "unit_price": "1"}], "quantity": "1"},
                "conventions": {"tier": "the second one"},
            },
            "unknown: conventions.tier = 'the second one'",
        ),
        (
            {
                "topic": "charge.graduated",
                "given": {
                    "tiers": [{"up_to": None, "unit_price": "1", "colour": "red"}],
                    "quantity": "1",
                },
            },
            "unknown: given.tiers[0].colour",
        ),
        (
            {"topic": "rounding.currency", "given": {"amount": "1", "currency": "GBX"}},
            "unknown: given.currency = 'GBX'",
        ),
        (
            {
                "topic": "period.boundaries",
                "given": {"start": "2026-01-01", "period": "fortnight"},
            },
            "unknown: given.period = 'fortnight'",
        ),
    ],
)
def test_what_is_not_known_is_skipped_with_its_name(changes, why):
    with pytest.raises(Skipped) as told:
        ask(a_case(**changes))
    assert str(told.value) == why


def test_a_quantity_beyond_the_last_tier_is_skipped():
    given = {"tiers": [{"up_to": 5, "unit_price": "1"}], "quantity": "6"}
    asked = ask(a_case("charge.graduated", given=given))
    with pytest.raises(Skipped, match="beyond the last tier"):
        drafted(asked)


def test_an_expected_key_that_is_not_answered_is_named():
    assert unanswered({"amount": "1", "colour": "red", "tolerance": "0.1"}, {"amount": 1}) == [
        "colour"
    ]


@pytest.mark.parametrize(
    ("published", "answer", "equal"),
    [
        ("9.5", Decimal("9.50"), True),
        ("9.51", Decimal("9.50"), False),
        (7, Decimal(7), True),
        ("2026-01-31", to_date("2026-01-31"), True),
        ("2026-01-30", to_date("2026-01-31"), False),
        ("27/30", "27/30", True),
        ("26/30", "27/30", False),
        ("many", Decimal(1), False),
        (None, Decimal(1), False),
        (True, True, True),
        (False, True, False),
        ("-2.40", Credit(Decimal("-2.40")), True),
        ("2.40", Credit(Decimal("-2.40")), True),
        ("2.40", Credit(Decimal("2.40")), False),
        ("0.0714286", Fraction(2, 28), True),
        ("0.0714285", Fraction(2, 28), False),
        (["1", "2"], [Decimal(1), Decimal(2)], True),
        (["1", "2"], [Decimal(2), Decimal(1)], False),
        (["1"], [Decimal(1), Decimal(2)], False),
        (["1"], First([Decimal(1), Decimal(2)]), True),
        ([], First([Decimal(1)]), False),
        (["1", "2", "3"], First([Decimal(1), Decimal(2)]), False),
        ("1", [Decimal(1)], False),
        ({"a": "1"}, {"a": Decimal(1), "b": Decimal(2)}, True),
        ({"a": "1"}, {"a": Decimal(2)}, False),
        ({"c": "1"}, {"a": Decimal(1)}, False),
        (
            ["2026-01-01", "2026-02-01"],
            Boundaries(to_date("2026-01-01"), [to_date("2026-02-01")]),
            True,
        ),
        (["2026-02-01"], Boundaries(to_date("2026-01-01"), [to_date("2026-02-01")]), True),
        (["2026-01-01"], Boundaries(to_date("2026-01-01"), [to_date("2026-02-01")]), False),
        (["2026-01-01"], Boundaries(to_date("2026-01-01"), [to_date("2026-02-01")], True), True),
    ],
)
def test_what_is_the_same(published, answer, equal):
    assert same(published, answer, Decimal(0)) is equal


def test_a_tolerance_is_absolute():
    assert (
        differences({"amount": "0.3498", "tolerance": "0.0003"}, {"amount": Decimal("0.35")}) == []
    )
    assert differences({"amount": "0.3498", "tolerance": "0.0001"}, {"amount": Decimal("0.35")})


def test_a_file_is_read_as_it_is(tmp_path: Path):
    case = {"id": "x-1", "topic": "trial", "expect": {}, "verified": True, "colour": "red"}
    (found,) = load(a_file(tmp_path, case))
    assert (found.name, found.topic, found.stray) == ("x-1", "trial", ("colour",))
    assert found.given == found.conventions == {}


@pytest.mark.parametrize("missing", ["id", "topic", "expect"])
def test_a_case_without_what_every_case_has_is_refused(missing: str, tmp_path: Path):
    case = {"id": "x-1", "topic": "trial", "expect": {}}
    del case[missing]
    with pytest.raises(NotCases, match=f"case 0 has no {missing}"):
        load(a_file(tmp_path, case))


def test_another_schema_is_refused(tmp_path: Path):
    with pytest.raises(NotCases, match="is not of schema"):
        load(a_file(tmp_path, schema="o2b-worked-case/2"))


def test_the_file_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("O2B_CASES", str(tmp_path / "other.json"))
    assert path_of_cases() == (tmp_path / "other.json").resolve()


def a_charge(*segments: Segment, started_on: date = date(2026, 1, 1), **more: Any) -> Charge:
    return Charge(terms(), started_on, 1, segments, **more)


def of(charge: Charge, *others: Charge, **more: Any) -> Drafts:
    return Drafts((charge, *others), date(2026, 3, 1), lambda lines: {}, **more)


JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
TWO = Decimal(2)


def test_a_life_is_told_in_changes_of_a_service():
    """A gap is a suspension, another quantity a change of it, the last day an end."""
    charge = a_charge(
        served(FEBRUARY, MARCH), served(MARCH, date(2026, 4, 1), TWO), started_on=JANUARY
    )
    (life,) = lives_of(of(charge))
    assert life.quantity == 1
    assert list(life.deeds(life.last)) == [
        Deed(Act.SUSPEND, JANUARY),
        Deed(Act.RESUME, FEBRUARY),
        Deed(Act.QUANTITY, MARCH, quantity=TWO),
        Deed(Act.END, date(2026, 4, 1)),
    ]


def test_what_is_told_before_the_first_bill_is_not_what_holds_in_the_end():
    running = a_charge(served(JANUARY), billed_until=JANUARY, later=(served(JANUARY, FEBRUARY),))
    after = a_charge(served(FEBRUARY, quantity=TWO))
    (life,) = lives_of(of(running, after, one_service=True))
    assert life.billed_until == JANUARY
    assert list(life.deeds(life.first)) == []
    assert list(life.deeds(life.last)) == [
        Deed(Act.TERMS, FEBRUARY, charge=1),
        Deed(Act.QUANTITY, FEBRUARY, quantity=TWO),
    ]
    assert len(lives_of(of(running, after))) == 2


def test_a_service_that_ends_on_its_first_day_is_sold_all_the_same():
    (life,) = lives_of(of(a_charge(served(JANUARY), billed_until=JANUARY, later=())))
    assert list(life.deeds(life.last)) == [Deed(Act.END, JANUARY)]


BILLED = Billed(JANUARY, 1, 1, Decimal(5), FEBRUARY)
CAPPED = {"model": Model.GRADUATED, "tiers": (Tier(Decimal(5), Decimal(1), Decimal(0)),)}
LESS = terms(discounts=(Discount(DiscountKind.PERCENT, Decimal(50)),))
TWICE = (*LESS.discounts, *LESS.discounts)
SOME = a_charge(served(JANUARY))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (of(SOME), ""),
        (of(replace(SOME, usage=(Used(JANUARY, TWO),))), ""),
        (of(replace(SOME, billed=(BILLED,))), "what was billed is told, not brought about"),
        (of(replace(SOME, terms=terms(currency="USD"))), ""),
        (
            of(replace(SOME, terms=replace(LESS, minimum=Decimal(1)))),
            "",
        ),
        (
            of(replace(SOME, terms=replace(LESS, minimum=Decimal(1), discounts=TWICE))),
            "discounted as no coupon is",
        ),
        (of(replace(SOME, terms=LESS)), ""),
        (of(replace(SOME, terms=terms(**CAPPED))), ""),
        (of(a_charge(served(JANUARY, quantity=Decimal(0)))), "a quantity that cannot be ordered"),
        (
            of(
                replace(SOME, billed_until=JANUARY, later=SOME.segments),
                replace(SOME, billed_until=MARCH, later=SOME.segments),
            ),
            "billed before on several days",
        ),
        (of(a_charge(served(JANUARY), started_on=FEBRUARY)), "days that no order brings about"),
        (of(SOME, SOME, one_service=True), "days that no order brings about"),
    ],
)
def test_why_something_is_not_sold(asked: Drafts, why: str):
    assert why_unsold(asked) == why


@pytest.mark.parametrize(
    ("given", "expect", "has"),
    [
        ({"start": "2026-01-31"}, {"amount": "10.00"}, True),
        ({"cancelled": "(year)-12-15"}, {"pieces": [{"sum": "-10"}]}, True),
        ({"first_period": "month, from 2026-01-04: 28 of 31"}, {"amount": "9.03"}, True),
        ({"elapsed": "half the period"}, {"amount": "10.00"}, False),
        ({"start": "2026-01-31"}, {"number_of_cycles": "1.5"}, False),
        ({"start": "2026-01-31"}, {"billable_days": 15, "periods": [["2026-01-31"]]}, False),
    ],
)
def test_which_cases_have_dates_and_money(given, expect, has):
    assert has_dates_and_money(a_case(given=given, expect=expect)) is has
