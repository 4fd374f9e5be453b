"""What a second person decides: what waits for my answer, and what became of what I asked."""

from datetime import datetime
from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.people.models import User
from o2b.web.http import HtmxRequest, door
from orders.models import Approval
from orders.queues import is_administrator
from orders.work import services
from orders.work.selectors import one
from orders.work.views.common import SEES, back, me

A_PAGE = 25


@door(SEES)
@require_GET
def approvals(request: HtmxRequest) -> HttpResponse:
    """What is asked of me, and what I have asked."""
    user = cast(User, request.user)
    waiting = one.approvals_to_decide(user, is_boss=is_administrator(user.pk))
    context = {
        "page": Paginator(waiting, A_PAGE).get_page(request.GET.get("page")),
        "asked": one.approvals_asked_by(user.pk)[:A_PAGE],
    }
    return render(request, "orders/approvals.html", context)


@door(SEES)
@require_POST
def grant(request: HtmxRequest, pk: int) -> HttpResponse:
    services.grant_approval(
        approval_id=pk,
        user_id=me(request),
        at=_now(pk),
        machine_now=clock.now(),
        answer=_answer(request),
    )
    messages.success(request, _("Granted."))
    return back(request, "orders:approvals")


@door(SEES)
@require_POST
def refuse(request: HtmxRequest, pk: int) -> HttpResponse:
    services.refuse_approval(
        approval_id=pk,
        user_id=me(request),
        at=_now(pk),
        machine_now=clock.now(),
        answer=_answer(request),
    )
    messages.success(request, _("Refused; who asked hears of it."))
    return back(request, "orders:approvals")


@door(SEES)
@require_POST
def withdraw(request: HtmxRequest, pk: int) -> HttpResponse:
    services.withdraw_approval(approval_id=pk, user_id=me(request), at=_now(pk))
    messages.success(request, _("The question is taken back."))
    return back(request, "orders:approvals")


def _answer(request: HttpRequest) -> str:
    return request.POST.get("reason", "")


def _now(approval_id: int) -> datetime:
    approval = Approval.objects.select_related("account__test_clock").get(pk=approval_id)
    return clock.now(approval.account)
