"""The pages of orders: list, one order live, one line, and the panels for quotes and accounts."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from o2b import asks, clock
from o2b.customers.selectors import get_account
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Action, Column, Filter, ListPage
from orders import listing, selectors
from orders.models import Jeopardy, Order, OrderLine, Priority
from orders.queues import queues_of
from orders.shown import ShownLine, history, show_lines, shown_lines
from orders.steering.selectors import steering_of
from orders.timing.outlook import Outlook, Schedule, outlook_of, schedule_of
from quotes.selectors import get_quote


class OrderList(ListPage):
    """Every order, with the state that its lines make."""

    permission = "orders.view_order"
    title = _("Orders")
    columns = (
        Column("number", _("Number"), sort="pk", link=True, note=listing.priority_of),
        Column(
            "customer",
            _("Customer"),
            value="account.customer.name",
            sort="account__customer__name",
            note="account.reference",
        ),
        Column("standing", _("State"), kind="badge", sort="standing", note=listing.begins),
        Column(
            "jeopardy",
            _("Lateness"),
            kind="badge",
            value=listing.jeopardy_of,
            label="get_jeopardy_display",
            tone=listing.tone_of,
        ),
        Column("promised_on", _("Promised"), kind="day", sort="promised_on", may_be_empty=True),
        Column("forecast_at", _("Forecast"), kind="day", sort="forecast_at", may_be_empty=True),
        Column("line_count", _("Lines"), kind="number", sort="line_count"),
        Column("channel", _("Channel"), value="get_channel_display", sort="channel"),
        Column("advocate", _("Advocate"), value="account.advocate"),
        Column("placed_at", _("Placed"), kind="moment", sort="placed_at"),
    )
    csv_columns = (
        Column("number", _("Number")),
        Column("customer", _("Customer"), value="account.customer.name", note="account.reference"),
        Column("standing", _("State")),
        Column("jeopardy", _("Lateness"), value=listing.jeopardy_of),
        Column("priority", _("Priority"), value="get_priority_display"),
        Column("work_from", _("Work from")),
        Column("promised_on", _("Promised")),
        Column("forecast_at", _("Forecast")),
        Column("line_count", _("Lines")),
        Column("channel", _("Channel")),
        Column("advocate", _("Advocate"), value="account.advocate"),
        Column("placed_at", _("Placed")),
    )
    filters = (
        Filter(
            "lateness",
            _("Lateness"),
            listing.by_jeopardy,
            [*Jeopardy.choices, ("endangered", _("in danger or late"))],
        ),
        Filter("customer", _("Customer"), listing.by_customer, kind="word"),
        Filter("queue", _("Work open in"), listing.by_queue, listing.queue_choices),
        Filter("product", _("Product"), listing.by_product, kind="word"),
        Filter("advocate", _("Advocate"), listing.by_advocate, listing.advocate_choices),
        Filter("channel", _("Channel"), "channel", Order.Channel.choices),
        Filter("priority", _("Priority"), "priority", Priority.choices),
        Filter("from", _("Placed from"), listing.placed_from, kind="day"),
        Filter("until", _("Placed until"), listing.placed_until, kind="day"),
    )
    search = ("account__customer__name", "account__name", "account__reference", "po_number", "pk")
    search_hint = _("Customer, account or number…")
    state_field = "standing"
    states = [(state.value, state.label) for state in selectors.STANDINGS]
    default_sort = "-number"
    csv_name = "orders"
    actions = (
        Action(_("New order"), "orders:new", permission="orders.place_order"),
        Action(_("Bulk orders"), "orders:bulk-list", "orders.place_order", primary=False),
    )
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
    outlook = outlook_of(order, now=clock.now(order.account))
    page, lines = shown_lines(outlook, request.GET.get("page"))
    pace = ""
    if outlook.is_open or any(shown.line.is_moving for shown in lines):
        pace = "2s" if selectors.changes_by_itself(order.pk) else "20s"
    return {
        "order": order,
        "outlook": outlook,
        "schedule": _schedule(request, outlook, lines),
        "figures": selectors.figures_of(order),
        "lines": lines,
        "page": page,
        "entries": history(order),
        "pace": pace,
        "steering": steering_of(order),
        "priorities": Priority.choices,
        **_mine(request),
    }


def _schedule(
    request: HttpRequest, outlook: Outlook, lines: Sequence[ShownLine], wish: str = ""
) -> Schedule | None:
    wish = wish or request.GET.get("schedule", "")
    return schedule_of(outlook, [(shown.line, shown.tasks) for shown in lines], wish=wish)


def _mine(request: HttpRequest) -> dict[str, Any]:
    """What this person may do to lines and tasks."""
    works = request.user.has_perm("orders.work_tasks")
    queues = set(queues_of(request.user.pk or 0).values_list("pk", flat=True)) if works else set()
    manages = request.user.has_perm("orders.manage_work")
    return {"works": works, "my_queues": queues, "manages": manages}


@door("orders.view_order")
@require_GET
def line(request: HtmxRequest, pk: int) -> HttpResponse:
    """One line: its row for htmx, else a page of its own."""
    found = OrderLine.objects.values_list("order_id", flat=True).get(pk=pk)
    order = selectors.get_order(found)
    outlook = outlook_of(order, now=clock.now(order.account))
    shown = show_lines(outlook, selectors.lines_of(order.pk).filter(pk=pk))[0]
    partial = request.htmx and not request.htmx.history_restore_request
    template = "orders/_line.html" if partial else "orders/line.html"
    pace = "2s" if shown.line.is_moving and selectors.changes_by_itself(order.pk) else ""
    context = {"order": order, "shown": shown, "pace": pace, "alone": True} | _mine(request)
    context["schedule"] = _schedule(request, outlook, [shown], wish="steps")
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
    orders = [listing.with_words(order) for order in selectors.orders_of_account(pk)[:20]]
    return render(request, template, {"account": account, "orders": orders})
