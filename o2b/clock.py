"""The one place that reads the system clock. Services are told the time instead."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils import timezone


class Clocked(Protocol):
    """Whatever may stand under a test clock and has a time zone: an account."""

    time_zone: str

    @property
    def test_now(self) -> datetime | None: ...


def now(account: Clocked | None = None) -> datetime:
    """This moment, or the moment of the account's test clock (a row: workers see it too)."""
    if account is not None and (told := account.test_now) is not None:
        return told
    return timezone.now()


def by_moment(accounts: Mapping[int, Clocked]) -> dict[datetime, list[int]]:
    """Keys grouped by the moment that their account lives in; one moment for all real clocks."""
    machine_now = timezone.now()
    found: dict[datetime, list[int]] = {}
    for key, account in accounts.items():
        found.setdefault(account.test_now or machine_now, []).append(key)
    return found


def day(account: Clocked, at: datetime) -> date:
    """The account's own calendar day of a moment."""
    return at.astimezone(ZoneInfo(account.time_zone)).date()


def today(account: Clocked | None = None) -> date:
    """Today where the account lives; without an account, today in UTC."""
    if account is None:
        return now().date()
    return day(account, now(account))
