"""What each ledger account moved by in a month, by currency; all of them together by nothing."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2b.periods import add_months
from o2b.sql import ask

# A posting names both its sides, so that each counts once as debit and once as credit.
BALANCES = """
SELECT side.legal_entity_id, side.currency, side.ledger, sum(side.debit), sum(side.credit),
       sum(side.own_debit), sum(side.own_credit), sum(side.unvalued)
    FROM (
        SELECT legal_entity_id, currency, debit AS ledger, amount AS debit, 0 AS credit,
               {own} AS own_debit, 0 AS own_credit, {unvalued} AS unvalued
            FROM billing_posting AS posting {which}
        UNION ALL
        SELECT legal_entity_id, currency, credit, 0, amount, 0, {own}, {unvalued}
            FROM billing_posting AS posting {which}
    ) AS side
    GROUP BY side.legal_entity_id, side.currency, side.ledger
    ORDER BY side.legal_entity_id, side.currency, side.ledger
"""
WHICH = """
    JOIN (SELECT id AS seller_id, currency AS own_currency FROM customers_legalentity) AS seller
        ON seller.seller_id = posting.legal_entity_id
    WHERE posting."on" >= %(start)s AND posting."on" < %(end)s
        AND (%(entity)s::bigint IS NULL OR posting.legal_entity_id = %(entity)s)
"""
OWN = "CASE WHEN currency = own_currency THEN amount ELSE COALESCE(entity_amount, 0) END"
UNVALUED = "CASE WHEN currency <> own_currency AND entity_amount IS NULL THEN 1 ELSE 0 END"

MONTHS = """
WITH RECURSIVE month AS (
    (SELECT date_trunc('month', "on")::date AS first FROM billing_posting ORDER BY "on" LIMIT 1)
    UNION ALL
    SELECT (SELECT date_trunc('month', "on")::date FROM billing_posting
                WHERE "on" >= (month.first + interval '1 month')::date ORDER BY "on" LIMIT 1)
        FROM month WHERE month.first IS NOT NULL
)
SELECT first FROM month WHERE first IS NOT NULL ORDER BY first DESC
"""


@dataclass(frozen=True, slots=True)
class Balanced:
    """A ledger account of a seller and currency: debits, credits, and both in its own currency.

    `unvalued` postings in another currency have no amount in the seller's.
    """

    legal_entity_id: int
    currency: str
    ledger: str
    debit: Decimal
    credit: Decimal
    own_debit: Decimal
    own_credit: Decimal
    unvalued: int

    @property
    def balance(self) -> Decimal:
        return self.debit - self.credit

    @property
    def own_balance(self) -> Decimal:
        return self.own_debit - self.own_credit


def balances_of(*, month: date, legal_entity_id: int | None = None) -> list[Balanced]:
    """The trial balance of a month; within each seller and currency the balances are 0 in all."""
    question = BALANCES.format(own=OWN, unvalued=UNVALUED, which=WHICH)
    values = {"start": month, "end": add_months(month, 1), "entity": legal_entity_id}
    return [Balanced(*row) for row in ask(question, values)]


def months_with_postings() -> list[date]:
    """First days of the months in which something was posted, the newest first."""
    return [row[0] for row in ask(MONTHS, {})]
