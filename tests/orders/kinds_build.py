"""Steps of every kind, run with an account in whatever standing, for the tests of kinds."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission

from o2b.asks import Standing
from o2b.customers.models import Contact
from o2b.people.models import User
from orders import services
from orders.models import Order, Task
from tests.orders.build import LATER, a_user, advance


def step(handler: str, key: str = "step", **given: Any) -> dict[str, Any]:
    """One automatic step; `parameters` go with it."""
    return {"key": key, "name": key.title(), "kind": "automatic", "handler": handler} | given


def standing(**given: Any) -> Standing:
    """An account that owes nothing and has paid nothing yet."""
    amounts = {"owed": "0", "overdue": "0", "credit": "0"} | {
        name: given.pop(name) for name in ("owed", "overdue", "credit") if name in given
    }
    fields: dict[str, Any] = {name: Decimal(value) for name, value in amounts.items()}
    fields |= {"limit": None, "has_paid_a_bill": False, "currency": "EUR"} | given
    return Standing(**fields)


def run(order: Order, at: datetime = LATER, of: Standing | None = None) -> Task:
    """One message "advance this order", with the account standing so; its first task."""
    services.advance_order(
        order_id=order.pk, at_of=lambda _: at, worker="test:1", standing_of=lambda _: of
    )
    return first(order)


def again(order: Order, at: datetime = LATER, of: Standing | None = None) -> Task:
    """A waiting task is nudged and looks again."""
    ids = Task.objects.filter(order=order).exclude(waits_for="").values_list("pk", flat=True)
    services.nudge(task_ids=list(ids), at=at, machine_now=at)
    return run(order, at, of)


def first(order: Order) -> Task:
    found = Task.objects.filter(order=order).order_by("pk").first()
    assert found is not None
    return found


def a_contact(order_or_account: Any, email: str = "ann@acme.example", **given: Any) -> Contact:
    account = getattr(order_or_account, "account", order_or_account)
    fields = {"name": "Ann Hall", "email": email} | given
    return Contact.objects.create(customer=account.customer, **fields)


def a_lead(**given: Any) -> User:
    """Somebody of the order team who also keeps pools."""
    user = a_user("order team", **given)
    codenames = ("manage_work", "approve_work")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


__all__ = ["a_contact", "a_lead", "advance", "again", "first", "run", "standing", "step"]
