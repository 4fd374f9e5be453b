"""Services delivered in parts, where the Terms say so: each part costs from its own day on.

The first part puts the line into service; each tells the item how much of the whole is there now.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from o2b import clock
from o2b.charging import StartRule
from orders.laying.services import lock_accounts
from orders.models import DeliveredPart, LineAction, Order, OrderLine
from subscriptions.installed import pieces_of
from subscriptions.models import Act, Item, ItemChange, ServiceState, Subscription
from subscriptions.services import (
    install,
    installed_from,
    move_start,
    open_subscriptions,
    tell_started,
)
from subscriptions.timelines.services import NewFact, database_now, tell_facts

GIVEN_UP = (OrderLine.State.CANCELLING, OrderLine.State.CANCELLED)


class Reached(NamedTuple):
    """From this day on so much of a line is there; a later one is always more."""

    on: date
    fraction: Decimal


def reached_of(parts: Sequence[tuple[date, Decimal]]) -> list[Reached]:
    """The parts that brought more than was there before, in order; what is there stays.

    >>> D, jan = Decimal, lambda day: date(2026, 1, day)
    >>> told = [(jan(5), D("0.75")), (jan(7), D("0.5")), (jan(9), D(1))]
    >>> [(each.on.day, str(each.fraction)) for each in reached_of(told)]
    [(5, '0.75'), (9, '1')]
    """
    found: list[Reached] = []
    most = Decimal(0)
    for on, fraction in parts:
        if fraction > most:
            most = fraction
            found.append(Reached(on, fraction))
    return found


@transaction.atomic
def take_parts_of(*, order_ids: Sequence[int], at: datetime) -> int:
    """Bill what is delivered of the lines of these orders, once; return how many parts were told.

    May run twice and late: accounts and orders are locked, and parts that are known passed over.
    """
    wanted = _parts_of(order_ids)
    if not wanted:
        return 0
    lock_accounts(account_ids={line.account_id for line in wanted}, closed_too=True)
    locked = Order.objects.select_for_update(no_key=True)
    orders = {order.pk: order for order in locked.filter(pk__in=order_ids).order_by("pk")}
    wanted = _parts_of(order_ids)  # by now nobody adds to them
    items = {i.order_line_id: i for i in Item.objects.filter(order_line__in=list(wanted))}
    fresh = [n for n in wanted if n.pk not in items and n.state not in GIVEN_UP]
    told = _open(orders, fresh, wanted, at) if fresh else 0
    return told + _go_on({n: r for n, r in wanted.items() if n.pk in items}, items, at)


def _parts_of(order_ids: Collection[int]) -> dict[OrderLine, list[Reached]]:
    """The lines that may start in parts and did, each with what was reached and when."""
    rows = (
        DeliveredPart.objects.filter(
            line__order__in=order_ids,
            line__action=LineAction.START,
            line__terms__start_rule=StartRule.EACH_PART,
        )
        .select_related("line__account__test_clock")
        .order_by("line__order_id", "line__position", "on", "pk")
    )
    found: dict[OrderLine, list[tuple[date, Decimal]]] = defaultdict(list)
    for part in rows:
        found[part.line].append((part.on, part.fraction))
    reached = {line: reached_of(parts) for line, parts in found.items()}
    # What came at once is put into service as a whole.
    return {line: parts for line, parts in reached.items() if parts and parts[0].fraction < 1}


def _open(
    orders: Mapping[int, Order],
    lines: Sequence[OrderLine],
    reached: Mapping[OrderLine, Sequence[Reached]],
    at: datetime,
) -> int:
    """An item of each line from its first part on, with all parts that came so far."""
    moment = database_now()
    days = {line.pk: reached[line][0].on for line in lines}
    today = {line.order_id: clock.day(line.account, at) for line in lines}
    first_days: dict[int, date] = {}
    for line in lines:
        first_days[line.order_id] = min(first_days.get(line.order_id, date.max), days[line.pk])
    known = {each.order_id: each for each in Subscription.objects.filter(order__in=orders)}
    opened = open_subscriptions(
        [orders[pk] for pk in first_days if pk not in known], first_days, today
    )
    move_start(known, first_days)
    subscriptions = known | {each.order_id: each for each in opened}
    shown = pieces_of([line.pk for line in lines])
    items = Item.objects.bulk_create(
        Item(
            subscription=subscriptions[line.order_id],
            account_id=line.account_id,
            order_line=line,
            product_version_id=line.product_version_id,
            serial=shown[line.pk][-1].serial if shown.get(line.pk) else "",
            state=ServiceState.PENDING,
            started_on=days[line.pk],
            anchor_on=days[line.pk],
            anchor_day=line.account.bill_day,
            recorded_at=moment,
        )
        for line in lines
    )
    install(installed_from(items, days))
    facts = {
        item.pk: [_fact(line, part) for part in reached[line]]
        for item, line in zip(items, lines, strict=True)
    }
    tell_facts(facts, at=at, moment=moment)
    tell_started(opened, items, subscriptions, at)
    return sum(map(len, facts.values()))


def _go_on(
    reached: Mapping[OrderLine, Sequence[Reached]], items: Mapping[int, Item], at: datetime
) -> int:
    """Parts that came since the items know of any."""
    had: dict[int, Decimal] = defaultdict(Decimal)
    known = ItemChange.objects.filter(
        item__in=[items[line.pk].pk for line in reached], act=Act.PART
    )
    for item_id, delivered in known.values_list("item_id", "delivered"):
        had[item_id] = max(had[item_id], delivered or Decimal(0))
    facts: dict[int, list[NewFact]] = {}
    for line, parts in reached.items():
        item = items[line.pk]
        more = [_fact(line, part) for part in parts if part.fraction > had[item.pk]]
        # One that is known of none was there as a whole before its parts were looked at.
        if more and had[item.pk]:
            facts[item.pk] = more
    if facts:
        # First, so that what is used by a serial is known to be of its item.
        more_of = [items[line.pk] for line in reached if items[line.pk].pk in facts]
        days = {item.order_line_id: clock.day(item.account, at) for item in more_of}
        install(installed_from(more_of, days))
        tell_facts(facts, at=at)
    return sum(map(len, facts.values()))


def _fact(line: OrderLine, part: Reached) -> NewFact:
    return NewFact(Act.PART, part.on, line.pk, delivered=part.fraction)
