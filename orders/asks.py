"""What orders answers when a door of the ground asks."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b import clock
from o2b.asks import Card, Found, Holding, Impact, Panel, TaskKind, TaskQueue, Trace
from o2b.catalog.publications import reach_of
from o2b.web.states import label_of
from orders import selectors
from orders.care.selectors import counts_for
from orders.fulfilment import handlers
from orders.models import Evidence, Order, Queue
from orders.reached import reached_orders
from orders.work.selectors import lists
from orders.work.selectors.costs import may_see_costs

MOST_FOUND = 8


def home_cards(user: Any) -> list[Card]:
    """What waits in one's queues, what one works on, what fell out, what is in delivery."""
    if not user.has_perm("orders.view_order"):
        return []
    cards = []
    if user.has_perm("orders.work_tasks"):
        ready = lists.claimable(user.pk).order_by()[: lists.MOST_COUNTED].count()
        claimed = selectors.claimed_tasks(user.pk).count()
        queue = reverse("orders:queue")
        cards = [
            Card(_("Ready in my queues"), lists.counted(ready), queue, "go" if ready else ""),
            Card(_("I work on"), str(claimed), queue),
        ]
    fallen = selectors.fallen_lines().count()
    moving = selectors.lines_in_delivery().count()
    return [
        *cards,
        *care_cards(user),
        Card(_("Lines in fallout"), str(fallen), reverse("orders:fallout"), "bad" * bool(fallen)),
        Card(_("Lines in delivery"), str(moving), reverse("orders:list") + "?state=provisioning"),
    ]


def care_cards(user: Any) -> list[Card]:
    """What one's customers ask and complain about, while there is something."""
    if not user.has_perm("orders.hear_complaints"):
        return []
    waits = counts_for(user.pk, machine_now=clock.now())
    late = waits["overdue"]
    return [
        Card(
            _("My complaints"),
            str(waits["complaints"]),
            reverse("orders:complaints") + "?state=mine",
            "bad" if late else "warn" * bool(waits["complaints"]),
            _("%(n)s overdue") % {"n": late} if late else "",
        ),
        Card(
            _("Questions to answer"),
            str(waits["questions"]),
            reverse("orders:questions") + "?state=mine",
            "warn" * bool(waits["questions"]),
        ),
    ]


def search(user: Any, text: str) -> list[Found]:
    """Orders by number ("O-123", or the customer's), customer, or serial of what was delivered."""
    if not user.has_perm("orders.view_order"):
        return []
    clean = text.replace("\0", "").strip()
    number = clean.upper().removeprefix("O-").split("/")[0]
    meant = Q(account__customer__name__icontains=clean) | Q(
        pk__in=Evidence.objects.filter(serial=clean).values("line__order")
    )
    if clean:
        meant |= Q(po_number__iexact=clean)
    if number.isascii() and number.isdigit() and len(number) < 18:
        meant |= Q(pk=int(number))
    found = selectors.orders_for_list().filter(meant).order_by("-pk")[:MOST_FOUND]
    return [
        Found(
            _("Order"),
            order.number,
            order.get_absolute_url(),
            f"{order.account.customer} · {label_of(order.standing)}",
        )
        for order in found
    ]


def holdings(account_id: int) -> list[Holding]:
    """What is on its way to the account: lines that are neither cancelled nor in service yet."""
    return [Holding(*row) for row in selectors.on_their_way(account_id)]


def traces(account_id: int) -> list[Trace]:
    """Orders that were accepted."""
    n = Order.objects.filter(account=account_id).count()
    words = ngettext("%(n)s order was placed", "%(n)s orders were placed", n)
    return [Trace(words % {"n": n})] if n else []


def task_kinds() -> list[TaskKind]:
    """Every kind of automatic task that the settings name, with what its handler checks."""
    found = ((name, handlers.find(name)) for name in handlers.names())
    return [
        TaskKind(
            name,
            getattr(handler, "label", "") or name.replace("_", " ").capitalize(),
            handler.faults,
            getattr(handler, "example", {}),
        )
        for name, handler in found
        if handler
    ]


def task_queues() -> list[TaskQueue]:
    """Every queue that a step may go to."""
    rows = Queue.objects.order_by("code").values_list("code", "name", "hourly_rate")
    return [TaskQueue(*row) for row in rows]


def affected_by_publication(user: Any, version_id: int) -> list[Impact]:
    """Running orders, none of which changes."""
    return reached_orders(reach_of(version_id), shown=user.has_perm("orders.view_order"))


def account_panels(user: Any, account_id: int) -> list[Panel]:
    if not user.has_perm("orders.view_order"):
        return []
    return [
        Panel(_("Orders"), reverse("orders:of-account", args=[account_id])),
        Panel(_("Complaints and questions"), reverse("orders:care-of-account", args=[account_id])),
    ]


def order_panels(user: Any, order_id: int) -> list[Panel]:
    """What it costs and brings (leads and finance), what is said of it, what is on paper."""
    if not user.has_perm("orders.view_order"):
        return []
    panels = {"orders:conversation": _("Conversation"), "orders:documents": _("Documents")}
    if may_see_costs(user):
        panels = {"orders:costs": _("Cost and margin")} | panels
    return [Panel(title, reverse(name, args=[order_id])) for name, title in panels.items()]
