"""A week of visits as its page shows it: seven days, each with its visits where they take place."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from orders.models import Appointment


@dataclass(frozen=True, slots=True)
class Card:
    """A visit with its times where the customer lives."""

    visit: Appointment
    begins: datetime | None
    ends: datetime | None


@dataclass(slots=True)
class Day:
    """One day of a week."""

    on: date
    is_today: bool
    cards: list[Card] = field(default_factory=list)


def week_of(text: str, *, today: date) -> date:
    """The Monday of a week such as 2026-W05; of this week where that is none."""
    try:
        year, _, week = text.partition("-W")
        found = date.fromisocalendar(int(year), int(week), 1)
    except (ValueError, OverflowError):
        return today - timedelta(days=today.weekday())
    is_near = abs((found - today).days) < 366 * 50
    return found if is_near else today - timedelta(days=today.weekday())


def name_of(monday: date) -> str:
    """The week as an address names it.

    >>> name_of(date(2026, 1, 26))
    '2026-W05'
    """
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def card_of(visit: Appointment) -> Card:
    return Card(visit, _there(visit.begins_at, visit), _there(visit.ends_at, visit))


def _there(at: datetime | None, visit: Appointment) -> datetime | None:
    """What the customer's clock shows; naive, so that no template moves it to the reader's."""
    return at.astimezone(ZoneInfo(visit.account.time_zone)).replace(tzinfo=None) if at else None


def days_of(monday: date, visits: Iterable[Appointment], *, today: date) -> list[Day]:
    """The seven days from a Monday on, with the visits that begin on them."""
    days = [monday + timedelta(days=n) for n in range(7)]
    found = {on: Day(on, on == today) for on in days}
    for visit in visits:
        card = card_of(visit)
        if card.begins and card.begins.date() in found:
            found[card.begins.date()].cards.append(card)
    for day in found.values():
        day.cards.sort(key=_by_time)
    return list(found.values())


def _by_time(card: Card) -> tuple[str, int]:
    return (f"{card.begins:%H:%M}" if card.begins else "", card.visit.pk)
