"""Day counts: each formula against the figures that its source prints."""

from fractions import Fraction

import pytest

from o2b.charging.daycount import (
    Ratio,
    calendar_months,
    days_360,
    fixed_days,
    fraction,
    ratio,
    rest_of_month,
    running,
)
from o2b.charging.terms import Conventions, DayCount
from o2b.periods import Interval, Period, add_months
from tests.o2b.charging.build import day

MONTH = Interval("month", 1)


def inside(first: str, last: str) -> Period:
    return Period.inclusive(day(first), day(last))


def span(start: str, end: str) -> Period:
    return Period(day(start), day(end))


@pytest.mark.parametrize(
    ("first", "last", "actual", "actual_30", "strict"),
    [
        # Zuora, "When prorating a month, assume 30 days in a month or use actual days?"
        ("2021-01-27", "2021-01-31", "5/31", "5/30", "4/30"),
        ("2021-02-27", "2021-02-28", "2/28", "2/30", "4/30"),
        ("2020-02-01", "2020-02-29", "29/29", "29/30", "30/30"),
        ("2021-04-21", "2021-04-29", "9/30", "9/30", "9/30"),
        # the last day of a month is its 30th: 30 January is a day, then the 31st none of its own
        ("2021-01-01", "2021-01-30", "30/31", "30/30", "29/30"),
        ("2021-01-01", "2021-01-31", "31/31", "31/30", "30/30"),
        ("2021-01-31", "2021-01-31", "1/31", "1/30", "1/30"),
    ],
)
def test_the_three_ratios_of_zuora(first, last, actual, actual_30, strict):
    served = inside(first, last)
    month = Period(served.start.replace(day=1), add_months(served.start.replace(day=1), 1))
    told = [
        str(ratio(served, full=month, interval=MONTH, day_count=each))
        for each in (DayCount.ACTUAL, DayCount.ACTUAL_30, DayCount.THIRTY_360)
    ]
    assert told == [actual, actual_30, strict]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2021-01-15", "2021-02-15", 30),
        ("2021-02-15", "2021-03-15", 30),
        ("2021-01-16", "2021-04-16", 90),
        ("2020-12-31", "2021-12-31", 360),
        ("2021-01-30", "2021-01-31", 0),
        ("2021-02-28", "2021-03-01", 3),
        # FinancialForce, 30 days per month: 6 February to 23 March 2017 are 25 and 23
        ("2017-02-06", "2017-03-01", 25),
        ("2017-03-01", "2017-03-24", 23),
    ],
)
def test_days_360(start, end, days):
    assert days_360(span(start, end)) == days


@pytest.mark.parametrize(
    ("start", "end", "thirty", "twenty_eight"),
    [
        # Kill Bill, TestInvoiceDateUtilsWithFixedProration
        ("2023-05-23", "2023-06-15", 22, 20),
        ("2023-06-23", "2023-07-15", 22, 20),
        ("2023-02-23", "2023-03-15", 22, 20),
        ("2024-02-23", "2024-03-15", 22, 20),
        # in one month the days are actual
        ("2023-05-15", "2023-05-23", 8, 8),
        ("2023-02-15", "2023-02-23", 8, 8),
        # whole months, several of them, over the turn of a year
        ("2023-05-15", "2023-06-15", 30, 28),
        ("2023-11-15", "2024-02-15", 90, 84),
    ],
)
def test_fixed_days(start, end, thirty, twenty_eight):
    period = span(start, end)
    assert fixed_days(period) == thirty
    assert fixed_days(period, month_days=28) == twenty_eight
    told = ratio(
        period,
        full=period,
        interval=Interval("month", 3),
        day_count=DayCount.FIXED_30,
        month_days=28,
    )
    assert told == Ratio(twenty_eight, 84)


@pytest.mark.parametrize(
    ("start", "end", "places"),
    [
        ("2023-05-15", "2023-05-23", "0.266666667"),
        ("2023-05-23", "2023-06-15", "0.733333333"),
        ("2023-06-23", "2023-07-15", "0.733333333"),
        ("2023-02-23", "2023-03-15", "0.733333333"),
        ("2023-02-15", "2023-02-23", "0.266666667"),
        ("2023-05-15", "2023-06-15", "1.000000000"),
    ],
)
def test_kill_bills_fixed_month_at_nine_places(start, end, places):
    full = _month_around(day(start))
    conventions = Conventions(DayCount.FIXED_30, fraction_places=9)
    part = fraction(span(start, end), full=full, interval=MONTH, conventions=conventions)
    assert f"{part.numerator / part.denominator:.9f}" == places
    assert part.denominator == 10**9


def _month_around(on):
    start = on.replace(day=15)
    return Period(start, add_months(start, 1))


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        # BillRun, Monthsdifftest and Plan
        ("2019-02-11", "2019-02-12", Fraction(2, 28)),
        ("2019-01-01", "2019-12-31", Fraction(12)),
        ("2018-12-31", "2019-01-01", Fraction(2, 31)),
        ("2019-02-01", "2020-02-29", Fraction(13)),
        ("2019-03-01", "2019-04-01", 1 + Fraction(1, 30)),
        ("2015-02-06", "2015-03-10", Fraction(23, 28) + Fraction(10, 31)),
        ("2016-02-06", "2016-03-15", Fraction(24, 29) + Fraction(15, 31)),
        ("2015-12-06", "2016-01-15", Fraction(26 + 15, 31)),
        # Dynamics 365, monthly proration: 20/31 + 3 + 22/31
        ("2019-08-12", "2019-12-22", 3 + Fraction(42, 31)),
    ],
)
def test_calendar_months(first, last, months):
    assert calendar_months(inside(first, last)) == months


def test_calendar_months_of_a_year():
    """Dynamics 365: 5000 ÷ 12 × (20/31 + 3 + 22/31) = 1,814.52."""
    year = span("2019-08-12", "2020-08-12")
    part = ratio(
        inside("2019-08-12", "2019-12-22"),
        full=year,
        interval=Interval("year", 1),
        day_count=DayCount.CALENDAR_MONTHS,
    )
    assert part.value == (3 + Fraction(42, 31)) / 12


@pytest.mark.parametrize("day_count", DayCount)
@pytest.mark.parametrize("unit", ["day", "week"])
def test_days_and_weeks_are_actual(day_count, unit):
    full = span("2026-01-30", "2026-02-13")
    part = ratio(
        span("2026-01-30", "2026-02-02"),
        full=full,
        interval=Interval(unit, 2 if unit == "week" else 14),
        day_count=day_count,
    )
    assert str(part) == "3/14"


@pytest.mark.parametrize("day_count", DayCount)
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-02-01", "2026-03-01"),
        ("2026-01-01", "2026-02-01"),
        ("2026-01-31", "2026-02-28"),
        ("2026-02-28", "2026-03-31"),
        ("2024-01-29", "2024-02-29"),
    ],
)
def test_a_full_period_is_one_and_no_part_is_more(day_count, start, end):
    full, conventions = span(start, end), Conventions(day_count)
    whole = fraction(full, full=full, interval=MONTH, conventions=conventions)
    assert whole.value == 1
    edges = [*(full.start.fromordinal(full.start.toordinal() + n) for n in range(full.days + 1))]
    days = [Period(a, b) for a, b in zip(edges, edges[1:], strict=False)]
    sums, denominator = running(days, full=full, interval=MONTH, conventions=conventions)
    assert sums == sorted(sums)
    assert sums[-1] == denominator
    assert sums[0] >= 0


def test_fractions_are_rounded_half_up():
    full = span("2026-01-01", "2026-01-09")
    part = fraction(
        span("2026-01-01", "2026-01-02"),
        full=full,
        interval=Interval("day", 8),
        conventions=Conventions(fraction_places=2),
    )
    assert part == Ratio(13, 100)  # 0.125


def test_days_outside_are_no_part():
    full = span("2026-01-01", "2026-02-01")
    assert fraction(span("2026-02-01", "2026-02-02"), full=full, interval=MONTH) == Ratio(0, 1)
    over = fraction(span("2025-12-01", "2026-01-11"), full=full, interval=MONTH)
    assert over == Ratio(10, 31)


@pytest.mark.parametrize(
    ("on", "ratios"),
    [
        # Enghouse, bundle proration strategies
        ("2018-01-05", ["27/31", "27/30", "26/30"]),
        ("2018-02-05", ["24/28", "24/30", "26/30"]),
        ("2018-02-27", ["2/28", "2/30", "4/30"]),
        ("2018-12-01", ["31/31", "31/30", "30/30"]),
    ],
)
def test_the_rest_of_a_month(on, ratios):
    served, month = rest_of_month(day(on))
    told = [
        str(ratio(served, full=month, interval=MONTH, day_count=each))
        for each in (DayCount.ACTUAL, DayCount.ACTUAL_30, DayCount.THIRTY_360)
    ]
    assert told == ratios
