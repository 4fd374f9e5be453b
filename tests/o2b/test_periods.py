"""Periods: half open, and anchors that short months do not lose."""

from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.periods import (
    FOREVER,
    Interval,
    Period,
    Unit,
    add_months,
    anchored_period,
    boundaries,
    calendar_period,
    periods_from,
)

MONTH = Interval(Unit.MONTH)


def day(text: str) -> date:
    return date.fromisoformat(text)


def period(start: str, end: str) -> Period:
    return Period(day(start), day(end))


def test_a_period_is_half_open():
    january = period("2026-01-01", "2026-02-01")
    assert january.days == 31
    assert january.contains(day("2026-01-01"))
    assert january.contains(day("2026-01-31"))
    assert not january.contains(day("2026-02-01"))
    assert str(january) == "[2026-01-01, 2026-02-01)"
    assert Period(day("2026-01-01"), FOREVER).contains(day("9999-12-30"))


@pytest.mark.parametrize("end", ["2026-01-01", "2025-12-31"])
def test_a_period_is_never_empty(end):
    with pytest.raises(ValueError, match="ends after it starts"):
        period("2026-01-01", end)


@pytest.mark.parametrize(
    ("other", "common"),
    [
        (("2026-01-10", "2026-01-20"), ("2026-01-10", "2026-01-20")),
        (("2025-12-01", "2026-01-02"), ("2026-01-01", "2026-01-02")),
        (("2026-01-31", "2026-03-01"), ("2026-01-31", "2026-02-01")),
        (("2026-02-01", "2026-03-01"), None),
        (("2025-12-01", "2026-01-01"), None),
    ],
)
def test_overlap(other, common):
    january, other = period("2026-01-01", "2026-02-01"), period(*other)
    expected = common and period(*common)
    assert january.overlap(other) == expected
    assert other.overlap(january) == expected


@pytest.mark.parametrize(
    ("start", "n", "anchor", "expected"),
    [
        ("2026-01-31", 1, None, "2026-02-28"),
        ("2024-01-31", 1, None, "2024-02-29"),
        ("2026-02-28", 1, None, "2026-03-28"),
        ("2026-02-28", 1, 31, "2026-03-31"),
        ("2026-02-28", 2, 31, "2026-04-30"),
        ("2024-02-29", 12, None, "2025-02-28"),
        ("2025-02-28", 36, 29, "2028-02-29"),
        ("2026-12-31", 2, None, "2027-02-28"),
        ("2026-03-31", -1, None, "2026-02-28"),
        ("2026-01-15", -13, None, "2024-12-15"),
        ("2026-01-15", 0, 31, "2026-01-31"),
    ],
)
def test_add_months(start, n, anchor, expected):
    assert add_months(day(start), n, anchor) == day(expected)


@pytest.mark.parametrize(
    ("unit", "count", "start", "boundaries"),
    [
        ("day", 1, "2026-02-27", ["2026-02-28", "2026-03-01", "2026-03-02"]),
        ("week", 2, "2026-01-01", ["2026-01-15", "2026-01-29", "2026-02-12"]),
        ("month", 1, "2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30"]),
        ("month", 1, "2024-01-30", ["2024-02-29", "2024-03-30", "2024-04-30"]),
        ("month", 1, "2026-01-29", ["2026-02-28", "2026-03-29", "2026-04-29"]),
        ("month", 1, "2026-01-28", ["2026-02-28", "2026-03-28", "2026-04-28"]),
        ("month", 3, "2025-11-30", ["2026-02-28", "2026-05-30", "2026-08-30"]),
        ("year", 1, "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28"]),
        ("year", 4, "2024-02-29", ["2028-02-29", "2032-02-29", "2036-02-29"]),
    ],
)
def test_advance_counts_from_the_anchor(unit, count, start, boundaries):
    interval = Interval(Unit(unit), count)
    assert [interval.advance(day(start), n) for n in (1, 2, 3)] == [day(b) for b in boundaries]
    assert interval.advance(day(start), 0) == day(start)


def test_an_interval_counts_from_one_and_knows_its_name():
    assert str(MONTH) == "month"
    assert str(Interval(Unit.WEEK, 2)) == "2 weeks"
    assert Interval("month", 1) == MONTH
    with pytest.raises(ValueError, match="at least one"):
        Interval(Unit.MONTH, 0)
    with pytest.raises(ValueError, match="fortnight"):
        Interval("fortnight", 1)


@pytest.mark.parametrize(
    ("on", "interval", "anchor", "anchor_day", "expected"),
    [
        # the stub that a start after the bill day makes lies in a full period before it
        ("2026-01-20", MONTH, "2026-01-20", 15, ("2026-01-15", "2026-02-15")),
        ("2026-01-10", MONTH, "2026-01-10", 15, ("2025-12-15", "2026-01-15")),
        ("2026-01-15", MONTH, "2026-01-15", 15, ("2026-01-15", "2026-02-15")),
        # 28 to 31 in February, common and leap
        ("2026-02-15", MONTH, "2026-01-28", 28, ("2026-01-28", "2026-02-28")),
        ("2026-02-15", MONTH, "2026-01-29", 29, ("2026-01-29", "2026-02-28")),
        ("2024-02-15", MONTH, "2024-01-29", 29, ("2024-01-29", "2024-02-29")),
        ("2026-02-28", MONTH, "2026-01-30", 30, ("2026-02-28", "2026-03-30")),
        ("2024-02-28", MONTH, "2024-01-30", 30, ("2024-01-30", "2024-02-29")),
        ("2026-02-27", MONTH, "2026-01-31", 31, ("2026-01-31", "2026-02-28")),
        ("2026-02-28", MONTH, "2026-01-31", 31, ("2026-02-28", "2026-03-31")),
        ("2024-02-29", MONTH, "2024-01-31", 31, ("2024-02-29", "2024-03-31")),
        ("2026-03-30", MONTH, "2026-01-31", 31, ("2026-02-28", "2026-03-31")),
        ("2026-04-30", MONTH, "2026-01-31", 31, ("2026-04-30", "2026-05-31")),
        # a start in a month too short for the anchor day is its last day
        ("2026-02-28", MONTH, "2026-02-28", 31, ("2026-02-28", "2026-03-31")),
        ("2026-02-10", MONTH, "2026-02-10", 31, ("2026-01-31", "2026-02-28")),
        # longer intervals run from the first anchor day after the start
        ("2026-01-20", Interval("month", 3), "2026-01-20", 15, ("2025-11-15", "2026-02-15")),
        ("2026-03-01", Interval("month", 3), "2026-01-20", 15, ("2026-02-15", "2026-05-15")),
        ("2026-01-20", Interval("year", 1), "2026-01-20", 15, ("2025-02-15", "2026-02-15")),
        ("2025-02-28", Interval("year", 1), "2024-02-29", 29, ("2025-02-28", "2026-02-28")),
        ("2028-02-28", Interval("year", 1), "2024-02-29", 29, ("2027-02-28", "2028-02-29")),
        # days and weeks run from the start, whatever the anchor day
        ("2026-01-25", Interval("week", 2), "2026-01-20", 15, ("2026-01-20", "2026-02-03")),
        ("2026-01-19", Interval("week", 1), "2026-01-20", 15, ("2026-01-13", "2026-01-20")),
        ("2026-01-22", Interval("day", 1), "2026-01-20", 15, ("2026-01-22", "2026-01-23")),
    ],
)
def test_anchored_period(on, interval, anchor, anchor_day, expected):
    assert anchored_period(day(on), interval, day(anchor), anchor_day) == period(*expected)


@settings(deadline=None)
@given(
    anchor=st.dates(date(1999, 1, 1), date(2040, 1, 1)),
    offset=st.integers(-900, 900),
    anchor_day=st.integers(1, 31),
    interval=st.builds(Interval, st.sampled_from(Unit), st.integers(1, 24)),
)
def test_every_day_lies_in_one_period_and_periods_touch(anchor, offset, anchor_day, interval):
    on = anchor + timedelta(days=offset)
    full = anchored_period(on, interval, anchor, anchor_day)
    assert full.contains(on)
    assert anchored_period(full.start, interval, anchor, anchor_day) == full
    following = anchored_period(full.end, interval, anchor, anchor_day)
    assert following.start == full.end
    if interval.months:
        tomorrow = full.start + timedelta(days=1)
        assert full.start.day == anchor_day or (full.start.day < anchor_day and tomorrow.day == 1)


@settings(deadline=None)
@given(
    anchor=st.dates(date(1999, 1, 1), date(2040, 1, 1)),
    n=st.integers(0, 60),
    interval=st.builds(Interval, st.sampled_from(Unit), st.integers(1, 6)),
)
def test_an_anniversary_grid_is_what_advance_says(anchor, n, interval):
    start, end = interval.advance(anchor, n), interval.advance(anchor, n + 1)
    assert anchored_period(start, interval, anchor, anchor.day) == Period(start, end)


def test_a_period_may_be_told_by_its_last_day():
    january = Period.inclusive(day("2026-01-01"), day("2026-01-31"))
    assert january == period("2026-01-01", "2026-02-01")
    assert january.last == day("2026-01-31")
    assert Period.inclusive(day("2026-01-01"), day("2026-01-01")).days == 1
    with pytest.raises(ValueError, match="ends after it starts"):
        Period.inclusive(day("2026-01-02"), day("2026-01-01"))


@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("day", Interval("day")),
        ("daily", Interval("day")),
        ("30 days", Interval("day", 30)),
        ("week", Interval("week")),
        ("2 weeks", Interval("week", 2)),
        ("month", Interval("month")),
        ("Monthly", Interval("month")),
        ("quarter", Interval("month", 3)),
        ("quarterly", Interval("month", 3)),
        ("2 quarters", Interval("month", 6)),
        ("half-year", Interval("month", 6)),
        ("year", Interval("year")),
        ("annual", Interval("year")),
        ("3 years", Interval("year", 3)),
    ],
)
def test_named_intervals(name, interval):
    assert Interval.named(name) == interval


@pytest.mark.parametrize(
    "name", ["", "s", "fortnight", "a month", "-1 month", "1.5 months", "0 days"]
)
def test_names_of_no_interval(name):
    with pytest.raises(ValueError, match="interval"):
        Interval.named(name)


@pytest.mark.parametrize(
    ("on", "name", "expected"),
    [
        ("2026-05-20", "week", ("2026-05-18", "2026-05-25")),  # Wednesday
        ("2026-05-18", "week", ("2026-05-18", "2026-05-25")),  # Monday
        ("2026-05-24", "week", ("2026-05-18", "2026-05-25")),  # Sunday
        ("1999-12-31", "week", ("1999-12-27", "2000-01-03")),
        ("2026-02-28", "month", ("2026-02-01", "2026-03-01")),
        ("2026-05-20", "2 months", ("2026-05-01", "2026-07-01")),
        ("2018-01-15", "quarter", ("2018-01-01", "2018-04-01")),
        ("2026-12-31", "quarter", ("2026-10-01", "2027-01-01")),
        ("2026-05-20", "half-year", ("2026-01-01", "2026-07-01")),
        ("2026-07-01", "half-year", ("2026-07-01", "2027-01-01")),
        ("2024-02-29", "year", ("2024-01-01", "2025-01-01")),
        ("2026-05-25", "10 days", ("2026-05-23", "2026-06-02")),  # from the anchor
    ],
)
def test_calendar_period(on, name, expected):
    assert calendar_period(day(on), Interval.named(name), day("2026-05-03")) == period(*expected)


@pytest.mark.parametrize(
    ("start", "name", "how", "count", "expected"),
    [
        # Kill Bill: the anchor of the 31st comes back after a short month
        (
            "2025-03-31",
            "month",
            {"anchor_day": 31},
            2,
            ["2025-03-31", "2025-04-30", "2025-05-31"],
        ),
        (
            "2012-07-16",
            "month",
            {"anchor_day": 15},
            4,
            ["2012-07-16", "2012-08-15", "2012-09-15", "2012-10-15", "2012-11-15"],
        ),
        (
            "2016-04-08",
            "30 days",
            {},
            4,
            ["2016-04-08", "2016-05-08", "2016-06-07", "2016-07-07", "2016-08-06"],
        ),
        # ERPNext: a quarter that follows calendar months
        ("2018-01-15", "quarter", {"calendar": True}, 1, ["2018-01-15", "2018-04-01"]),
        # Lago: a year from the end of January
        ("2024-01-31", "year", {}, 1, ["2024-01-31", "2025-01-31"]),
        ("2022-06-22", "week", {"calendar": True}, 2, ["2022-06-22", "2022-06-27", "2022-07-04"]),
        # OCA: ended in the middle of March
        (
            "2018-01-01",
            "month",
            {"end": date(2018, 3, 16)},
            9,
            ["2018-01-01", "2018-02-01", "2018-03-01", "2018-03-16"],
        ),
    ],
)
def test_boundaries(start, name, how, count, expected):
    found = boundaries(day(start), Interval.named(name), count=count, **how)
    assert [str(each) for each in found] == expected


def test_a_trial_cuts_the_calendar_month():
    """Silver: 17 February with a trial up to and with 4 March."""
    found = periods_from(
        day("2015-02-17"), MONTH, calendar=True, cuts=[day("2015-03-05"), day("2015-02-17")]
    )
    assert [(str(each.start), str(each.last)) for each in islice(found, 4)] == [
        ("2015-02-17", "2015-02-28"),
        ("2015-03-01", "2015-03-04"),
        ("2015-03-05", "2015-03-31"),
        ("2015-04-01", "2015-04-30"),
    ]
