"""Discounts and true-ups of a document as people read them."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from billing.invoices.layout import broken_up
from billing.invoices.prepaid import shown
from billing.models import Invoice, InvoiceAdjustment
from billing.models.adjustments import AdjustmentKind
from o2b.periods import Period
from o2b.web.show import day_text


class AdjustmentWords(NamedTuple):
    """What a row says beside its amount."""

    text: str
    note: str
    period: str


def adjustments_of(invoice: Invoice) -> list[InvoiceAdjustment]:
    """In their order, with the service of each that reduces one."""
    return adjustments_by_invoice([invoice.pk]).get(invoice.pk, [])


def adjustments_by_invoice(invoice_ids: Iterable[int]) -> dict[int, list[InvoiceAdjustment]]:
    """The same of many documents, in one query."""
    rows = InvoiceAdjustment.objects.filter(invoice_id__in=list(invoice_ids)).defer("basis")
    found: dict[int, list[InvoiceAdjustment]] = {}
    for row in rows.select_related("charge__item__product_version__product").order_by(
        "invoice_id", "position"
    ):
        found.setdefault(row.invoice_id, []).append(row)
    return found


def in_words(row: InvoiceAdjustment, first_day_outside: bool = False) -> AdjustmentWords:
    """In the reader's language, but for the name of the coupon."""
    notes = []
    if row.charge is not None:
        item = row.charge.item
        notes.append(
            _("on %(service)s") % {"service": f"{item.product_version.product.name} {item}"}
        )
    if row.revision > 1:
        notes.append(_("correction %(n)s") % {"n": row.revision - 1})
    text = row.text
    if row.kind == AdjustmentKind.COUPON:
        text = _("Discount: %(name)s") % {"name": row.text}
    return AdjustmentWords(text, " · ".join(notes), _period(row, first_day_outside))


def _period(row: InvoiceAdjustment, first_day_outside: bool) -> str:
    days = Period(row.period_start, row.period_end)
    if days.days == 1:
        return day_text(days.start)
    if first_day_outside:
        told = {"first": day_text(days.start), "end": day_text(days.end)}
        return _("from %(first)s until before %(end)s") % told
    return f"{day_text(days.start)} – {day_text(days.last)}"


def groups_beside(invoice: Invoice, rows: Sequence[InvoiceAdjustment]) -> list[dict[str, Any]]:
    """They make a group of their own, after all services; as `billing.invoices.document` has it."""
    if not rows:
        return []
    outside = invoice.legal_entity.shows_first_day_outside
    lines = [
        {
            **{name: broken_up(text) for name, text in in_words(row, outside)._asdict().items()},
            "quantity": "",
            "unit": "",
            "amount": shown(row.amount, invoice.currency),
            "fits": 0,
        }
        for row in rows
    ]
    title = _("Discounts and minimums")
    return [{"title": title, "note": "", "sum": "", "lines": lines, "fits": 0}]
