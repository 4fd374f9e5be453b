"""What the doors of fallout share: who asks, in which moment, and the way back."""

from datetime import datetime
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from o2b import clock
from orders.models import OrderLine, Task

SEES = "orders.view_order"
WORKS = "orders.work_tasks"
MANAGES = "orders.manage_work"


def me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def now_of_task(task_id: int) -> datetime:
    """The moment of the account that a task works for."""
    task = Task.objects.select_related("account__test_clock").get(pk=task_id)
    return clock.now(task.account)


def now_of_line(line_id: int) -> datetime:
    line = OrderLine.objects.select_related("account__test_clock").get(pk=line_id)
    return clock.now(line.account)


def back(request: HttpRequest, *, usual: str = "orders:fallout") -> HttpResponse:
    """To the page that the form names (one of ours), else to the usual one."""
    asked = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(asked, allowed_hosts=None):
        return redirect(usual)
    return redirect(asked)
