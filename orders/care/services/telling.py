"""What advocates are told as their orders go: one notice an order, a few statements a batch."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b import events
from o2b.customers.models import Contact
from o2b.models import Event, Outbox
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many
from orders.models import Order, OrderLine, Task

L = OrderLine.State
DELIVERED = (L.DELIVERED, L.COMPLETED)
CUSTOMER_MAIL_TASK = "care.mail_tracking_links"
# An order that was placed longer ago comes from an import: its customer has waited for no mail.
MAILED_WITHIN = timedelta(days=1)
MOST_NAMED = 3


def tell_placed(*, order_ids: Collection[int], machine_now: datetime) -> int:
    """Orders were accepted: tell the advocates, and owe a mail to customers with an address."""
    orders = _orders(order_ids).annotate(n=Count("lines"))
    names = _products(OrderLine.objects.filter(order__in=order_ids))
    notes = []
    for order in orders:
        told = {"order": order, "account": order.account.name}
        title = ngettext(
            "Order %(order)s of %(account)s is accepted: %(n)s line",
            "Order %(order)s of %(account)s is accepted: %(n)s lines",
            order.n,
        ) % {**told, "n": order.n}
        products = names.get(order.pk, "")
        notes.append(_note(order, Topic.ACCEPTED, "placed", title, order.placed_at, products))
    _owe_mail(order_ids, machine_now)
    return tell_many(notes)


def tell_delivered(*, order_ids: Collection[int]) -> int:
    """Lines were delivered: tell how many of each order are, as often as there are more."""
    is_delivered = Q(lines__state__in=DELIVERED)
    orders = _orders(order_ids).annotate(
        n=Count("lines", filter=is_delivered),
        all=Count("lines", filter=~Q(lines__state=L.CANCELLED)),
        last_at=Max("lines__delivered_at"),
    )
    lines = OrderLine.objects.filter(order__in=order_ids, state__in=DELIVERED)
    names = _products(lines)
    notes = []
    for order in orders:
        if not order.n:
            continue
        told = {"order": order, "account": order.account.name, "n": order.n, "all": order.all}
        if order.n == order.all:
            title = ngettext(
                "Order %(order)s of %(account)s is delivered: %(n)s line",
                "Order %(order)s of %(account)s is delivered: all %(n)s lines",
                order.n,
            )
        else:
            title = _("Order %(order)s of %(account)s: %(n)s of %(all)s lines are delivered")
        key = f"delivered:{order.n}"
        notes.append(
            _note(order, Topic.DELIVERED, key, title % told, order.last_at, names[order.pk], "good")
        )
    return tell_many(notes)


def tell_fallen(*, order_ids: Collection[int]) -> int:
    """Lines fell out: tell the advocates, and who owns the queues of the tasks that failed."""
    fallen = OrderLine.objects.filter(order__in=order_ids, state=L.FALLOUT)
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in fallen.select_related("product_version__product").order_by("pk"):
        lines[line.order_id].append(line)
    owners: dict[int, set[int]] = defaultdict(set)
    tasks = Task.objects.filter(line__in=fallen, state=Task.State.FALLOUT, queue__owner__gt=0)
    for order_id, owner_id in tasks.values_list("order_id", "queue__owner_id"):
        owners[order_id].add(owner_id)
    news = dict(
        Event.objects.filter(order_id__in=lines, name="order_line.fell_out")
        .values_list("order_id")
        .annotate(Max("id"))
    )
    moments = dict(
        Event.objects.filter(pk__in=news.values(), order_id__in=lines).values_list("order_id", "at")
    )
    notes = []
    for order in _orders(lines):
        first = lines[order.pk][0]
        n = len(lines[order.pk])
        told = {"order": order, "account": order.account.name, "n": n}
        title = ngettext(
            "Order %(order)s of %(account)s: a line fell out",
            "Order %(order)s of %(account)s: %(n)s lines fell out",
            n,
        )
        text = f"{first.position} · {first.product_version.product}: {first.reason}"
        key, at = f"fell_out:{news.get(order.pk, 0)}", moments.get(order.pk, order.placed_at)
        notes.append(
            _note(order, Topic.FALLOUT, key, title % told, at, text, "bad", owners[order.pk])
        )
    return tell_many(notes)


def _orders(order_ids: Iterable[int]) -> QuerySet[Any]:
    return Order.objects.filter(pk__in=list(order_ids)).select_related("account").order_by("pk")


def _products(lines: QuerySet[OrderLine]) -> dict[int, str]:
    """The products of lines by order: the first few by name, the rest by number."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = lines.order_by("order", "position")
    for order_id, name in rows.values_list("order_id", "product_version__product__name"):
        found[order_id].append(name)
    return {order_id: _some(names) for order_id, names in found.items()}


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    left = len(names) - MOST_NAMED
    return _("%(names)s and %(n)s more") % {"names": shown, "n": left} if left > 0 else shown


def _owe_mail(order_ids: Collection[int], machine_now: datetime) -> None:
    """One mail an order, to customers who gave an address; none for what an import brings."""
    due = Order.objects.filter(
        Exists(Contact.objects.filter(customer=OuterRef("account__customer"))),
        pk__in=order_ids,
        placed_at__gt=machine_now - MAILED_WITHIN,
    )
    owed = Outbox.objects.bulk_create(
        Outbox(event_name="order.placed", task=CUSTOMER_MAIL_TASK, key=key)
        for key in due.order_by("pk").values_list("pk", flat=True)
    )
    if owed:
        transaction.on_commit(lambda: events.publish(owed), robust=True)


def _note(
    order: Order,
    topic: str,
    news: str,
    title: str,
    at: datetime,
    text: str,
    tone: str = "",
    others: Collection[int] = (),
) -> Note:
    return Note(
        user_ids={order.account.advocate_id, *others},
        topic=topic,
        key=f"order:{order.pk}:{news}",
        title=title,
        text=text,
        url=reverse("orders:detail", args=[order.pk]),
        tone=tone,
        at=at,
    )
