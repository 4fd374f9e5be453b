"""What puts services into use: completed order lines become items under their own Terms."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from psycopg2.extras import DateRange, DateTimeTZRange

from o2b import clock, events
from o2b.charging import StartRule
from orders.models import DeliveredPart, Evidence, LineAction, Order, OrderLine
from subscriptions.installed import pieces_of
from subscriptions.models import Equipment, Item, ItemVersion, ServiceState, Subscription
from subscriptions.pools.services import touch_pools
from subscriptions.rules.starting import first_day
from subscriptions.timelines.services import database_now
from subscriptions.usage.services import write_subjects


def start_items(*, order_id: int, at: datetime) -> Subscription | None:
    """Put every completed line of one order into service; None if there is nothing to show."""
    return start_items_of(order_ids=[order_id], at=at).get(order_id)


@transaction.atomic
def start_items_of(*, order_ids: Sequence[int], at: datetime) -> dict[int, Subscription]:
    """Put every completed line of the orders into service, once; the subscription of each order.

    May run twice and late: the orders are locked, and lines that have an item are passed over.
    """
    # No key of an order changes, so rows that refer to it can be written meanwhile.
    wanted = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    orders = {order.pk: order for order in wanted}
    if missing := set(order_ids) - orders.keys():
        raise Order.DoesNotExist(f"there is no order {min(missing)}")
    lines = _lines_to_start(orders)
    known = {s.order_id: s for s in Subscription.objects.filter(order__in=orders)}
    if not lines:
        return known
    days = {line.pk: start_day(line) for line in lines}
    first_days: dict[int, date] = {}
    for line in lines:
        first = first_days.setdefault(line.order_id, days[line.pk])
        first_days[line.order_id] = min(first, days[line.pk])
    today = {line.order_id: clock.day(line.account, at) for line in lines}
    new = open_subscriptions(
        [orders[pk] for pk in first_days if pk not in known], first_days, today
    )
    move_start(known, first_days)
    subscriptions = known | {s.order_id: s for s in new}
    items = _open_items(subscriptions, lines, days, today)
    write_subjects([item.pk for item in items])
    begun = all(days[line.pk] >= today[line.order_id] for line in lines)
    touch_pools([item.pk for item in items], new=begun)
    tell_started(new, items, subscriptions, at)
    return subscriptions


def state_from(start: date, today: date) -> str:
    """In use from its first day on; before, it is only sure to come."""
    return ServiceState.ACTIVE if start <= today else ServiceState.PENDING


def open_subscriptions(
    orders: Sequence[Order], first_days: dict[int, date], today: dict[int, date]
) -> list[Subscription]:
    return Subscription.objects.bulk_create(
        Subscription(
            account_id=order.account_id,
            order=order,
            state=state_from(first_days[order.pk], today[order.pk]),
            started_on=first_days[order.pk],
        )
        for order in orders
    )


def move_start(known: dict[int, Subscription], first_days: dict[int, date]) -> None:
    """A later line may start earlier than those that are in service already."""
    earlier = []
    for order_id, subscription in known.items():
        day = first_days.get(order_id)
        if day and (subscription.started_on is None or day < subscription.started_on):
            subscription.started_on = day
            earlier.append(subscription)
    if earlier:
        Subscription.objects.bulk_update(earlier, ["started_on"])


def tell_started(
    new: Sequence[Subscription],
    items: Sequence[Item],
    subscriptions: dict[int, Subscription],
    at: datetime,
) -> None:
    started: dict[int, list[int]] = {}
    for item in items:
        started.setdefault(item.subscription_id, []).append(item.pk)
    if new:
        events.record_many(
            "subscription.started",
            new,
            at=at,
            facts_of=lambda s: {"on": s.started_on.isoformat()},
        )
    events.record_many(
        "subscription.items_started",
        [s for s in subscriptions.values() if s.pk in started],
        at=at,
        facts_of=lambda s: {"items": started[s.pk]},
    )


def start_day(line: OrderLine) -> date:
    """The first day in service, as the start rule of the line's Terms says."""
    if line.delivered_on is None:  # the database refuses a completed line without its day
        raise ValueError(f"{line} is completed and has no day of delivery")
    return first_day(
        line.terms.start_rule,
        agreed_on=line.start_on,
        delivered_on=line.delivered_on,
        placed_on=clock.day(line.account, line.accepted_at),
    )


def _lines_to_start(orders: Iterable[int]) -> list[OrderLine]:
    """Completed lines without an item, each with the serial that its evidence names."""
    named = Evidence.objects.filter(line=OuterRef("pk")).exclude(serial="")
    earlier = DeliveredPart.objects.filter(line=OuterRef("pk"), fraction__gt=0, fraction__lt=1)
    # What a person read off wins over what a machine made up.
    named = named.order_by(ExpressionWrapper(Q(by=None), BooleanField()), "-pk")
    return list(
        OrderLine.objects.filter(order__in=orders, state=OrderLine.State.COMPLETED)
        .filter(action=LineAction.START)
        .filter(~Exists(Item.objects.filter(order_line=OuterRef("pk"))))
        # What was delivered in parts begins with the first one: subscriptions.parts.
        .exclude(Exists(earlier), terms__start_rule=StartRule.EACH_PART)
        .select_related("terms", "account__test_clock")
        .only(
            "account__time_zone",
            "account__test_clock__now",
            "order_id",
            "position",
            "product_version_id",
            "quantity",
            "start_on",
            "accepted_at",
            "delivered_on",
            "terms__start_rule",
        )
        .annotate(
            newest_serial=Coalesce(Subquery(named.values("serial")[:1]), Value("")),
            bill_day=F("account__bill_day"),
        )
        .order_by("order_id", "position")
    )


def _open_items(
    subscriptions: dict[int, Subscription],
    lines: Sequence[OrderLine],
    days: dict[int, date],
    today: dict[int, date],
) -> list[Item]:
    """One item a line, and its first version: valid from its day on, recorded from now on."""
    moment = database_now()
    items = Item.objects.bulk_create(
        Item(
            subscription=subscriptions[line.order_id],
            account_id=subscriptions[line.order_id].account_id,
            order_line=line,
            product_version_id=line.product_version_id,
            serial=line.newest_serial,  # type: ignore[attr-defined]
            state=state_from(days[line.pk], today[line.order_id]),
            started_on=days[line.pk],
            next_turn_on=days[line.pk] if days[line.pk] > today[line.order_id] else None,
            anchor_on=days[line.pk],
            anchor_day=line.bill_day,  # type: ignore[attr-defined]
            recorded_at=moment,
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
            recorded=DateTimeTZRange(moment, None, "[)"),
            order_line=line,
        )
        for item, line in zip(items, lines, strict=True)
    )
    install(installed_from(items, days))
    return items


def installed_from(
    items: Iterable[Item], days: Mapping[int, date]
) -> Iterator[tuple[Item, int, date]]:
    """Each item with the line that began it, and its day by that line, as `install` takes them."""
    for item in items:
        yield item, item.order_line_id, days[item.order_line_id]


def install(shown: Iterable[tuple[Item, int, date]]) -> None:
    """Every serial that the delivery of a line has shown, as a piece of an item from a day on.

    What stands there already is passed over.
    """
    wanted = list(shown)
    pieces = pieces_of({line_id for _, line_id, _ in wanted})
    Equipment.objects.bulk_create(
        (
            Equipment(
                item=item,
                account_id=item.account_id,
                product_version_id=piece.product_version_id,
                serial=piece.serial,
                installed_on=on,
            )
            for item, line_id, on in wanted
            for piece in pieces.get(line_id, ())
        ),
        ignore_conflicts=True,
    )
