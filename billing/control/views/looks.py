"""Bills that their advocates look at before approval: first ones, and those after a change."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing import selectors as billing
from billing.control import selectors
from billing.control.forms import ReasonForm
from billing.models import BillRun
from billing.runs import services
from billing.runs.selectors.looking import bills_to_look_at
from billing.runs.services.gating import waits_until
from o2b import clock
from o2b.web.http import HtmxRequest, door

LOOK, VIEW = "billing.look_at_bills", "billing.view_billrun"
AT_ONCE = 20


@door(LOOK)
@require_GET
def runs(request: HtmxRequest) -> HttpResponse:
    """The runs that wait for approval, with how many of my bills are in each."""
    mine = int(request.user.pk or 0)
    told = []
    for run in selectors.runs_to_look_at():
        bills = bills_to_look_at(run_id=run.pk, advocate_id=mine)
        if bills:
            told.append((run, len(bills), sum(not each.looked_at for each in bills)))
    return render(request, "billing/control/looks_runs.html", {"runs": told})


@door(LOOK)
@require_GET
def of_run(request: HtmxRequest, pk: int) -> HttpResponse:
    """My bills of one run, those that I have not looked at first; finance may see all."""
    run = billing.run(run_id=pk)
    everybody = request.GET.get("all") == "1" and request.user.has_perm(VIEW)
    mine = int(request.user.pk or 0)
    found = bills_to_look_at(run_id=pk, advocate_id=None if everybody else mine)
    page = Paginator(found, AT_ONCE).get_page(request.GET.get("page"))
    lines = selectors.lines_of_drafts(
        run_id=pk, account_ids=[each.account_id for each in page.object_list]
    )
    context: dict[str, Any] = {
        "run": run,
        "bills": [(each, lines.get(each.account_id, [])) for each in page.object_list],
        "page_obj": page,
        "left": sum(not each.looked_at for each in found),
        "everybody": everybody,
        "may_speak": run.state == BillRun.State.TO_APPROVE and not everybody,
        "until": waits_until(run),
        "veto": ReasonForm(auto_id=False),
    }
    return render(request, "billing/control/looks.html", context)


@door(LOOK)
@require_POST
def fine(request: HtmxRequest, pk: int, account: int) -> HttpResponse:
    """I have looked at it, and it is right."""
    by = int(request.user.pk or 0)
    services.say_fine(run_id=pk, account_id=account, by=by, at=clock.now())
    messages.success(request, _("Noted. The bill can go."))
    return redirect("billing:run-looks", pk=pk)


@door(LOOK)
@require_POST
def veto(request: HtmxRequest, pk: int, account: int) -> HttpResponse:
    """It is wrong: it leaves the run, with my reason."""
    services.veto_bill(
        run_id=pk,
        account_id=account,
        reason=request.POST.get("reason", ""),
        by=int(request.user.pk or 0),
        at=clock.now(),
    )
    messages.success(request, _("Stopped: it is out of the run, and finance sees why."))
    return redirect("billing:run-looks", pk=pk)
