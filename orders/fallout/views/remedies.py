"""The doors of the remedies: each is one button of the fallout desk."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from o2b import clock
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import holding, searched
from orders import services as orders
from orders.fallout import selectors, services
from orders.fallout.doorstep import SEARCH, WORKS, back, me, now_of_line, now_of_task

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
    """What the desk shows of one cause, the oldest thousand of it: no more than its filter lets."""
    asked, rules = request.POST, selectors.rules_in_force()
    cause = asked.get("cause", "")
    rows = selectors.narrowed(asked, rules, user_id=me(request), machine_now=clock.now())
    found = holding(rows, SEARCH, searched(asked)).order_by("pk")
    known = len(cause) == KEY_LENGTH and cause.isalnum()
    ids = list(found.values_list("pk", flat=True)[: selectors.MOST_AT_ONCE]) if known else []
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
