"""Orders in time: accounts under a test clock, calendars, and the clock's own steps."""

from datetime import UTC, datetime, timedelta
from typing import Any

from o2b.customers.models import Account
from o2b.models import Event, TestClock
from o2b.people.models import User
from orders.models import Order, Queue, Task, WorkCalendar
from orders.rules.worktime import standard_hours
from orders.timing import services
from tests.factories import a_user, an_account
from tests.orders.build import by_hand

MONDAY = datetime(2026, 2, 2, 9, tzinfo=UTC)


def a_timed_account(at: datetime = MONDAY, **given: Any) -> Account:
    """An account under a test clock of its own."""
    clock = TestClock.objects.create(name=f"clock {TestClock.objects.count()}", now=at)
    return an_account(test_clock=clock, **given)


def step(account: Account, at: datetime) -> None:
    """Set the account's test clock, and nothing else."""
    TestClock.objects.filter(pk=account.test_clock_id).update(now=at)


def watch(machine_now: datetime | None = None) -> int:
    """What beat does every few seconds."""
    now = machine_now or MONDAY
    return services.watch_tasks(machine_now=now) + services.escalate(machine_now=now)


def an_office_queue(code: str = "field", *, owner: User | None = None, **given: Any) -> Queue:
    """A queue that works Monday to Friday, 8 to 17, in UTC."""
    calendar, _ = WorkCalendar.objects.get_or_create(
        code="office", defaults={"name": "Office", "hours": standard_hours()}
    )
    fields: dict[str, Any] = {
        "name": code.title(),
        "calendar": calendar,
        "owner": owner or a_user(),
    }
    return Queue.objects.create(code=code, **fields | given)


def timed(key: str = "install", *, estimate: int = 100, maximum: int = 0, **given: Any) -> Any:
    """A manual step of so many working minutes."""
    return by_hand(key=key, estimate=estimate, maximum=maximum, **given)


def levels(order: Order) -> list[str]:
    return list(Task.objects.filter(order=order).order_by("pk").values_list("jeopardy", flat=True))


def told_of(order: Order, *names: str) -> list[tuple[str, datetime]]:
    """(event, moment) of these names, in order."""
    found = Event.objects.filter(order_id=order.pk, name__in=names).order_by("id")
    return [(event.name, event.at) for event in found]


def after(**given: float) -> datetime:
    return MONDAY + timedelta(**given)
