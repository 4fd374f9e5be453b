"""How a run's rows are written: drafts by COPY into staging, final rows by INSERT … SELECT."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from io import StringIO
from typing import Any

from django.db import connection

from billing.models import BillRun, Shard
from billing.rules.drafting import AccountDraft
from billing.rules.metering import UsageOf
from billing.rules.rendering import NULL, copied_adjustments
from billing.runs.selectors.due import AccountFacts
from o2b.money import EXACT

LINES = """
COPY billing_draftline (run_id, shard_id, account_id, invoice_id, position, charge_id,
    seen_revision, last, billed_through, next_due_on, period_start, period_end, served_from,
    served_to, segment, revision, quantity, amount, tax_code, tax_rate, tax, cause, text,
    basis)
FROM STDIN
"""

INVOICES = """
COPY billing_draftinvoice (id, run_id, shard_id, account_id, kind, currency, net, tax, total,
    due_on, line_count)
FROM STDIN
"""

ADJUSTMENTS = """
COPY billing_draftadjustment (run_id, shard_id, account_id, invoice_id, position, kind, source_id,
    charge_id, period_start, period_end, revision, amount, tax_code, tax_rate, tax, text, basis)
FROM STDIN
"""

DRAFTS = (
    "billing_draftinvoice",
    "billing_draftline",
    "billing_draftusage",
    "billing_draftadjustment",
)

IDS = "SELECT nextval('billing_invoice_id_seq') FROM generate_series(1, %s)"

# In account order: a draft that is made again after a crash gets the number that it had.
FINAL_INVOICES = """
INSERT INTO billing_invoice (id, number, serial, legal_entity_id, account_id, run_id, kind,
                             currency, issued_on, due_on, net, tax, total, line_count)
SELECT id, %(prefix)s || lpad(serial::text, greatest(8, length(serial::text)), '0'), serial,
       %(entity)s, account_id, %(run)s, kind, currency, %(on)s, due_on, net, tax, total, line_count
    FROM (
        SELECT *, %(first)s - 1 + row_number() OVER (ORDER BY account_id, id) AS serial
            FROM billing_draftinvoice WHERE shard_id = %(shard)s
    ) AS draft
    ORDER BY serial
"""

# Before the lines: these are held against their document when they come.
FINAL_ADJUSTMENTS = """
INSERT INTO billing_invoiceadjustment (invoice_id, position, account_id, kind, source_id,
    charge_id, period_start, period_end, revision, amount, tax_code, tax_rate, tax, text, basis)
SELECT invoice_id, position, account_id, kind, source_id, charge_id, period_start, period_end,
       revision, amount, tax_code, tax_rate, tax, text, basis
    FROM billing_draftadjustment WHERE shard_id = %(shard)s
"""

FINAL_LINES = """
INSERT INTO billing_invoiceline (invoice_id, position, charge_id, account_id, period_start,
    period_end, served_from, served_to, segment, revision, quantity, amount, tax_code, tax_rate,
    tax, cause, text, basis)
SELECT invoice_id, position, charge_id, account_id, period_start, period_end, served_from,
       served_to, segment, revision, quantity, amount, tax_code, tax_rate, tax, cause, text, basis
    FROM billing_draftline WHERE shard_id = %(shard)s AND invoice_id IS NOT NULL
"""

# An invoice debits the customer; a credit note has the sides changed, for no amount is below zero.
# What buys prepaid money is owed to the customer until it is used; only where a shard has such.
FINAL_POSTINGS = """
INSERT INTO billing_posting ("on", legal_entity_id, account_id, invoice_id, debit, credit,
                             currency, amount)
SELECT %(on)s, %(entity)s, account_id, id,
       CASE WHEN amount > 0 THEN 'receivable' ELSE other END,
       CASE WHEN amount > 0 THEN other ELSE 'receivable' END,
       currency, abs(amount)
    FROM billing_draftinvoice AS draft
    {bought} CROSS JOIN LATERAL (VALUES {sides}) AS side (other, amount)
    WHERE shard_id = %(shard)s AND amount <> 0
"""
SIDES = "('revenue', net), ('tax', tax)"
SIDES_OF_MONEY = "('revenue', net - bought.paid), ('tax', tax), ('prepaid', bought.paid)"
BOUGHT = """CROSS JOIN LATERAL (
        SELECT COALESCE(sum(line.amount), 0) AS paid FROM billing_draftline AS line
            WHERE line.shard_id = draft.shard_id AND line.account_id = draft.account_id
            AND line.invoice_id = draft.id AND line.charge_id = ANY(%(money)s)
    ) AS bought"""

# How much of what came late each drafted charge has seen; only where some did.
SEEN = "COPY billing_draftusage (shard_id, account_id, charge_id, seen_usage) FROM STDIN"

USAGE_SEEN = """
UPDATE billing_chargestate AS standing SET seen_usage = draft.seen_usage
    FROM billing_draftusage AS draft
    WHERE draft.shard_id = %(shard)s AND standing.charge_id = draft.charge_id
"""

STANDINGS = """
UPDATE billing_chargestate AS standing
    SET billed_through = draft.billed_through, next_due_on = draft.next_due_on,
        seen_revision = draft.seen_revision
    FROM billing_draftline AS draft
    WHERE draft.shard_id = %(shard)s AND draft.last AND standing.charge_id = draft.charge_id
"""


def write_drafts(
    run: BillRun,
    shard: Shard,
    drafts: Mapping[int, AccountDraft],
    accounts: Mapping[int, AccountFacts],
) -> None:
    """Two COPYs: what would be invoiced, and how each charge would stand then; a third of what
    adjusts it, if anything does."""
    ids = iter(_invoice_ids(sum(1 for draft in drafts.values() if draft.bills)))
    lines, invoices, adjustments = StringIO(), StringIO(), StringIO()
    for account_id, draft in drafts.items():
        invoice = NULL
        if draft.bills:
            invoice = str(next(ids))
            invoices.write(_invoice(run, shard, invoice, account_id, draft, accounts[account_id]))
        head = f"{run.pk}\t{shard.pk}\t{account_id}\t"
        _write_lines(lines, head, invoice, draft)
        if draft.adjustments:
            adjustments.writelines(copied_adjustments(f"{head}{invoice}", draft.adjustments))
    # COPY is psycopg's own; let its refusals look like all others.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        for statement, rows in (
            (INVOICES, invoices),
            (LINES, lines),
            (ADJUSTMENTS, adjustments),
        ):
            if rows.tell():
                rows.seek(0)
                cursor.copy_expert(statement, rows)


def write_seen(
    shard: Shard, drafts: Mapping[int, AccountDraft], usage: Mapping[int, UsageOf]
) -> None:
    """The marks of late usage that these drafts have seen."""
    rows = StringIO()
    for account_id, draft in drafts.items() if usage else ():
        for charge_id, _, _ in draft.charges:
            seen = usage.get(charge_id)
            if seen is not None and seen.unseen:
                rows.write(f"{shard.pk}\t{account_id}\t{charge_id}\t{seen.seen}\n")
    if rows.tell():
        rows.seek(0)
        with connection.cursor() as cursor, connection.wrap_database_errors:
            cursor.copy_expert(SEEN, rows)


def _write_lines(rows: StringIO, head: str, invoice: str, draft: AccountDraft) -> None:
    position = 0
    for charge_id, revision, rendered in draft.charges:
        if not rendered.lines:
            rows.write(f"{head}{NULL}\t0\t{charge_id}\t{revision}\t{rendered.tails[0]}")
            continue
        for tail in rendered.tails:
            position += 1
            rows.write(f"{head}{invoice}\t{position}\t{charge_id}\t{revision}\t{tail}")


def _invoice(
    run: BillRun,
    shard: Shard,
    invoice: str,
    account_id: int,
    draft: AccountDraft,
    account: AccountFacts,
) -> str:
    total = EXACT.add(draft.net, draft.tax)
    kind = "credit_note" if total < 0 else "invoice"
    due_on = due_day(run.on, account.payment_days)
    return (
        f"{invoice}\t{run.pk}\t{shard.pk}\t{account_id}\t{kind}\t{account.currency}"
        f"\t{draft.net:f}\t{draft.tax:f}\t{total:f}\t{due_on}\t{draft.lines}\n"
    )


def due_day(on: date, payment_days: int) -> date:
    """The day by which it is to be paid."""
    return on + timedelta(days=payment_days)


def _invoice_ids(count: int) -> list[int]:
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(IDS, [count])
        return [row[0] for row in cursor.fetchall()]


def discard_drafts(*, shard_id: int, account_ids: Iterable[int] | None = None) -> None:
    """Throw away what was drafted in a shard, or of some of its accounts."""
    only = None if account_ids is None else sorted(account_ids)
    with connection.cursor() as cursor:
        for table in DRAFTS:
            statement = f"DELETE FROM {table} WHERE shard_id = %s"
            if only is None:
                cursor.execute(statement, [shard_id])
            else:
                cursor.execute(f"{statement} AND account_id = ANY(%s)", [shard_id, only])


def finalise_drafts(run: BillRun, shard: Shard, *, prefix: str, money: Collection[int] = ()) -> int:
    """Copy the drafts of a shard into what is final; return how many invoices there are now.

    `money` are the charges of its accounts that bring prepaid money. The drafts stay.
    """
    values: dict[str, Any] = {
        "run": run.pk,
        "shard": shard.pk,
        "entity": run.legal_entity_id,
        "on": run.on,
        "first": shard.first_number,
        "prefix": prefix,
        "money": list(money),
    }
    bought, sides = (BOUGHT, SIDES_OF_MONEY) if money else ("", SIDES)
    postings = FINAL_POSTINGS.format(bought=bought, sides=sides)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(FINAL_INVOICES, values)
        written = cursor.rowcount
        for statement in (FINAL_ADJUSTMENTS, FINAL_LINES, postings, STANDINGS, USAGE_SEEN):
            cursor.execute(statement, values)
    return written
