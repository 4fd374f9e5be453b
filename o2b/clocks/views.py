"""The pages of test clocks: all of them, a new one, one with its accounts and days."""

from datetime import UTC, timedelta
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import asks, clock
from o2b.clocks import selectors, services
from o2b.clocks.forms import AdvanceForm, ClockForm, PutForm, WhoForm
from o2b.clocks.models import ClockStep
from o2b.clocks.shown import entries, progress, traces_of
from o2b.customers.models import Account
from o2b.customers.selectors import accounts_meant
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.tables import Action, Column, ListPage

VIEW, RUN = "o2b.view_testclock", "o2b.run_testclocks"
ACCOUNTS_SHOWN = 50
EVENTS_SHOWN = 30
STALLED = timedelta(minutes=2)  # a step that nobody has touched for so long may be called for again


class ClockList(ListPage):
    """Every test clock, the newest first."""

    permission = VIEW
    title = gettext_lazy("Test clocks")
    intro = gettext_lazy("Accounts under a test clock live in its moment; here their days pass.")
    columns = (
        Column("name", gettext_lazy("Clock"), sort="name", link=True),
        Column("now", gettext_lazy("It shows"), sort="now", kind="moment"),
        Column(
            "accounts",
            gettext_lazy("Accounts"),
            value="account_count",
            sort="account_count",
            kind="number",
        ),
        Column(
            "step",
            gettext_lazy("Last step"),
            value="step_state",
            sort="step_state",
            kind="badge",
            may_be_empty=True,
        ),
        Column(
            "created_by",
            gettext_lazy("Opened by"),
            sort=("created_by__last_name", "created_by__first_name"),
        ),
        Column("created_at", gettext_lazy("Opened"), sort="created_at", kind="day"),
    )
    search = ("name",)
    search_hint = gettext_lazy("Name of the clock…")
    state_field = "step_state"
    states: ClassVar[Any] = ClockStep.State.choices
    default_sort = "-created_at"
    csv_name = "test-clocks"
    actions = (Action(gettext_lazy("New clock"), "clocks:new", permission=RUN),)
    empty = gettext_lazy("No test clock yet. Open one to see what a year brings.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.clocks_for_list()


@door(RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    """Open a clock, or say beside the field why not."""
    form = ClockForm(request.POST or None, initial={"day": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            opened = services.open_clock(
                name=form.cleaned_data["name"], now=form.now(), actor_id=_who(request)
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("The clock is open. Put new accounts under it."))
            return redirect(opened)
    status = 422 if form.errors else 200
    return render(request, "clocks/new.html", {"form": form}, status=status)


@door(VIEW)
@require_GET
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One clock; while it moves, htmx asks again for all of it."""
    return _shown(request, pk)


@door(RUN)
@require_POST
def advance(request: HtmxRequest, pk: int) -> HttpResponse:
    """Let days pass: workers live them, and the page follows."""
    told = selectors.get_clock(pk)
    form = AdvanceForm(request.POST)
    if form.is_valid():
        try:
            services.ask_step(clock_id=pk, actor_id=_who(request), **form.told(told.now))
        except (services.ClockSetBack, services.StepTooLong) as refusal:
            form.add_error("to", refusal.message)
        else:
            return _steered(request, pk, _("The clock moves."))
    if not form.errors.get("to"):
        form.add_error("to", _("Say how far the clock goes: by how much, or to which day."))
    return _shown(request, pk, form=form, status=422)


@door(RUN)
@require_POST
def go_on(request: HtmxRequest, pk: int) -> HttpResponse:
    services.resume_step(clock_id=pk, actor_id=_who(request))
    return _steered(request, pk, _("The clock goes on."))


@door(RUN)
@require_POST
def stop(request: HtmxRequest, pk: int) -> HttpResponse:
    services.stop_step(clock_id=pk, actor_id=_who(request))
    return _steered(request, pk, _("The clock stops after the day that it is living."))


@door(RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def put(request: HtmxRequest, pk: int) -> HttpResponse:
    """Find the account, see whether it is blank, type its number, put it under the clock."""
    told = selectors.get_clock(pk)
    who = WhoForm(request.GET or None)
    meant: list[Account] = []
    if who.is_bound and who.is_valid():
        meant = accounts_meant(who.cleaned_data["account"])
        if not meant:
            who.add_error("account", _("There is no account like this."))
    account = meant[0] if len(meant) == 1 else None
    form = PutForm(request.POST or None, reference=account.reference if account else "")
    if request.method == "POST" and account and form.is_valid():
        try:
            services.put_under(
                clock_id=pk,
                account_id=account.pk,
                confirm=form.cleaned_data["confirm"],
                traces_of=traces_of,
                at=clock.now(),
                actor_id=_who(request),
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(
                request, _("%(account)s lives by this clock now.") % {"account": account}
            )
            return redirect(told)
    context = {
        "clock": told,
        "who": who,
        "meant": meant if account is None else [],
        "account": account,
        "form": form,
        "traces": asks.ask("traces", account.pk) if account else [],
    }
    status = 422 if form.errors or who.errors else 200
    return render(request, "clocks/put.html", context, status=status)


@door(RUN)
@require_POST
def take_off(request: HtmxRequest, pk: int, account_pk: int) -> HttpResponse:
    account = services.take_off(
        clock_id=pk,
        account_id=account_pk,
        traces_of=traces_of,
        at=clock.now(),
        actor_id=_who(request),
    )
    words = _("%(account)s lives in real time again.")
    return _steered(request, pk, words % {"account": account})


def _who(request: HtmxRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def _steered(request: HtmxRequest, pk: int, message: str) -> HttpResponse:
    messages.success(request, message)
    return _shown(request, pk) if is_partial(request) else redirect("clocks:detail", pk=pk)


def _shown(
    request: HtmxRequest, pk: int, *, form: AdvanceForm | None = None, status: int = 200
) -> HttpResponse:
    template = "_clock.html" if is_partial(request) else "detail.html"
    context = _context(request, pk, form or AdvanceForm())
    return render(request, f"clocks/{template}", context, status=status)


def _context(request: HtmxRequest, pk: int, form: AdvanceForm) -> dict[str, Any]:
    told = selectors.get_clock(pk)
    step = selectors.last_step(pk)
    happened = Paginator(selectors.happened(pk, step), EVENTS_SHOWN)
    page = happened.get_page(request.GET.get("page"))
    runs = request.user.has_perm(RUN)
    stalled = bool(step and step.is_running and step.touched_at < clock.now() - STALLED)
    return {
        "clock": told,
        "now": told.now.astimezone(UTC),
        "step": step,
        "progress": progress(step) if step else None,
        "form": form,
        "accounts": selectors.accounts_of(pk)[:ACCOUNTS_SHOWN],
        "more_accounts": max(told.account_count - ACCOUNTS_SHOWN, 0),
        "page": page,
        "entries": entries(list(page.object_list)),
        "may_move": runs and not (step and step.is_open),
        "may_stop": runs and bool(step and step.is_open),
        "may_go_on": runs and bool(step and (step.state == ClockStep.State.FAILED or stalled)),
        "runs": runs,
        "stalled": stalled,
    }
