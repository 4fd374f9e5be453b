"""What orders answers when a door of the ground asks."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b.asks import Card, Found, Holding, Impact, Panel
from o2b.catalog.publications import reach_of
from o2b.web.states import label_of
from orders import selectors
from orders.models import Evidence
from orders.reached import reached_orders

MOST_FOUND = 8


def home_cards(user: Any) -> list[Card]:
    """What waits in one's queues, what one works on, what fell out, what is in delivery."""
    if not user.has_perm("orders.view_order"):
        return []
    cards = []
    if user.has_perm("orders.work_tasks"):
        ready = sum(queue.waiting for queue in selectors.work_in_queues(user.pk))
        claimed = selectors.claimed_tasks(user.pk).count()
        queue = reverse("orders:queue")
        cards = [
            Card(_("Ready in my queues"), str(ready), queue, "go" if ready else ""),
            Card(_("I work on"), str(claimed), queue),
        ]
    fallen = selectors.fallen_lines().count()
    moving = selectors.lines_in_delivery().count()
    return [
        *cards,
        Card(_("Lines in fallout"), str(fallen), reverse("orders:fallout"), "bad" * bool(fallen)),
        Card(_("Lines in delivery"), str(moving), reverse("orders:list") + "?state=provisioning"),
    ]


def search(user: Any, text: str) -> list[Found]:
    """Orders by number ("O-123"), customer, or the serial of what was delivered."""
    if not user.has_perm("orders.view_order"):
        return []
    clean = text.replace("\0", "").strip()
    number = clean.upper().removeprefix("O-").split("/")[0]
    meant = Q(account__customer__name__icontains=clean) | Q(
        pk__in=Evidence.objects.filter(serial=clean).values("line__order")
    )
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


def affected_by_publication(user: Any, version_id: int) -> list[Impact]:
    """Running orders, none of which changes."""
    return reached_orders(reach_of(version_id), shown=user.has_perm("orders.view_order"))


def account_panels(user: Any, account_id: int) -> list[Panel]:
    if not user.has_perm("orders.view_order"):
        return []
    return [Panel(_("Orders"), reverse("orders:of-account", args=[account_id]))]
