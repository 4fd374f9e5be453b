"""Where a clock stops on its way: every day of every zone, whatever DST does to it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2b.clocks.rules import DAY, ahead, days_between, next_stop

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stops(begun: datetime, until: datetime, *zones: str) -> list[datetime]:
    found, now = [], begun
    while now < until:
        now = next_stop(now, begun=begun, until=until, zones=zones)
        found.append(now)
    return found


def test_a_day_later_at_the_same_time_of_day():
    assert stops(at("2026-03-01T12:00"), at("2026-03-04T12:00")) == [
        at("2026-03-02T12:00"),
        at("2026-03-03T12:00"),
        at("2026-03-04T12:00"),
    ]


def test_the_last_day_may_be_a_part_of_one():
    begun, until = at("2026-03-01T12:00"), at("2026-03-02T15:30")
    assert stops(begun, until) == [at("2026-03-02T12:00"), until]
    assert days_between(begun, until) == 2
    assert days_between(begun, begun + DAY) == 1


# A day of 23 hours hides between two evenings: at 22:30 UTC Berlin has 23:30, then 0:30.
@pytest.mark.parametrize(
    ("zone", "eve", "short_day", "first_moment"),
    [
        ("Europe/Berlin", "2026-03-28T22:30", date(2026, 3, 29), "2026-03-28T23:00"),
        ("America/New_York", "2026-03-08T04:30", date(2026, 3, 8), "2026-03-08T05:00"),
        ("Pacific/Auckland", "2026-09-26T11:30", date(2026, 9, 27), "2026-09-26T12:00"),
    ],
)
def test_a_day_of_23_hours_is_one_day(zone, eve, short_day, first_moment):
    begun = at(eve)
    lived = stops(begun, begun + 2 * DAY, zone)
    assert lived == [at(first_moment), begun + DAY, begun + 2 * DAY]
    assert lived[0].astimezone(ZoneInfo(zone)).date() == short_day
    assert stops(begun, begun + 2 * DAY, "UTC") == [begun + DAY, begun + 2 * DAY]


@pytest.mark.parametrize(
    ("zone", "long_day"),
    [
        ("Europe/Berlin", date(2026, 10, 25)),
        ("America/New_York", date(2026, 11, 1)),
        ("Pacific/Auckland", date(2026, 4, 5)),
    ],
)
@pytest.mark.parametrize("hour", [0, 4, 11, 12, 22, 23])
def test_a_day_of_25_hours_is_one_day(zone, long_day, hour):
    begun = datetime(long_day.year, long_day.month, long_day.day, hour, 30, tzinfo=UTC) - 3 * DAY
    lived = stops(begun, begun + 6 * DAY, zone)
    assert len(lived) == 6
    days = [stop.astimezone(ZoneInfo(zone)).date() for stop in [begun, *lived]]
    assert sorted(days) == days
    assert long_day in days


@given(
    minutes=st.integers(0, 4 * 366 * 24 * 60),
    hours=st.integers(1, 24 * 120),
)
def test_no_zone_misses_a_day_and_none_goes_back(minutes, hours):
    begun = at("2024-01-01T00:00") + timedelta(minutes=minutes)
    until = begun + timedelta(hours=hours)
    lived = [begun, *stops(begun, until, *ZONES)]
    assert lived[-1] == until
    assert lived == sorted(set(lived))
    for zone in ZONES:
        days = [stop.astimezone(ZoneInfo(zone)).date() for stop in lived]
        assert all((later - day).days in (0, 1) for day, later in zip(days, days[1:], strict=False))


def test_of_a_day_that_a_zone_never_had_the_next_begins():
    """Samoa went from 29 to 31 December 2011; its day after begins at 10:00 UTC."""
    begun = at("2011-12-30T08:00")
    lived = stops(begun, begun + 2 * DAY, "Pacific/Apia")
    assert lived == [at("2011-12-30T10:00"), begun + DAY, begun + 2 * DAY]
    assert lived[0].astimezone(ZoneInfo("Pacific/Apia")).date() == date(2011, 12, 31)


@pytest.mark.parametrize(
    ("now", "months", "days", "then"),
    [
        ("2028-01-31T12:00", 1, 0, "2028-02-29T12:00"),
        ("2026-01-31T12:00", 1, 1, "2026-03-01T12:00"),
        ("2026-12-31T23:59", 2, 0, "2027-02-28T23:59"),
        ("2026-03-28T22:30", 0, 3, "2026-03-31T22:30"),
    ],
)
def test_by_months_and_days_of_the_calendar(now, months, days, then):
    assert ahead(at(now), months=months, days=days) == at(then)
