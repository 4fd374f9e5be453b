"""Working time: add working minutes to a moment, count those between two; hours and holidays."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FARTHEST = 3660  # days that are looked through for working hours
MIDNIGHT = "24:00"

Span = tuple[int, int]  # minutes since midnight, half open


class HoursInvalid(ValueError):
    """Hours that nobody can work."""


def standard_hours() -> dict[str, list[list[str]]]:
    """Monday to Friday, 8 to 17."""
    return {day: [["08:00", "17:00"]] for day in DAYS[:5]}


def hours_of(said: Any) -> tuple[tuple[Span, ...], ...]:
    """The spans of each day of the week, Monday first; refuses what overlaps or runs backwards."""
    if not isinstance(said, Mapping) or not said:
        raise HoursInvalid("hours are said by day: mon to sun")
    if unknown := sorted(set(said) - set(DAYS)):
        raise HoursInvalid(f"{unknown[0]} is no day; the days are {', '.join(DAYS)}")
    week = tuple(_spans(day, said.get(day, [])) for day in DAYS)
    if not any(week):
        raise HoursInvalid("no day has any hours")
    return week


def _spans(day: str, said: Any) -> tuple[Span, ...]:
    spans: list[Span] = []
    if not isinstance(said, Sequence) or isinstance(said, str):
        raise HoursInvalid(f"{day}: a list of [from, to]")
    for pair in said:
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise HoursInvalid(f"{day}: a list of [from, to]")
        begin, end = (_minutes(day, part) for part in pair)
        if begin >= end:
            raise HoursInvalid(f"{day}: {pair[0]} is not before {pair[1]}")
        if spans and begin < spans[-1][1]:
            raise HoursInvalid(f"{day}: {pair[0]} lies in the span before it")
        spans.append((begin, end))
    return tuple(spans)


def _minutes(day: str, said: Any) -> int:
    if said == MIDNIGHT:
        return 24 * 60
    try:
        at = time.fromisoformat(said)
    except (TypeError, ValueError) as exc:
        raise HoursInvalid(f"{day}: {said!r} is no time of day, such as 08:30") from exc
    return at.hour * 60 + at.minute


@dataclass(frozen=True)
class Calendar:
    """Hours of a week in a time zone, without holidays and further free days."""

    week: tuple[tuple[Span, ...], ...]
    time_zone: str = "UTC"
    country: str = ""
    subdivision: str = ""
    closed_on: frozenset[date] = frozenset()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Counted once: every look at a day is looked up by it."""
        place = (self.time_zone, self.country, self.subdivision)
        return hash((self.week, place, self.closed_on))

    @classmethod
    def of(
        cls,
        hours: Any,
        *,
        time_zone: str = "UTC",
        country: str = "",
        subdivision: str = "",
        closed_on: Collection[date] = (),
    ) -> "Calendar":
        return cls(hours_of(hours), time_zone, country, subdivision, frozenset(closed_on))

    def is_free(self, day: date) -> bool:
        """Whether nobody works on that day."""
        return (
            not self.week[day.weekday()]
            or day in self.closed_on
            or is_holiday(day, self.country, self.subdivision)
        )

    def spans_from(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working spans in UTC that end after the moment, in order; the first may have begun."""
        day = moment.astimezone(ZoneInfo(self.time_zone)).date()
        reached = moment
        for _ in range(FARTHEST):
            for first, last in _worked(self, day):
                # Where clocks go forward, a span may begin before the one before it has ended.
                begin = max(first, reached) if reached > moment else first
                if last > reached and begin < last:
                    yield begin, last
                    reached = last
            day += timedelta(days=1)


# Nobody said when they work: every minute counts.
ALWAYS = Calendar(week=tuple(((0, 24 * 60),) for _ in DAYS))


def add_working(start: datetime, minutes: int, calendar: Calendar = ALWAYS) -> datetime:
    """The moment at which so many working minutes have passed since `start` (aware; gives UTC).

    Nothing to add: the start itself, also outside working hours. What does not fit into ten years
    ends with them: no clock may stop an order from being laid.
    """
    begin = start.astimezone(UTC)
    if minutes <= 0:
        return begin
    if calendar is ALWAYS:
        return begin + timedelta(minutes=minutes)
    left = timedelta(minutes=minutes)
    for first, last in calendar.spans_from(begin):
        first = max(first, begin)
        if last - first >= left:
            return first + left
        left -= last - first
    return begin + timedelta(days=FARTHEST)


def working_minutes(start: datetime, end: datetime, calendar: Calendar = ALWAYS) -> int:
    """Whole working minutes between two moments; 0 when `end` is not after `start`."""
    begin, until = start.astimezone(UTC), end.astimezone(UTC)
    if until <= begin:
        return 0
    if calendar is ALWAYS:
        return int((until - begin).total_seconds() // 60)
    worked = timedelta(0)
    for first, last in calendar.spans_from(begin):
        if first >= until:
            break
        worked += min(last, until) - max(first, begin)
    return int(worked.total_seconds() // 60)


def is_holiday(day: date, country: str, subdivision: str = "") -> bool:
    """Whether it is a public holiday there; no country has none."""
    return bool(country) and day in _holidays(country, subdivision, day.year)


def knows_country(country: str, subdivision: str = "") -> bool:
    """Whether the holidays of the place are known."""
    places = _places()
    return country in places and (not subdivision or subdivision in places[country])


@lru_cache(maxsize=1)
def _places() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries(include_aliases=True)


@lru_cache(maxsize=16384)
def _worked(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The spans of one day as moments."""
    if calendar.is_free(day):
        return ()
    zone = ZoneInfo(calendar.time_zone)
    spans = calendar.week[day.weekday()]
    return tuple((_at(day, begin, zone), _at(day, end, zone)) for begin, end in spans)


@lru_cache(maxsize=256)
def _holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    return frozenset(found)


def _at(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    if minutes == 24 * 60:
        return datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)
    return datetime.combine(day, time(*divmod(minutes, 60)), zone).astimezone(UTC)
