"""Who is out of a run: all of them, one with its owner, and the way back in."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from billing.control import selectors
from billing.control.forms import OwnerForm, chosen_accounts
from billing.control.views.variance import OfRun
from billing.models import BillRun
from billing.models.parkedwords import FUSE
from billing.runs import services
from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.show import number_text
from o2b.web.tables import Column

VIEW, RUN = "billing.view_billrun", "billing.run_bills"
CODES = [
    ("own", gettext_lazy("parked")),
    ("set_aside", gettext_lazy("set aside")),
    ("veto", gettext_lazy("veto")),
    (FUSE, gettext_lazy("fuse")),
    ("waiting", gettext_lazy("being drafted again")),
]


class ParkedList(OfRun):
    """Accounts that are out of the run, why, and who looks into it."""

    title = gettext_lazy("Out of the run")
    intro = gettext_lazy("Mend what is wrong, then draft the account again: it joins this run.")
    columns = (
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
            link=lambda row: reverse("billing:parked", args=[row.pk]),
        ),
        Column(
            "code",
            gettext_lazy("Code"),
            sort="code",
            kind="badge",
            label="code_text",
            tone=lambda row: "go" if row.retry_asked_at else "warn",
        ),
        Column("reason", gettext_lazy("Reason"), value="reason_text"),
        Column("owner", gettext_lazy("Owner"), sort=("owner__last_name", "owner__first_name")),
        Column("parked_at", gettext_lazy("Since"), sort="parked_at", kind="moment"),
    )
    search = ("account__name", "account__reference", "reason")
    search_hint = gettext_lazy("Account or reason…")
    state_field = "code"
    states: ClassVar[Any] = CODES
    default_sort = "account"
    csv_name = "parked"
    empty = gettext_lazy("No account is out of this run.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.parked_for_list(run_id=self.run.pk)

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        if state == "waiting":
            return rows.filter(retry_asked_at__isnull=False)
        if state == "own":
            return rows.exclude(code__in=("set_aside", "veto"))
        return rows.filter(code=state)

    @property
    def set_aside_href(self) -> str:
        return ""

    @property
    def may_retry(self) -> bool:
        return self.run.is_reviewed and self.request.user.has_perm(RUN)


@door(VIEW)
@require_GET
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One account that is out: reason, what differs, owner, and the way back in."""
    return _page(request, pk)


@door(RUN)
@require_POST
def assign(request: HtmxRequest, pk: int) -> HttpResponse:
    """Somebody else looks into it."""
    form = OwnerForm(request.POST)
    if form.is_valid():
        try:
            parked = services.assign_parked(
                parked_id=pk,
                owner_id=form.cleaned_data["owner"].pk,
                at=clock.now(),
                actor_id=request.user.pk,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(who)s looks into it.") % {"who": parked.owner})
            return redirect("billing:parked", pk=pk)
    return _page(request, pk, form=form, status=422)


def _page(
    request: HtmxRequest, pk: int, *, form: OwnerForm | None = None, status: int = 200
) -> HttpResponse:
    parked = selectors.parked(parked_id=pk)
    context = {
        "parked": parked,
        "run": parked.run,
        "form": form or OwnerForm(initial={"owner": parked.owner_id}),
        "may_retry": parked.run.is_reviewed and request.user.has_perm(RUN),
        "is_fuse": parked.code == FUSE,
    }
    return render(request, "billing/control/parked.html", context, status=status)


@door(RUN)
@require_POST
def retry(request: HtmxRequest, pk: int) -> HttpResponse:
    """Draft some accounts of a run again, or all that nobody took out by hand."""
    accounts = chosen_accounts(request.POST.getlist("account"))
    return _retry(request, pk, accounts or None, lift=request.POST.get("lift") == "1")


def _retry(
    request: HtmxRequest, pk: int, accounts: Collection[int] | None, *, lift: bool
) -> HttpResponse:
    n = services.ask_retry(
        run_id=pk, account_ids=accounts, lift=lift, at=clock.now(), actor_id=request.user.pk
    )
    text = ngettext(
        "%(n)s account is drafted and checked again.",
        "%(n)s accounts are drafted and checked again.",
        n,
    )
    messages.success(request, text % {"n": number_text(n)})
    return redirect(BillRun.objects.get(pk=pk))
