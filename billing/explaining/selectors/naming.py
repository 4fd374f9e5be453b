"""Invoice lines, discounts and true-ups by the names that people use for them."""

import re
from typing import TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.models import InvoiceAdjustment, InvoiceLine
from o2b.errors import Refused

Row = TypeVar("Row", InvoiceLine, InvoiceAdjustment)
ADJUSTMENT = re.compile(r"(?P<number>.+)/(?:adjustment *|a)(?P<position>[0-9]+)", re.ASCII | re.I)


class NoSuchLine(Refused):
    """There is no such line, or the number names several."""

    code = "no_such_line"


def row_named(text: str) -> InvoiceLine | InvoiceAdjustment:
    """As `line_named`; or what adjusts an invoice, by its position there: 2026-000123/a1."""
    told = ADJUSTMENT.fullmatch(text.strip())
    if told is None or not is_key(told["position"]):
        return line_named(text)
    few = list(
        InvoiceAdjustment.objects.filter(
            invoice__number=told["number"], position=int(told["position"])
        )[:2]
    )
    return _only(few, text, told["number"])


def line_named(text: str) -> InvoiceLine:
    """A line by its id, or by number of its invoice and position: 2026-000123/4."""
    rows = lines()
    number, slash, position = text.strip().rpartition("/")
    if not slash:
        found = rows.filter(pk=int(position)) if is_key(position) else rows.none()
    elif is_key(position):
        found = rows.filter(invoice__number=number, position=int(position))
    else:
        found = rows.none()
    return _only(list(found[:2]), text, number)


def _only(few: list[Row], text: str, number: str) -> Row:
    if len(few) == 1:
        return few[0]
    if not few:
        raise NoSuchLine(_("There is no invoice line %s.") % text)
    raise NoSuchLine(_("Several sellers have an invoice %s: tell the line by its id.") % number)


def line_at(*, invoice_id: int, position: int) -> InvoiceLine:
    """A line of an invoice; InvoiceLine.DoesNotExist."""
    return lines().get(invoice_id=invoice_id, position=position)


def is_key(text: str) -> bool:
    """Whether it may be the key of a row: digits, and no more than Postgres counts to."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**63


def lines() -> QuerySet[InvoiceLine]:
    """All lines with what computing them again needs, in the order of their invoices."""
    return InvoiceLine.objects.select_related(
        "charge__terms_charge", "charge__item", "invoice__legal_entity", "invoice__run"
    ).order_by("invoice_id", "position", "pk")
