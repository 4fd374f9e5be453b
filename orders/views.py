"""The pages of orders: list, one order live, one line, and the panels for quotes and accounts."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from o2b import asks
from o2b.customers.selectors import get_account
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Action, Column, ListPage
from orders import selectors
from orders.models import Order, OrderLine
from orders.queues import queues_of
from orders.shown import history, show_lines, shown_lines
from quotes.selectors import get_quote


class OrderList(ListPage):
    """Every order, with the state that its lines make."""

    permission = "orders.view_order"
    title = _("Orders")
    columns = (
        Column("number", _("Number"), sort="pk", link=True),
        Column(
            "customer",
            _("Customer"),
            value="account.customer.name",
            sort="account__customer__name",
            note="account.reference",
        ),
        Column("standing", _("State"), kind="badge", sort="standing"),
        Column("line_count", _("Lines"), kind="number", sort="line_count"),
        Column("channel", _("Channel"), value="get_channel_display", sort="channel"),
        Column("advocate", _("Advocate"), value="account.advocate"),
        Column("placed_at", _("Placed"), kind="moment", sort="placed_at"),
    )
    search = ("account__customer__name", "account__name", "account__reference", "pk")
    search_hint = _("Customer, account or number…")
    state_field = "standing"
    states = [(state.value, state.label) for state in selectors.STANDINGS]
    default_sort = "-number"
    csv_name = "orders"
    actions = (Action(_("New order"), "orders:new", permission="orders.place_order"),)
    empty = _("No orders yet. They come from accepted quotes, or are entered here.")

    def get_rows(self) -> QuerySet[Order]:
        return selectors.orders_for_list()


@door("orders.view_order")
@require_GET
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One order; the part that lives renews itself while something in it moves."""
    order = selectors.get_order(pk)
    context = _live(request, order)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "orders/_live.html", context)
    context["panels"] = asks.ask("order_panels", request.user, order.pk)
    return render(request, "orders/detail.html", context)


def _live(request: HttpRequest, order: Order) -> dict[str, Any]:
    page, lines = shown_lines(order, request.GET.get("page"))
    pace = ""
    if any(shown.line.is_moving for shown in lines):
        pace = "2s" if selectors.changes_by_itself(order.pk) else "20s"
    return {
        "order": order,
        "figures": selectors.figures_of(order),
        "lines": lines,
        "page": page,
        "entries": history(order),
        "pace": pace,
        **_mine(request),
    }


def _mine(request: HttpRequest) -> dict[str, Any]:
    """What this person may do to lines and tasks."""
    works = request.user.has_perm("orders.work_tasks")
    queues = set(queues_of(request.user.pk or 0).values_list("pk", flat=True)) if works else set()
    return {"works": works, "my_queues": queues}


@door("orders.view_order")
@require_GET
def line(request: HtmxRequest, pk: int) -> HttpResponse:
    """One line: its row for htmx, else a page of its own."""
    found = OrderLine.objects.values_list("order_id", flat=True).get(pk=pk)
    order = selectors.get_order(found)
    shown = show_lines(order, selectors.lines_of(order.pk).filter(pk=pk))[0]
    partial = request.htmx and not request.htmx.history_restore_request
    template = "orders/_line.html" if partial else "orders/line.html"
    pace = "2s" if shown.line.is_moving and selectors.changes_by_itself(order.pk) else ""
    context = {"order": order, "shown": shown, "pace": pace, "alone": True} | _mine(request)
    return render(request, template, context)


@door("orders.view_order")
@require_GET
def of_quote(request: HtmxRequest, pk: int) -> HttpResponse:
    """The order that a quote became: a panel of the quote's page."""
    quote = get_quote(pk)
    order = selectors.order_of_quote(quote.pk)
    template = "orders/_of_quote.html" if request.htmx else "orders/of_quote.html"
    return render(request, template, {"order": order, "quote_id": pk})


@door("orders.view_order")
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """The orders of one account: a panel of its page."""
    account = get_account(pk)
    template = "orders/_of_account.html" if request.htmx else "orders/of_account.html"
    orders = selectors.orders_of_account(pk)[:20]
    return render(request, template, {"account": account, "orders": orders})
