"""Whose what was billed is, when charges of one measure follow each other."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.charging import Billed
from o2b.charging.succeeding import Days, Successor, succeeded, with_rates
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


RATES = [
    # days of charge 2, what charge 1 was billed for January reached, whether 2 is told its rate
    ("it has a part of what was billed", Days(date(2026, 1, 9), FOREVER), FEB, True),
    ("it has all of it", Days(JAN, FOREVER), FEB, True),
    ("nobody was billed for its days", Days(date(2026, 1, 9), FOREVER), date(2026, 1, 9), False),
    ("it has another month", Days(FEB, FOREVER), FEB, False),
]


@pytest.mark.parametrize(
    ("days", "reached", "told"), [each[1:] for each in RATES], ids=[each[0] for each in RATES]
)
def test_whose_rate_is_told(days: Days, reached: date, told: bool) -> None:
    billed = row(JAN, FEB, "100")._replace(served_to=reached)
    measure = [
        Successor(1, (Days(JAN, days.start),) if days.start > JAN else ()),
        Successor(2, (days,)),
    ]
    found = with_rates([measure], {1: (billed,)})
    rate = Billed(JAN, 0, 0, D(0), FEB, D(19))
    assert found == {1: (billed,)} | ({2: (rate,)} if told else {})


def test_what_was_taken_back_or_is_known_tells_no_rate() -> None:
    measure = [Successor(1, ()), Successor(2, (Days(JAN, FOREVER),))]
    undone = {1: (row(JAN, FEB, "0")._replace(undone=True),)}
    assert with_rates([measure], undone) == undone
    both = {1: (row(JAN, FEB, "0"),), 2: (row(JAN, FEB, "5"),)}
    assert with_rates([measure], both) == both
