"""Pages that take back what is final: asked with a reason by one person, approved by another."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from billing import selectors
from billing.forms import ReasonForm
from billing.models import BillRun, Invoice
from billing.runs import services
from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.show import day_text
from o2b.web.tables import Column, ListPage

VIEW, RUN = "billing.view_billrun", "billing.run_bills"


class ReversalList(ListPage):
    """All reversals, the newest first; those to approve wait for a second person."""

    permission = VIEW
    title = gettext_lazy("Reversals")
    intro = gettext_lazy(
        "What is final is taken back by credit notes. Somebody else than who asked approves it."
    )
    columns = (
        Column("number", gettext_lazy("Reversal"), sort="pk", link=True, kind="code"),
        Column("of", gettext_lazy("Takes back"), value=lambda run: taken_back(run)),
        Column("reason", gettext_lazy("Reason"), value=lambda run: run.reason),
        Column(
            "state",
            gettext_lazy("State"),
            sort="state",
            kind="badge",
            label="get_state_display",
        ),
        Column("opened_by", gettext_lazy("Asked by"), note=lambda run: day_text(run.opened_at)),
        Column("approved_by", gettext_lazy("Approved by")),
    )
    search = ("pk", "reason", "reverses_invoice__number", "reverses_run__pk")
    search_hint = gettext_lazy("Number or reason…")
    state_field = "state"
    states: ClassVar[Any] = BillRun.State.choices
    default_sort = "-number"
    csv_name = "reversals"
    empty = gettext_lazy("Nothing was taken back. Reverse an invoice or a run on its page.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.reversals_for_list()


def taken_back(run: BillRun) -> str:
    """The document, or the run, that a reversal takes back."""
    if run.reverses_invoice is not None:
        return run.reverses_invoice.number
    return _("all of %(run)s") % {"run": run.reverses_run}


@door(RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def invoice(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask for one document to be taken back, or say beside the field why not."""
    bill = get_object_or_404(Invoice.objects.select_related("account__test_clock"), pk=pk)
    return _ask(
        request,
        subject=bill,
        name=bill.number,
        act=lambda reason: services.reverse_invoice(
            invoice_id=pk,
            reason=reason,
            opened_by_id=int(request.user.pk or 0),
            at=clock.now(bill.account),
        ),
    )


@door(RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def run(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask for all of a run to be taken back."""
    billed = get_object_or_404(BillRun, pk=pk)
    return _ask(
        request,
        subject=billed,
        name=_("all of %(run)s") % {"run": billed},
        act=lambda reason: services.reverse_run(
            run_id=pk, reason=reason, opened_by_id=int(request.user.pk or 0), at=clock.now()
        ),
    )


def _ask(
    request: HtmxRequest, *, subject: Any, name: str, act: Callable[[str], BillRun]
) -> HttpResponse:
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reversal = act(form.cleaned_data["reason"])
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("Asked. Somebody else has to approve it."))
            return redirect(reversal)
    context = {"form": form, "name": name, "back": subject.get_absolute_url()}
    status = 422 if form.errors else 200
    return render(request, "billing/reverse.html", context, status=status)
