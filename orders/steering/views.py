"""The doors that steer an order as a whole: hold, resume, cancel, priority, the day it begins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.errors import Invalid
from o2b.web.http import HtmxRequest, door
from orders.models import Order
from orders.steering import selectors, services
from orders.steering.forms import PoNumberForm, PriorityForm, WorkFromForm

WORKS, MANAGES, PLACES = "orders.work_tasks", "orders.manage_work", "orders.place_order"
OVER = ("completed", "cancelled")


class FormInvalid(Invalid):
    code = "form_invalid"


@door(WORKS)
@require_POST
def hold(request: HtmxRequest, pk: int) -> HttpResponse:
    results = services.hold_order(order_id=pk, **_why(request, pk))
    return _done(request, pk, results, _("The order is held."))


@door(WORKS)
@require_POST
def resume(request: HtmxRequest, pk: int) -> HttpResponse:
    results = services.resume_order(order_id=pk, at=_now(pk), user_id=request.user.pk)
    return _done(request, pk, results, _("The order goes on."))


@door(WORKS)
@require_POST
def cancel(request: HtmxRequest, pk: int) -> HttpResponse:
    results = services.cancel_order(order_id=pk, **_why(request, pk))
    return _done(request, pk, results, _("The order is cancelled."))


@door(MANAGES)
@require_POST
def priority(request: HtmxRequest, pk: int) -> HttpResponse:
    said = _read(PriorityForm(request.POST))
    order = services.reprioritise(order_id=pk, at=_now(pk), user_id=request.user.pk, **said)
    told = {"order": order, "priority": order.get_priority_display()}
    messages.success(request, _("Priority of %(order)s: %(priority)s.") % told)
    return redirect("orders:detail", pk=pk)


@door(WORKS)
@require_POST
def work_from(request: HtmxRequest, pk: int) -> HttpResponse:
    said = _read(WorkFromForm(request.POST))
    order = services.change_work_from(order_id=pk, at=_now(pk), user_id=request.user.pk, **said)
    told = _("The day on which work on %(order)s begins has changed.") % {"order": order}
    messages.success(request, told)
    return redirect("orders:detail", pk=pk)


@door(PLACES)
@require_POST
def po_number(request: HtmxRequest, pk: int) -> HttpResponse:
    said = _read(PoNumberForm(request.POST))
    order = services.name_po_number(order_id=pk, at=_now(pk), user_id=request.user.pk, **said)
    told = {"order": order, "number": order.po_number or _("none")}
    messages.success(request, _("Purchase order of %(order)s: %(number)s.") % told)
    return redirect("orders:detail", pk=pk)


@door("orders.view_order")
@require_GET
def documents(request: HtmxRequest, pk: int) -> HttpResponse:
    """What is on paper about an order: a panel of its page."""
    order = selectors.order_with_quote(pk)
    template = "orders/_documents.html" if request.htmx else "orders/documents.html"
    context = {"order": order, "documents": selectors.documents_of(order, request.user)}
    return render(request, template, context)


def _done(
    request: HttpRequest, pk: int, results: Sequence[services.LineResult], said: str
) -> HttpResponse:
    """Back to the order; lines that could not follow are told with their reason."""
    left = [result for result in results if not result.done and result.state not in OVER]
    if not left:
        messages.success(request, said)
        return redirect("orders:detail", pk=pk)
    done = sum(result.done for result in results)
    told = {"done": done, "all": len(results)}
    words = [_("%(done)s of %(all)s lines follow.") % told]
    words += [f"{result.position}: {result.reason}" for result in left[:5]]
    messages.warning(request, " ".join(words))
    return redirect("orders:detail", pk=pk)


def _why(request: HttpRequest, pk: int) -> dict[str, Any]:
    return {
        "reason": request.POST.get("reason", ""),
        "at": _now(pk),
        "user_id": request.user.pk,
    }


def _read(form: forms.Form) -> dict[str, Any]:
    """What the form says; the first thing that is wrong is refused by its field."""
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        raise FormInvalid(" ".join(map(str, errors)), field=name)
    return form.cleaned_data


def _now(order_id: int) -> datetime:
    """The moment of the account that the order is for."""
    order = Order.objects.select_related("account__test_clock").get(pk=order_id)
    return clock.now(order.account)
