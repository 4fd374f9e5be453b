"""Items with versions written as rows: what an account has, on which days, as known when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from psycopg2.extras import DateRange, DateTimeTZRange

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from orders.models import Order, OrderLine
from subscriptions.models import Item, ItemVersion, ServiceState, Subscription
from tests.subscriptions.build import a_line, an_order

KNOWN = datetime(2026, 1, 1, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Days:
    """What an item is from a day on, until another."""

    start: date
    end: date | None = None
    quantity: str = "1"
    standing: str = "in_use"
    version: ProductVersion | None = None
    line: OrderLine | None = None
    known: datetime = KNOWN
    # Not believed any more since then.
    until_known: datetime | None = None


def an_item(
    account: Account,
    product: ProductVersion,
    *days: Days,
    order: Order | None = None,
    root: Item | None = None,
    serial: str = "",
    **line: Any,
) -> Item:
    """One item of a line of its own with these days; its state as the last of them has it."""
    order = order or an_order(account)
    ordered = a_line(order, product, **line)
    subscription, _ = Subscription.objects.get_or_create(
        order=order, defaults={"account": account, "state": ServiceState.ACTIVE}
    )
    believed = [each for each in days if each.until_known is None]
    item = Item.objects.create(
        subscription=subscription,
        account=account,
        order_line=ordered,
        product_version=believed[-1].version or product if believed else product,
        state=_state(believed),
        started_on=believed[0].start if believed else None,
        ended_on=believed[-1].end if believed else None,
        anchor_on=believed[0].start if believed else None,
        serial=serial,
        root=root,
    )
    for each in days:
        ItemVersion.objects.create(
            item=item,
            product_version=each.version or product,
            quantity=Decimal(each.quantity),
            terms=ordered.terms,
            valid=DateRange(each.start, each.end),
            recorded=DateTimeTZRange(each.known, each.until_known),
            standing=each.standing,
            order_line=each.line,
        )
    return item


def _state(believed: Sequence[Days]) -> str:
    if not believed or believed[-1].end:
        return ServiceState.ENDED
    return ServiceState.SUSPENDED if believed[-1].standing == "suspended" else ServiceState.ACTIVE
