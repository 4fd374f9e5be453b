"""What the doors of fallout share: who asks, in which moment, and the way back."""

from datetime import datetime
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from o2b import clock
from o2b.web.http import own_path
from orders.models import OrderLine, Task

SEES = "orders.view_order"
WORKS = "orders.work_tasks"
MANAGES = "orders.manage_work"
# Where the desk looks for words.
SEARCH = (
    "name",
    "failure",
    "order__pk",
    "account__customer__name",
    "account__reference",
    "line__product_version__product__name",
)


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
    return redirect(own_path(request.POST.get("next", "")) or usual)
