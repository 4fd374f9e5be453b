"""What a document says of lines that several pay: which part it is, and of whose service."""

from decimal import Decimal

from django.utils.translation import gettext as _

from billing.models import InvoiceLine
from o2b.money import Money, quantise
from o2b.web.show import money_text, number_text


def part_notes(row: InvoiceLine) -> list[str]:
    """60 % of €100.00; nothing where one pays the whole. `row` is one of `selectors.lines_of`."""
    told = getattr(row, "told_part", None)
    if not told:
        return []
    lower, upper, whole = map(Decimal, told)
    currency = row.charge.currency
    words = {
        "percent": number_text(upper - lower),
        "whole": money_text(Money(quantise(whole, currency), currency)),
    }
    return [_("%(percent)s %% of %(whole)s") % words]


def paid_for(row: InvoiceLine) -> list[str]:
    """For whom, where it is the service of another account."""
    item = row.charge.item
    if item.account_id == row.account_id:
        return []
    return [_("for %(name)s") % {"name": item.account.name}]
