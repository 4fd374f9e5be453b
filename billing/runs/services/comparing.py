"""Each drafted account beside its last bill, in one statement a shard; who is held stays out."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection

from billing.families.rules import is_jump
from billing.families.selectors import wholes_of
from billing.models import BillRun, BillWord, RunRules, Shard
from billing.runs.copying import discard_drafts
from billing.runs.selectors.rules import rules_of
from billing.runs.selectors.scope import Scope
from billing.runs.services.parking import Parking
from billing.runs.services.words import charge_fuse, document_fuse, jump_fuse, lines_fuse
from o2b.periods import add_months
from o2b.sql import ask

# A bill of the last month, or of a run that came a bit late, is missed when none follows.
SPARE = timedelta(days=5)

# The last bill is all documents of the account from the run of its newest one: mostly that alone.
# What was taken back, and what takes back, is no bill.
# Where families are billed it is what the account came to on the document of its payer.
# Nothing is missing where something is due later, or where the account was parked.
COMPARE = """
INSERT INTO billing_variance
    (run_id, shard_id, account_id, currency, before_on, before, now, rule, is_changed)
SELECT %(run)s, %(shard)s, account.id, account.currency, last.issued_on, last.net,
       COALESCE(draft.net, 0),
       CASE
           WHEN draft.net IS NULL THEN 'missing'
           WHEN draft.net < 0 AND %(credits)s THEN 'credit'
           WHEN abs(draft.net - last.net) <= %(amount)s
               OR abs(draft.net - last.net) * 100 <= %(percent)s * abs(last.net) THEN ''
           WHEN draft.net > last.net THEN 'more'
           ELSE 'less'
       END,
       account.id = ANY(%(changed)s)
    FROM customers_account AS account
    CROSS JOIN LATERAL (
        SELECT newest.issued_on,
               CASE WHEN newest.run_id = other.run_id THEN (
                   SELECT sum(net) FROM {bills} AND run_id = newest.run_id AND {stands}
               ) ELSE newest.net END AS net
            FROM (
                SELECT id, issued_on, run_id, net FROM {bills}
                    AND {stands} ORDER BY id DESC LIMIT 1
            ) AS newest
            LEFT JOIN LATERAL (
                SELECT run_id FROM {bills} AND id < newest.id AND {stands}
                    ORDER BY id DESC LIMIT 1
            ) AS other ON true
    ) AS last
    LEFT JOIN (
        SELECT account_id, sum(net) AS net FROM billing_draftinvoice
            WHERE shard_id = %(shard)s GROUP BY account_id
    ) AS draft ON draft.account_id = account.id
    WHERE {account} AND account.legal_entity_id = %(entity)s
      AND (draft.net IS NOT NULL OR %(missing)s AND last.net > 0 AND last.issued_on > %(recent)s
           AND NOT account.id = ANY(%(parked)s) AND NOT EXISTS (
               SELECT FROM billing_chargestate AS standing
                   WHERE standing.account_id = account.id AND standing.next_due_on > %(on)s
           ))
"""

STANDS = """
bill.reverses_id IS NULL
    AND NOT EXISTS (SELECT FROM billing_invoice AS undoing WHERE undoing.reverses_id = bill.id)
"""

OWN = "billing_invoice AS bill WHERE account_id = account.id"
OWN_AND_PARTS = """(
    SELECT id, issued_on, run_id, net, reverses_id FROM billing_invoice AS own
        WHERE own.account_id = account.id
            AND NOT EXISTS (SELECT FROM billing_invoicepart WHERE invoice_id = own.id)
    UNION ALL
    SELECT whole.id, whole.issued_on, whole.run_id, part.net, whole.reverses_id
        FROM billing_invoicepart AS part
        JOIN billing_invoice AS whole ON whole.id = part.invoice_id
        WHERE part.account_id = account.id
) AS bill WHERE true"""
# One look at an index: whoever has a part was of a family once.
HAS_PARTS = "SELECT EXISTS (SELECT FROM billing_invoicepart WHERE {account})"

FORGET = "DELETE FROM billing_variance WHERE run_id = %(run)s AND {account}"

SIZES = """
SELECT account_id, min(currency), sum(line_count), max(abs(total)) FROM billing_draftinvoice
    WHERE shard_id = %(shard)s AND {account} GROUP BY account_id
    HAVING sum(line_count) > %(lines)s OR max(abs(total)) > %(amount)s
"""
LONGEST = """
SELECT account_id, max(lines) FROM (
    SELECT account_id, charge_id, count(*) AS lines FROM billing_draftline
        WHERE shard_id = %(shard)s AND account_id = ANY(%(accounts)s) AND invoice_id IS NOT NULL
        GROUP BY account_id, charge_id HAVING count(*) > %(most)s
) AS charge GROUP BY account_id
"""
JUMPS = """
SELECT account_id, currency, before, now FROM billing_variance
    WHERE run_id = %(run)s AND {account} AND before > 0
      AND now > before * %(jump)s AND now - before > %(above)s
"""
HELD = """
SELECT DISTINCT account_id FROM billing_draftinvoice
    WHERE shard_id = %s AND account_id = ANY(%s)
"""


@dataclass(slots=True)
class Controlled:
    """Who was stopped by a fuse, and who is held out because a person said so."""

    fused: list[Parking] = field(default_factory=list)
    held: set[int] = field(default_factory=set)


def control(
    run: BillRun,
    shard: Shard,
    scope: Scope,
    *,
    changed: Collection[int],
    parked: Collection[int],
    held: Collection[int] = (),
) -> Controlled:
    """Compare what is drafted, blow fuses, and take out who is held; their drafts are gone then.

    Four short statements a shard, whatever its size.
    """
    rules = rules_of(run.legal_entity_id)
    _compare(run, shard, scope, rules, changed, parked)
    found = Controlled(held=_drafted_of(shard, held))
    fused = _fused(run, shard, scope, rules)
    lifted = _lifted(run, fused) if fused else set()
    found.fused = [
        each
        for account_id, each in sorted(fused.items())
        if account_id not in lifted and account_id not in found.held
    ]
    if out := [*found.held, *(each.account_id for each in found.fused)]:
        discard_drafts(shard_id=shard.pk, account_ids=out)
    return found


def _compare(
    run: BillRun,
    shard: Shard,
    scope: Scope,
    rules: RunRules,
    changed: Collection[int],
    parked: Collection[int],
) -> None:
    values: dict[str, Any] = scope.values | {
        "run": run.pk,
        "shard": shard.pk,
        "on": run.on,
        "recent": add_months(run.on, -1) - SPARE,
        "credits": rules.marks_credits,
        "missing": rules.marks_missing,
        "percent": rules.outlier_percent,
        "amount": rules.outlier_amount,
        "changed": list(changed),
        "parked": list(parked),
    }
    with connection.cursor() as cursor:
        cursor.execute(FORGET.format(account=scope.within("account_id")), values)
        cursor.execute(HAS_PARTS.format(account=scope.within("account_id")), values)
        bills = OWN_AND_PARTS if cursor.fetchone()[0] else OWN
        about = {"account": scope.within("account.id"), "stands": STANDS, "bills": bills}
        cursor.execute(COMPARE.format(**about), values)


def _fused(run: BillRun, shard: Shard, scope: Scope, rules: RunRules) -> dict[int, Parking]:
    """account → the first fuse that it blows, in words with the figures.

    What a family comes to is told first, at who bears it: lifting that lifts all of that account.
    """
    most_a_charge, most = rules.most_lines_a_charge, rules.most_lines
    values: dict[str, Any] = scope.values | {
        "run": run.pk,
        "shard": shard.pk,
        "lines": min(most_a_charge, most),
        "amount": rules.most_amount,
        "most": most_a_charge,
        "jump": rules.most_jump,
        "above": rules.jump_above,
    }
    found = {each.account_id: each for each in _of_families(shard, scope, rules)}
    with connection.cursor() as cursor:
        cursor.execute(SIZES.format(account=scope.within("account_id")), values)
        sizes = cursor.fetchall()
        if long := [row[0] for row in sizes if row[2] > most_a_charge]:
            cursor.execute(LONGEST, values | {"accounts": long})
            for account_id, lines in cursor.fetchall():
                found.setdefault(account_id, charge_fuse(account_id, lines, most_a_charge))
        for account_id, currency, lines, total in sizes:
            if lines > most:
                found.setdefault(account_id, lines_fuse(account_id, lines, most))
            if rules.most_amount is not None and total > rules.most_amount:
                fuse = document_fuse(account_id, total, rules.most_amount, currency)
                found.setdefault(account_id, fuse)
        if rules.most_jump is not None:
            cursor.execute(JUMPS.format(account=scope.within("account_id")), values)
            for account_id, currency, before, now in cursor.fetchall():
                fuse = jump_fuse(account_id, before, now, rules.most_jump, currency)
                found.setdefault(account_id, fuse)
    return found


def _of_families(shard: Shard, scope: Scope, rules: RunRules) -> Iterator[Parking]:
    """The fuses that documents of several accounts blow: by what these come to together."""
    most, jump = rules.most_amount, rules.most_jump
    if most is None and jump is None:
        return
    for whole in wholes_of(shard, scope.only or ()):
        who, accounts, currency, total, before, now = whole
        if most is not None and total > most:
            yield document_fuse(who, total, most, currency, accounts=accounts)
        elif jump is not None and is_jump(before, now, jump, rules.jump_above):
            yield jump_fuse(who, before, now, jump, currency, accounts=accounts)


def _lifted(run: BillRun, account_ids: Collection[int]) -> set[int]:
    """Whose fuses somebody has lifted for this run."""
    said = BillWord.objects.filter(run=run, kind=BillWord.Kind.LIFTED, account__in=account_ids)
    return set(said.values_list("account_id", flat=True))


def _drafted_of(shard: Shard, account_ids: Collection[int]) -> set[int]:
    """Which of these accounts have a draft."""
    if not account_ids:
        return set()
    return {row[0] for row in ask(HELD, [shard.pk, list(account_ids)])}
