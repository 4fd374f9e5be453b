"""Pages of bill runs: the list, the form that opens one, and one run live from open to final."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import selectors
from billing.control.page import desk_of, progress_of
from billing.documents.selectors.carried import carried_in
from billing.documents.shown import carried_text
from billing.forms import ReasonForm, RunForm
from billing.models import BillRun
from billing.runs import services
from billing.runs.selectors import Counts, counts_of, totals_of
from o2b import clock
from o2b.errors import Refused
from o2b.money import Money
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.show import day_text, money_text, number_text
from o2b.web.tables import Action, Column, ListPage

VIEW, RUN, APPROVE = "billing.view_billrun", "billing.run_bills", "billing.approve_run"
SHOWN = 20
State = BillRun.State


def scope_text(run: BillRun) -> str:
    """Whose bills the run makes, in a few words."""
    if run.account_ids is None:
        return _("all")
    n = len(run.account_ids)
    chosen = run.scope or ngettext("%(n)s chosen", "%(n)s chosen", n) % {"n": number_text(n)}
    return _("%(chosen)s (rehearsal)") % {"chosen": chosen} if run.is_rehearsal else chosen


class RunList(ListPage):
    """Every bill run, the newest first."""

    permission = VIEW
    title = gettext_lazy("Bill runs")
    columns = (
        Column("number", gettext_lazy("Run"), sort="pk", link=True, kind="code"),
        Column(
            "on",
            gettext_lazy("Up to"),
            sort="on",
            kind="day",
            note=lambda run: _("reversal") if run.is_reversal else "",
        ),
        Column(
            "legal_entity",
            gettext_lazy("Legal entity"),
            value="legal_entity.name",
            sort="legal_entity__name",
        ),
        Column(
            "state",
            gettext_lazy("State"),
            sort="state",
            kind="badge",
            label="get_state_display",
        ),
        Column("scope", gettext_lazy("Accounts"), value=scope_text),
        Column("invoices_made", gettext_lazy("Invoices"), sort="invoices_made", kind="number"),
        Column("accounts_parked", gettext_lazy("Parked"), sort="accounts_parked", kind="number"),
        Column("opened_by", gettext_lazy("Opened by"), note=lambda run: day_text(run.opened_at)),
        Column("approved_by", gettext_lazy("Approved by")),
    )
    search = ("pk", "legal_entity__name")
    search_hint = gettext_lazy("Run or legal entity…")
    state_field = "state"
    states: ClassVar[Any] = State.choices
    default_sort = "-number"
    csv_name = "bill-runs"
    actions = (
        Action(gettext_lazy("Fuses and rules"), "billing:run-rules", VIEW, primary=False),
        Action(gettext_lazy("Open a run"), "billing:run-new", permission=RUN),
    )
    empty = gettext_lazy("No bill run yet. Open one for a day.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.runs_for_list()


@door(RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    """Open a run, or say beside the field why not."""
    form = RunForm(request.POST or None, initial={"on": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            run = services.open_run(opened_by_id=_who(request), at=clock.now(), **form.told())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            return redirect(run)
    status = 422 if form.errors else 200
    return render(request, "billing/run_new.html", {"form": form}, status=status)


def _who(request: HtmxRequest) -> int:
    """The person at the door, who is logged in."""
    return int(request.user.pk or 0)


@door(VIEW)
@require_GET
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One run; while it moves, htmx asks again for the part that changes."""
    template = "_run.html" if is_partial(request) else "run.html"
    return render(request, f"billing/{template}", _context(request, pk))


@door(APPROVE)
@require_POST
def approve(request: HtmxRequest, pk: int) -> HttpResponse:
    services.approve_run(run_id=pk, user_id=_who(request), at=clock.now())
    return _steered(request, pk, _("Approved. The invoices get their numbers now."))


@door(RUN)
@require_POST
def cancel(request: HtmxRequest, pk: int) -> HttpResponse:
    services.cancel_run(run_id=pk, actor_id=request.user.pk, at=clock.now())
    return _steered(request, pk, _("The run is cancelled; nothing was billed."))


@door(RUN)
@require_POST
def pause(request: HtmxRequest, pk: int) -> HttpResponse:
    services.pause_run(run_id=pk, actor_id=request.user.pk, at=clock.now())
    return _steered(request, pk, _("Paused. What is under way ends; nothing new begins."))


@door(RUN)
@require_POST
def resume(request: HtmxRequest, pk: int) -> HttpResponse:
    services.resume_run(run_id=pk, actor_id=request.user.pk, at=clock.now())
    return _steered(request, pk, _("The run goes on."))


def _steered(request: HtmxRequest, pk: int, message: str) -> HttpResponse:
    messages.success(request, message)
    if is_partial(request):
        return render(request, "billing/_run.html", _context(request, pk))
    return redirect("billing:run-detail", pk=pk)


@dataclass(frozen=True)
class May:
    """What this person may do with the run now, and if not approve, why."""

    approve: bool
    why_not: str
    cancel: bool
    pause: bool
    resume: bool
    control: bool
    reverse: bool


def _context(request: HtmxRequest, pk: int) -> dict[str, Any]:
    run = selectors.run(run_id=pk)
    counts = counts_of(run_id=pk)
    pace = selectors.pace_of(run_id=pk)
    parked = selectors.parked_of(run_id=pk)
    looked_at_all = bool(counts.shards) and counts.shards_drafted == counts.shards
    reversals = list(selectors.reversals_of(run_id=pk)) if run.state == State.FINALISED else []
    carried = carried_in(run_id=pk) if counts.carried else []
    issued = selectors.invoices_of(run_id=pk)[:SHOWN] if run.state in FINAL else []
    return {
        "run": run,
        "counts": counts,
        "carried": carried_text(carried),
        "carried_bills": sum(bills for _currency, bills, _total in carried),
        "looked_at_all": looked_at_all,
        "progress": progress_of(run, counts, pace),
        "desk": desk_of(run, counts) if looked_at_all else None,
        "figures": _figures(run, counts),
        "parked": parked[:SHOWN],
        "out": counts.parked + counts.set_aside,
        "more_parked": max(counts.parked + counts.set_aside - SHOWN, 0),
        "drafts": selectors.largest_drafts(run_id=pk) if run.state in REVIEWED else [],
        "invoices": issued,
        "more_invoices": max(counts.invoices - SHOWN, 0),
        "may": _may(request, run, taken_back=bool(reversals)),
        "reversals": reversals,
        "reason_form": ReasonForm(),
        "failed": pace.failed,
    }


FINAL = (State.FINALISING, State.FINALISED)
REVIEWED = (State.DRAFTING, State.TO_APPROVE, State.APPROVED, State.PAUSED, State.REHEARSED)


def _may(request: HtmxRequest, run: BillRun, *, taken_back: bool) -> May:
    user = request.user
    to_approve = run.state == State.TO_APPROVE
    own = run.opened_by_id == user.pk
    approver, runner = user.has_perm(APPROVE), user.has_perm(RUN)
    why_not = ""
    if to_approve and own:
        why_not = _("You opened this run, so somebody else has to approve it.")
    elif to_approve and not approver:
        why_not = _("It waits for somebody of finance to approve it.")
    was_drafting = run.paused_from == State.DRAFTING
    early = run.state in (State.OPEN, State.DRAFTING, State.TO_APPROVE, State.REHEARSED)
    paused = run.state == State.PAUSED
    return May(
        approve=to_approve and approver and not own,
        why_not=why_not,
        cancel=runner and (early or (paused and was_drafting)),
        pause=runner and run.state in (State.DRAFTING, State.FINALISING),
        resume=runner and paused,
        control=runner and run.is_reviewed,
        reverse=runner and run.state == State.FINALISED and not run.is_reversal and not taken_back,
    )


def _tax_note(sums: Mapping[str, Decimal], currency: str) -> dict[str, str]:
    """The tax beside the net, where there is some."""
    tax = sums.get("tax")
    if not tax:
        return {}
    return {"note": _("tax %(amount)s") % {"amount": money_text(Money(tax, currency).rounded())}}


def _figures(run: BillRun, counts: Counts) -> list[dict[str, Any]]:
    title = _("Billed, net") if run.state in FINAL else _("To be billed, net")
    title = _("Would be billed, net") if run.is_rehearsal else title
    totals = totals_of(run_id=run.pk) or {run.legal_entity.currency: {"net": Decimal(0)}}
    figures: list[dict[str, Any]] = [
        {"title": title, "value": money_text(Money(sums["net"], currency).rounded())}
        | _tax_note(sums, currency)
        for currency, sums in totals.items()
    ]
    broken = counts.promises - counts.promises_kept
    figures += [
        {
            "title": _("Invoices"),
            "value": number_text(counts.invoices),
            "note": ngettext("%(n)s line", "%(n)s lines", counts.lines)
            % {"n": number_text(counts.lines)},
        },
        {
            "title": _("Promises kept"),
            "value": f"{number_text(counts.promises_kept)} / {number_text(counts.promises)}",
            "tone": "bad" if broken else "",
        },
        {
            "title": _("Parked"),
            "value": number_text(counts.parked),
            "tone": "warn" if counts.parked else "",
            "url": reverse("billing:run-parked", args=[run.pk]),
        },
    ]
    if counts.set_aside:
        aside = f"{reverse('billing:run-parked', args=[run.pk])}?state=set_aside"
        figures.append(
            {"title": _("Set aside"), "value": number_text(counts.set_aside), "url": aside}
        )
    return figures
