"""What stands below the lines of a document: net, and the tax of each rate."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from billing.invoices.prepaid import shown
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine
from o2b.web.show import number_text


class TaxOfRate(NamedTuple):
    """The net of all lines of one rate (in percent), and their tax."""

    rate: Decimal
    net: Decimal
    tax: Decimal


def taxes_of(lines: Iterable[InvoiceLine | InvoiceAdjustment]) -> list[TaxOfRate]:
    """The tax of each rate, the lowest first; lines without tax are none of these.

    A document's adjustments are lines of it, too.
    """
    found: dict[Decimal, TaxOfRate] = {}
    for line in lines:
        if line.tax or line.tax_rate:
            _, net, tax = found.get(line.tax_rate, (0, Decimal(0), Decimal(0)))
            found[line.tax_rate] = TaxOfRate(line.tax_rate, net + line.amount, tax + line.tax)
    return sorted(found.values())


def sums_of(invoice: Invoice, lines: Iterable[InvoiceLine | InvoiceAdjustment]) -> list[list[str]]:
    """Net, and the tax of each rate."""
    sums = [[_("Net"), shown(invoice.net, invoice.currency)]]
    for each in taxes_of(lines):
        words = _("Tax %(rate)s %%") % {"rate": number_text(each.rate)}
        sums.append([words, shown(each.tax, invoice.currency)])
    return sums
