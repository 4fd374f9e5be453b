"""What can be done with an order as a whole, and what is on paper about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from orders.models import Order, OrderLine, PurchaseOrder, TaskFile

L = OrderLine.State
OVER = {L.COMPLETED, L.CANCELLED}
MOST = 50


@dataclass(frozen=True, slots=True)
class Steering:
    """The doors that are open for an order as a whole, by the states of its lines."""

    may_hold: bool
    may_resume: bool
    may_cancel: bool
    may_prioritise: bool
    may_reschedule: bool


def steering_of(order: Order) -> Steering:
    """One query, whatever the number of lines."""
    states = set(
        OrderLine.objects.filter(order=order).order_by().values_list("state", flat=True).distinct()
    )
    return Steering(
        may_hold=bool(states & {L.SCHEDULED, L.PROVISIONING}),
        may_resume=L.HELD in states,
        may_cancel=bool(states - OVER - {L.DELIVERED, L.CANCELLING}),
        may_prioritise=bool(states - OVER),
        may_reschedule=L.ACCEPTED in states and states <= {L.ACCEPTED, L.CANCELLED},
    )


@dataclass(frozen=True, slots=True)
class Document:
    """Something on paper: what it is, where it is read, since when it is there."""

    kind: str
    title: str
    url: str
    note: str
    at: datetime | None


def order_with_quote(order_id: int) -> Order:
    return Order.objects.select_related("quote", "account").get(pk=order_id)


def documents_of(order: Order, user: Any) -> list[Document]:
    """The quote, what was ordered of vendors, files kept with its tasks."""
    return [*_quote(order, user), *_purchases(order, user), *_files(order)]


def _quote(order: Order, user: Any) -> Iterator[Document]:
    if order.quote is None:
        return
    url = order.quote.get_absolute_url() if user.has_perm("quotes.view_quote") else ""
    yield Document(_("Quote"), str(order.quote), url, "", order.quote.sent_at)


def _purchases(order: Order, user: Any) -> Iterator[Document]:
    found = PurchaseOrder.objects.filter(line__order=order).select_related("line")[:MOST]
    may_see = user.has_perm("orders.work_tasks")
    for purchase in found:
        url = reverse("orders:purchase-document", args=[purchase.pk]) if may_see else ""
        note = f"{purchase.vendor} · {purchase.item} · {purchase.get_state_display()}"
        yield Document(_("Purchase order"), str(purchase), url, note, purchase.sent_at)


def _files(order: Order) -> Iterator[Document]:
    found = TaskFile.objects.filter(task__order=order).defer("body").select_related("task__line")
    for file in found.order_by("-pk")[:MOST]:
        note = f"{file.task.line.position} · {file.task.name}"
        url = reverse("orders:task-file", args=[file.task_id, file.pk])
        yield Document(_("File"), file.name, url, note, file.at)
