"""The PDF of an invoice: what was kept, else what would be now; in its customer's language."""

from collections.abc import Sequence

from django.utils.translation import override

from billing.invoices import pdf
from billing.invoices.correcting import corrections_on
from billing.invoices.document import Document, document_of
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine, InvoicePart
from billing.sending.selectors import document_of_invoice
from billing.wallets.selectors import Paid
from o2b.customers.selectors import language_of


def in_its_language(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    prepaid: Sequence[Paid],
    adjustments: Sequence[InvoiceAdjustment],
    parts: Sequence[InvoicePart],
) -> Document:
    """The document as its customer reads it."""
    with override(language_of(invoice.account.customer)):
        corrections = corrections_on(invoice, lines, adjustments)
        return document_of(invoice, lines, prepaid, adjustments, parts, corrections)


def page_of(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    prepaid: Sequence[Paid],
    adjustments: Sequence[InvoiceAdjustment],
    parts: Sequence[InvoicePart],
) -> bytes:
    """The PDF, byte by byte as it was sent if it was made already."""
    kept = document_of_invoice(invoice_id=invoice.pk)
    if kept is not None:
        return bytes(kept.pdf)
    return pdf.render(in_its_language(invoice, lines, prepaid, adjustments, parts))
