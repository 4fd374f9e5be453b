"""Pages of sending: the panel of a run, the list of all that was sent or not, what people do."""

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from billing.models import BillRun, Invoice, InvoiceSending
from billing.sending import selectors, services
from billing.sending.forms import SendForm, SettleForm
from billing.sending.shown import SEND
from billing.sending.words import reason_of
from o2b import clock
from o2b.errors import Invalid
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.show import number_text
from o2b.web.tables import Column, ListPage

VIEW_RUN, VIEW = "billing.view_billrun", "billing.view_invoice"
SHOWN = 20
FALLOUT = ("fallout", gettext_lazy("for people"))


class SendingList(ListPage):
    """How every invoice was sent; what waits for people is one chip away."""

    permission = VIEW
    title = gettext_lazy("Sending")
    intro = gettext_lazy("How invoices reach their customers, and which could not.")
    columns = (
        Column(
            "invoice", gettext_lazy("Invoice"), value="invoice.number", sort="invoice_id", link=True
        ),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
        ),
        Column(
            "state",
            gettext_lazy("State"),
            sort="state",
            kind="badge",
            note=lambda row: reason_of(row),
        ),
        Column("to", gettext_lazy("To"), sort="to"),
        Column("mailed_at", gettext_lazy("Mailed"), sort="mailed_at", kind="moment"),
        Column("run", gettext_lazy("Run"), sort="run_id", link="run.get_absolute_url"),
    )
    search = ("invoice__number", "account__name", "account__reference", "to")
    search_hint = gettext_lazy("Number, account or address…")
    state_field = "state"
    states: ClassVar[Any] = [FALLOUT, *InvoiceSending.State.choices]
    default_sort = "-invoice"
    csv_name = "sending"
    empty = gettext_lazy("Nothing was sent yet. It begins when a bill run is final.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.sendings_for_list()

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        if state == FALLOUT[0]:
            return rows.filter(state__in=InvoiceSending.FALLOUT)
        return super().filter_state(rows, state)


@door(VIEW_RUN)
@require_GET
def of_run(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: PDFs and mail of a run, each with its own progress, and what could not be sent."""
    return _panel(request, BillRun.objects.select_related("legal_entity").get(pk=pk))


def _panel(request: HtmxRequest, run: BillRun) -> HttpResponse:
    progress = selectors.progress_of(run_id=run.pk)
    may = request.user.has_perm(SEND) and run.state == BillRun.State.FINALISED
    fallout = selectors.fallout_of(run_id=run.pk)[:SHOWN] if progress.fallout else []
    context = {
        "run": run,
        "is_final": run.state == BillRun.State.FINALISED,
        "progress": progress,
        "pdf_label": _("%(done)s of %(all)s PDFs")
        % {"done": number_text(progress.made), "all": number_text(progress.invoices)},
        "pdf_note": _pace(progress),
        "mail_label": _("%(done)s of %(all)s mailed")
        % {"done": number_text(progress.mailed), "all": number_text(progress.mails)},
        "mail_note": progress.trouble,
        "fallout": [(row, reason_of(row)) for row in fallout],
        "more": max(progress.fallout - SHOWN, 0),
        "may_retry": may and bool(progress.fallout),
        "may_make": may and bool(progress.unasked) and not progress.waiting,
    }
    part = "billing/sending/_of_run.html"
    if is_partial(request):
        return render(request, part, context)
    context |= {"parent": run, "title": _("PDFs and mail"), "part": part}
    return render(request, "billing/panel.html", context)


def _pace(progress: selectors.Progress) -> str:
    """'2 workers · 96 PDFs/s each'."""
    if not progress.seconds or not progress.made:
        return ""
    workers = ngettext("%(n)s worker", "%(n)s workers", progress.workers)
    speed = round(progress.made / progress.seconds)
    return " · ".join(
        [
            workers % {"n": number_text(progress.workers)},
            _("%(n)s PDFs/s each") % {"n": number_text(speed)},
        ]
    )


@door(SEND)
@require_POST
def retry(request: HtmxRequest, pk: int) -> HttpResponse:
    """Try again what could not be made or mailed of a run."""
    n = services.retry_run(run_id=pk, at=clock.now(), actor_id=request.user.pk)
    text = ngettext("%(n)s invoice is tried again.", "%(n)s invoices are tried again.", n)
    return _done(request, pk, text % {"n": number_text(n)})


@door(SEND)
@require_POST
def make(request: HtmxRequest, pk: int) -> HttpResponse:
    """Make and send what has no PDF yet."""
    n = services.send_run(run_id=pk, at=clock.now(), actor_id=request.user.pk)
    text = ngettext("%(n)s PDF is made now.", "%(n)s PDFs are made now.", n)
    return _done(request, pk, text % {"n": number_text(n)})


def _done(request: HtmxRequest, pk: int, message: str) -> HttpResponse:
    messages.success(request, message)
    if is_partial(request):
        return _panel(request, BillRun.objects.select_related("legal_entity").get(pk=pk))
    return redirect("billing:run-detail", pk=pk)


@door(SEND)
@require_POST
def send(request: HtmxRequest, pk: int) -> HttpResponse:
    """Mail an invoice once more, or at last."""
    invoice = Invoice.objects.select_related("account__test_clock").get(pk=pk)
    form = SendForm(request.POST)
    if not form.is_valid():
        raise services.NobodyToSendTo(_("This is no address."), field="to")
    services.send_again(
        invoice_id=pk,
        to=form.cleaned_data["to"],
        at=clock.now(invoice.account),
        actor_id=request.user.pk,
    )
    messages.success(request, _("It is on its way."))
    return redirect(invoice)


@door(SEND)
@require_POST
def settle(request: HtmxRequest, pk: int) -> HttpResponse:
    """Note that it was sent otherwise."""
    invoice = Invoice.objects.select_related("account__test_clock").get(pk=pk)
    form = SettleForm(request.POST)
    if not form.is_valid():
        raise Invalid(_("Say how it was sent."), field="note")
    services.settle_sending(
        invoice_id=pk,
        user_id=int(request.user.pk or 0),
        note=form.cleaned_data["note"],
        at=clock.now(invoice.account),
    )
    messages.success(request, _("Noted."))
    return redirect(invoice)
