"""The doors of time: wait for the customer, go on when they have answered, promise another day."""

from datetime import datetime
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, own_path
from orders import selectors
from orders.models import OrderLine
from orders.timing import services
from orders.timing.forms import PromiseForm
from orders.timing.outlook import outlook_of

WORKS = "orders.work_tasks"


@door(WORKS)
@require_POST
def wait_for_customer(request: HtmxRequest, pk: int) -> HttpResponse:
    """Let a line stand still until the customer has answered."""
    line = services.wait_for_customer(
        line_id=pk, reason=request.POST.get("reason", ""), at=_now(pk), user_id=_me(request)
    )
    messages.success(request, _("Line %(line)s waits for the customer.") % {"line": line})
    return _back(request, line)


@door(WORKS)
@require_POST
def customer_answered(request: HtmxRequest, pk: int) -> HttpResponse:
    """Let a line go on for which the customer has answered."""
    line = services.customer_answered(line_id=pk, at=_now(pk), user_id=_me(request))
    messages.success(request, _("Line %(line)s goes on.") % {"line": line})
    return _back(request, line)


@door("orders.manage_work")
@require_http_methods(["GET", "POST"])
def promise_day(request: HtmxRequest, pk: int) -> HttpResponse:
    """Promise the customer another day, with the reason."""
    order = selectors.get_order(pk)
    now = clock.now(order.account)
    posted = request.method == "POST"
    initial = {"promised_on": order.promised_on}
    form = PromiseForm(request.POST if posted else None, initial=initial)
    if posted and form.is_valid():
        said = form.cleaned_data
        try:
            services.promise_day(
                order_id=pk,
                day=said["promised_on"],
                reason=said["reason"],
                at=now,
                user_id=_me(request),
            )
        except Refused as refusal:
            if refusal.field not in form.fields:
                raise
            show_refusal(form, refusal)
        else:
            messages.success(request, _("The day is promised."))
            return redirect(order)
    context = {"order": order, "form": form, "outlook": outlook_of(order, now=now)}
    return render(request, "orders/promise.html", context, status=422 if form.errors else 200)


def _me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def _now(line_id: int) -> datetime:
    """The moment of the account that a line is for."""
    line = OrderLine.objects.select_related("account__test_clock").get(pk=line_id)
    return clock.now(line.account)


def _back(request: HttpRequest, line: OrderLine) -> HttpResponse:
    """To the page that the form names (one of ours), else to the order."""
    asked = own_path(request.POST.get("next", ""))
    return redirect(asked) if asked else redirect("orders:detail", pk=line.order_id)
