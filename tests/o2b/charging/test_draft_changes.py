"""Billing by difference: changes, ends and returns, each told as bills one after the other."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.charging import Billed, ChargeTerms, DraftLine, Mark, draft, draft_and_mark
from tests.o2b.charging.build import bill, charge, day, facts, rows

ADVANCE = charge()
ARREARS = charge(timing="arrears")
ONE_TIME = charge("99.90", kind="one_time")
WHOLE = charge(proration="full")


def story(terms: ChargeTerms, *chapters: tuple[str, list[str]]) -> list[list[DraftLine]]:
    """Bill a charge on each day with the service as it was known then."""
    sums: dict[tuple[date, int], Billed] = {}
    bills, started = [], chapters[0][1][0][:10]
    for until, spans in chapters:
        began = spans[0][:10] if spans else started
        charged = facts(terms, *spans, started_on=began, billed=sums.values())
        lines = draft([charged], until=day(until))
        bill(sums, lines)
        bills.append(lines)
    return bills


JANUARY = ("2026-01-01", "2026-02-01")


@pytest.mark.parametrize(
    ("terms", "chapters", "last_bill"),
    [
        pytest.param(
            ADVANCE,
            [("2026-01-01", ["2026-01-01.."]), ("2026-01-15", ["2026-01-01..2026-01-11"])],
            [("2026-01-01", "2026-01-11", "-13.55")],  # 6.45 − 20
            id="an end within a paid period is a credit",
        ),
        pytest.param(
            ADVANCE,
            [("2026-03-01", ["2026-01-01.."]), ("2026-03-05", ["2026-01-01..2026-01-11"])],
            [
                ("2026-01-01", "2026-01-11", "-13.55"),
                ("2026-02-01", "2026-03-01", "-20.00"),
                ("2026-03-01", "2026-04-01", "-20.00"),
            ],
            id="a backdated end takes back every later period",
        ),
        pytest.param(
            ADVANCE,
            [
                ("2026-01-01", ["2026-01-01.. x1"]),
                ("2026-02-01", ["2026-01-01..2026-01-11 x1", "2026-01-11.. x3"]),
            ],
            [
                ("2026-01-01", "2026-01-11", "-13.55"),  # the first segment is now 6.45
                ("2026-01-11", "2026-02-01", "40.65"),
                ("2026-02-01", "2026-03-01", "60.00"),
            ],
            id="more units within a paid period",
        ),
        pytest.param(
            ADVANCE,
            [
                ("2026-01-01", ["2026-01-01.. x3"]),
                ("2026-01-20", ["2026-01-01..2026-01-11 x3", "2026-01-11.. x1"]),
            ],
            [
                ("2026-01-01", "2026-01-11", "-40.65"),  # 19.35 − 60
                ("2026-01-11", "2026-02-01", "13.55"),  # round(32.9032) − 19.35
            ],
            id="fewer units within a paid period",
        ),
        pytest.param(
            ADVANCE,
            [
                ("2026-01-01", ["2026-01-01..2026-01-11 x1", "2026-01-11.. x3"]),
                ("2026-01-20", ["2026-01-01.. x1"]),
            ],
            [("2026-01-01", "2026-02-01", "13.55"), ("2026-01-01", "2026-02-01", "-40.65")],
            id="a segment that is no more",
        ),
        pytest.param(
            ADVANCE,
            [("2026-01-01", ["2026-01-01.."]), ("2026-01-02", [])],
            [("2026-01-01", "2026-02-01", "-20.00")],
            id="it was never in service",
        ),
        pytest.param(
            ADVANCE,
            [("2026-01-10", ["2026-01-10.."]), ("2026-01-12", ["2026-01-05.."])],
            [("2026-01-05", "2026-02-05", "20.00"), ("2026-01-10", "2026-02-10", "-20.00")],
            id="another start is another grid",
        ),
        pytest.param(
            ARREARS,
            [
                ("2026-01-11", ["2026-01-01..2026-01-11"]),
                ("2026-01-12", ["2026-01-01.."]),
                ("2026-03-01", ["2026-01-01.."]),
            ],
            [("2026-02-01", "2026-03-01", "20.00")],
            id="an end that was taken back: the rest of January came at once",
        ),
        pytest.param(
            ARREARS,
            [("2026-02-10", ["2026-01-10.."]), ("2026-02-12", ["2026-01-05.."])],
            [("2026-01-05", "2026-02-05", "20.00"), ("2026-01-10", "2026-02-10", "-20.00")],
            id="another start, in arrears",
        ),
        pytest.param(
            ARREARS,
            [("2026-02-10", ["2026-01-10.."]), ("2026-02-10", ["2026-01-08.."])],
            [("2026-01-08", "2026-02-08", "20.00"), ("2026-01-10", "2026-02-10", "-20.00")],
            id="another start, the same day",
        ),
        pytest.param(
            ARREARS,
            [("2026-01-30", ["2026-01-10..2026-01-20"]), ("2026-01-30", ["2026-01-08.."])],
            [("2026-01-10", "2026-02-10", "-6.45")],
            id="another start, nothing due any more",
        ),
        pytest.param(
            ADVANCE,
            [("2026-01-01", ["2026-01-01.."]), ("2026-01-20", ["2026-01-01.."])],
            [],
            id="a change that changes nothing",
        ),
        pytest.param(
            ADVANCE,
            [("2026-03-01", ["2026-01-01.."]), ("2026-01-20", ["2026-01-01..2026-02-11"])],
            [("2026-02-01", "2026-02-11", "-12.86"), ("2026-03-01", "2026-04-01", "-20.00")],
            id="a run for an earlier day still corrects what was billed",
        ),
        pytest.param(
            ONE_TIME,
            [("2026-01-01", ["2026-01-01.. x1"]), ("2026-01-20", ["2026-01-01.. x2"])],
            [("2026-01-01", "2026-01-02", "99.90")],
            id="one-time: the first quantity was wrong",
        ),
        pytest.param(
            ONE_TIME,
            [
                ("2026-01-01", ["2026-01-01.. x1"]),
                ("2026-01-20", ["2026-01-01..2026-01-11 x1", "2026-01-11.. x9"]),
            ],
            [],
            id="one-time: later units cost nothing",
        ),
        pytest.param(
            ONE_TIME,
            [("2026-01-01", ["2026-01-01.."]), ("2026-01-20", [])],
            [("2026-01-01", "2026-01-02", "-99.90")],
            id="one-time: never in service",
        ),
        pytest.param(
            WHOLE,
            [("2026-01-01", ["2026-01-01.. x2"]), ("2026-01-20", ["2026-01-01..2026-01-11 x2"])],
            [],
            id="without proration an end gives nothing back",
        ),
        pytest.param(
            WHOLE,
            [
                ("2026-01-01", ["2026-01-01.. x2"]),
                ("2026-01-20", ["2026-01-01..2026-01-11 x2", "2026-01-11.. x5"]),
            ],
            [("2026-01-11", "2026-02-01", "60.00")],
            id="without proration three more units cost the whole month",
        ),
    ],
)
def test_the_last_bill_of_a_story(terms, chapters, last_bill):
    assert rows(story(terms, *chapters)[-1]) == last_bill


def test_revisions_count_up_and_name_their_cause():
    one, three = ["2026-01-01.. x1"], ["2026-01-01.. x3"]
    bills = story(
        ADVANCE,
        ("2026-01-01", one),
        ("2026-01-02", three),
        ("2026-01-03", one),
        ("2026-02-01", one),
    )
    told = [
        (str(each.full_period.start), each.revision, str(each.amount), str(each.target), each.cause)
        for lines in bills
        for each in lines
    ]
    assert told == [
        ("2026-01-01", 1, "20.00", "20.00", "period"),
        ("2026-01-01", 2, "40.00", "60.00", "change"),
        ("2026-01-01", 3, "-40.00", "20.00", "change"),
        ("2026-02-01", 1, "20.00", "20.00", "period"),
    ]


def test_a_new_segment_of_a_billed_period_is_a_change():
    bills = story(
        ADVANCE,
        ("2026-01-01", ["2026-01-01.. x1"]),
        ("2026-01-20", ["2026-01-01..2026-01-11 x1", "2026-01-11.. x3"]),
    )
    assert [(each.segment, each.revision, each.cause) for each in bills[-1]] == [
        (1, 2, "change"),
        (2, 1, "change"),
    ]


def test_a_credit_names_the_whole_period_it_takes_back():
    (line,) = story(ADVANCE, ("2026-01-01", ["2026-01-01.. x2"]), ("2026-01-02", []))[-1]
    assert (str(line.period), str(line.full_period)) == ("[2026-01-01, 2026-02-01)",) * 2
    assert (line.quantity, line.target, line.amount) == (0, Decimal("0.00"), Decimal("-40.00"))


def test_a_billed_zero_is_not_billed_again_and_nothing_is_taken_back_of_it():
    free = charge("0")
    assert rows(story(free, ("2026-01-01", ["2026-01-01.."]))[-1]) == [(*JANUARY, "0.00")]
    again = story(free, ("2026-01-01", ["2026-01-01.."]), ("2026-01-02", ["2026-01-01.."]))
    assert again[-1] == []
    gone = story(free, ("2026-01-01", ["2026-01-01.."]), ("2026-01-02", []))
    assert gone[-1] == []


@pytest.mark.parametrize(
    ("terms", "spans", "billed", "until", "marked"),
    [
        # an end moves the mark back to it
        (ADVANCE, ["2026-01-01..2026-01-11"], ["2026-01-01"], "2026-01-15", ("2026-01-11", None)),
        # an early arrears bill, its end taken back: the whole month is billed now
        (ARREARS, ["2026-01-01.."], ["2026-01-01"], "2026-01-15", ("2026-02-01", "2026-03-01")),
        # a start that moved into the future: nothing of it is billed
        (ADVANCE, ["2026-02-20.."], ["2026-01-01"], "2026-01-15", (None, "2026-02-20")),
        (ADVANCE, [], ["2026-01-01"], "2026-01-15", (None, None)),
    ],
)
def test_the_mark_of_a_changed_charge_is_computed_anew(terms, spans, billed, until, marked):
    sums = [Billed(day(each), 1, 1, Decimal("20.00"), day("2026-02-01")) for each in billed]
    charged = facts(
        terms, *spans, started_on="" if spans else "2026-01-01", through="2026-02-01", billed=sums
    )
    _, found = draft_and_mark(charged, until=day(until))
    assert found == Mark(*(each and day(each) for each in marked))
