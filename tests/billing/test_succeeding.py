"""Whose what was billed is, when charges of one measure follow each other."""

from datetime import date
from decimal import Decimal

import pytest

from billing.rules.succeeding import Days, Successor, succeeded
from o2b.charging import Billed
from o2b.periods import FOREVER

D = Decimal
JAN, FEB, MAR = (date(2026, month, 1) for month in (1, 2, 3))


def row(start: date, end: date, amount: str, revision: int = 1) -> Billed:
    return Billed(start, 1, revision, D(amount), end, D(19), D(amount) * D("0.19"))


CASES = [
    # days of charge 1, days of charge 2, to whom January and February belong
    ("the old one has no day left", (), (Days(JAN, FOREVER),), (2, 2)),
    ("corrected from February", (Days(JAN, FEB),), (Days(FEB, FOREVER),), (1, 2)),
    ("each has a part", (Days(JAN, date(2026, 2, 9)),), (Days(date(2026, 2, 9), FOREVER),), (1, 1)),
    (
        "the last day may be billed",
        (Days(JAN, FEB, False),),
        (Days(date(2026, 2, 9), MAR),),
        (1, 1),
    ),
    ("nobody has a day", (), (), (1, 1)),
    ("taken back", (Days(JAN, FOREVER),), (), (1, 1)),
]


@pytest.mark.parametrize(
    ("one", "two", "owners"), [each[1:] for each in CASES], ids=[each[0] for each in CASES]
)
def test_who_answers(one: tuple[Days, ...], two: tuple[Days, ...], owners: tuple[int, int]) -> None:
    history = {1: (row(JAN, FEB, "100"), row(FEB, MAR, "200"))}
    found = succeeded([[Successor(1, one), Successor(2, two)]], history)
    assert (
        tuple(
            next(pk for pk, rows in found.items() if any(r.period_start == day for r in rows))
            for day in (JAN, FEB)
        )
        == owners
    )
    assert sum(r.amount for rows in found.values() for r in rows) == 300


def test_what_comes_together_is_summed_and_numbered_after_the_last() -> None:
    history = {1: (row(JAN, FEB, "100"),), 2: (row(JAN, FEB, "-20", 2),), 9: ()}
    found = succeeded([[Successor(1, (Days(JAN, FOREVER),)), Successor(2, ())]], history)
    assert found == {1: (row(JAN, FEB, "80", 2)._replace(tax=D("15.20")),), 2: (), 9: ()}
