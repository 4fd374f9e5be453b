"""Pages of invoices: the list, one document with the way back of every amount, its PDF."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from billing.explaining.selectors import LineExplained, explain_invoice, explain_line, line_at
from billing.explaining.selectors.adjusted import explain_adjustments
from billing.invoices import pdf, selectors
from billing.invoices.adjusted import in_words
from billing.invoices.document import Document, document_of, line_text, notes_of, period_text
from billing.models import Invoice, InvoiceLine
from billing.wallets.selectors import paid_on
from o2b import clock
from o2b.charging import Step
from o2b.charging.draft import CHANGE, LATE, POOL
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Column, ListPage
from orders.models import OrderLine
from subscriptions.explained import ChargeExplained, explain_charge
from subscriptions.models import Item

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
        Column("total", gettext_lazy("Total"), sort="total", kind="money", currency="currency"),
        Column(
            "open_amount",
            gettext_lazy("Open"),
            sort="open_amount",
            kind="money",
            currency="currency",
        ),
    )
    search = ("number", "account__name", "account__reference", "account__customer__name")
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


@dataclass(frozen=True)
class LineShown:
    """One line and why it costs what it costs: back to the quote that promised it."""

    line: InvoiceLine
    text: str
    notes: list[str]
    period: str
    charge: ChargeExplained
    days: str
    is_part: bool
    explained: LineExplained

    @property
    def item(self) -> Item:
        return self.line.charge.item

    @property
    def order_line(self) -> OrderLine:
        return self.item.order_line

    @property
    def corrects(self) -> bool:
        """Whether it changes a bill of its period, whose tax rate it keeps."""
        return self.line.cause in (CHANGE, LATE, POOL)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The arithmetic of the line; of one that cannot be computed again that of its price."""
        return self.explained.again.steps if self.explained.again else self.charge.steps


@door(VIEW)
@require_GET
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One invoice: the document, the reason of each amount, and what was paid on it."""
    invoice = selectors.invoice(invoice_id=pk, on=clock.today())
    lines = list(selectors.lines_of(invoice_id=pk))
    explained = explain_invoice(invoice)
    adjusted = explain_adjustments(invoice)
    outside = invoice.legal_entity.shows_first_day_outside
    context = {
        "invoice": invoice,
        "status": label(invoice.status),
        "document": document_of(
            invoice, lines, paid_on(invoice), [each.adjustment for each in adjusted]
        ),
        "adjustments": [(each, in_words(each.adjustment, outside)) for each in adjusted],
        "lines": [_shown(line, explained[line.pk], outside) for line in lines],
        "allocations": selectors.allocations_of(invoice_id=pk),
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
    """The document as PDF, shown in the browser; the browser may keep it."""
    document = _document(pk)
    etag = f'"{pdf.digest(document)}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(pdf.render(document), content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="{file_name(document["number"])}"'
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def file_name(number: str) -> str:
    """INV-000042.pdf, whatever the number series holds."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', number).strip('-') or 'invoice'}.pdf"


def _document(pk: int) -> Document:
    invoice: Invoice = selectors.invoice(invoice_id=pk, on=clock.today())
    return document_of(invoice, list(selectors.lines_of(invoice_id=pk)), paid_on(invoice))


def _shown(line: InvoiceLine, again: LineExplained, outside: bool = False) -> LineShown:
    charge = explain_charge(
        line.charge.terms,
        position=line.charge.terms_charge.position,
        quantity=line.quantity,
        on=line.served_from,
        started_on=line.charge.started_on,
    )
    full = (line.period_end - line.period_start).days
    served = (line.served_to - line.served_from).days
    is_part = bool(line.charge.terms_charge.interval_unit) and served < full
    name = line.charge.item.product_version.product.name
    return LineShown(
        line=line,
        text=line_text(line, name),
        notes=notes_of(line),
        period=period_text(line, outside),
        charge=charge,
        days=_("%(served)s of %(full)s days") % {"served": served, "full": full},
        is_part=is_part,
        explained=again,
    )
