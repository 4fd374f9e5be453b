"""How a run's rows are written: drafts by COPY into staging, final rows by INSERT … SELECT."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any, NamedTuple

from django.db import connection

from billing.models import BillRun, Shard
from billing.rules.drafting import AccountDraft
from billing.rules.metering import UsageOf
from billing.rules.rendering import NULL, copied, copied_adjustments
from billing.runs.posting import Books
from billing.runs.selectors.due import AccountFacts
from o2b.money import EXACT
from o2b.sql import ask

LINES = """
COPY billing_draftline (run_id, shard_id, account_id, invoice_id, position, charge_id,
    seen_revision, last, billed_through, next_due_on, period_start, period_end, served_from,
    served_to, segment, revision, quantity, amount, tax_code, tax_rate, tax, cause, text,
    basis)
FROM STDIN
"""

INVOICES = """
COPY billing_draftinvoice (id, run_id, shard_id, account_id, kind, currency, net, tax, total,
    due_on, line_count, split, about)
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
                             currency, issued_on, due_on, net, tax, total, line_count, split, about,
                             reverses_id)
SELECT id, {number}, serial, %(entity)s, account_id, %(run)s, kind, currency, %(on)s, due_on, net,
       tax, total, line_count, split, about, reverses_id
    FROM (
        SELECT *, {serial} AS serial
            FROM billing_draftinvoice WHERE shard_id = %(shard)s
    ) AS draft
    ORDER BY serial
"""
ONE_SERIES = {
    "number": "%(prefix)s || lpad(serial::text, greatest(%(digits)s, length(serial::text)), '0')",
    "serial": "%(first)s - 1 + row_number() OVER (ORDER BY account_id, id)",
}
TWO_SERIES = {
    "number": """CASE kind WHEN 'credit_note' THEN %(credit_prefix)s ELSE %(prefix)s END
           || lpad(serial::text, greatest(length(serial::text), CASE kind
               WHEN 'credit_note' THEN %(credit_digits)s ELSE %(digits)s END), '0')""",
    "serial": """CASE kind WHEN 'credit_note' THEN %(first_credit)s ELSE %(first)s END
           - 1 + row_number() OVER (PARTITION BY kind ORDER BY account_id, id)""",
}

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
    tax, cause, text, basis, reverses)
SELECT invoice_id, position, charge_id, account_id, period_start, period_end, served_from,
       served_to, segment, revision, quantity, amount, tax_code, tax_rate, tax, cause, text, basis,
       reverses
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
SIDES_OF_MONEY = (
    "('revenue', net - COALESCE(paid, 0)), ('tax', tax), ('prepaid', COALESCE(paid, 0))"
)
BOUGHT = """LEFT JOIN (
        SELECT invoice_id, sum(amount) AS paid FROM billing_draftline
            WHERE shard_id = %(shard)s AND charge_id = ANY(%(money)s) AND invoice_id IS NOT NULL
            GROUP BY invoice_id
    ) AS bought ON bought.invoice_id = draft.id"""

# How much of what came late each drafted charge has seen, and which change of its payer's part;
# only where there was any.
SEEN = """
COPY billing_draftusage (shard_id, account_id, charge_id, seen_usage, seen_share) FROM STDIN
"""

USAGE_SEEN = """
WITH shares AS (
    UPDATE billing_chargeshare AS share SET seen = draft.seen_share
        FROM billing_draftusage AS draft
        WHERE draft.shard_id = %(shard)s AND share.charge_id = draft.charge_id
            AND draft.seen_share IS NOT NULL
)
UPDATE billing_chargestate AS standing SET seen_usage = draft.seen_usage
    FROM billing_draftusage AS draft
    WHERE draft.shard_id = %(shard)s AND standing.charge_id = draft.charge_id
        AND draft.seen_usage IS NOT NULL
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
    papers = [(account, paper) for account, draft in drafts.items() for paper in draft.papers]
    ids = iter(_invoice_ids(sum(1 for _, paper in papers if paper.bills)))
    lines, invoices, adjustments = StringIO(), StringIO(), StringIO()
    whose, sums = f"{run.pk}\t{shard.pk}\t", _Sums(run.on)
    for account_id, draft in papers:
        invoice, head = NULL, f"{whose}{account_id}\t"
        if draft.bills:
            invoice = str(next(ids))
            told = sums.of(draft, accounts[account_id])
            told += f"\t{draft.lines}\t{draft.split}\t{copied(draft.about)}\n"
            invoices.write(f"{invoice}\t{head}{told}")
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
    shard: Shard,
    drafts: Mapping[int, AccountDraft],
    usage: Mapping[int, UsageOf],
    marks: Mapping[int, int],
) -> None:
    """The marks of late usage, and of changed parts, that these drafts have seen."""
    rows = StringIO()
    for account_id, draft in drafts.items() if usage or marks else ():
        for charge_id, _, _ in draft.charges:
            seen = usage.get(charge_id)
            late = seen.seen if seen is not None and seen.unseen else NULL
            mark = marks.get(charge_id, NULL)
            if late is not NULL or mark is not NULL:
                rows.write(f"{shard.pk}\t{account_id}\t{charge_id}\t{late}\t{mark}\n")
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


class _Sums:
    """Kind, currency, amounts and due day of a draft as COPY wants them: many are equal."""

    def __init__(self, on: date) -> None:
        self.on = on
        self.known: dict[tuple[Decimal, Decimal, str, int], str] = {}

    def of(self, draft: AccountDraft, account: AccountFacts) -> str:
        key = draft.net, draft.tax, account.currency, account.payment_days
        return self.known.get(key) or self._written(*key)

    def _written(self, net: Decimal, tax: Decimal, currency: str, days: int) -> str:
        total = EXACT.add(net, tax)
        kind = "credit_note" if total < 0 else "invoice"
        told = f"{kind}\t{currency}\t{net:f}\t{tax:f}\t{total:f}\t{due_day(self.on, days)}"
        return self.known.setdefault((net, tax, currency, days), told)


def due_day(on: date, payment_days: int) -> date:
    """The day by which it is to be paid."""
    return on + timedelta(days=payment_days)


def _invoice_ids(count: int) -> list[int]:
    if not count:
        return []
    return [row[0] for row in ask(IDS, [count])]


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


class Numbering(NamedTuple):
    """The numbers of a shard's documents; credit notes have a series of their own or do not."""

    prefix: str
    digits: int
    first: int
    credit_prefix: str = ""
    credit_digits: int = 0
    first_credit: int | None = None


def final_invoices(cursor: Any, run: BillRun, shard: Shard, numbering: Numbering) -> int:
    """The documents of a shard with their numbers; how many there are."""
    told = ONE_SERIES if numbering.first_credit is None else TWO_SERIES
    ours = {"run": run.pk, "shard": shard.pk, "entity": run.legal_entity_id, "on": run.on}
    cursor.execute(FINAL_INVOICES.format(**told), numbering._asdict() | ours)
    return int(cursor.rowcount)


def finalise_drafts(
    run: BillRun,
    shard: Shard,
    *,
    numbering: Numbering,
    money: Collection[int] = (),
    books: Books | None = None,
) -> int:
    """Copy the drafts of a shard into what is final; return how many invoices there are now.

    `money` are the charges of its accounts that bring prepaid money. The drafts stay. `books` are
    given where its journal says more than what plain invoices in the seller's currency need.
    """
    values: dict[str, Any] = {
        "run": run.pk,
        "shard": shard.pk,
        "entity": run.legal_entity_id,
        "on": run.on,
        "money": list(money),
    }
    bought, sides = (BOUGHT, SIDES_OF_MONEY) if money else ("", SIDES)
    postings = FINAL_POSTINGS.format(bought=bought, sides=sides)
    if books is not None:
        postings, values = books.statement, values | books.values
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
        written = final_invoices(cursor, run, shard, numbering)
        for statement in (FINAL_ADJUSTMENTS, FINAL_LINES, postings, STANDINGS, USAGE_SEEN):
            cursor.execute(statement, values)
    return written
