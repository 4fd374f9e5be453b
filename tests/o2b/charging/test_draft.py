"""Drafts of charges that nothing happened to: which periods, when due, how much."""

from decimal import Decimal

import pytest

from o2b.charging import DraftLine, Mark, compile_charge, draft, draft_and_mark
from o2b.periods import Interval, Period
from tests.o2b.charging.build import charge, day, facts, rows

ADVANCE = charge()
ARREARS = charge(timing="arrears")
ADVANCE_BILL_DAY = charge(alignment="bill_day")
ARREARS_BILL_DAY = charge(alignment="bill_day", timing="arrears")
ONE_TIME = charge("99.90", kind="one_time")


def test_a_line_says_all_there_is_to_say():
    compiled = compile_charge(ADVANCE_BILL_DAY)
    charged = facts(compiled, "2026-01-20.. x2", anchor_day=15)
    stub = Period(day("2026-01-20"), day("2026-02-15"))
    full = Period(day("2026-01-15"), day("2026-02-15"))
    amount = Decimal("33.55")  # 40 × 26/31
    expected = [DraftLine(7, "base", stub, full, 1, 1, Decimal(2), amount, amount, "period")]
    assert draft([charged], until=day("2026-01-20")) == expected
    assert draft_and_mark(charged, until=day("2026-01-20")) == (
        expected,
        Mark(day("2026-02-15"), day("2026-02-15")),
    )


@pytest.mark.parametrize(
    ("terms", "started_on", "anchor_day", "until", "expected"),
    [
        # advance, anniversary: due on the day a period starts
        (ADVANCE, "2026-01-20", 1, "2026-01-19", []),
        (ADVANCE, "2026-01-20", 1, "2026-01-20", [("2026-01-20", "2026-02-20", "20.00")]),
        (ADVANCE, "2026-01-20", 1, "2026-02-19", [("2026-01-20", "2026-02-20", "20.00")]),
        # arrears, anniversary: due on the day it ends
        (ARREARS, "2026-01-20", 1, "2026-02-19", []),
        (ARREARS, "2026-01-20", 1, "2026-02-20", [("2026-01-20", "2026-02-20", "20.00")]),
        # advance, bill day: a stub of 26 days of [01-15, 02-15), then full periods
        (ADVANCE_BILL_DAY, "2026-01-20", 15, "2026-01-19", []),
        (
            ADVANCE_BILL_DAY,
            "2026-01-20",
            15,
            "2026-02-15",
            [("2026-01-20", "2026-02-15", "16.77"), ("2026-02-15", "2026-03-15", "20.00")],
        ),
        # a start on the bill day has no stub
        (ADVANCE_BILL_DAY, "2026-01-15", 15, "2026-01-15", [("2026-01-15", "2026-02-15", "20.00")]),
        # arrears, bill day
        (ARREARS_BILL_DAY, "2026-01-20", 15, "2026-02-14", []),
        (ARREARS_BILL_DAY, "2026-01-20", 15, "2026-02-15", [("2026-01-20", "2026-02-15", "16.77")]),
        # a bill day of 31 in February: the stub is 18 days of [01-31, 02-28)
        (
            ADVANCE_BILL_DAY,
            "2026-02-10",
            31,
            "2026-03-31",
            [
                ("2026-02-10", "2026-02-28", "12.86"),
                ("2026-02-28", "2026-03-31", "20.00"),
                ("2026-03-31", "2026-04-30", "20.00"),
            ],
        ),
        # other intervals; a quarter on the bill day has its stub up to the first bill day
        (
            charge("90", interval=Interval("month", 3), alignment="bill_day"),
            "2026-01-20",
            15,
            "2026-02-15",
            [("2026-01-20", "2026-02-15", "25.43"), ("2026-02-15", "2026-05-15", "90.00")],
        ),
        (
            charge("365", interval=Interval("year", 1)),
            "2024-02-29",
            1,
            "2025-02-28",
            [("2024-02-29", "2025-02-28", "365.00"), ("2025-02-28", "2026-02-28", "365.00")],
        ),
        (
            charge("7", interval=Interval("week", 2), timing="arrears"),
            "2026-01-20",
            1,
            "2026-02-17",
            [("2026-01-20", "2026-02-03", "7.00"), ("2026-02-03", "2026-02-17", "7.00")],
        ),
        # without proration the stub costs the whole
        (
            charge(alignment="bill_day", proration="full"),
            "2026-02-14",
            15,
            "2026-02-14",
            [("2026-02-14", "2026-02-15", "20.00")],
        ),
        # one-time: once, on the day, whatever the timing
        (ONE_TIME, "2026-01-20", 1, "2026-01-19", []),
        (ONE_TIME, "2026-01-20", 1, "2026-12-31", [("2026-01-20", "2026-01-21", "99.90")]),
        # a price of nothing is drafted, so that it is marked as billed
        (charge("0"), "2026-01-20", 1, "2026-01-20", [("2026-01-20", "2026-02-20", "0.00")]),
        # minor units
        (
            charge("1000", alignment="bill_day", currency="JPY"),
            "2026-01-20",
            15,
            "2026-01-20",
            [("2026-01-20", "2026-02-15", "839")],  # 838.7
        ),
        (
            charge("10", alignment="bill_day", currency="KWD"),
            "2026-01-20",
            15,
            "2026-01-20",
            [("2026-01-20", "2026-02-15", "8.387")],  # 8.38709
        ),
    ],
)
def test_periods_due(terms, started_on, anchor_day, until, expected):
    charged = facts(terms, f"{started_on}..", anchor_day=anchor_day)
    assert rows(draft([charged], until=day(until))) == expected


@pytest.mark.parametrize("timing", ["advance", "arrears"])
@pytest.mark.parametrize("alignment", ["anniversary", "bill_day"])
@pytest.mark.parametrize(
    ("started_on", "boundaries"),
    [
        ("2026-01-28", ["2026-02-28", "2026-03-28", "2026-04-28"]),
        ("2026-01-29", ["2026-02-28", "2026-03-29", "2026-04-29"]),
        ("2026-01-30", ["2026-02-28", "2026-03-30", "2026-04-30"]),
        ("2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2024-01-28", ["2024-02-28", "2024-03-28", "2024-04-28"]),
        ("2024-01-29", ["2024-02-29", "2024-03-29", "2024-04-29"]),
        ("2024-01-30", ["2024-02-29", "2024-03-30", "2024-04-30"]),
        ("2024-01-31", ["2024-02-29", "2024-03-31", "2024-04-30"]),
    ],
)
def test_anchors_at_the_end_of_months(timing, alignment, started_on, boundaries):
    """The same by anniversary and by bill day; each month costs the whole price."""
    terms = charge("49.90", timing=timing, alignment=alignment)
    charged = facts(terms, f"{started_on}..", anchor_day=day(started_on).day)
    ends = [started_on, *boundaries]
    spans = [(start, end, "49.90") for start, end in zip(ends, ends[1:], strict=False)]
    until = boundaries[-2] if timing == "advance" else boundaries[-1]
    assert rows(draft([charged], until=day(until))) == spans
    later = facts(terms, f"{started_on}..", anchor_day=day(started_on).day, through=boundaries[0])
    assert rows(draft([later], until=day(until))) == spans[1:]


@pytest.mark.parametrize(
    ("terms", "spans", "until", "expected"),
    [
        # an end known in advance is never charged past
        (ADVANCE, ["2026-01-01..2026-01-11"], "2026-01-01", [("2026-01-01", "2026-01-11", "6.45")]),
        (ADVANCE, ["2026-01-01..2026-01-11"], "2026-06-01", [("2026-01-01", "2026-01-11", "6.45")]),
        # the last arrears period is due on the day of the end
        (ARREARS, ["2026-01-01..2026-01-11"], "2026-01-10", []),
        (ARREARS, ["2026-01-01..2026-01-11"], "2026-01-11", [("2026-01-01", "2026-01-11", "6.45")]),
        (
            ARREARS,
            ["2026-01-01..2026-02-01"],
            "2026-06-01",
            [("2026-01-01", "2026-02-01", "20.00")],
        ),
        # a quantity that changes: 20 × 10/31, then 20 × 10/31 + 60 × 21/31 = 47.0967… in all
        (
            ARREARS,
            ["2026-01-01..2026-01-11 x1", "2026-01-11.. x3"],
            "2026-02-01",
            [("2026-01-01", "2026-01-11", "6.45"), ("2026-01-11", "2026-02-01", "40.65")],
        ),
        # the same quantity in three pieces is one piece: nothing changed that is billed
        (
            ARREARS,
            ["2026-01-01..2026-01-11", "2026-01-11..2026-01-21", "2026-01-21.."],
            "2026-02-01",
            [("2026-01-01", "2026-02-01", "20.00")],
        ),
        # three pieces by running totals: 6.4516, 19.3548, 26.4516
        (
            ARREARS,
            ["2026-01-01..2026-01-11 x1", "2026-01-11..2026-01-21 x2", "2026-01-21.. x1"],
            "2026-02-01",
            [
                ("2026-01-01", "2026-01-11", "6.45"),
                ("2026-01-11", "2026-01-21", "12.90"),
                ("2026-01-21", "2026-02-01", "7.10"),
            ],
        ),
        # out of service from the 11th of January to the 22nd of March: February has no line
        (
            ADVANCE,
            ["2026-01-01..2026-01-11", "2026-03-22.."],
            "2026-04-01",
            [
                ("2026-01-01", "2026-01-11", "6.45"),
                ("2026-03-22", "2026-04-01", "6.45"),
                ("2026-04-01", "2026-05-01", "20.00"),
            ],
        ),
        (ONE_TIME, ["2026-01-01..2026-01-11 x2", "2026-01-11.. x5"], "2026-06-01", None),
    ],
)
def test_segments(terms, spans, until, expected):
    if expected is None:
        expected = [("2026-01-01", "2026-01-02", "199.80")]
    assert rows(draft([facts(terms, *spans)], until=day(until))) == expected


def test_segments_are_numbered_within_their_period():
    spans = ["2026-01-01..2026-01-11 x1", "2026-01-11..2026-02-11 x2", "2026-02-11.. x1"]
    lines = draft([facts(ARREARS, *spans)], until=day("2026-03-01"))
    assert [(str(line.full_period.start), line.segment) for line in lines] == [
        ("2026-01-01", 1),
        ("2026-01-01", 2),
        ("2026-02-01", 1),
        ("2026-02-01", 2),
    ]


def test_a_continued_service_keeps_the_grid_of_its_first_start():
    charged = facts(ADVANCE, "2026-03-10..", started_on="2026-01-31")
    assert rows(draft([charged], until=day("2026-03-31"))) == [
        ("2026-03-10", "2026-03-31", "13.55"),  # 20 × 21/31 of [02-28, 03-31)
        ("2026-03-31", "2026-04-30", "20.00"),
    ]
    assert draft([charged], until=day("2026-03-09")) == []


def test_what_was_billed_elsewhere_is_not_billed_again():
    charged = facts(ADVANCE, "2026-01-01..", through="2026-01-11")
    assert rows(draft([charged], until=day("2026-01-31"))) == [
        ("2026-01-11", "2026-02-01", "13.55")
    ]


def test_charges_are_drafted_in_the_order_given():
    charged = [facts(ONE_TIME, "2026-01-01..", ref=2), facts(ADVANCE, "2026-01-01..", ref=1)]
    lines = draft(charged, until=day("2026-01-01"))
    assert [(line.ref, line.cause) for line in lines] == [(2, "one_time"), (1, "period")]


@pytest.mark.parametrize("terms", [ONE_TIME, ADVANCE, ARREARS])
def test_service_that_ended_before_the_charge_starts_is_none(terms):
    charged = facts(terms, "2026-01-01..2026-01-11", started_on="2026-01-11")
    assert draft_and_mark(charged, until=day("2026-12-31")) == ([], Mark(None, None))


def test_without_service_there_is_nothing():
    charged = facts(ADVANCE, started_on="2026-01-01")
    assert draft_and_mark(charged, until=day("2026-12-31")) == ([], Mark(None, None))
