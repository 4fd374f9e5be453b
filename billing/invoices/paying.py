"""How a document is paid: what is asked for, by when, and to which account."""

from decimal import Decimal

from django.utils.translation import gettext as _

from billing.invoices.layout import broken_up
from billing.invoices.prepaid import shown
from billing.models import Invoice
from o2b.money import round_cash
from o2b.web.show import day_text


def pay_of(invoice: Invoice, left: Decimal, *, prepaid: bool) -> str:
    """What is to be paid until when, or why nothing is; in cash a rounded amount."""
    if invoice.is_credit_note and prepaid:
        return _("There is nothing to pay. The amount is credited to your prepaid credit.")
    if prepaid and left <= 0:
        return _("There is nothing to pay. Your prepaid credit has paid it.")
    if invoice.is_credit_note or left <= 0:
        return _("There is nothing to pay. The amount is credited to your account.")
    asked = _("Please pay %(amount)s by %(day)s and quote %(number)s.") % {
        "amount": shown(left, invoice.currency),
        "day": day_text(invoice.due_on),
        "number": invoice.number,
    }
    coin = invoice.legal_entity.smallest_coin
    if coin is None:
        return asked
    cash = shown(round_cash(left, coin), invoice.currency)
    return asked + " " + _("In cash it is %(amount)s.") % {"amount": cash}


def bank_of(invoice: Invoice, left: Decimal) -> list[list[str]]:
    """Name and value of what a payment needs, if one is; what is not known is left out."""
    seller = invoice.legal_entity
    iban = seller.iban.replace(" ", "")
    spaced = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
    rows = [
        [_("Payee"), broken_up(seller.name)],
        [_("IBAN"), spaced],
        [_("BIC"), seller.layout.get("bic", "")],
        [_("Bank"), seller.layout.get("bank", "")],
        [_("Reference"), invoice.number],
        [_("Tax number"), seller.tax_id],
    ]
    asked = rows if left > 0 else rows[-1:]
    return [row for row in asked if row[1]]
