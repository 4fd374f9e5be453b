"""Panels of care: on the page of an order, and on the page of an account."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from o2b import clock
from o2b.customers.selectors import get_account
from o2b.web.http import HtmxRequest, door, is_partial
from orders.care import links, selectors
from orders.models import Complaint, Question
from orders.selectors import get_order

MOST_SHOWN = 20


@door("orders.view_order")
@require_GET
def of_order(request: HtmxRequest, pk: int) -> HttpResponse:
    """The customer's link, and what they asked and complained about."""
    order = get_order(pk)
    complaints = selectors.complaints(machine_now=clock.now()).filter(order=order)
    context: dict[str, Any] = {
        "order": order,
        "link": links.address(order.pk),
        "complaints": list(complaints.order_by("-pk")[:MOST_SHOWN]),
        "questions": list(Question.objects.filter(order=order).order_by("-pk")[:MOST_SHOWN]),
    }
    return _panel(request, "of_order", context)


@door("orders.view_order")
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """What an account's customer asked and complained about, and nobody settled yet."""
    open_ = selectors.complaints(machine_now=clock.now()).filter(selectors.UNRESOLVED, account=pk)
    asked = selectors.questions().filter(account=pk, answered_at=None)
    context: dict[str, Any] = {
        "account": get_account(pk),
        "complaints": list(open_.order_by("due_at")[:MOST_SHOWN]),
        "questions": list(asked.order_by("pk")[:MOST_SHOWN]),
        "settled": Complaint.objects.filter(account=pk, state=Complaint.State.RESOLVED).count(),
    }
    return _panel(request, "of_account", context)


def _panel(request: HtmxRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    partial = "_" if is_partial(request) else ""
    return render(request, f"orders/care/{partial}{name}.html", context)
