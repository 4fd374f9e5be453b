"""What later documents billed again of the periods of one: what they added to it, or credited."""

from dataclasses import dataclass
from decimal import Decimal

from billing.models import Invoice
from o2b.sql import ask

# Of each item and key of the document, whatever its Terms and segments are by now: all lines of
# later documents for any part of a period that it billed, and what adjusted these, or its own.
AGAIN = """
WITH own AS MATERIALIZED (
    SELECT DISTINCT charge.item_id, charge.account_id, priced.key, line.period_start,
           line.period_end
        FROM billing_invoiceline AS line
        JOIN billing_charge AS charge ON charge.id = line.charge_id
        JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
        WHERE line.invoice_id = %(invoice)s
), alike AS MATERIALIZED (
    SELECT DISTINCT charge.id, own.period_start, own.period_end
        FROM own
        JOIN billing_charge AS charge
            ON charge.item_id = own.item_id AND charge.account_id = own.account_id
        JOIN catalog_termscharge AS priced
            ON priced.id = charge.terms_charge_id AND priced.key = own.key
), later AS (
    SELECT line.invoice_id, line.id, line.amount + line.tax AS amount, false AS beside
        FROM alike
        JOIN billing_invoiceline AS line ON line.charge_id = alike.id
            AND line.period_start < alike.period_end AND line.period_end > alike.period_start
        WHERE line.invoice_id > %(invoice)s AND line.reverses IS NULL
    UNION
    SELECT given.invoice_id, given.id, given.amount + given.tax, true
        FROM alike
        JOIN billing_invoiceadjustment AS given ON given.charge_id = alike.id
            AND given.period_start < alike.period_end AND given.period_end > alike.period_start
        JOIN billing_invoice AS bill ON bill.id = given.invoice_id
        WHERE given.invoice_id > %(invoice)s AND bill.reverses_id IS NULL
    UNION
    SELECT given.invoice_id, given.id, given.amount + given.tax, true
        FROM billing_invoiceadjustment AS first
        JOIN billing_invoiceadjustment AS given
            ON given.kind = first.kind AND given.source_id = first.source_id
            AND given.charge_id IS NOT DISTINCT FROM first.charge_id
            AND given.period_start = first.period_start AND given.invoice_id > first.invoice_id
        JOIN billing_invoice AS bill ON bill.id = given.invoice_id
        WHERE first.invoice_id = %(invoice)s AND bill.reverses_id IS NULL
)
SELECT invoice_id, sum(amount) FROM later GROUP BY invoice_id ORDER BY invoice_id
"""


@dataclass(frozen=True, slots=True)
class BilledAgain:
    """A later document that bills a period of this one again: what it adds, or credits, gross."""

    invoice: Invoice
    amount: Decimal


def billed_again(invoice: Invoice) -> list[BilledAgain]:
    """What later documents changed of the periods of one, the oldest first; no reversals."""
    rows = ask(AGAIN, {"invoice": invoice.pk})
    bills = Invoice.objects.in_bulk([row[0] for row in rows])
    return [BilledAgain(bills[pk], amount) for pk, amount in rows]
