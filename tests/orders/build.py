"""Orders for the tests of this stage: placed, entered, at work."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from django.test import Client

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.models import Event, Outbox
from o2b.people.models import User
from orders import services
from orders.models import Evidence, Order, OrderLine, Queue, QueueMember, Task
from quotes.inputs import LineInput
from tests import factories
from tests.factories import ACTIVATE, NOON, a_product, a_sent_quote, a_user, an_account

LATER = datetime(2026, 2, 1, 12, tzinfo=UTC)
INSTALL = cast(list[dict[str, Any]], factories.INSTALL)
HTTP: dict[str, Any] = {"kind": "automatic", "handler": "http_provisioning"}

__all__ = [
    "ACTIVATE",
    "HTTP",
    "INSTALL",
    "LATER",
    "NOON",
    "a_product",
    "a_sent_quote",
    "a_user",
    "an_account",
]


def by_hand(
    *wants: str, key: str = "install", queue: str = "field", **given: Any
) -> dict[str, Any]:
    """One manual step that asks for this evidence."""
    return {
        "key": key,
        "name": key.title(),
        "kind": "manual",
        "queue": queue,
        "evidence": list(wants),
    } | given


def a_placed_order(
    *, tasks: Sequence[Any] = ACTIVATE, lines: int = 1, account: Account | None = None
) -> Order:
    """An order from an accepted quote, each line of a product of its own with these tasks."""
    products = [a_product(tasks=tasks) for _ in range(lines)]
    quote = a_sent_quote(account=account or an_account(), products=products)
    return services.place_order(quote_id=quote.pk, by="Ann Hall", at=NOON)


def entered(account: Account, *products: ProductVersion, **given: Any) -> Order:
    """An order that the order team enters."""
    lines = [LineInput(product=version.product.code, quantity="1") for version in products]
    fields: dict[str, Any] = {"lines": lines, "at": NOON, "actor_id": None, "channel": "screen"}
    return services.enter_order(account_id=account.pk, **fields | given)


def a_worker(queue: str = "field") -> User:
    """Somebody of the order team who works in the queue."""
    user = a_user("order team")
    QueueMember.objects.create(
        queue=Queue.objects.get_or_create(code=queue, defaults={"name": queue})[0], user=user
    )
    return user


def states(order: Order) -> tuple[list[str], list[str]]:
    """States of lines and of tasks."""
    return (
        [str(line.state) for line in OrderLine.objects.filter(order=order).order_by("pk")],
        [str(task.state) for task in Task.objects.filter(order=order).order_by("pk")],
    )


def written() -> tuple[int, ...]:
    """How many rows of everything there are: equal before and after a refusal."""
    kinds = (Order, OrderLine, Task, Evidence, Event, Outbox)
    return tuple(kind.objects.count() for kind in kinds)


def happened(order: Order) -> list[str]:
    """The names of an order's events, in order."""
    return list(
        Event.objects.filter(order_id=order.pk).order_by("id").values_list("name", flat=True)
    )


def advance(order: Order, at: datetime = LATER, worker: str = "test:1") -> int:
    """One message "advance this order"."""
    return services.advance_order(order_id=order.pk, at_of=lambda _: at, worker=worker)


def logged_in(user: User) -> Client:
    """A browser of this person."""
    client = Client()
    client.force_login(user)
    return client


class Unread:
    """A body that nobody may read."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("it was read")

    readline = read


def unread(client: Client, url: str, kind: str = "multipart/form-data; boundary=x") -> Any:
    """What a gigabyte is answered, of which not a byte is read."""
    body: dict[str, Any] = {"CONTENT_LENGTH": str(2**30), "wsgi.input": Unread()}
    return client.generic("POST", url, content_type=kind, **body)


def team(*groups: str) -> Client:
    """A browser of somebody of the order team, or of these groups."""
    return logged_in(a_user(*(groups or ("order team",))))
