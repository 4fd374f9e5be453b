"""Clocks, blank accounts, and whatever may go wrong on a day."""

from datetime import datetime
from typing import Any

from o2b.clocks.models import ClockStep
from o2b.clocks.shown import traces_of
from o2b.customers.models import Account
from o2b.models import Event, Outbox, TestClock
from tests.factories import NOON, an_account


def a_clock(now: datetime = NOON, name: str = "") -> TestClock:
    return TestClock.objects.create(name=name or f"clock {TestClock.objects.count()}", now=now)


def a_clocked_account(now: datetime = NOON, **given: Any) -> Account:
    """An account under a clock of its own."""
    return an_account(test_clock=a_clock(now), **given)


def said(account: Account, **changes: Any) -> dict[str, Any]:
    """What a door says to put an account under a clock or to take it off."""
    fields = {"account_id": account.pk, "traces_of": traces_of, "at": NOON}
    return fields | changes


def written() -> tuple[Any, ...]:
    """Everything that a refusal must leave as it was."""
    clocks = list(TestClock.objects.order_by("pk").values_list("name", "now"))
    accounts = list(Account.objects.order_by("pk").values_list("pk", "test_clock"))
    steps = list(ClockStep.objects.order_by("pk").values_list("pk", "state", "lived_until"))
    return clocks, accounts, steps, Event.objects.count(), Outbox.objects.count()


def names(**of: Any) -> list[str]:
    """The names of events, in order."""
    return list(Event.objects.filter(**of).order_by("id").values_list("name", flat=True))
