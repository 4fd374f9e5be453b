"""The customer's page of an order, without log-in: how far it is, questions, complaints."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import is_partial
from orders.care import links, selectors, services, tracking
from orders.care.forms import CustomersComplaintForm, QuestionForm
from orders.models import Complaint, Order

ASK, COMPLAIN = "ask", "complain"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def track(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link sees the order, asks and complains; a link that is not ours is a 404."""
    try:
        order = tracking.order_to_track(links.read(token))
    except (links.NoSuchLink, Order.DoesNotExist):
        context: dict[str, Any] = {"message": _("This link is not valid."), "rail": []}
        return render(request, "public/closed.html", context, status=404)
    with timezone.override(ZoneInfo(order.account.time_zone)):
        return _said(request, order) if request.method == "POST" else _show(request, order)


def _said(request: HttpRequest, order: Order) -> HttpResponse:
    complaining = request.POST.get("do") == COMPLAIN
    ask, complain = _forms(order, request.POST, complaining=complaining)
    form = complain if complaining else ask
    if not form.is_valid():
        return _show(request, order, ask, complain, status=422)
    deed = _complain if complaining else _ask
    try:
        text = deed(order, form.cleaned_data)
    except Refused as refusal:
        show_refusal(form, refusal)
        return _show(request, order, ask, complain, status=refusal.status)
    messages.success(request, text)
    return redirect(request.path + ("#complaints" if complaining else "#questions"))


def _ask(order: Order, said: dict[str, Any]) -> str:
    services.ask_question(
        order_id=order.pk, name=said["name"], text=said["text"], at=clock.now(order.account)
    )
    return _("Thank you. %(advocate)s has your question; the answer will stand here.") % {
        "advocate": order.account.advocate
    }


def _complain(order: Order, said: dict[str, Any]) -> str:
    services.open_complaint(
        line_id=said["line"],
        name=said["name"],
        text=said["text"],
        source=Complaint.Source.TRACKING,
        at=clock.now(order.account),
    )
    return _("Thank you for telling us. %(advocate)s takes care of it.") % {
        "advocate": order.account.advocate
    }


def _forms(
    order: Order, data: Any = None, *, complaining: bool = False
) -> tuple[QuestionForm, CustomersComplaintForm]:
    lines = tracking.choices_of(selectors.lines_to_complain_about(order.pk))
    return (
        QuestionForm(None if complaining else data, prefix=ASK),
        CustomersComplaintForm(data if complaining else None, prefix=COMPLAIN, lines=lines),
    )


def _show(
    request: HttpRequest,
    order: Order,
    ask: forms.Form | None = None,
    complain: forms.Form | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "order": order,
        "tracked": tracking.tracked(order, request.GET.get("page"), now=clock.now(order.account)),
        "rail": [],
    }
    if request.method != "POST" and is_partial(request):
        return render(request, "public/_track.html", context)
    if ask is None or complain is None:
        ask, complain = _forms(order)
    context |= {"ask": ask, "complain": complain}
    return render(request, "public/track.html", context, status=status)
