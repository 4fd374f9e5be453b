"""The journal of a shard that defers revenue or bills in other currencies than its seller's."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from o2b.money import minor_unit
from o2b.periods import add_months


class Rate(NamedTuple):
    """One unit of a currency in the seller's, and the day of that rate."""

    currency: str
    rate: Decimal
    on: date


class Books(NamedTuple):
    """A statement that posts a shard's documents, and its values."""

    statement: str
    values: dict[str, Any]


# `earning`: lines, and discounts over the days of the lines that they reduce.
# `part`: what a line earns in each month after that of its invoice, straight-line by days, rounded
# by running total so that the months add up to it. `side`: what each document posts against its
# receivable. `valued`: in the seller's currency, shared among the sides by largest remainder, so
# that they add up to the total at the rate. Releases share what was deferred by running total.
POSTINGS = """
WITH money AS (
    SELECT * FROM (VALUES {currencies}) AS told (currency, places, rate, rate_on)
), earning AS (
    SELECT invoice_id, charge_id, amount, served_from, served_to FROM billing_draftline
        WHERE shard_id = %(shard)s AND %(defers)s AND invoice_id IS NOT NULL
    UNION ALL
    SELECT given.invoice_id, given.charge_id, given.amount,
           COALESCE(days.first, given.period_start), COALESCE(days.after, given.period_end)
        FROM billing_draftadjustment AS given
        CROSS JOIN LATERAL (
            SELECT min(line.served_from) AS first, max(line.served_to) AS after
                FROM billing_draftline AS line
                WHERE line.shard_id = given.shard_id AND line.account_id = given.account_id
                    AND line.invoice_id = given.invoice_id AND line.charge_id = given.charge_id
                    AND line.period_start = given.period_start
        ) AS days
        WHERE given.shard_id = %(shard)s AND %(defers)s AND given.charge_id IS NOT NULL
), part AS (
    SELECT draft.id, draft.currency, month::date AS month,
           round(line.amount * (least(line.served_to, (month + interval '1 month')::date)
                   - line.served_from) / (line.served_to - line.served_from), money.places)
               - round(line.amount * greatest(month::date - line.served_from, 0)
                   / (line.served_to - line.served_from), money.places) AS amount
        FROM billing_draftinvoice AS draft
        JOIN money ON money.currency = draft.currency
        JOIN earning AS line ON line.invoice_id = draft.id
        CROSS JOIN LATERAL generate_series(
            greatest(date_trunc('month', line.served_from::timestamp), %(next_month)s::timestamp),
            (line.served_to - 1)::timestamp, interval '1 month'
        ) AS month
        WHERE draft.shard_id = %(shard)s AND %(defers)s AND line.served_to > %(next_month)s
            AND line.amount <> 0 AND line.charge_id <> ALL(%(money)s)
), later AS (
    SELECT id, sum(amount) AS amount FROM part GROUP BY id
), bought AS (
    SELECT line.invoice_id AS id, sum(line.amount) AS amount FROM billing_draftline AS line
        WHERE line.shard_id = %(shard)s AND line.charge_id = ANY(%(money)s)
            AND line.invoice_id IS NOT NULL
        GROUP BY line.invoice_id
), side AS (
    SELECT draft.id, draft.account_id, draft.currency, each.other, each.amount,
           money.rate, money.rate_on, each.amount * money.rate * {units} AS units
        FROM billing_draftinvoice AS draft
        JOIN money ON money.currency = draft.currency
        LEFT JOIN later ON later.id = draft.id
        LEFT JOIN bought ON bought.id = draft.id
        CROSS JOIN LATERAL (VALUES
            ('revenue', draft.net - COALESCE(later.amount, 0) - COALESCE(bought.amount, 0)),
            ('deferred', COALESCE(later.amount, 0)),
            ('prepaid', COALESCE(bought.amount, 0)),
            ('tax', draft.tax)
        ) AS each (other, amount)
        WHERE draft.shard_id = %(shard)s AND each.amount <> 0
), valued AS (
    SELECT side.*, (floor(units) + CASE WHEN row_number() OVER (
                PARTITION BY id ORDER BY units - floor(units) DESC, other
            ) <= round(sum(units) OVER whole) - sum(floor(units)) OVER whole
            THEN 1 ELSE 0 END) / {units} AS entity
        FROM side
        WINDOW whole AS (PARTITION BY id)
), month AS (
    SELECT part.id, part.month, part.currency, sum(part.amount) AS amount,
           sum(sum(part.amount)) OVER (PARTITION BY part.id ORDER BY part.month) AS so_far,
           part.month = max(part.month) OVER (PARTITION BY part.id) AS last
        FROM part GROUP BY part.id, part.month, part.currency
), released AS (
    SELECT month.*, draft.account_id, money.rate, money.rate_on,
           round(so_far * money.rate, %(entity_places)s)
               - round((so_far - month.amount) * money.rate, %(entity_places)s)
               + CASE WHEN last THEN COALESCE(held.entity, 0)
                   - round(so_far * money.rate, %(entity_places)s) ELSE 0 END AS entity
        FROM month
        JOIN billing_draftinvoice AS draft ON draft.id = month.id
        JOIN money ON money.currency = month.currency
        LEFT JOIN valued AS held ON held.id = month.id AND held.other = 'deferred'
)
INSERT INTO billing_posting ("on", legal_entity_id, account_id, invoice_id, debit, credit,
                             currency, amount, entity_amount, rate, rate_on)
SELECT posted."on", %(entity)s, posted.account_id, posted.id,
       CASE WHEN posted.amount > 0 THEN posted.debit ELSE posted.credit END,
       CASE WHEN posted.amount > 0 THEN posted.credit ELSE posted.debit END,
       posted.currency, abs(posted.amount), abs(posted.entity), posted.rate, posted.rate_on
    FROM (
        SELECT id, account_id, currency, %(on)s::date AS "on", 'receivable' AS debit,
               other AS credit, amount, entity, rate, rate_on FROM valued
        UNION ALL
        SELECT id, account_id, currency, (month + interval '1 month')::date - 1, 'deferred',
               'revenue', amount, entity, rate, rate_on FROM released WHERE amount <> 0
    ) AS posted
    ORDER BY posted.id, posted."on", posted.credit
"""

LAST_SERVED = """
SELECT greatest(
    (SELECT max(served_to) FROM billing_draftline
        WHERE shard_id = ANY(%(shards)s) AND invoice_id IS NOT NULL AND served_to > %(after)s),
    (SELECT max(period_end) FROM billing_draftadjustment
        WHERE shard_id = ANY(%(shards)s) AND period_end > %(after)s)
)
"""


def books_of(
    *, on: date, currency: str, others: Sequence[Rate], shown: Sequence[str], defers: bool
) -> Books:
    """How to post the documents of a day; `shown` are their currencies, `others` the rates."""
    rates = {each.currency: each for each in others}
    told: list[tuple[int, str, int, Decimal | None, date | None]] = []
    rows: list[str] = []
    for code in sorted({*shown, currency}):
        rate = rates.get(code)
        n = len(rows) + 1
        rows.append(f"(%(c{n})s, %(p{n})s::int, %(r{n})s::numeric, %(d{n})s::date)")
        told.append((n, code, places(code), rate.rate if rate else None, rate.on if rate else None))
    values: dict[str, Any] = {
        "next_month": add_months(on.replace(day=1), 1),
        "defers": defers,
        "entity_places": places(currency),
    }
    for n, *each in told:
        values |= dict(zip((f"c{n}", f"p{n}", f"r{n}", f"d{n}"), each, strict=True))
    units = f"{10 ** places(currency)}::numeric"
    return Books(POSTINGS.format(currencies=", ".join(rows), units=units), values)


def places(currency: str) -> int:
    """The decimals of a currency."""
    return max(0, -int(minor_unit(currency).as_tuple().exponent))


def last_served(shard_ids: Sequence[int], *, after: date) -> date | None:
    """The last day, or the day after it, that these drafts bill beyond a day; None if none."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_SERVED, {"shards": list(shard_ids), "after": after})
        found: date | None = cursor.fetchone()[0]
    return found
