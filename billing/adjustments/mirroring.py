"""Adjustments of a document that is taken back as a whole: drafted as its mirror."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

MIRROR = """
INSERT INTO billing_draftadjustment (run_id, shard_id, account_id, invoice_id, position, kind,
    source_id, charge_id, period_start, period_end, revision, amount, tax_code, tax_rate, tax, text,
    basis)
SELECT %(run)s, %(shard)s, given.account_id, undoing.draft, given.position, given.kind,
       given.source_id, given.charge_id, given.period_start, given.period_end,
       (SELECT max(revision) + 1 FROM billing_invoiceadjustment AS other
           WHERE other.kind = given.kind AND other.source_id = given.source_id
           AND other.charge_id IS NOT DISTINCT FROM given.charge_id
           AND other.period_start = given.period_start)
           + row_number() OVER (PARTITION BY given.kind, given.source_id, given.charge_id,
               given.period_start ORDER BY given.id) - 1,
       -given.amount, given.tax_code, given.tax_rate, -given.tax, given.text,
       jsonb_build_object('reverses', given.revision)
    FROM unnest(%(drafts)s::bigint[], %(originals)s::bigint[]) AS undoing (draft, original)
    JOIN billing_invoiceadjustment AS given ON given.invoice_id = undoing.original
"""


def mirror_adjustments(*, run_id: int, shard_id: int, originals: Mapping[int, int]) -> int:
    """Draft what takes back the adjustments of documents; draft → original. How many there are.

    Together with the mirrored lines they leave nothing given, so the next run gives by difference
    what is due then.
    """
    values: dict[str, Any] = {
        "run": run_id,
        "shard": shard_id,
        "drafts": list(originals),
        "originals": list(originals.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(MIRROR, values)
        return cursor.rowcount
