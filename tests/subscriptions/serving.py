"""A service that runs and was billed, to be changed by pages and by the API."""

from decimal import Decimal
from typing import Any

from billing.models import InvoiceLine
from orders.models import Order, OrderLine
from subscriptions.changes.services import Changed, change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item, ItemChange, ItemVersion
from tests.factories import a_product, monthly, setup_fee
from tests.scenarios.world import World


def a_line_in_service(world: World, **given: Any) -> Item:
    """30.00 a month in advance since 1 January, billed for February; it is 10 February."""
    world.on("2026-01-01")
    charges = [monthly("30.00"), setup_fee("12.00")]
    product = a_product(code="line-30", name="Line 30", charges=charges)
    world.sell(products=[product], **given)
    world.bill("2026-01-01")
    world.on("2026-02-01").bill("2026-02-01")
    world.on("2026-02-10")
    return Item.objects.get()


def told(world: World, item: Item, act: Act, **given: Any) -> Changed:
    """A change by its service, at once or on the day that is given."""
    if given.get("on"):
        given["when"] = When.ON
    wish = Wish(item_id=item.pk, act=act, **given)
    account = item.account_id
    found = change_services(account_id=account, wishes=[wish], at=world.now, actor_id=None)
    world.settle()
    return found


def written() -> tuple[int, ...]:
    """How much of everything there is."""
    kinds = (Order, OrderLine, ItemChange, ItemVersion, Item)
    return tuple(kind.objects.count() for kind in kinds)


def billed_now(world: World) -> list[str]:
    """The amounts of what the next run of today bills, the least first."""
    before = set(InvoiceLine.objects.values_list("pk", flat=True))
    run = world.bill(f"{world.today}")
    assert (run.state, world.parked()) == ("finalised", [])
    fresh = InvoiceLine.objects.exclude(pk__in=before)
    return [f"{line.amount:.2f}" for line in fresh.order_by("amount")]


def total_of(amounts: list[str]) -> Decimal:
    return sum(map(Decimal, amounts), Decimal(0))
