"""What is asked when a shard becomes final: a few set-based queries, next to none without wallets.

The drafts of the shard are still there; their final rows are written already.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from billing.runs.selectors.scope import Scope
from billing.wallets.rules.sharing import Held, Share
from o2b.money import sum_of
from o2b.sql import ask

MONEY_CHARGES = """
SELECT charge.id FROM billing_charge AS charge
    WHERE charge.brings_money AND {charge} AND charge.legal_entity_id = %(entity)s
    ORDER BY charge.id
"""

MONEY_DRAFTED = """
SELECT DISTINCT charge.id FROM billing_draftline AS line
    JOIN billing_charge AS charge ON charge.id = line.charge_id
    WHERE line.shard_id = %(shard)s AND charge.brings_money ORDER BY charge.id
"""

WALLETS = """
SELECT DISTINCT wallet.account_id
    FROM billing_draftinvoice AS draft JOIN billing_wallet AS wallet
        ON wallet.account_id = draft.account_id AND wallet.currency = draft.currency
    WHERE draft.shard_id = %(shard)s
"""

BILLED = """
SELECT account_id, charge_id, period_start, invoice_id, sum(amount)
    FROM billing_draftline
    WHERE shard_id = %(shard)s AND charge_id = ANY(%(charges)s) AND invoice_id IS NOT NULL
    GROUP BY account_id, charge_id, period_start, invoice_id
    ORDER BY account_id, charge_id, period_start
"""

# The newest revision of each segment says what was served at which quantity; one that was reversed
# brings nothing.
LINES = """
SELECT DISTINCT ON (charge_id, period_start, segment)
       charge_id, period_start, CASE WHEN reverses IS NULL THEN quantity ELSE 0 END,
       served_to - served_from, period_end - period_start, text
    FROM billing_invoiceline WHERE charge_id = ANY(%(charges)s)
    ORDER BY charge_id, period_start, segment, revision DESC
"""

# The bills that a line below zero corrects, as far as a wallet paid them: those of the same measure
# and period, for the right price of a past day is another charge (`o2b.charging.succeeding`).
# What else than usage was paid is told by a draw of more than the usage on that bill.
EARLIER = """
    billing_charge AS alike
    JOIN catalog_termscharge AS measured ON measured.id = alike.terms_charge_id
    JOIN billing_invoiceline AS before ON before.charge_id = alike.id
    JOIN billing_walletdraw AS earlier
        ON earlier.invoice_id = before.invoice_id AND earlier.amount > 0
    WHERE alike.item_id = charge.item_id AND alike.account_id = charge.account_id
        AND measured.key = priced.key AND measured.kind = priced.kind
        AND before.period_start = line.period_start AND before.invoice_id <> line.invoice_id
        AND (priced.kind = 'usage' OR earlier.amount > COALESCE((
            SELECT sum(used.amount)
                FROM (
                    SELECT charge_id, amount + tax AS amount FROM billing_invoiceline
                        WHERE invoice_id = earlier.invoice_id AND account_id = charge.account_id
                    UNION ALL
                    SELECT charge_id, amount + tax FROM billing_invoiceadjustment
                        WHERE invoice_id = earlier.invoice_id AND account_id = charge.account_id
                ) AS used
                JOIN billing_charge AS counted ON counted.id = used.charge_id
                JOIN catalog_termscharge AS rated ON rated.id = counted.terms_charge_id
                WHERE rated.kind = 'usage'
        ), 0))
"""

# A wallet pays for its own account alone, not for the family on the same document.
# A correction counts where the wallet paid what is corrected, whatever it covers by now. What a
# discount takes off is not to be paid, nor what a correction of one gives back.
ELIGIBLE = f"""
SELECT wallet, account, draft, total, day, sum(amount)
    FROM (
        SELECT wallet.id AS wallet, wallet.account_id AS account, draft.id AS draft, draft.total,
               line.served_from AS day, line.amount + line.tax AS amount
            FROM billing_draftinvoice AS draft
            JOIN billing_wallet AS wallet
                ON wallet.account_id = draft.account_id AND wallet.currency = draft.currency
            JOIN billing_draftline AS line
                ON line.shard_id = draft.shard_id AND line.account_id = draft.account_id
                AND line.invoice_id = draft.id
            JOIN billing_charge AS charge ON charge.id = line.charge_id
            JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
            WHERE draft.shard_id = %(shard)s AND NOT charge.brings_money
                AND CASE WHEN line.amount < 0 THEN EXISTS (SELECT FROM {EARLIER})
                    ELSE wallet.covers = 'all' OR priced.kind = 'usage' END
        UNION ALL
        SELECT wallet.id, wallet.account_id, draft.id, draft.total,
               line.period_start, line.amount + line.tax
            FROM billing_draftadjustment AS line
            JOIN billing_draftinvoice AS draft
                ON draft.id = line.invoice_id AND draft.account_id = line.account_id
            JOIN billing_wallet AS wallet
                ON wallet.account_id = draft.account_id AND wallet.currency = draft.currency
            LEFT JOIN billing_charge AS charge ON charge.id = line.charge_id
            LEFT JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
            WHERE line.shard_id = %(shard)s
                AND CASE WHEN line.revision > 1 THEN EXISTS (SELECT FROM {EARLIER})
                    ELSE wallet.covers = 'all' OR priced.kind = 'usage' END
    ) AS part
    GROUP BY wallet, account, draft, total, day
    ORDER BY account, draft, day
"""

# Money whose invoice is not paid yet may wait for that, less what was credited of money on it: the
# least that its total ever came to. What has ended pays for what began before.
LOTS = """
SELECT lot.wallet_id, lot.id, lot."left", lot.priority, lot.begins_on, lot.ends_on
    FROM billing_walletlot AS lot
    JOIN billing_wallet AS wallet ON wallet.id = lot.wallet_id
    LEFT JOIN billing_invoice AS bill ON bill.id = lot.invoice_id
    WHERE lot.wallet_id = ANY(%(wallets)s) AND lot."left" > 0
        AND lot.begins_on <= %(on)s
        AND (wallet.usable = 'on_invoice' OR bill.id IS NULL OR bill.total + COALESCE((
            SELECT sum(least(each.lowest, 0)) FROM (
                SELECT min(since.amount) AS lowest FROM (
                    SELECT later.charge_id, later.period_start, sum(later.amount + later.tax) OVER (
                        PARTITION BY later.charge_id, later.period_start ORDER BY later.invoice_id
                    ) AS amount
                        FROM billing_invoiceline AS later
                        JOIN billing_charge AS charge ON charge.id = later.charge_id
                        WHERE charge.brings_money AND later.invoice_id > bill.id
                        AND (later.charge_id, later.period_start) IN (
                            SELECT charge_id, period_start FROM billing_invoiceline
                                WHERE invoice_id = bill.id
                        )
                ) AS since GROUP BY since.charge_id, since.period_start
            ) AS each
        ), 0) <= COALESCE((
            SELECT sum(amount) FROM billing_allocation WHERE invoice_id = bill.id
        ), 0))
"""

# What the wallet drew for the bills that these documents correct: the last draw first.
DRAWN = f"""
SELECT bills.later, drawn.id, drawn.lot_id, -drawn.amount - COALESCE((
           SELECT sum(undone.amount) FROM billing_walletmovement AS undone
               WHERE undone.undoes_id = drawn.id
       ), 0)
    FROM (
        SELECT DISTINCT line.invoice_id AS later, corrected.invoice_id AS earlier
            FROM billing_draftline AS line
            JOIN billing_draftinvoice AS draft
                ON draft.id = line.invoice_id AND draft.account_id = line.account_id
            JOIN billing_charge AS charge ON charge.id = line.charge_id
            JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
            CROSS JOIN LATERAL (SELECT earlier.invoice_id FROM {EARLIER}) AS corrected
            WHERE line.shard_id = %(shard)s AND line.invoice_id = ANY(%(invoices)s)
                AND line.amount < 0 AND NOT charge.brings_money
    ) AS bills
    JOIN billing_walletmovement AS drawn
        ON drawn.invoice_id = bills.earlier AND drawn.kind = 'drawn'
    ORDER BY bills.later, drawn.invoice_id DESC, drawn.id DESC
"""


class Billed(NamedTuple):
    """What a document bills of a charge that brings money."""

    account: int
    charge: int
    period_start: date
    invoice: int
    amount: Decimal


class MoneyLine(NamedTuple):
    """A segment of a full period of such a charge, as it was billed last."""

    charge: int
    period_start: date
    quantity: Decimal
    days: int
    of_days: int
    text: str


class Eligible(NamedTuple):
    """What a wallet may pay of an invoice, by the first day of service; a sum below zero is to be
    given back."""

    wallet: int
    account: int
    invoice: int
    total: Decimal
    parts: tuple[tuple[date, Decimal], ...]

    @property
    def amount(self) -> Decimal:
        return sum_of(amount for _, amount in self.parts)


class Undoable(NamedTuple):
    """A draw, and what of it was not given back yet."""

    draw: int
    lot: int
    left: Decimal

    def share(self) -> Share:
        return Share(self.draw, self.left)


def charges_that_bring_money(scope: Scope) -> list[int]:
    """The charges of a shard whose Terms grant money; an index of its own answers."""
    question = MONEY_CHARGES.format(charge=scope.within("charge.account_id"))
    return [row[0] for row in ask(question, scope.values)]


def money_drafted(shard_id: int) -> list[int]:
    """The same by the drafts of a shard: a document that is taken back may bill others than those
    of its range, where it is a family's."""
    return [row[0] for row in ask(MONEY_DRAFTED, {"shard": shard_id})]


def wallets_to_settle(shard_id: int) -> list[int]:
    """The accounts of a shard that have a wallet and get a document."""
    return [row[0] for row in ask(WALLETS, {"shard": shard_id})]


def money_billed(shard_id: int, charge_ids: Collection[int]) -> list[Billed]:
    """What the documents of a shard bill of these charges."""
    if not charge_ids:
        return []
    values = {"shard": shard_id, "charges": list(charge_ids)}
    return [Billed(*row) for row in ask(BILLED, values)]


def money_lines_of(charge_ids: Collection[int]) -> dict[tuple[int, date], list[MoneyLine]]:
    """Charge and period → what was billed of it last, segment by segment."""
    found: dict[tuple[int, date], list[MoneyLine]] = defaultdict(list)
    for row in ask(LINES, {"charges": list(charge_ids)}):
        line = MoneyLine(*row)
        found[line.charge, line.period_start].append(line)
    return found


def eligible_by_invoice(shard_id: int) -> list[Eligible]:
    """Each document of a shard whose account has a wallet, with what the wallet may pay of it."""
    rows = ask(ELIGIBLE, {"shard": shard_id})
    return [
        Eligible(wallet, account, invoice, total, tuple((row[4], row[5]) for row in parts))
        for (wallet, account, invoice, total), parts in groupby(rows, itemgetter(0, 1, 2, 3))
    ]


def lots_to_draw(wallet_ids: Collection[int], *, on: date) -> dict[int, list[Held]]:
    """Wallet → its lots that have begun on a day and are usable; those that ended may be left."""
    found: dict[int, list[Held]] = defaultdict(list)
    for wallet, *lot in ask(LOTS, {"wallets": list(wallet_ids), "on": on}) if wallet_ids else ():
        found[wallet].append(Held(*lot))
    return found


def drawn_by_invoice(shard_id: int, invoice_ids: Collection[int]) -> dict[int, list[Undoable]]:
    """Document → the draws for what it corrects, in the order in which they are undone."""
    found: dict[int, list[Undoable]] = defaultdict(list)
    values = {"shard": shard_id, "invoices": list(invoice_ids)}
    for later, *draw in ask(DRAWN, values) if invoice_ids else ():
        found[later].append(Undoable(*draw))
    return found
