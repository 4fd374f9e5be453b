"""The page on which the order team enters an order without a quote."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from o2b import clock
from o2b.asks import held_by
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.http import HtmxRequest, door, is_partial
from orders.entry.forms import OrderEditor, OrderForm
from orders.entry.services import enter_order
from orders.models import Order
from quotes.forms import EditorLine
from quotes.inputs import translate_legacy
from quotes.selectors import products_on_sale, retired_products, some_are_retired, try_preview


@door("orders.place_order")
@require_http_methods(["GET", "HEAD", "POST"])
def new_order(request: HtmxRequest) -> HttpResponse:
    """Lines without prices; they are found when it is placed, and shown before."""
    products = products_on_sale()
    if request.method != "POST":
        given = {"account": request.GET.get("account", "")[:200]}
        return _show(request, OrderEditor(OrderForm(initial=given), [EditorLine()], products))
    editor = OrderEditor.read(request.POST, products)
    if editor.is_legacy:
        editor.translate(retired_products())
    deed = request.POST.get("do", "")
    if deed == "place":
        return _place(request, editor)
    editor.rearrange(deed)
    return _look(request, editor)


def _look(request: HttpRequest, editor: OrderEditor) -> HttpResponse:
    """The editor again, with amounts where they are known, or with all that is wrong."""
    asked = request.POST.get("do") == "look"
    account = editor.header.cleaned_data["account"] if editor.header.is_valid() else None
    if account:
        _assess(editor, account, gently=not asked)
    if not asked:
        editor.forgive()
    return _show(request, editor)


def _assess(editor: OrderEditor, account: Account, *, gently: bool) -> None:
    priced, faults = try_preview(
        account,
        translate_legacy(editor.wishes, every_line=editor.is_legacy),
        clock.today(account),
        editor.header.cleaned_data["start_on"],
        held_by(account.pk),
    )
    if priced:
        editor.show(priced.totals)
    for fault in faults:
        editor.blame(fault, gently=gently)


def _place(request: HttpRequest, editor: OrderEditor) -> HttpResponse:
    if not editor.header.is_valid():
        return _show(request, editor, status=422)
    said = editor.header.cleaned_data
    try:
        order = enter_order(
            account_id=said["account"].pk,
            lines=editor.wishes,
            at=clock.now(said["account"]),
            actor_id=request.user.pk,
            channel=Order.Channel.SCREEN,
            start_on=said["start_on"],
            note=said["note"],
            translate=editor.is_legacy,
            already=held_by(said["account"].pk),
            work_from=said["work_from"],
            promised_on=said["promised_on"],
            priority=said["priority"],
            po_number=said["po_number"],
        )
    except Refused as fault:
        _assess(editor, said["account"], gently=True)
        editor.blame(fault)
        return _show(request, editor, status=422)
    messages.success(request, _("Order %(order)s is placed.") % {"order": order})
    return redirect(order)


def _show(request: HttpRequest, editor: OrderEditor, *, status: int = 200) -> HttpResponse:
    editor.offer_options()
    editor.may_be_legacy = editor.is_legacy or some_are_retired()
    tried = request.method == "POST" and request.POST.get("do") == "place"
    template = "orders/_editor.html" if is_partial(request) else "orders/new.html"
    return render(request, template, {"editor": editor, "tried": tried}, status=status)
