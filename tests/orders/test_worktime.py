"""Working time: hours, holidays, days on which clocks are changed, and adding is counting back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.models import WorkCalendar
from orders.rules.worktime import (
    ALWAYS,
    DAYS,
    Calendar,
    HoursInvalid,
    add_working,
    hours_of,
    is_holiday,
    knows_country,
    standard_hours,
    working_minutes,
)

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Calendar.of(standard_hours(), time_zone="Europe/Berlin", country="DE", subdivision="BY")
NIGHT = Calendar.of({day: [["00:00", "06:00"], ["22:00", "24:00"]] for day in DAYS})


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-26 09:00", 60, "2026-11-26 10:00"),
        ("2026-11-26 16:30", 60, "2026-11-27 08:30"),
        ("2026-11-27 16:30", 60, "2026-11-30 08:30"),  # over a weekend
        ("2026-11-28 12:00", 1, "2026-11-30 08:01"),  # begun on a Saturday
        ("2026-11-26 05:00", 540, "2026-11-26 17:00"),  # a whole day: to its last minute
        ("2026-11-26 05:00", 541, "2026-11-27 08:01"),
        ("2026-12-24 16:00", 120, "2026-12-28 09:00"),  # Christmas, both days
        ("2026-01-05 16:00", 120, "2026-01-07 09:00"),  # Epiphany, in Bavaria
        ("2026-03-27 16:00", 120, "2026-03-30 09:00"),  # clocks go forward in between
        ("2026-10-23 16:00", 120, "2026-10-26 09:00"),  # and back
        ("2026-11-28 12:00", 0, "2026-11-28 12:00"),  # nothing to do: at once
        (
            "2026-01-07 08:00",
            540 * 251,
            "2027-01-04 17:00",
        ),  # counted by hand: 252 in 2026, but for two
    ],
)
def test_office_hours_in_bavaria(start, minutes, end):
    assert add_working(berlin(start), minutes, OFFICE) == berlin(end)
    assert working_minutes(berlin(start), berlin(end), OFFICE) == minutes


@pytest.mark.parametrize(
    ("country", "subdivision", "day", "free"),
    [
        ("DE", "BY", "2026-01-06", True),
        ("DE", "BE", "2026-01-06", False),
        ("DE", "", "2026-01-06", False),
        ("DE", "", "2026-10-03", True),
        ("US", "", "2026-07-03", True),  # observed, for the fourth is a Saturday
        ("", "", "2026-12-25", False),
    ],
)
def test_holidays_by_country_and_part(country, subdivision, day, free):
    assert is_holiday(date.fromisoformat(day), country, subdivision) is free


def test_days_that_are_free_besides():
    inventory = Calendar.of(standard_hours(), closed_on=[date(2026, 11, 27)])
    start = datetime(2026, 11, 26, 16, tzinfo=UTC)
    assert add_working(start, 120, inventory) == datetime(2026, 11, 30, 9, tzinfo=UTC)


def test_a_span_to_midnight_joins_the_next_day():
    start = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)
    assert add_working(start, 60, NIGHT) == datetime(2026, 11, 27, 0, 30, tzinfo=UTC)
    assert working_minutes(start, start + timedelta(hours=24), NIGHT) == 8 * 60


@pytest.mark.parametrize(
    ("hours", "on", "worked"),
    [
        ([["00:00", "24:00"]], "2026-03-29", 23 * 60),
        ([["00:00", "24:00"]], "2026-10-25", 25 * 60),
        ([["02:00", "02:30"]], "2026-03-29", 30),  # the hour that is not there: the next one
        ([["01:00", "02:30"], ["03:00", "04:00"]], "2026-03-29", 120),  # no minute twice
        ([["01:00", "03:00"]], "2026-10-25", 180),  # the hour that comes twice
    ],
)
def test_days_on_which_clocks_are_changed(hours, on, worked):
    calendar = Calendar.of(dict.fromkeys(DAYS, hours), time_zone="Europe/Berlin")
    day = date.fromisoformat(on)
    begin = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    end = (begin + timedelta(days=1)).replace(tzinfo=BERLIN)
    assert working_minutes(begin, end, calendar) == worked
    assert working_minutes(begin, add_working(begin, worked, calendar), calendar) == worked


def test_hours_that_never_come():
    closed = Calendar.of(
        {"mon": [["08:00", "09:00"]]},
        closed_on=[date(2026, 1, 5) + timedelta(weeks=n) for n in range(600)],
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert add_working(start, 1, closed) == start + timedelta(days=3660)


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        [],
        {"mon": []},
        {"xyz": [["08:00", "09:00"]]},
        {"mon": "08:00"},
        {"mon": [["08:00"]]},
        {"mon": [["09:00", "08:00"]]},
        {"mon": [["08:00", "12:00"], ["11:00", "13:00"]]},
        {"mon": [["8 o'clock", "12:00"]]},
        {"mon": [["24:00", "24:00"]]},
        {"mon": [[8, 12]]},
    ],
)
def test_hours_that_nobody_can_work(said):
    with pytest.raises(HoursInvalid):
        hours_of(said)


@pytest.mark.parametrize(
    ("country", "subdivision", "known"),
    [("DE", "", True), ("DE", "BY", True), ("DE", "XX", False), ("XX", "", False)],
)
def test_places_whose_holidays_are_known(country, subdivision, known):
    assert knows_country(country, subdivision) is known


@pytest.mark.parametrize(
    ("country", "subdivision", "field"),
    [("XX", "", "country"), ("DE", "ZZ", "subdivision"), ("", "BY", "subdivision")],
)
def test_a_calendar_refuses_a_place_that_nobody_knows(country, subdivision, field):
    calendar = WorkCalendar(code="x", name="X", country=country, subdivision=subdivision)
    with pytest.raises(ValidationError) as caught:
        calendar.clean()
    assert set(caught.value.message_dict) == {field}


def test_a_calendar_of_a_known_place():
    WorkCalendar(code="by", name="Bavaria", country="DE", subdivision="BY").clean()


# laws

# A busy machine is no fault of the law.
at_leisure = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
moments = st.integers(0, 3 * 10**6).map(lambda n: EPOCH + timedelta(minutes=n, seconds=n % 60))
minutes = st.integers(0, 7_000)  # no more than ten years of a quarter of an hour a week


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any hours in any of some zones, on the quarter of an hour."""
    week: dict[str, list[list[str]]] = {}
    for day in draw(st.sets(st.sampled_from(DAYS), min_size=1)):
        cuts = sorted(draw(st.sets(st.integers(0, 96), min_size=2, max_size=6)))
        times = [f"{cut // 4:02}:{cut % 4 * 15:02}" for cut in cuts[: len(cuts) // 2 * 2]]
        week[day] = [list(pair) for pair in zip(times[::2], times[1::2], strict=True)]
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]))
    country = draw(st.sampled_from(["", "DE", "US"]))
    return Calendar.of(week, time_zone=zone, country=country)


@at_leisure
@given(moments, minutes, calendars())
def test_what_is_added_is_counted(start, added, calendar):
    assert working_minutes(start, add_working(start, added, calendar), calendar) == added


@at_leisure
@given(moments, minutes, minutes, calendars())
def test_adding_in_two_steps_is_adding_once(start, one, two, calendar):
    between = add_working(start, one, calendar)
    assert add_working(between, two, calendar) == add_working(start, one + two, calendar)


@at_leisure
@given(moments, moments, calendars())
def test_nobody_works_longer_than_time_passes(start, end, calendar):
    worked = working_minutes(start, end, calendar)
    assert 0 <= worked <= max(0, (end - start).total_seconds() // 60)
    assert add_working(start, worked, calendar) <= max(start, end)


@at_leisure
@given(moments, minutes)
def test_without_hours_every_minute_counts(start, added):
    assert add_working(start, added, ALWAYS) == start + timedelta(minutes=added)
