"""Marks: how far a charge is billed once its draft is, and when it is due next."""

from datetime import date

import pytest

from o2b.charging import Mark, compile_charge, first_due_on, mark
from tests.o2b.charging.build import charge, day, facts

ADVANCE = charge()
ARREARS = charge(timing="arrears")
ADVANCE_BILL_DAY = charge(alignment="bill_day")
ARREARS_BILL_DAY = charge(alignment="bill_day", timing="arrears")
ONE_TIME = charge("99.90", kind="one_time")


@pytest.mark.parametrize(
    ("terms", "spans", "through", "until", "marked"),
    [
        (ADVANCE, ["2026-01-31.."], None, "2026-01-30", (None, "2026-01-31")),
        (ADVANCE, ["2026-01-31.."], None, "2026-01-31", ("2026-02-28", "2026-02-28")),
        (ADVANCE, ["2026-01-31.."], "2026-02-28", "2026-02-28", ("2026-03-31", "2026-03-31")),
        (ADVANCE, ["2026-01-31.."], "2026-03-31", "2026-02-01", ("2026-03-31", "2026-03-31")),
        (ARREARS, ["2026-01-31.."], None, "2026-01-31", (None, "2026-02-28")),
        (ARREARS, ["2026-01-31.."], None, "2026-02-28", ("2026-02-28", "2026-03-31")),
        (ADVANCE_BILL_DAY, ["2026-01-20.."], None, "2026-01-20", ("2026-02-15", "2026-02-15")),
        (ARREARS_BILL_DAY, ["2026-01-20.."], None, "2026-01-20", (None, "2026-02-15")),
        (ONE_TIME, ["2026-01-20.."], None, "2026-01-19", (None, "2026-01-20")),
        (ONE_TIME, ["2026-01-20.."], None, "2026-01-20", ("2026-01-21", None)),
        (ONE_TIME, ["2026-01-20.."], "2026-01-21", "2026-12-01", ("2026-01-21", None)),
        # ended: through the end, and never again
        (ADVANCE, ["2026-01-01..2026-01-11"], None, "2026-01-01", ("2026-01-11", None)),
        (ADVANCE, ["2026-01-01..2026-02-11"], None, "2026-01-01", ("2026-02-01", "2026-02-01")),
        (ARREARS, ["2026-01-01..2026-02-11"], None, "2026-02-01", ("2026-02-01", "2026-02-11")),
        (ARREARS, ["2026-01-01..2026-02-11"], "2026-02-01", "2026-02-11", ("2026-02-11", None)),
        (ARREARS, ["2026-01-01..2026-02-11"], "2026-02-11", "2026-12-01", ("2026-02-11", None)),
        # out of service for months: next due when it is back
        (
            ADVANCE,
            ["2026-01-01..2026-01-11", "2026-05-22.."],
            None,
            "2026-01-01",
            ("2026-02-01", "2026-05-01"),
        ),
    ],
)
def test_mark(terms, spans, through, until, marked):
    found = mark(facts(terms, *spans, anchor_day=15, through=through), until=day(until))
    assert found == Mark(*(each and day(each) for each in marked))


@pytest.mark.parametrize(
    ("terms", "ends_on", "due_on"),
    [
        (ADVANCE, None, "2026-01-20"),
        (ARREARS, None, "2026-02-20"),
        (ADVANCE_BILL_DAY, None, "2026-01-20"),
        (ARREARS_BILL_DAY, None, "2026-02-15"),
        (ARREARS_BILL_DAY, "2026-02-01", "2026-02-01"),
        (ONE_TIME, None, "2026-01-20"),
    ],
)
def test_first_due_on(terms, ends_on, due_on):
    ends = {"ends_on": day(ends_on)} if ends_on else {}
    for each in (terms, compile_charge(terms)):
        found = first_due_on(each, started_on=date(2026, 1, 20), anchor_day=15, **ends)
        assert found == day(due_on)
