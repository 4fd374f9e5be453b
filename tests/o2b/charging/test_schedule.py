"""Schedules: the calendar, the last day, and cases that other systems publish."""

from decimal import Decimal

import pytest

from o2b.charging import Mark, draft, draft_and_mark, first_due_on
from o2b.charging.terms import Conventions, DayCount
from o2b.periods import Interval
from tests.o2b.charging.build import charge, day, facts, rows

LAGO = Conventions(last_day_billed=True)


def calendar(price="20", name="month", **changes):
    return charge(price, alignment="calendar", interval=Interval.named(name), **changes)


@pytest.mark.parametrize(
    ("terms", "start", "until", "expected"),
    [
        # Lago, subscription fees and time zones
        (calendar("1", "week"), "2022-06-22", "2022-06-22", ("2022-06-22", "2022-06-27", "0.71")),
        (calendar("1"), "2022-03-15", "2022-03-15", ("2022-03-15", "2022-04-01", "0.55")),
        (calendar("7", "week"), "2023-06-15", "2023-06-15", ("2023-06-15", "2023-06-19", "4.00")),
        (calendar("7", "week"), "2023-06-17", "2023-06-17", ("2023-06-17", "2023-06-19", "2.00")),
        (calendar("10"), "2023-07-19", "2023-07-19", ("2023-07-19", "2023-08-01", "4.19")),
        (calendar("15"), "2023-07-19", "2023-07-19", ("2023-07-19", "2023-08-01", "6.29")),
        # a quarter, a half-year and a year of the calendar
        (
            calendar("900", "quarter"),
            "2026-02-15",
            "2026-02-15",
            ("2026-02-15", "2026-04-01", "450.00"),
        ),
        (
            calendar("181", "half-year"),
            "2026-06-30",
            "2026-06-30",
            ("2026-06-30", "2026-07-01", "1.00"),
        ),
        (
            calendar("365", "year"),
            "2026-12-01",
            "2026-12-01",
            ("2026-12-01", "2027-01-01", "31.00"),
        ),
        (
            calendar("20", timing="arrears"),
            "2026-02-15",
            "2026-03-01",
            ("2026-02-15", "2026-03-01", "10.00"),
        ),
    ],
)
def test_the_first_period_of_the_calendar(terms, start, until, expected):
    charged = facts(terms, f"{start}..", anchor_day=15)
    assert rows(draft([charged], until=day(until))) == [expected]


def test_calendar_months_one_after_the_other():
    charged = facts(calendar(), "2026-01-31..", anchor_day=15)
    lines, mark = draft_and_mark(charged, until=day("2026-03-01"))
    assert rows(lines) == [
        ("2026-01-31", "2026-02-01", "0.65"),
        ("2026-02-01", "2026-03-01", "20.00"),
        ("2026-03-01", "2026-04-01", "20.00"),
    ]
    assert mark == Mark(day("2026-04-01"), day("2026-04-01"))


def test_an_interval_of_days_has_no_calendar():
    charged = facts(calendar("20", "10 days"), "2026-01-28..", anchor_day=15)
    assert rows(draft([charged], until=day("2026-02-07"))) == [
        ("2026-01-28", "2026-02-07", "20.00"),
        ("2026-02-07", "2026-02-17", "20.00"),
    ]


@pytest.mark.parametrize(
    ("terms", "spans", "expected"),
    [
        # Lago: the day of termination is billed: 24, 25 and 26 April
        (
            calendar("20", timing="arrears", conventions=LAGO),
            ["2024-04-24..2024-04-26"],
            [("2024-04-24", "2024-04-27", "2.00")],
        ),
        # a change of quantity is no end of service
        (
            calendar("30", timing="arrears", conventions=LAGO),
            ["2024-04-01..2024-04-11", "2024-04-11..2024-04-20 x2"],
            [("2024-04-01", "2024-04-11", "10.00"), ("2024-04-11", "2024-04-21", "20.00")],
        ),
        # a pause is one
        (
            calendar("30", timing="arrears", conventions=LAGO),
            ["2024-04-01..2024-04-10", "2024-04-15..2024-04-20"],
            [("2024-04-01", "2024-04-11", "10.00"), ("2024-04-15", "2024-04-21", "6.00")],
        ),
        # on the first of a month: that day is billed
        (
            calendar("31", timing="arrears", conventions=LAGO),
            ["2024-04-01..2024-05-01"],
            [("2024-04-01", "2024-05-01", "31.00"), ("2024-05-01", "2024-05-02", "1.00")],
        ),
    ],
)
def test_the_last_day_is_billed(terms, spans, expected):
    assert rows(draft([facts(terms, *spans)], until=day("2024-06-01"))) == expected


def test_the_last_day_moves_the_day_when_it_is_due():
    terms = calendar("20", timing="arrears", conventions=LAGO)
    charged = facts(terms, "2024-04-24..2024-04-26")
    assert draft_and_mark(charged, until=day("2024-04-26")) == ([], Mark(None, day("2024-04-27")))
    assert first_due_on(
        terms, started_on=day("2024-04-24"), anchor_day=1, ends_on=day("2024-04-26")
    ) == day("2024-04-27")


def nine(day_count="actual"):
    return Conventions(DayCount(day_count), fraction_places=9)


@pytest.mark.parametrize(
    ("terms", "spans", "started_on", "anchor_day", "until", "amounts"),
    [
        # Kill Bill: cancelled and changed in arrears
        (
            charge("900", timing="arrears", conventions=nine()),
            ["2023-08-11..2023-08-20"],
            "",
            1,
            "2023-08-20",
            ["261.29"],
        ),
        (
            charge("300", timing="arrears", conventions=nine()),
            ["2025-05-30..2025-05-31"],
            "",
            1,
            "2025-05-31",
            ["9.68"],
        ),
        # Kill Bill: a fragment up to the bill day
        (
            charge("20", alignment="bill_day", conventions=nine()),
            ["2011-06-21.."],
            "",
            10,
            "2011-06-21",
            ["12.67"],
        ),
        # Kill Bill: fixed days of the month; the two halves add to 19.95
        (
            charge("19.95", alignment="bill_day", conventions=nine("fixed_30")),
            ["2023-05-23.."],
            "",
            15,
            "2023-05-23",
            ["14.63"],
        ),
        (
            charge("19.95", alignment="bill_day", conventions=nine("fixed_30")),
            ["2023-05-15..2023-05-23"],
            "",
            15,
            "2023-05-23",
            ["5.32"],
        ),
        # Zuora: 14 days of December's period, then a month
        (
            charge("100", alignment="bill_day"),
            ["2018-01-01.."],
            "",
            15,
            "2018-02-14",
            ["45.16", "100.00"],
        ),
        # Zuora: five weeks and two days
        (
            charge("100", interval=Interval("week"), timing="arrears"),
            ["2018-01-01..2018-02-07"],
            "",
            1,
            "2018-02-07",
            ["100.00"] * 5 + ["28.57"],
        ),
        # Lago: the anniversary year holds 29 February
        (
            charge("1188", interval=Interval("year")),
            ["2023-11-19.."],
            "2023-07-19",
            1,
            "2023-11-19",
            ["788.75"],
        ),
        # Kill Bill: resumed within a year
        (
            charge("2399.95", interval=Interval("year"), conventions=nine()),
            ["2012-06-04.."],
            "2012-06-01",
            1,
            "2012-06-04",
            ["2380.22"],
        ),
    ],
)
def test_published_drafts(terms, spans, started_on, anchor_day, until, amounts):
    charged = facts(terms, *spans, started_on=started_on, anchor_day=anchor_day)
    lines = draft([charged], until=day(until))
    assert [line.amount for line in lines] == [Decimal(each) for each in amounts]
