"""The doors of the remedies: each is one button of the fallout desk."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from o2b import clock
from o2b.web.http import HtmxRequest, door
from orders import services as orders
from orders.fallout import services
from orders.fallout.doorstep import WORKS, back, me, now_of_line, now_of_task
from orders.fallout.selectors import fallen_tasks, rules_in_force
from orders.work.services import ask_skip

MOST_AT_ONCE = 1000
KEY_LENGTH = 32


@door(WORKS)
@require_POST
def retry_task(request: HtmxRequest, pk: int) -> HttpResponse:
    task = orders.retry_task(task_id=pk, user_id=me(request), at=now_of_task(pk))
    messages.success(request, _("%(task)s is tried again.") % {"task": task.name})
    return back(request)


@door(WORKS)
@require_POST
def retry_all(request: HtmxRequest) -> HttpResponse:
    """Everything that fell out for one cause, the oldest thousand of it."""
    cause = request.POST.get("cause", "")
    rows = fallen_tasks(rules_in_force()).order_by("pk")
    found = (
        rows.filter(cause=cause) if len(cause) == KEY_LENGTH and cause.isalnum() else rows.none()
    )
    ids = list(found.values_list("pk", flat=True)[:MOST_AT_ONCE])
    tried = services.retry_together(task_ids=ids, user_id=me(request), at_of=clock.now)
    if tried:
        said = ngettext("%(n)s task is tried again.", "%(n)s tasks are tried again.", tried)
        messages.success(request, said % {"n": tried})
    else:
        messages.info(request, _("Nothing of this kind is in fallout any more."))
    return back(request)


@door(WORKS)
@require_POST
def take_by_hand(request: HtmxRequest, pk: int) -> HttpResponse:
    """It is mine now; in my queue I complete it with evidence."""
    task = services.take_by_hand(task_id=pk, user_id=me(request), at=now_of_task(pk))
    said = _("%(task)s is yours: complete it in your queue, with evidence.")
    messages.success(request, said % {"task": task.name})
    return back(request, usual="orders:queue")


@door(WORKS)
@require_POST
def correct_evidence(request: HtmxRequest, pk: int) -> HttpResponse:
    """What was delivered in the end, after the first delivery was not what was promised."""
    orders.correct_evidence(
        task_id=pk,
        user_id=me(request),
        at=now_of_task(pk),
        version=request.POST.get("version", ""),
        serial=request.POST.get("serial", ""),
    )
    messages.success(request, _("The delivery is mended."))
    return back(request)


@door(WORKS)
@require_POST
def go_on_without(request: HtmxRequest, pk: int) -> HttpResponse:
    """Without the steps of other lines that were given up."""
    line = services.go_on_without(
        line_id=pk,
        user_id=me(request),
        reason=request.POST.get("reason", ""),
        at=now_of_line(pk),
    )
    messages.success(request, _("Line %(line)s goes on.") % {"line": line})
    return back(request)


@door(WORKS)
@require_POST
def ask_to_skip(request: HtmxRequest, pk: int) -> HttpResponse:
    """A second person decides whether the step is left out."""
    reason = request.POST.get("reason", "")
    asked = ask_skip(task_id=pk, user_id=me(request), reason=reason, at=now_of_task(pk))
    said = _("It is asked whether %(task)s may be skipped; a second person decides.")
    messages.success(request, said % {"task": asked.task.name if asked.task else ""})
    return back(request)
