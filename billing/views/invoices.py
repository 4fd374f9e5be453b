"""Pages of invoices: the list, one document with the way back of every amount, its PDF."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_GET

from billing.documents.shown import about_text
from billing.explaining.selectors import LineExplained, explain_invoice, explain_line, line_at
from billing.explaining.selectors.adjusted import AdjustmentExplained, explain_adjustments
from billing.forms import ReasonForm
from billing.invoices import pdf, selectors
from billing.invoices.adjusted import adjustments_of, in_words
from billing.invoices.document import Document, line_text, notes_of, period_text
from billing.invoices.grouping import MANY_LINES
from billing.invoices.metered import is_usage
from billing.invoices.parts import parts_of, sections_of
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine, InvoicePart
from billing.sending.pages import in_its_language
from billing.sending.selectors import details_of_invoice, document_of_invoice
from billing.sending.shown import sending_context
from billing.wallets.selectors import paid_on
from o2b import clock
from o2b.charging import Step
from o2b.charging.draft import CHANGE, LATE, POOL, REVERSAL
from o2b.customers.selectors import language_of
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
    def takes_back(self) -> bool:
        """Whether it mirrors a line of the document that its own one reverses."""
        return self.line.cause == REVERSAL

    @property
    def steps(self) -> tuple[Step, ...]:
        """The arithmetic of the line; of one that cannot be computed again that of its price."""
        return self.explained.again.steps if self.explained.again else self.charge.steps


@dataclass(frozen=True)
class SectionShown:
    """The rows of one account of a family, or all of a plain document."""

    part: InvoicePart | None
    account_id: int
    lines: list[LineShown]
    adjustments: list[tuple[Any, Any]]


@door(VIEW)
@require_GET
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One invoice: the document, the reason of each amount, and what was paid on it."""
    invoice = selectors.invoice(invoice_id=pk, on=clock.today())
    lines = list(selectors.lines_of(invoice_id=pk))
    explained = explain_invoice(invoice)
    adjusted = explain_adjustments(invoice)
    parts = parts_of(invoice)
    context = {
        "invoice": invoice,
        "status": label(invoice.status),
        "about": about_text(invoice),
        "title": _("Credit note") if invoice.is_credit_note else _("Invoice"),
        "document": _document_of(invoice, lines, [each.adjustment for each in adjusted], parts),
        "sections": _sections(invoice, parts, lines, explained, adjusted),
        "allocations": selectors.allocations_of(invoice_id=pk),
        "has_details": any(map(is_usage, lines)) or len(lines) > MANY_LINES,
        **sending_context(request, invoice),
        "corrections": selectors.corrections_of(invoice),
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


def _sections(
    invoice: Invoice,
    parts: Sequence[InvoicePart],
    lines: Sequence[InvoiceLine],
    explained: Mapping[int, LineExplained],
    adjusted: Sequence[AdjustmentExplained],
) -> list[SectionShown]:
    outside = invoice.legal_entity.shows_first_day_outside
    with override(language_of(invoice.account.customer)):
        words = {
            each.adjustment.pk: (each, in_words(each.adjustment, outside)) for each in adjusted
        }
    return [
        SectionShown(
            part,
            part.account_id if part else invoice.account_id,
            [_shown(line, explained[line.pk], invoice) for line in own],
            [words[row.pk] for row in given],
        )
        for part, own, given in sections_of(
            invoice, parts, lines, [each.adjustment for each in adjusted]
        )
    ]


def _shown(line: InvoiceLine, again: LineExplained, invoice: Invoice) -> LineShown:
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
    with override(language_of(invoice.account.customer)):
        text, notes = line_text(line, name), notes_of(line)
        period = period_text(line, invoice.legal_entity.shows_first_day_outside)
    return LineShown(
        line=line,
        text=text,
        notes=notes,
        period=period,
        charge=charge,
        days=_("%(served)s of %(full)s days") % {"served": served, "full": full},
        is_part=is_part,
        explained=again,
    )
