"""The doors of acceptance: the rep's buttons, and the customer's page without log-in."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from o2b import clock
from o2b.asks import ask
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from orders import selectors
from orders.acceptance import services
from orders.care import links as tracking
from orders.models import Order
from quotes import links
from quotes.models import Quote
from quotes.selectors import get_quote, offer

S = Quote.State
CLOSED: dict[str, Any] = {
    S.DECLINED: gettext_lazy("This offer was declined."),
    S.EXPIRED: gettext_lazy("This offer has expired."),
    S.WITHDRAWN: gettext_lazy("This offer was withdrawn."),
    S.SUPERSEDED: gettext_lazy("A newer version has taken this offer’s place."),
}


class AcceptForm(forms.Form):
    """Who accepts, and that they mean it."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    po_number = forms.CharField(
        label=gettext_lazy("Your order number"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("If you have one; it stands on the invoice then."),
    )
    consent = forms.BooleanField(
        label=gettext_lazy("I accept this offer and order what it lists, with costs."),
        error_messages={"required": gettext_lazy("Please tick this to order.")},
    )


class DeclineForm(forms.Form):
    """Why not; saying nothing is allowed."""

    reason = forms.CharField(
        label=gettext_lazy("Why? It helps us."),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
    )


@door("orders.accept_quote")
@require_POST
def accept_quote(request: HtmxRequest, pk: int) -> HttpResponse:
    """The rep accepts for the customer; twice shows the order that exists."""
    quote = get_quote(pk)
    try:
        order = services.place_order(
            quote_id=pk,
            by=str(request.user),
            at=clock.now(quote.account),
            actor_id=request.user.pk,
        )
    except services.AlreadyOrdered as refusal:
        if refusal.order.placed_by_id == request.user.pk:
            return redirect(refusal.order)
        if request.htmx:
            raise
        return render(request, "refused.html", {"refusal": refusal}, status=refusal.status)
    messages.success(request, _("Order %(order)s is placed.") % {"order": order})
    return redirect(order)


@door("orders.accept_quote")
@require_POST
def decline_quote(request: HtmxRequest, pk: int) -> HttpResponse:
    """The rep notes that the customer does not want it."""
    quote = get_quote(pk)
    services.decline_offer(
        quote_id=pk,
        reason=request.POST.get("reason", ""),
        at=clock.now(quote.account),
        by=str(request.user),
        actor_id=request.user.pk,
    )
    messages.success(request, _("%(quote)s is declined.") % {"quote": quote})
    return redirect(quote)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def offer_page(request: HttpRequest, token: str) -> HttpResponse:
    """The customer's page: the offer and its answer, and afterwards the order it became."""
    try:
        quote = get_quote(links.read(token))
    except (links.LinkInvalid, Quote.DoesNotExist):
        return _closed(request, _("This link is not valid."), status=404)
    if request.method == "POST":
        return _answer(request, token, quote)
    return _show(request, token, quote, AcceptForm(), DeclineForm())


def _answer(request: HttpRequest, token: str, quote: Quote) -> HttpResponse:
    accepting = request.POST.get("answer") != "decline"
    accept = AcceptForm(request.POST if accepting else None)
    decline = DeclineForm(None if accepting else request.POST)
    form = accept if accepting else decline
    if not form.is_valid():
        return _show(request, token, quote, accept, decline, status=422)
    at = clock.now(quote.account)
    try:
        if accepting:
            said = form.cleaned_data
            services.place_order(
                quote_id=quote.pk, by=said["name"], at=at, po_number=said["po_number"]
            )
        else:
            services.decline_offer(quote_id=quote.pk, reason=form.cleaned_data["reason"], at=at)
    except services.AlreadyOrdered as refusal:
        if not _is_same_signer(refusal.order, quote.pk, form.cleaned_data["name"]):
            return _closed(request, refusal.message, status=409, url=request.path)
    except Refused as refusal:
        quote = get_quote(quote.pk)
        if quote.state != S.SENT or refusal.status == 409:
            return _show(request, token, quote, accept, decline, refusal=refusal)
        show_refusal(form, refusal)
        return _show(request, token, quote, accept, decline, status=refusal.status)
    return redirect("orders:offer", token=token)


def _is_same_signer(order: Order, quote_id: int, name: str) -> bool:
    signer = Quote.objects.values_list("accepted_by", flat=True).get(pk=quote_id)
    return order.placed_by_id is None and signer.casefold() == name.strip().casefold()


def _show(
    request: HttpRequest,
    token: str,
    quote: Quote,
    accept: forms.Form,
    decline: forms.Form,
    *,
    status: int = 200,
    refusal: Refused | None = None,
) -> HttpResponse:
    """The page that fits where the offer stands."""
    if quote.state == S.ACCEPTED:
        return _thanks(request, quote)
    message = CLOSED.get(quote.state)
    if quote.state == S.SENT and not quote.may_be_accepted_on(clock.today(quote.account)):
        message = CLOSED[S.EXPIRED]
    if message:
        return _closed(request, message, status=410, quote=quote)
    if quote.state != S.SENT:
        return _closed(request, _("This link is not valid."), status=404)
    if refusal:
        return _closed(request, refusal.message, status=refusal.status, quote=quote)
    context = offer(quote.pk) | {"accept": accept, "decline": decline, "rail": []}
    context["parts"] = ask("quote_parts", quote.pk) if quote.is_change else []
    return render(request, "public/offer.html", context, status=status)


def _thanks(request: HttpRequest, quote: Quote) -> HttpResponse:
    order = selectors.order_of_quote(quote.pk)
    lines = selectors.lines_of(order.pk) if order else []
    track = reverse("orders:track", args=[tracking.sign(order.pk)]) if order else ""
    context: dict[str, Any] = {"quote": quote, "order": order, "lines": lines, "rail": []}
    return render(request, "public/thanks.html", context | {"track": track})


def _closed(
    request: HttpRequest, message: str, *, status: int, quote: Quote | None = None, url: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {"message": message, "quote": quote, "url": url, "rail": []}
    return render(request, "public/closed.html", context, status=status)
