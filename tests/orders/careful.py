"""Orders that customers ask and complain about, for the tests of care."""

from typing import Any

from django.urls import reverse

from o2b.customers.models import Account
from o2b.models import TestClock
from o2b.people.models import Notice, User
from orders.care import links
from orders.care.services import open_complaint
from orders.models import Complaint, Order, OrderLine
from tests.orders.build import ACTIVATE, NOON, a_placed_order, a_user, an_account


def under_a_clock(**given: Any) -> Account:
    """An account that lives at noon, with an advocate of the sales team."""
    clock = TestClock.objects.create(name=f"clock {TestClock.objects.count()}", now=NOON)
    mara = given.pop("advocate", None) or a_user("sales", first_name="Mara", last_name="Lind")
    return an_account(test_clock=clock, advocate=mara, **given)


def an_order(*, tasks: Any = ACTIVATE, lines: int = 1, **given: Any) -> Order:
    return a_placed_order(tasks=tasks, lines=lines, account=under_a_clock(**given))


def first_line(order: Order) -> OrderLine:
    return OrderLine.objects.filter(order=order).order_by("position")[0]


def a_complaint(order: Order | None = None, **given: Any) -> Complaint:
    order = order or an_order()
    fields: dict[str, Any] = {
        "line_id": first_line(order).pk,
        "text": "It does not work",
        "source": Complaint.Source.TRACKING,
        "name": "Ann Hall",
        "at": NOON,
    }
    return open_complaint(**fields | given)


def track(order: Order) -> str:
    return reverse("orders:track", args=[links.sign(order.pk)])


def heard(person: User) -> list[str]:
    """The titles of what somebody was told, in order."""
    return list(Notice.objects.filter(user=person).order_by("pk").values_list("title", flat=True))
