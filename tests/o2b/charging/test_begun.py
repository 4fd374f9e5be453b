"""Who goes on with a period that was paid whole, and from which units on."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.charging.begun import Begun, Had, begun_by, carried
from o2b.periods import FOREVER, Period

D = Decimal
JAN, TENTH, TWENTIETH, FEB = (date(2026, *day) for day in ((1, 1), (1, 10), (1, 20), (2, 1)))


def had(
    charge: str, start: date, end: date, *, whole: bool = True, in_use: bool = True
) -> Had[str]:
    return Had(charge, ord(charge), Period(start, end), D(1), whole, in_use)


def test_each_charge_is_told_the_days_of_the_others() -> None:
    found = begun_by([[had("a", JAN, TENTH), had("b", TENTH, FOREVER, whole=False)]])
    assert found == {"b": (Begun(Period(JAN, TENTH), D(1), True),)}


def test_where_nothing_is_paid_whole_nobody_needs_to_know() -> None:
    days = [had("a", JAN, TENTH, whole=False), had("b", TENTH, FOREVER, whole=False)]
    assert begun_by([days]) == {}


def test_a_holding_fee_neither_begins_nor_goes_on() -> None:
    days = [
        had("a", JAN, TENTH),
        had("f", TENTH, TWENTIETH, in_use=False),
        had("b", TWENTIETH, FOREVER),
    ]
    assert set(begun_by([days])) == {"a", "b"}


SINCE_JAN = Period(JAN, TWENTIETH)
CASES = [
    # days before as (start, end, units, whole), what is carried to the 20th
    ("nothing before", [], None),
    ("before the period", [(date(2025, 12, 1), JAN, 2, True)], None),
    ("paid whole", [(JAN, TWENTIETH, 2, True)], (D(2), SINCE_JAN)),
    ("since last year", [(date(2025, 5, 1), TENTH, 2, True)], (D(2), SINCE_JAN)),
    ("by the day", [(JAN, TWENTIETH, 2, False)], None),
    (
        "more units later",
        [(JAN, TENTH, 2, True), (TENTH, TWENTIETH, 5, False)],
        (D(5), SINCE_JAN),
    ),
    (
        "whole later",
        [(JAN, TENTH, 9, False), (TENTH, TWENTIETH, 2, True)],
        (D(2), Period(TENTH, TWENTIETH)),
    ),
    ("only afterwards", [(TWENTIETH, FEB, 2, True)], None),
]


@pytest.mark.parametrize(("days", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_carried(days: list[tuple[date, date, int, bool]], wanted: object) -> None:
    begun = [Begun(Period(start, end), D(units), whole) for start, end, units, whole in days]
    assert carried(begun, start=JAN, end=TWENTIETH) == wanted
