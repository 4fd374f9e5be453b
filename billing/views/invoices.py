"""Pages of invoices: the list, one document with the way back of every amount, its PDF."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from billing.documents.shown import about_text
from billing.explaining.selectors import explain_invoice, explain_line, line_at
from billing.explaining.selectors.adjusted import explain_adjustments
from billing.forms import ReasonForm
from billing.invoices import pdf, selectors
from billing.invoices.adjusted import adjustments_of
from billing.invoices.again import billed_again
from billing.invoices.correcting import corrections_on
from billing.invoices.document import Document
from billing.invoices.grouping import MANY_LINES
from billing.invoices.metered import is_usage
from billing.invoices.parts import parts_of
from billing.invoices.shown import sections_shown
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine, InvoicePart
from billing.sending.pages import in_its_language
from billing.sending.selectors import details_of_invoice, document_of_invoice
from billing.sending.shown import sending_context
from billing.wallets.selectors import paid_on
from o2b import clock
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Column, ListPage

VIEW = "billing.view_invoice"


class InvoiceList(ListPage):
    """Every invoice and credit note, the newest first; where it stands is derived."""

    permission = VIEW
    title = gettext_lazy("Invoices")
    columns = (
        Column("number", gettext_lazy("Number"), sort="serial", link=True, kind="code"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
        ),
        Column("issued_on", gettext_lazy("Date"), sort="issued_on", kind="day"),
        Column("due_on", gettext_lazy("Due"), sort="due_on", kind="day"),
        Column("status", gettext_lazy("State"), kind="badge", label=lambda row: label(row.status)),
        Column(
            "total",
            gettext_lazy("Total"),
            sort="total",
            kind="money",
            currency="currency",
            note=about_text,
        ),
        Column(
            "open_amount",
            gettext_lazy("Open"),
            sort="open_amount",
            kind="money",
            currency="currency",
        ),
    )
    search = ("number", "account__name", "account__reference", "account__customer__name", "about")
    search_hint = gettext_lazy("Number or customer…")
    state_field = "status"
    states: ClassVar[Any] = selectors.STATUSES
    default_sort = "-number"
    csv_name = "invoices"
    empty = gettext_lazy("No invoices yet. They come from a bill run that was approved.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.invoices_for_list(on=clock.today())


def label(status: str) -> str:
    """The word of a derived status."""
    return str(dict(selectors.STATUSES)[status])


@door(VIEW)
@require_GET
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One invoice: the document, the reason of each amount, and what was paid on it."""
    invoice = selectors.invoice(invoice_id=pk, on=clock.today())
    lines = list(selectors.lines_of(invoice_id=pk))
    explained = explain_invoice(invoice)
    adjusted = explain_adjustments(invoice)
    parts = parts_of(invoice)
    corrections = corrections_on(invoice, lines, [each.adjustment for each in adjusted])
    context = {
        "invoice": invoice,
        "status": label(invoice.status),
        "about": about_text(invoice),
        "title": _("Credit note") if invoice.is_credit_note else _("Invoice"),
        "document": _document_of(invoice, lines, [each.adjustment for each in adjusted], parts),
        "sections": sections_shown(invoice, parts, lines, explained, adjusted, corrections),
        "allocations": selectors.allocations_of(invoice_id=pk),
        "has_details": any(map(is_usage, lines)) or len(lines) > MANY_LINES,
        **sending_context(request, invoice),
        "billed_again": billed_again(invoice),
        "undone_by": selectors.reversal_of(invoice) if invoice.is_reversed else None,
        "asked": selectors.reversal_asked(invoice),
        "reason_form": ReasonForm(),
    }
    return render(request, "billing/invoice.html", context)


@door(VIEW)
@require_GET
def explanation(request: HtmxRequest, pk: int, position: int) -> HttpResponse:
    """The arithmetic of one line alone: for those of very many events."""
    invoice = selectors.invoice(invoice_id=pk, on=clock.today())
    line = line_at(invoice_id=pk, position=position)
    context = {"invoice": invoice, "line": line, "explained": explain_line(line)}
    return render(request, "billing/explanation.html", context)


@door(VIEW)
@require_GET
def as_pdf(request: HtmxRequest, pk: int) -> HttpResponse:
    """The document as the customer got it; before it was made, as it will be."""
    kept = document_of_invoice(invoice_id=pk)
    if kept is not None:
        return _file(
            request, selectors.number_of(invoice_id=pk), kept.digest, lambda: bytes(kept.pdf)
        )
    document = _document(pk)
    return _file(request, document["number"], pdf.digest(document), lambda: pdf.render(document))


def _file(
    request: HtmxRequest, number: str, digest: str, page: Callable[[], bytes]
) -> HttpResponse:
    """A PDF shown in the browser, which may keep it."""
    etag = f'"{digest}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(page(), content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="{pdf.file_name(number)}"'
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


@door(VIEW)
@require_GET
def details(request: HtmxRequest, pk: int) -> HttpResponse:
    """What was used, day by day, as it went with the invoice; a 404 where nothing was metered."""
    number, text = details_of_invoice(invoice_id=pk)
    if text is None:
        raise Http404
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    name = pdf.file_name(number, "-details.csv")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _document(pk: int) -> Document:
    invoice: Invoice = selectors.invoice(invoice_id=pk, on=clock.today())
    lines = list(selectors.lines_of(invoice_id=pk))
    return _document_of(invoice, lines, adjustments_of(invoice), parts_of(invoice))


def _document_of(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    adjustments: Sequence[InvoiceAdjustment],
    parts: Sequence[InvoicePart],
) -> Document:
    return in_its_language(invoice, lines, paid_on(invoice), adjustments, parts)
