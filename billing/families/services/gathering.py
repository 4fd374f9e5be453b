"""The drafts of a family become one on approval, and one document with its parts."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from billing.models import BillRun, Shard

# The payer's own draft is the document; if nothing was due of it, that of its first member.
DOCUMENT = """
WITH document AS (
    SELECT member.payer_id,
           COALESCE(min(draft.id) FILTER (WHERE draft.account_id = member.payer_id),
               min(draft.id)) AS id,
           sum(draft.net) AS net, sum(draft.tax) AS tax, sum(draft.total) AS total,
           sum(draft.line_count) AS line_count
        FROM billing_draftinvoice AS draft
        JOIN billing_familymember AS member
            ON member.run_id = %(run)s AND member.account_id = draft.account_id
        WHERE draft.shard_id = %(shard)s
        GROUP BY member.payer_id
)
"""

# The payer's lines first, then those of each member; what adjusts them likewise.
GATHERED_ROWS = (
    DOCUMENT
    + """
UPDATE {table} AS row SET invoice_id = placed.document_id, position = placed.position
    FROM (
        SELECT own.id, document.id AS document_id, row_number() OVER (
                PARTITION BY document.id
                ORDER BY own.account_id <> document.payer_id, own.account_id, own.position
            ) AS position
            FROM {table} AS own
            JOIN billing_familymember AS member
                ON member.run_id = %(run)s AND member.account_id = own.account_id
            JOIN document ON document.payer_id = member.payer_id
            WHERE own.shard_id = %(shard)s AND own.invoice_id IS NOT NULL
    ) AS placed
    WHERE row.id = placed.id
"""
)

# To be paid when and how its payer pays.
GATHERED = (
    DOCUMENT
    + """, kept AS (
    UPDATE billing_draftinvoice AS draft
        SET account_id = document.payer_id, net = document.net, tax = document.tax,
            total = document.total, line_count = document.line_count,
            kind = CASE WHEN document.total < 0 THEN 'credit_note' ELSE 'invoice' END,
            due_on = %(on)s::date + payer.payment_days
        FROM document JOIN customers_account AS payer ON payer.id = document.payer_id
        WHERE draft.id = document.id AND draft.shard_id = %(shard)s
        RETURNING draft.id
)
DELETE FROM billing_draftinvoice
    WHERE shard_id = %(shard)s AND id NOT IN (SELECT id FROM document)
"""
)

PARTS = """
INSERT INTO billing_invoicepart (invoice_id, account_id, net, tax, line_count)
SELECT row.invoice_id, row.account_id, sum(row.amount), sum(row.tax), count(row.line)
    FROM (
        SELECT invoice_id, account_id, amount, tax, 1 AS line FROM billing_draftline
            WHERE shard_id = %(shard)s AND invoice_id IS NOT NULL
        UNION ALL
        SELECT invoice_id, account_id, amount, tax, NULL FROM billing_draftadjustment
            WHERE shard_id = %(shard)s
    ) AS row
    JOIN billing_draftinvoice AS document
        ON document.id = row.invoice_id AND document.shard_id = %(shard)s
    GROUP BY row.invoice_id, row.account_id, document.account_id
    ORDER BY row.invoice_id, row.account_id <> document.account_id, row.account_id
"""

MIRRORED_PARTS = """
INSERT INTO billing_invoicepart (invoice_id, account_id, net, tax, line_count)
SELECT draft.id, part.account_id, -part.net, -part.tax, part.line_count
    FROM billing_draftinvoice AS draft
    JOIN billing_invoicepart AS part ON part.invoice_id = draft.reverses_id
    WHERE draft.shard_id = %(shard)s
    ORDER BY draft.id, part.id
"""


def gather_drafts(run: BillRun, shards: Sequence[Shard]) -> None:
    """One draft a family; what a shard counts of accounts, documents and sums stays as it is."""
    for shard in shards:
        if not shard.families:
            continue
        values: dict[str, Any] = {"run": run.pk, "shard": shard.pk, "on": run.on}
        with connection.cursor() as cursor:
            for table in ("billing_draftline", "billing_draftadjustment"):
                cursor.execute(GATHERED_ROWS.format(table=table), values)
            cursor.execute(GATHERED, values)


def write_parts(shard: Shard) -> None:
    """What each account comes to on the documents of a shard that were just written."""
    with connection.cursor() as cursor:
        cursor.execute(PARTS, {"shard": shard.pk})


def mirror_parts(shard: Shard) -> None:
    """The parts of documents that take back documents of families."""
    with connection.cursor() as cursor:
        cursor.execute(MIRRORED_PARTS, {"shard": shard.pk})
