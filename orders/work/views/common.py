"""What the doors of work share: who, when, and the way back."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from o2b import clock
from o2b.errors import Refused
from o2b.people.models import User
from o2b.web.forms import show_refusal
from o2b.web.http import own_path
from orders.models import Task
from orders.work.shown import task_context

WORKS, SEES, MANAGES = "orders.work_tasks", "orders.view_order", "orders.manage_work"


def me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def task_now(task_id: int) -> datetime:
    """The moment of the account that a task works for; no such task is a 404."""
    task = Task.objects.select_related("account__test_clock").get(pk=task_id)
    return clock.now(task.account)


def back(request: HttpRequest, fallback: str, *args: Any) -> HttpResponse:
    """To the page that the form names (one of ours), else to the usual one."""
    asked = own_path(request.POST.get("next", ""))
    return redirect(asked) if asked else redirect(fallback, *args)


def task_page(request: HttpRequest, pk: int, *, status: int = 200, **filled: Form) -> HttpResponse:
    context = task_context(cast(User, request.user), pk, **filled)
    return render(request, "orders/task.html", context, status=status)


def tried(
    request: HttpRequest,
    pk: int,
    name: str,
    form: Any,
    act: Callable[[dict[str, Any]], Any],
    said: str,
) -> HttpResponse:
    """Do it and go back to the task; a fault is shown beside its field, on the task's page."""
    if not form.is_valid():
        return task_page(request, pk, status=422, **{name: form})
    try:
        act(form.cleaned_data)
    except Refused as refusal:
        if refusal.field not in form.fields:
            raise
        show_refusal(form, refusal)
        return task_page(request, pk, status=422, **{name: form})
    if said:
        messages.success(request, said)
    return back(request, "orders:task", pk)
