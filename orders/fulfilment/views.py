"""The order team's doors: queues, work by hand, and lines that stand still or go on."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.errors import Refused
from o2b.people.models import User
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, own_path
from orders import selectors
from orders.fulfilment import services
from orders.fulfilment.forms import EvidenceForm
from orders.models import OrderLine, Queue, Task
from orders.work.selectors import lists
from orders.work.shown import checklist, task_context

WORKS = "orders.work_tasks"
A_PAGE = 25


@door(WORKS)
@require_GET
def queue(request: HtmxRequest) -> HttpResponse:
    """What one works on, and what waits in one's queues."""
    return _queue_page(request)


def _queue_page(
    request: HttpRequest, *, form: EvidenceForm | None = None, status: int = 200
) -> HttpResponse:
    user_id = _me(request)
    queues = list(selectors.work_in_queues(user_id))
    asked = request.GET.get("queue", "")
    chosen = next((one for one in queues if one.code == asked), None)
    waiting = lists.waiting_for(user_id, chosen.pk if chosen else None)
    page = lists.CappedPaginator(waiting, A_PAGE).get_page(request.GET.get("page"))
    claimed = [
        {
            "task": task,
            "form": form if form and form.task.pk == task.pk else EvidenceForm(task),
            "checklist": checklist(task),
            "wants_file": "file" in task.wants,
        }
        for task in lists.claimed_by(user_id)
    ]
    context = {
        "queues": queues,
        "chosen": chosen,
        "waiting_in_all": sum(one.waiting for one in queues),
        "most": selectors.MOST_COUNTED,
        "claimed": claimed,
        "page": page,
        "more": page.paginator.more,  # type: ignore[attr-defined]
    }
    return render(request, "orders/queue.html", context, status=status)


@door(WORKS)
@require_POST
def claim_next(request: HtmxRequest) -> HttpResponse:
    """The task that comes first and that nobody else is taking."""
    code = request.POST.get("queue", "").replace("\0", "")
    chosen = Queue.objects.filter(code=code).values_list("pk", flat=True).first()
    task = services.claim_next(user_id=_me(request), at=clock.now(), queue_id=chosen)
    if task is None:
        messages.info(request, _("Nothing waits to be claimed."))
    return _back(request, anchor=f"task-{task.pk}" if task else "")


@door(WORKS)
@require_POST
def claim_task(request: HtmxRequest, pk: int) -> HttpResponse:
    services.claim_task(task_id=pk, user_id=_me(request), at=_now(pk))
    return _back(request, anchor=f"task-{pk}")


@door(WORKS)
@require_POST
def complete_task(request: HtmxRequest, pk: int) -> HttpResponse:
    """Finish a task with evidence; a refused field is shown beside the field."""
    form = EvidenceForm(selectors.get_task(pk), request.POST)
    if not form.is_valid():
        return _refused(request, form)
    try:
        task = services.complete_task(
            task_id=pk, user_id=_me(request), at=_now(pk), **form.evidence()
        )
    except Refused as refusal:
        if refusal.field not in {*form.fields, "file", "checklist"}:
            raise
        show_refusal(form, refusal)
        return _refused(request, form)
    messages.success(request, _("%(task)s is done.") % {"task": task.name})
    return _back(request)


def _refused(request: HttpRequest, form: EvidenceForm) -> HttpResponse:
    """The page that it came from again: the task's own, or one's queue."""
    if request.POST.get("page") == "task":
        context = task_context(cast(User, request.user), form.task.pk, evidence_form=form)
        return render(request, "orders/task.html", context, status=422)
    return _queue_page(request, form=form, status=422)


@door(WORKS)
@require_POST
def fail_task(request: HtmxRequest, pk: int) -> HttpResponse:
    task = services.fail_task(
        task_id=pk,
        user_id=_me(request),
        reason=request.POST.get("reason", ""),
        at=_now(pk),
    )
    messages.warning(request, _("%(task)s fell out.") % {"task": task.name})
    return _back(request)


@door(WORKS)
@require_POST
def hold_line(request: HtmxRequest, pk: int) -> HttpResponse:
    line = services.hold_line(
        line_id=pk,
        user_id=_me(request),
        reason=request.POST.get("reason", ""),
        at=_line_now(pk),
    )
    messages.success(request, _("Line %(line)s is held.") % {"line": line})
    return _back(request)


@door(WORKS)
@require_POST
def resume_line(request: HtmxRequest, pk: int) -> HttpResponse:
    line = services.resume_line(line_id=pk, user_id=_me(request), at=_line_now(pk))
    messages.success(request, _("Line %(line)s goes on.") % {"line": line})
    return _back(request)


@door(WORKS)
@require_POST
def cancel_line(request: HtmxRequest, pk: int) -> HttpResponse:
    line = services.cancel_line(
        line_id=pk,
        user_id=_me(request),
        reason=request.POST.get("reason", ""),
        at=_line_now(pk),
    )
    messages.success(request, _("Line %(line)s is cancelled.") % {"line": line})
    return _back(request)


def _me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def _now(task_id: int) -> Any:
    """The moment of the account that a task works for."""
    task = Task.objects.select_related("account__test_clock").get(pk=task_id)
    return clock.now(task.account)


def _line_now(line_id: int) -> Any:
    line = OrderLine.objects.select_related("account__test_clock").get(pk=line_id)
    return clock.now(line.account)


def _back(request: HttpRequest, *, anchor: str = "") -> HttpResponse:
    """To the page that the form names (one of ours), else to the queue."""
    asked = own_path(request.POST.get("next", ""))
    if not asked:
        return redirect("orders:queue")
    return redirect(f"{asked}#{anchor}" if anchor else asked)
