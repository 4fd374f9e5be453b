"""Invoice lines by the names that people use for them."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.models import InvoiceLine
from o2b.errors import Refused


class NoSuchLine(Refused):
    """There is no such line, or the number names several."""

    code = "no_such_line"


def line_named(text: str) -> InvoiceLine:
    """A line by its id, or by number of its invoice and position: 2026-000123/4."""
    rows = lines()
    number, slash, position = text.strip().rpartition("/")
    if not slash:
        found = rows.filter(pk=int(position)) if _is_key(position) else rows.none()
    elif _is_key(position):
        found = rows.filter(invoice__number=number, position=int(position))
    else:
        found = rows.none()
    few = list(found[:2])
    if len(few) == 1:
        return few[0]
    if not few:
        raise NoSuchLine(_("There is no invoice line %s.") % text)
    raise NoSuchLine(_("Several sellers have an invoice %s: tell the line by its id.") % number)


def line_at(*, invoice_id: int, position: int) -> InvoiceLine:
    """A line of an invoice; InvoiceLine.DoesNotExist."""
    return lines().get(invoice_id=invoice_id, position=position)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 2**63


def lines() -> QuerySet[InvoiceLine]:
    """All lines with what computing them again needs, in the order of their invoices."""
    return InvoiceLine.objects.select_related(
        "charge__terms_charge", "charge__item", "invoice__legal_entity"
    ).order_by("invoice_id", "position", "pk")
