"""What a document corrects: one net adjustment for each document and tax rate, and its cause.

A line corrects the first document that stood and billed the same charge, or one that it goes on
from, for any of its period; all of it as of the day of the document. Discounts go with their
charge. What changed the service since the last such bill is the cause, with the order that did it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from billing.models import Invoice, InvoiceAdjustment, InvoiceLine
from o2b.charging.draft import CHANGE, LATE, POOL
from o2b.money import sum_of
from o2b.sql import ask

CORRECTING = (CHANGE, LATE, POOL)

# Lines of the same item, account and key, under whatever Terms, that bill a part of the period.
STANDS = """
NOT EXISTS (
    SELECT FROM billing_invoiceline AS undoing
        WHERE undoing.charge_id = earlier.charge_id
            AND undoing.period_start = earlier.period_start
            AND undoing.segment = earlier.segment AND undoing.reverses = earlier.revision
            AND undoing.invoice_id < line.invoice_id
)
"""
LINES = f"""
SELECT line.id, min(earlier.invoice_id), max(earlier.invoice_id)
    FROM billing_invoiceline AS line
    JOIN billing_charge AS charge ON charge.id = line.charge_id
    JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
    JOIN billing_charge AS alike
        ON alike.item_id = charge.item_id AND alike.account_id = charge.account_id
    JOIN catalog_termscharge AS same
        ON same.id = alike.terms_charge_id AND same.key = priced.key
    JOIN billing_invoiceline AS earlier ON earlier.charge_id = alike.id
        AND earlier.period_start < line.period_end AND earlier.period_end > line.period_start
        AND earlier.invoice_id < line.invoice_id AND earlier.reverses IS NULL AND {STANDS}
    WHERE line.invoice_id = ANY(%s) AND line.cause = ANY(%s)
    GROUP BY line.id
"""

ADJUSTMENTS = """
SELECT own.id, min(earlier.invoice_id), max(earlier.invoice_id)
    FROM billing_invoiceadjustment AS own
    JOIN billing_invoiceadjustment AS earlier
        ON earlier.kind = own.kind AND earlier.source_id = own.source_id
        AND earlier.charge_id IS NOT DISTINCT FROM own.charge_id
        AND earlier.period_start = own.period_start AND earlier.invoice_id < own.invoice_id
    JOIN billing_invoice AS bill ON bill.id = earlier.invoice_id AND bill.reverses_id IS NULL
    WHERE own.id = ANY(%s) AND NOT EXISTS (
        SELECT FROM billing_invoice AS undoing
            WHERE undoing.reverses_id = bill.id AND undoing.id < own.invoice_id
    )
    GROUP BY own.id
"""

# What was told of the service after the last bill of the period and before this one; an address
# costs nothing.
CHANGES = """
SELECT told.invoice_id, told.item_id, told.last_id, change.id, change.act, change."on",
       placed.order_id, is_.product_id
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])
        AS told (invoice_id, item_id, last_id)
    JOIN billing_invoice AS own ON own.id = told.invoice_id
    JOIN billing_invoice AS last ON last.id = told.last_id
    JOIN subscriptions_item AS item ON item.id = told.item_id
    JOIN subscriptions_itemchange AS change ON change.item_id = COALESCE(item.root_id, item.id)
        AND change.recorded_at > last.recorded_at AND change.recorded_at <= own.recorded_at
        AND change.act <> 'move'
    JOIN orders_orderline AS placed ON placed.id = change.order_line_id
    LEFT JOIN catalog_productversion AS is_ ON is_.id = change.product_version_id
    ORDER BY change.id
"""

PRODUCTS = """
SELECT charge.id, is_.product_id
    FROM billing_charge AS charge
    JOIN catalog_terms AS terms ON terms.id = charge.terms_id
    JOIN catalog_productversion AS is_ ON is_.id = terms.product_version_id
    WHERE charge.item_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """A change of the service: what was done, from which day on, by which order.

    `act` is an act of `subscriptions`; `other_product` tells new Terms of another product from
    another price.
    """

    act: str
    on: date
    order_id: int
    other_product: bool = False


@dataclass(slots=True)
class Correction:
    """What a document adds to an earlier one, or gives back of it, at one rate of tax."""

    corrects: Invoice
    tax_rate: Decimal
    lines: list[InvoiceLine] = field(default_factory=list)
    adjustments: list[InvoiceAdjustment] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        """The causes that its lines bear themselves: change, late_usage, pool."""
        return sorted({line.cause for line in self.lines})

    @property
    def net(self) -> Decimal:
        rows: list[Any] = [*self.lines, *self.adjustments]
        return sum_of(row.amount for row in rows)

    @property
    def tax(self) -> Decimal:
        rows: list[Any] = [*self.lines, *self.adjustments]
        return sum_of(row.tax for row in rows)

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


_Found = dict[int, tuple[int, int]]  # row → the first and the last document that it corrects


def corrections_by_invoice(
    lines: Iterable[InvoiceLine], adjustments: Iterable[InvoiceAdjustment]
) -> dict[int, list[Correction]]:
    """Document → its corrections, the oldest corrected first; no query where there are none.

    `lines` and `adjustments` are all of their documents; lines have their charge and item.
    """
    own = [line for line in lines if line.cause in CORRECTING]
    rows = list(adjustments)
    found = _lines(own)
    given = _adjustments([row for row in rows if row.revision > 1])
    _go_with_charge(given, rows, own, found)
    if not found and not given:
        return {}
    firsts = {first for first, _ in (*found.values(), *given.values())}
    bills = Invoice.objects.in_bulk(firsts)
    made: dict[tuple[int, int, Decimal], Correction] = {}
    for line in own:
        if line.pk in found:
            _of(made, line, bills[found[line.pk][0]]).lines.append(line)
    for row in rows:
        if row.pk in given:
            _of(made, row, bills[given[row.pk][0]]).adjustments.append(row)
    _tell_causes(made.values(), found)
    by_invoice: dict[int, list[Correction]] = defaultdict(list)
    for key in sorted(made):
        by_invoice[key[0]].append(made[key])
    return by_invoice


def corrections_on(
    invoice: Invoice, lines: Sequence[InvoiceLine], adjustments: Sequence[InvoiceAdjustment]
) -> list[Correction]:
    """The same of one document."""
    return corrections_by_invoice(lines, adjustments).get(invoice.pk, [])


def apart(
    lines: Sequence[InvoiceLine],
    adjustments: Sequence[InvoiceAdjustment],
    corrections: Iterable[Correction],
) -> tuple[list[InvoiceLine], list[InvoiceAdjustment], list[Correction]]:
    """Rows of a document, or of one account on it, that correct nothing; and its corrections."""
    own, given = {line.pk for line in lines}, {row.pk for row in adjustments}
    found = [
        replace(
            each,
            lines=[line for line in each.lines if line.pk in own],
            adjustments=[row for row in each.adjustments if row.pk in given],
        )
        for each in corrections
    ]
    found = [each for each in found if each.lines or each.adjustments]
    own -= {line.pk for each in found for line in each.lines}
    given -= {row.pk for each in found for row in each.adjustments}
    return (
        [line for line in lines if line.pk in own],
        [row for row in adjustments if row.pk in given],
        found,
    )


def _of(
    made: dict[tuple[int, int, Decimal], Correction], row: Any, corrected: Invoice
) -> Correction:
    key = (row.invoice_id, corrected.pk, row.tax_rate)
    if key not in made:
        made[key] = Correction(corrected, row.tax_rate)
    return made[key]


def _lines(own: Sequence[InvoiceLine]) -> _Found:
    if not own:
        return {}
    invoices = sorted({line.invoice_id for line in own})
    return {pk: (first, last) for pk, first, last in ask(LINES, [invoices, list(CORRECTING)])}


def _adjustments(rows: Sequence[InvoiceAdjustment]) -> _Found:
    keys = sorted(row.pk for row in rows)
    return {pk: (first, last) for pk, first, last in ask(ADJUSTMENTS, [keys])} if keys else {}


def _go_with_charge(
    given: _Found,
    rows: Iterable[InvoiceAdjustment],
    own: Iterable[InvoiceLine],
    found: _Found,
) -> None:
    """A discount stands with the lines that it reduces."""
    places = {
        (line.invoice_id, line.charge_id, line.period_start): found[line.pk]
        for line in own
        if line.pk in found
    }
    for row in rows:
        place = places.get((row.invoice_id, row.charge_id or 0, row.period_start))
        if place is not None:
            given[row.pk] = place


def _tell_causes(made: Iterable[Correction], found: _Found) -> None:
    """Which changes a correction comes from, each once, in the order in which they were told."""
    corrections = list(made)
    asked = {
        (line.invoice_id, line.charge.item_id, found[line.pk][1])
        for each in corrections
        for line in each.lines
        if line.cause == CHANGE
    }
    if not asked:
        return
    columns = [list(column) for column in zip(*sorted(asked), strict=True)]
    told: dict[tuple[int, int, int], list[tuple[Any, ...]]] = defaultdict(list)
    for invoice, item, last, *rest in ask(CHANGES, [*columns]):
        told[invoice, item, last].append(tuple(rest))
    products = dict(ask(PRODUCTS, [sorted({item for _, item, _ in asked})]))
    for each in corrections:
        seen: dict[int, Cause] = {}
        had = {products[line.charge_id] for line in each.lines}
        for line in each.lines:
            for pk, act, on, order, product in told.get(
                (line.invoice_id, line.charge.item_id, found[line.pk][1]), ()
            ):
                if on < line.period_end:
                    seen[pk] = Cause(act, on, order, product is not None and had != {product})
        each.causes = [seen[pk] for pk in sorted(seen)]
