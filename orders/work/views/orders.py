"""Panels of an order's page: what is said of it, and what it costs and brings."""

import csv
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from o2b import clock
from o2b.errors import Refused
from o2b.web.csv import Echo, safe
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial
from orders.models import Order
from orders.work import services
from orders.work.forms import CommentForm
from orders.work.selectors import one
from orders.work.selectors.costs import LineCosts, OrderCosts, costs_of, may_see_costs
from orders.work.views.common import MANAGES, SEES, me


@door(SEES)
@require_http_methods(["GET", "POST"])
def conversation(request: HtmxRequest, pk: int) -> HttpResponse:
    """What people say of an order and its tasks; writing is for everybody who sees it."""
    order = Order.objects.select_related("account__test_clock").get(pk=pk)
    form = CommentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.comment(
                order_id=pk, author_id=me(request), at=clock.now(order.account), **form.cleaned_data
            )
            return redirect(f"{order.get_absolute_url()}#conversation")
        except Refused as refusal:
            show_refusal(form, refusal)
    context = {
        "order": order,
        "comment_form": form,
        "comments": one.comments_on(order=order),
        "people": list(one.people()),
        "title": _("Conversation"),
        "part": "orders/_conversation.html",
    }
    template = context["part"] if is_partial(request) else "orders/part.html"
    return render(request, str(template), context, status=422 if form.errors else 200)


@door(SEES)
@require_GET
def costs(request: HtmxRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Planned and actual cost, revenue, margin, and the dated parts of every line."""
    if not may_see_costs(request.user):
        raise PermissionDenied(MANAGES)
    order = Order.objects.select_related("account__legal_entity").get(pk=pk)
    found = costs_of(order)
    if request.GET.get("format") == "csv":
        return _csv(order, found)
    context = {
        "order": order,
        "costs": found,
        "title": _("Cost and margin"),
        "part": "orders/_costs.html",
    }
    template = context["part"] if is_partial(request) else "orders/part.html"
    return render(request, str(template), context)


def _csv(order: Order, found: OrderCosts) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_lines(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{order.number}-costs.csv"'
    return response


def _lines(found: OrderCosts) -> Iterator[str]:
    write = csv.writer(Echo()).writerow
    yield write(
        [
            _("Line"),
            _("Product"),
            _("Planned"),
            _("Labour"),
            _("Purchases"),
            _("Equipment"),
            _("Minutes"),
            _("Cost, currency"),
            _("Once"),
            _("First month"),
            _("Revenue, currency"),
            _("Margin"),
            _("Delivered"),
            _("Since"),
        ]
    )
    for row in found.lines:
        yield write([safe(value) for value in _values(row, found)])


def _values(row: LineCosts, found: OrderCosts) -> list[Any]:
    return [
        row.line.position,
        row.line.product_version,
        row.planned,
        row.labour,
        row.purchase,
        row.equipment,
        row.minutes,
        found.cost_currency,
        row.one_time,
        row.monthly,
        found.currency,
        row.margin if found.comparable else None,
        row.line.delivered_fraction,
        row.parts[-1].on if row.parts else None,
    ]
