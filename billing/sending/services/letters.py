"""The letter that an invoice comes with, in the customer's language."""

from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.invoices.pdf import file_name
from billing.invoices.prepaid import shown
from billing.models import InvoiceDocument, InvoiceSending
from billing.sending.gateways import Letter
from o2b.web.show import day_text
from orders.gateways.mail import Enclosure


def letter_of(row: InvoiceSending, document: InvoiceDocument) -> Letter:
    """An invoice's letter; `row` with invoice, seller, account, customer and advocate."""
    invoice = row.invoice
    with override(document.language):
        subject, text = _subject(row), _text(row, details=document.usage_csv is not None)
    enclosures = [Enclosure(file_name(invoice.number), bytes(document.pdf))]
    if document.usage_csv is not None:
        name = file_name(invoice.number, "-details.csv")
        enclosures.append(Enclosure(name, bytes(document.usage_csv), "text/csv"))
    return Letter(
        key=f"invoice-{invoice.pk}-{row.copies}",
        to=row.to,
        subject=subject,
        text=text,
        enclosures=tuple(enclosures),
    )


def _subject(row: InvoiceSending) -> str:
    told = {"seller": row.invoice.legal_entity.name, "number": row.invoice.number}
    if row.invoice.is_credit_note:
        return _("%(seller)s: credit note %(number)s") % told
    return _("%(seller)s: invoice %(number)s") % told


def _text(row: InvoiceSending, *, details: bool) -> str:
    invoice, account = row.invoice, row.account
    told = {
        "number": invoice.number,
        "account": account.name,
        "amount": shown(invoice.total, invoice.currency),
        "day": day_text(invoice.issued_on),
        "due": day_text(invoice.due_on),
        "advocate": account.advocate,
        "seller": invoice.legal_entity.name,
    }
    if invoice.is_credit_note:
        what = _("attached is credit note %(number)s of %(day)s for %(account)s over %(amount)s.")
    elif invoice.total:
        what = _(
            "attached is invoice %(number)s of %(day)s for %(account)s over %(amount)s,"
            " due on %(due)s."
        )
    else:
        what = _("attached is invoice %(number)s of %(day)s for %(account)s.")
    parts = [_("Dear customer,"), what % told]
    if details:
        parts.append(_("The second file lists what was used, day by day."))
    if said := invoice.legal_entity.layout.get("mail_text"):
        parts.append(said)
    parts.append(_("If you have questions, ask %(advocate)s.") % told)
    return "\n\n".join([*parts, invoice.legal_entity.name]) + "\n"
