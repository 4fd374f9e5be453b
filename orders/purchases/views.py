"""The doors of purchases: the list, one with what has arrived, its document."""

from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Column, ListPage
from orders.models import PurchaseOrder
from orders.purchases import selectors, services
from orders.purchases.forms import CancelForm, ExpectForm, ReceiveForm
from orders.purchases.pdf import render as render_pdf

WORKS = "orders.work_tasks"


def _progress(purchase: PurchaseOrder) -> str:
    return f"{purchase.received.normalize():f} / {purchase.quantity.normalize():f}"


class PurchaseList(ListPage):
    """Every order to a vendor."""

    permission = WORKS
    title = gettext_lazy("Purchases")
    intro = gettext_lazy("What we ordered of vendors for our orders, and what of it has arrived.")
    columns = (
        Column("number", gettext_lazy("Number"), sort="pk", link=True),
        Column("vendor", gettext_lazy("Vendor"), sort="vendor", note="item"),
        Column(
            "customer",
            gettext_lazy("For"),
            value="account.customer.name",
            sort="account__customer__name",
            note=lambda purchase: str(purchase.line),
        ),
        Column("state", gettext_lazy("State"), kind="badge", label="get_state_display"),
        Column("progress", gettext_lazy("Arrived"), value=_progress),
        Column("expected_on", gettext_lazy("Expected"), kind="day", sort="expected_on"),
        Column("unit_cost", gettext_lazy("Price"), kind="money", currency="currency"),
    )
    search = ("vendor", "item", "account__customer__name", "pk")
    search_hint = gettext_lazy("Vendor, item, customer or number…")
    state_field = "state"
    states = [(selectors.LATE, gettext_lazy("late")), *PurchaseOrder.State.choices]
    default_sort = "-number"
    csv_name = "purchases"
    empty = gettext_lazy("Nothing is ordered of vendors yet. Steps of plans do that.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.purchases_for_list()

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        if state == selectors.LATE:
            return rows.filter(selectors.late(on=clock.today()))
        return super().filter_state(rows, state)


@door(WORKS)
@require_GET
def purchase(request: HtmxRequest, pk: int) -> HttpResponse:
    return _page(request, selectors.get_purchase(pk))


def _page(
    request: HttpRequest, found: PurchaseOrder, *, status: int = 200, **forms: Any
) -> HttpResponse:
    today = clock.today(found.account)
    is_open = found.state in selectors.OPEN
    receive = ReceiveForm(initial={"quantity": f"{found.missing.normalize():f}", "on": today})
    context = {
        "purchase": found,
        "total": found.unit_cost * found.quantity,
        "is_open": is_open,
        "is_late": is_open and found.expected_on is not None and found.expected_on < today,
        "receive": forms.get("receive") or receive,
        "asks_rest": forms.get("asks_rest", False),
        "expect": forms.get("expect") or ExpectForm(initial={"expected_on": found.expected_on}),
        "cancel": forms.get("cancel") or CancelForm(),
    }
    return render(request, "orders/purchases/purchase.html", context, status=status)


@door(WORKS)
@require_GET
def of_task(request: HtmxRequest, pk: int) -> HttpResponse:
    """From a task to what was ordered for it."""
    return redirect(PurchaseOrder.objects.get(task=pk))


@door(WORKS)
@require_POST
def receive(request: HtmxRequest, pk: int) -> HttpResponse:
    """Some of it has arrived, or the rest."""
    found = selectors.get_purchase(pk)
    form = ReceiveForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, receive=form)
    if form.cleaned_data["quantity"] == found.missing and request.POST.get("rest") != "yes":
        return _page(request, found, receive=form, asks_rest=True)
    try:
        services.receive_goods(purchase_id=pk, **form.goods(), at=_now(found), by=_me(request))
    except services.ReceiptInvalid as refusal:
        show_refusal(form, refusal)
        return _page(request, found, status=422, receive=form)
    messages.success(request, _("It is noted what has arrived."))
    return redirect("orders:purchase", pk=pk)


@door(WORKS)
@require_POST
def expect(request: HtmxRequest, pk: int) -> HttpResponse:
    """The vendor delivers on another day."""
    found = selectors.get_purchase(pk)
    form = ExpectForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, expect=form)
    try:
        services.change_expected(
            purchase_id=pk, **form.cleaned_data, at=_now(found), by=_me(request)
        )
    except Refused as refusal:
        if refusal.field not in form.fields:
            raise
        show_refusal(form, refusal)
        return _page(request, found, status=422, expect=form)
    messages.success(request, _("It is noted when it is expected."))
    return redirect("orders:purchase", pk=pk)


@door(WORKS)
@require_POST
def cancel(request: HtmxRequest, pk: int) -> HttpResponse:
    """Call it off; the vendor gets a letter."""
    found = selectors.get_purchase(pk)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, cancel=form)
    try:
        services.cancel_purchase(
            purchase_id=pk, reason=form.cleaned_data["reason"], at=_now(found), by=_me(request)
        )
    except Refused as refusal:
        if refusal.field not in form.fields:
            raise
        show_refusal(form, refusal)
        return _page(request, found, status=422, cancel=form)
    messages.warning(request, _("%(purchase)s is cancelled.") % {"purchase": found.number})
    return redirect("orders:purchase", pk=pk)


@door(WORKS)
@require_GET
def document(request: HtmxRequest, pk: int) -> HttpResponse:
    """The order as the vendor has it."""
    found = selectors.get_purchase(pk)
    response = HttpResponse(render_pdf(found), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{found.number}.pdf"'
    return response


def _me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def _now(found: PurchaseOrder) -> datetime:
    return clock.now(found.account)
