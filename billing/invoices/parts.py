"""A family's document account by account: whose lines, whose discounts, and what each comes to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from billing.invoices.layout import broken_up
from billing.invoices.prepaid import shown
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine, InvoicePart


class Section(NamedTuple):
    """The rows of one account, in their order; a plain document is one section without a part."""

    part: InvoicePart | None
    lines: list[InvoiceLine]
    adjustments: list[InvoiceAdjustment]


def parts_by_invoice(invoice_ids: Iterable[int]) -> dict[int, list[InvoicePart]]:
    """The parts of documents of families, the payer's first, each with its account; one query."""
    rows = InvoicePart.objects.filter(invoice_id__in=list(invoice_ids)).select_related("account")
    found: dict[int, list[InvoicePart]] = {}
    for row in rows.order_by("invoice_id", "pk"):
        found.setdefault(row.invoice_id, []).append(row)
    return found


def parts_of(invoice: Invoice) -> list[InvoicePart]:
    """The same of one document; none of a plain one."""
    return parts_by_invoice([invoice.pk]).get(invoice.pk, [])


def sections_of(
    invoice: Invoice,
    parts: Sequence[InvoicePart],
    lines: Sequence[InvoiceLine],
    adjustments: Sequence[InvoiceAdjustment],
) -> list[Section]:
    """A section for each account; where the payer alone is billed it is a plain document."""
    if {part.account_id for part in parts} <= {invoice.account_id}:
        return [Section(None, list(lines), list(adjustments))]
    found = {part.account_id: Section(part, [], []) for part in parts}
    for line in lines:
        found[line.account_id].lines.append(line)
    for row in adjustments:
        found[row.account_id].adjustments.append(row)
    return list(found.values())


def heading(part: InvoicePart, currency: str) -> dict[str, Any]:
    """A group without rows: the account, its number and net."""
    return {
        "title": broken_up(part.account.name),
        "note": _("account %(reference)s") % {"reference": part.account.reference},
        "sum": shown(part.net, currency),
        "lines": [],
        "fits": 0,
    }


def references_of(invoice: Invoice, parts: Sequence[InvoicePart]) -> Mapping[int, str]:
    """Account → its reference, for all whose rows are on a document."""
    own = {invoice.account_id: invoice.account.reference}
    return own | {part.account_id: part.account.reference for part in parts}


def name_accounts(invoice: Any) -> None:
    """Say on each shown line whose it is; `invoice` has its `shown_lines` and `shown_parts`."""
    whose = references_of(invoice, invoice.shown_parts)
    for line in invoice.shown_lines:
        line.account_reference = whose[line.account_id]
