"""How a reversal's rows are written: mirrors of final documents, drafted and then made final."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from billing.adjustments.mirroring import mirror_adjustments
from billing.models import BillRun, Shard
from billing.runs.copying import FINAL_ADJUSTMENTS, FINAL_LINES, Numbering, final_invoices
from o2b.sql import ask

# What it takes back: one document or those of a run, but for what was reversed already and for
# what reverses others.
ORIGINALS = """
    billing_invoice AS original
    WHERE {which} AND original.account_id BETWEEN %(first)s AND %(last)s
        AND original.reverses_id IS NULL
        AND NOT EXISTS (SELECT FROM billing_invoice AS undoing
            WHERE undoing.reverses_id = original.id)
"""

BY_ACCOUNT = """
SELECT original.account_id, sum(original.line_count)::bigint FROM {originals}
    GROUP BY original.account_id ORDER BY original.account_id
"""

COUNT = "SELECT count(DISTINCT original.account_id), count(*) FROM {originals}"

MIRRORED_INVOICES = """
INSERT INTO billing_draftinvoice (id, run_id, shard_id, account_id, kind, currency, net, tax, total,
                                  due_on, line_count, split, about, reverses_id)
SELECT nextval('billing_invoice_id_seq'), %(run)s, %(shard)s, account_id,
       CASE kind WHEN 'invoice' THEN 'credit_note' ELSE 'invoice' END,
       currency, -net, -tax, -total, %(on)s, line_count, split, about, id
    FROM (SELECT original.* FROM {originals} ORDER BY original.account_id, original.id) AS billed
"""

# Which revision it is, is told when it becomes final.
MIRRORED_LINES = """
INSERT INTO billing_draftline (run_id, shard_id, account_id, invoice_id, position, charge_id,
    seen_revision, last, period_start, period_end, served_from, served_to, segment, revision,
    quantity, amount, tax_code, tax_rate, tax, cause, text, reverses)
SELECT %(run)s, %(shard)s, line.account_id, draft.id, line.position, line.charge_id,
       0, false, line.period_start, line.period_end, line.served_from, line.served_to,
       line.segment, line.revision + 1, line.quantity, -line.amount, line.tax_code, line.tax_rate,
       -line.tax, 'reversal', line.text, line.revision
    FROM billing_draftinvoice AS draft
    JOIN billing_invoiceline AS line ON line.invoice_id = draft.reverses_id
    WHERE draft.shard_id = %(shard)s
    ORDER BY draft.account_id, draft.id, line.position
"""

ADJUSTED = """
SELECT id, reverses_id FROM billing_draftinvoice AS draft WHERE shard_id = %s AND EXISTS (
    SELECT FROM billing_invoiceadjustment AS given WHERE given.invoice_id = draft.reverses_id
)
"""

MONTHS = "SELECT min(period_start), max(period_start) FROM billing_draftline WHERE shard_id = %s"

# Runs may have billed on since it was drafted, but none is under way now.
REVISED = """
UPDATE billing_draftline AS draft SET revision = 1 + (
        SELECT max(line.revision) FROM billing_invoiceline AS line
            WHERE line.charge_id = draft.charge_id AND line.period_start = draft.period_start
                AND line.segment = draft.segment
    )
    WHERE draft.shard_id = %(shard)s
"""

REVISED_ADJUSTMENTS = """
UPDATE billing_draftadjustment AS draft SET revision = 1 + (
        SELECT max(given.revision) FROM billing_invoiceadjustment AS given
            WHERE given.account_id = draft.account_id AND given.kind = draft.kind
                AND given.source_id = draft.source_id
                AND given.charge_id IS NOT DISTINCT FROM draft.charge_id
                AND given.period_start = draft.period_start
    )
    WHERE draft.shard_id = %(shard)s
"""

# Each posting of the original with its sides changed; what is to come stays in its month. What was
# posted for money beyond its price is undone by the wallets, which know what is left of it.
TURNED = """
INSERT INTO billing_posting ("on", legal_entity_id, account_id, invoice_id, debit, credit,
                             currency, amount, entity_amount, rate, rate_on)
SELECT greatest(posting."on", %(on)s), posting.legal_entity_id, posting.account_id, draft.id,
       posting.credit, posting.debit, posting.currency, posting.amount, posting.entity_amount,
       posting.rate, posting.rate_on
    FROM billing_draftinvoice AS draft
    JOIN billing_posting AS posting ON posting.invoice_id = draft.reverses_id
    WHERE draft.shard_id = %(shard)s
        AND NOT (posting.debit IN ('revenue', 'prepaid')
            AND posting.credit IN ('revenue', 'prepaid'))
    ORDER BY draft.id, posting.id
"""

# The next run looks at these periods again and bills by difference what is still due.
ROLLED_BACK = """
UPDATE billing_chargestate AS standing
    SET billed_through = least(standing.billed_through, undone.first),
        next_due_on = least(standing.next_due_on, undone.first),
        taken_back_to = greatest(standing.taken_back_to, undone.after)
    FROM ({undone}) AS undone
    WHERE standing.charge_id = undone.charge_id
"""
OWN = """
    SELECT charge_id, min(period_start) AS first, max(period_end) AS after
        FROM billing_draftline WHERE shard_id = %(shard)s GROUP BY charge_id
"""
# What was billed of usage at another price may be answered for by a charge that came after it.
OF_ITS_MEASURE = """
    SELECT alike.id AS charge_id, min(line.period_start) AS first, max(line.period_end) AS after
        FROM billing_draftline AS line
        JOIN billing_charge AS charge ON charge.id = line.charge_id
        JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
        JOIN subscriptions_item AS item ON item.id = charge.item_id
        JOIN billing_charge AS alike ON alike.item_id = charge.item_id AND alike.id <> charge.id
        JOIN catalog_termscharge AS measured ON measured.id = alike.terms_charge_id
        WHERE line.shard_id = %(shard)s AND item.revision > 1 AND priced.kind = 'usage'
            AND measured.kind = 'usage' AND measured.key = priced.key
        GROUP BY alike.id
"""

# What wallets paid goes back to them instead; see billing.wallets.
FREED = """
INSERT INTO billing_allocation (payment_id, invoice_id, amount, at, by_id)
SELECT part.payment_id, part.invoice_id, -sum(part.amount), %(at)s, %(by)s
    FROM billing_draftinvoice AS draft
    JOIN billing_allocation AS part ON part.invoice_id = draft.reverses_id
    WHERE draft.shard_id = %(shard)s AND NOT EXISTS (
        SELECT FROM billing_walletdraw AS drawn WHERE drawn.payment_id = part.payment_id
    )
    GROUP BY part.payment_id, part.invoice_id HAVING sum(part.amount) > 0
    ORDER BY part.payment_id, part.invoice_id
    RETURNING payment_id, invoice_id, -amount
"""


@dataclass(frozen=True, slots=True)
class Freed:
    """What a payment had settled of a document that was reversed; it is credit again."""

    payment_id: int
    invoice_id: int
    amount: Decimal


def accounts_to_reverse(run: BillRun) -> list[tuple[int, int]]:
    """Account and lines of all documents that a reversal takes back."""
    values = _values(run, 0, 2**63 - 1)
    rows = ask(_about(run, BY_ACCOUNT), values)
    return [(account_id, lines) for account_id, lines in rows]


def count_originals(run: BillRun, shard: Shard) -> tuple[int, int]:
    """Accounts and documents of a shard to take back; counted apart from their drafts."""
    accounts, documents = ask(_about(run, COUNT), _of_shard(run, shard))[0]
    return accounts, documents


def write_mirrors(run: BillRun, shard: Shard) -> None:
    """Draft the mirror of each document of a shard."""
    with connection.cursor() as cursor:
        cursor.execute(_about(run, MIRRORED_INVOICES), _of_shard(run, shard))
        cursor.execute(MIRRORED_LINES, _of_shard(run, shard))
        cursor.execute(ADJUSTED, [shard.pk])
        adjusted = dict(cursor.fetchall())
    mirror_adjustments(run_id=run.pk, shard_id=shard.pk, originals=adjusted)


def months_of(shard: Shard) -> tuple[date | None, date | None]:
    """The first and the last month that a drafted line begins in."""
    first, last = ask(MONTHS, [shard.pk])[0]
    return first, last


def finalise_mirrors(
    run: BillRun, shard: Shard, numbering: Numbering, *, at: datetime
) -> tuple[int, list[Freed]]:
    """Make the mirrors of a shard final; how many there are, and what was paid on the originals.

    Their charges stand as before they were billed. The drafts stay.
    """
    values = _of_shard(run, shard) | {"at": at, "by": run.approved_by_id}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(REVISED, values)
        cursor.execute(REVISED_ADJUSTMENTS, values)
        written = final_invoices(cursor, run, shard, numbering)
        cursor.execute(FINAL_ADJUSTMENTS, values)
        cursor.execute(FINAL_LINES, values)
        cursor.execute(TURNED, values)
        cursor.execute(ROLLED_BACK.format(undone=OWN), values)
        cursor.execute(ROLLED_BACK.format(undone=OF_ITS_MEASURE), values)
        cursor.execute(FREED, values)
        freed = [Freed(*row) for row in cursor.fetchall()]
    return written, freed


def _about(run: BillRun, statement: str) -> str:
    one = run.reverses_invoice_id is not None
    which = "original.id = %(invoice)s" if one else "original.run_id = %(reversed)s"
    return statement.format(originals=ORIGINALS.format(which=which))


def _of_shard(run: BillRun, shard: Shard) -> dict[str, Any]:
    told = _values(run, shard.first_account, shard.last_account)
    return told | {"shard": shard.pk}


def _values(run: BillRun, first: int, last: int) -> dict[str, Any]:
    return {
        "run": run.pk,
        "on": run.on,
        "invoice": run.reverses_invoice_id,
        "reversed": run.reverses_run_id,
        "first": first,
        "last": last,
    }
