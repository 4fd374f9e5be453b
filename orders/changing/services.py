"""Write a change order whose lines need no delivery: placed, carried out and completed at once.

What is in service is known a floor above. It hands down a snapshot of what it found, which the
line keeps, and applies the change in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max

from o2b import clock, events
from o2b.copying import write_all
from o2b.customers.models import Account
from orders.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change of one service, from a day on; `in_service` is what was found before it."""

    action: str
    change_on: date
    in_service: dict[str, Any]
    product_version_id: int
    delivery_plan_id: int
    quantity: Decimal
    terms_id: int
    characteristics: dict[str, Any]
    book_version_id: int | None = None
    contract_id: int | None = None
    quote_line_id: int | None = None
    start_on: date | None = None


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """One change order to be written, for an account that is locked.

    With `to` its lines join an order that was written in the same transaction.
    """

    account: Account
    kind: Order.Kind
    lines: Sequence[ChangeLine]
    quote_id: int | None = None
    note: str = ""
    po_number: str = ""
    to: Order | None = None


def write_change_orders(
    *,
    orders: Sequence[ChangeOrder],
    channel: str,
    at: datetime,
    actor_id: int | None = None,
) -> list[list[OrderLine]]:
    """Write change orders and complete their lines; the lines of each order.

    Call it with the accounts locked, and apply the changes in the same transaction.
    """
    written = _written(orders, channel=channel, at=at, actor_id=actor_id)
    first = _next_positions([new.to for new in orders if new.to is not None])
    lines = write_all(
        _line(order, position, line, at)
        for order, new in zip(written, orders, strict=True)
        for position, line in enumerate(new.lines, start=first.get(order.pk, 1))
    )
    counts = {order.pk: len(new.lines) for order, new in zip(written, orders, strict=True)}
    events.record_many(
        "change_order.placed",
        written,
        at=at,
        actor_id=actor_id,
        facts_of=lambda o: {"kind": o.kind, "lines": counts[o.pk], "channel": channel},
    )
    found: dict[int, list[OrderLine]] = {order.pk: [] for order in written}
    for line in lines:
        found[line.order_id].append(line)
    return list(found.values())


def _written(
    orders: Sequence[ChangeOrder], *, channel: str, at: datetime, actor_id: int | None
) -> list[Order]:
    """The order of each, in order; those that join another one are not written again."""
    fresh = iter(
        write_all(
            Order(
                account=new.account,
                quote_id=new.quote_id,
                kind=new.kind,
                channel=channel,
                placed_at=at,
                placed_by_id=actor_id,
                note=new.note,
                po_number=new.po_number,
            )
            for new in orders
            if new.to is None
        )
    )
    return [new.to or next(fresh) for new in orders]


def _next_positions(joined: Sequence[Order]) -> dict[int, int]:
    """Order → the position of its next line."""
    if not joined:
        return {}
    lines = OrderLine.objects.filter(order__in=joined).order_by()
    last = lines.values_list("order").annotate(Max("position"))
    return {order: position + 1 for order, position in last}


def _line(order: Order, position: int, new: ChangeLine, at: datetime) -> OrderLine:
    line = OrderLine(
        order=order,
        account_id=order.account_id,
        position=position,
        quote_line_id=new.quote_line_id,
        product_version_id=new.product_version_id,
        delivery_plan_id=new.delivery_plan_id,
        quantity=new.quantity,
        characteristics=new.characteristics,
        terms_id=new.terms_id,
        book_version_id=new.book_version_id,
        contract_id=new.contract_id,
        start_on=new.start_on,
        action=new.action,
        change_on=new.change_on,
        in_service=new.in_service,
        accepted_at=at,
    )
    # Nothing is delivered, so the whole life of the line is this moment; each step is the law's.
    line.schedule(at=at)
    line.begin(at=at)
    line.deliver(at=at, on=clock.day(order.account, at))
    line.complete(at=at)
    line.delivered_fraction = Decimal(1)
    return line
