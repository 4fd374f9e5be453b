"""Documents of a run whose sums are not those of what stands on them."""

from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from billing.models import Invoice

AT_ONCE = 2_000
DIFFERENT = """
SELECT bill.id, bill.number, bill.currency, bill.net, bill.tax, bill.total,
       COALESCE(own.net, 0) + COALESCE(given.net, 0), COALESCE(own.tax, 0) + COALESCE(given.tax, 0)
    FROM billing_invoice AS bill
    LEFT JOIN (
        SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS number
            FROM billing_invoiceline WHERE invoice_id = ANY(%(ids)s) GROUP BY invoice_id
    ) AS own ON own.invoice_id = bill.id
    LEFT JOIN (
        SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax
            FROM billing_invoiceadjustment WHERE invoice_id = ANY(%(ids)s) GROUP BY invoice_id
    ) AS given ON given.invoice_id = bill.id
    WHERE bill.id = ANY(%(ids)s) AND (
        bill.net <> COALESCE(own.net, 0) + COALESCE(given.net, 0)
        OR bill.tax <> COALESCE(own.tax, 0) + COALESCE(given.tax, 0)
        OR bill.total <> bill.net + bill.tax OR bill.line_count <> COALESCE(own.number, 0)
    )
    ORDER BY bill.id
"""


class Unsummed(NamedTuple):
    """What a document says, and what its lines, discounts and true-ups add up to."""

    invoice: int
    number: str
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    lines_net: Decimal
    lines_tax: Decimal


def documents_that_differ(*, run_id: int) -> tuple[int, list[Unsummed]]:
    """How many documents a run made, and those that do not add up."""
    keys = list(Invoice.objects.filter(run_id=run_id).order_by("pk").values_list("pk", flat=True))
    found: list[Unsummed] = []
    with connection.cursor() as cursor:
        for first in range(0, len(keys), AT_ONCE):
            cursor.execute(DIFFERENT, {"ids": keys[first : first + AT_ONCE]})
            found += [Unsummed(*row) for row in cursor.fetchall()]
    return len(keys), found
