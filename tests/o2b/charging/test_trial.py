"""Trials: nothing is charged before their end."""

import pytest

from o2b.charging import Mark, compile_charge, draft, draft_and_mark, first_due_on
from o2b.charging.ramps import free_until
from o2b.charging.terms import Trial
from o2b.periods import Interval
from tests.o2b.charging.build import charge, day, facts, rows


def free(days: int, *, unit="day", moves=False) -> Trial:
    return Trial(Interval(unit, days), moves_anchor=moves)


@pytest.mark.parametrize(
    ("trial", "start", "end"),
    [
        (None, "2017-03-01", "2017-03-01"),
        (free(30), "2017-03-01", "2017-03-31"),  # Kill Bill, over the change of the clock
        (free(2, unit="week"), "2017-03-01", "2017-03-15"),
        (free(1, unit="month"), "2017-01-31", "2017-02-28"),
        (free(1, unit="year"), "2024-02-29", "2025-02-28"),
    ],
)
def test_the_end_of_a_trial(trial, start, end):
    assert free_until(charge(trial=trial), day(start)) == day(end)


@pytest.mark.parametrize(
    ("terms", "start", "expected"),
    [
        # Lago: the rest of the calendar period is charged at the trial's end
        (
            charge("1", alignment="calendar", trial=free(3)),
            "2022-03-15",
            ("2022-03-18", "2022-04-01", "0.45"),
        ),
        (
            charge("1", alignment="calendar", interval=Interval("week"), trial=free(3)),
            "2022-06-20",
            ("2022-06-23", "2022-06-27", "0.57"),
        ),
        (
            charge("50000", alignment="calendar", trial=free(10)),
            "2024-03-05",
            ("2024-03-15", "2024-04-01", "27419.35"),
        ),
        (
            charge("35", alignment="calendar", trial=free(7)),
            "2024-03-04",
            ("2024-03-11", "2024-04-01", "23.71"),
        ),
        # Lago: an anniversary is counted from the start
        (charge("31", trial=free(10)), "2026-01-01", ("2026-01-11", "2026-02-01", "21.00")),
        # Kill Bill: the first full period begins with the trial's end
        (
            charge("29.95", trial=free(30, moves=True)),
            "2017-03-01",
            ("2017-03-31", "2017-04-30", "29.95"),
        ),
        # the account's bill day stays
        (
            charge("31", alignment="bill_day", trial=free(10, moves=True)),
            "2026-01-01",
            ("2026-01-11", "2026-01-15", "4.00"),
        ),
        # a trial over several periods
        (charge("30", trial=free(45)), "2026-01-01", ("2026-02-15", "2026-03-01", "15.00")),
        # without proration the period in which it ends costs the whole
        (
            charge("30", trial=free(45), proration="none"),
            "2026-01-01",
            ("2026-02-15", "2026-03-01", "30.00"),
        ),
    ],
)
def test_what_is_charged_first(terms, start, expected):
    charged = facts(terms, f"{start}..", anchor_day=15)
    due = day(expected[0])
    before = draft_and_mark(charged, until=due.replace(day=due.day - 1))
    assert before == ([], Mark(None, due))
    assert rows(draft([charged], until=due)) == [expected]
    assert first_due_on(terms, started_on=day(start), anchor_day=15) == due


def test_arrears_after_a_trial():
    charged = facts(charge("31", timing="arrears", trial=free(10)), "2026-01-01..")
    assert draft_and_mark(charged, until=day("2026-01-31"))[1] == Mark(None, day("2026-02-01"))
    assert rows(draft([charged], until=day("2026-03-01"))) == [
        ("2026-01-11", "2026-02-01", "21.00"),
        ("2026-02-01", "2026-03-01", "31.00"),
    ]


@pytest.mark.parametrize(
    ("spans", "expected", "marked"),
    [
        # ended within the trial: never anything
        (["2026-01-01..2026-01-05"], [], Mark(None, None)),
        (["2026-01-01..2026-01-11"], [], Mark(None, None)),
        (
            ["2026-01-01..2026-01-12"],
            [("2026-01-11", "2026-01-12", "1.00")],
            Mark(day("2026-01-12"), None),
        ),
        # what changed within the trial does not matter
        (
            ["2026-01-01..2026-01-05 x9", "2026-01-05.. x2"],
            [("2026-01-11", "2026-02-01", "42.00")],
            Mark(day("2026-02-01"), day("2026-02-01")),
        ),
    ],
)
def test_changes_within_a_trial(spans, expected, marked):
    lines, mark = draft_and_mark(
        facts(charge("31", trial=free(10)), *spans), until=day("2026-01-20")
    )
    assert rows(lines) == expected
    assert mark == marked


def test_equal_trials_of_other_starts_do_not_share_answers():
    terms = compile_charge(charge("31", trial=free(10)))
    found = [
        rows(draft([facts(terms, f"2026-01-0{n}..", anchor_day=1)], until=day("2026-01-20")))
        for n in (1, 2, 1)
    ]
    assert found == [
        [("2026-01-11", "2026-02-01", "21.00")],
        [("2026-01-12", "2026-02-02", "21.00")],
        [("2026-01-11", "2026-02-01", "21.00")],
    ]
    moved = [
        rows(
            draft(
                [facts(terms, "2026-01-15..", started_on=start, through="2026-02-01")],
                until=day("2026-02-02"),
            )
        )
        for start in ("2026-01-01", "2026-01-25")
    ]
    assert moved == [[("2026-02-01", "2026-03-01", "31.00")], []]
