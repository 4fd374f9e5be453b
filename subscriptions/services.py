"""What puts services into use: completed order lines become items under their own Terms."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, Func, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Now
from psycopg2.extras import DateRange

from o2b import events
from o2b.charging import StartRule
from orders.models import Evidence, Order, OrderLine
from subscriptions.models import Item, ItemVersion, ServiceState, Subscription


@transaction.atomic
def start_items(*, order_id: int, at: datetime) -> Subscription | None:
    """Put every completed line of the order into service, once; None if there is nothing to show.

    May run twice and late: the order is locked, and lines that have an item are passed over.
    """
    # No key of the order changes, so rows that refer to it can be written meanwhile.
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    lines = _lines_to_start(order)
    subscription = Subscription.objects.filter(order=order).first()
    if not lines:
        return subscription
    days = {line.pk: start_day(line) for line in lines}
    first_day, is_new = min(days.values()), subscription is None
    if subscription is None:
        subscription = Subscription.objects.create(
            account_id=order.account_id,
            order=order,
            state=ServiceState.ACTIVE,
            started_on=first_day,
        )
    elif subscription.started_on is None or first_day < subscription.started_on:
        subscription.started_on = first_day
        subscription.save(update_fields=["started_on"])
    items = _open_items(subscription, lines, days)
    if is_new:
        events.record("subscription.started", subscription, at=at, on=first_day.isoformat())
    events.record("subscription.items_started", subscription, at=at, items=[i.pk for i in items])
    return subscription


def start_day(line: OrderLine) -> date:
    """The first day in service, as the start rule of the line's Terms says.

    Parts are delivered as one for now, so *each part* starts like *on delivery*; a date that
    nobody named is the day of delivery.
    """
    if line.terms.start_rule == StartRule.ON_DATE and line.start_on is not None:
        return line.start_on
    if line.delivered_on is None:  # the database refuses a completed line without its day
        raise ValueError(f"{line} is completed and has no day of delivery")
    return line.delivered_on


def _lines_to_start(order: Order) -> list[OrderLine]:
    """Completed lines without an item, each with the newest serial that its evidence names."""
    named = Evidence.objects.filter(line=OuterRef("pk")).exclude(serial="").order_by("-pk")
    return list(
        OrderLine.objects.filter(order=order, state=OrderLine.State.COMPLETED)
        .filter(~Exists(Item.objects.filter(order_line=OuterRef("pk"))))
        .select_related("terms")
        .only(
            "order_id",
            "position",
            "product_version_id",
            "quantity",
            "start_on",
            "delivered_on",
            "terms__start_rule",
        )
        .annotate(newest_serial=Coalesce(Subquery(named.values("serial")[:1]), Value("")))
        .order_by("position")
    )


def _open_items(
    subscription: Subscription, lines: Sequence[OrderLine], days: dict[int, date]
) -> list[Item]:
    """One item a line, and its first version: valid from its day on, recorded from now on."""
    items = Item.objects.bulk_create(
        Item(
            subscription=subscription,
            account_id=subscription.account_id,
            order_line=line,
            product_version_id=line.product_version_id,
            serial=line.newest_serial,  # type: ignore[attr-defined]
            state=ServiceState.ACTIVE,
            started_on=days[line.pk],
        )
        for line in lines
    )
    ItemVersion.objects.bulk_create(
        ItemVersion(
            item=item,
            product_version_id=line.product_version_id,
            quantity=line.quantity,
            terms_id=line.terms_id,
            valid=DateRange(days[line.pk], None, "[)"),
            recorded=_from_now_on(),
        )
        for item, line in zip(items, lines, strict=True)
    )
    return items


def _from_now_on() -> Func:
    """The span of moments that begins with the database's now and has no end yet."""
    return Func(Now(), Value(None), Value("[)"), function="tstzrange")
