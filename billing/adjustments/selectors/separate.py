"""What the check reads of coupons and minimums: their rows, all lines, all that was given."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from billing.adjustments.rules.expected import AtLeast, Line, Off, Promised
from billing.runs.selectors.scope import Scope
from o2b.money import minor_units
from o2b.periods import FOREVER
from o2b.sql import ask

ACCOUNTS = """
SELECT account.id, account.currency, false FROM customers_account AS account
    WHERE account.id IN (
        SELECT account_id FROM billing_coupongrant WHERE {account}
        UNION SELECT account_id FROM billing_draftadjustment WHERE shard_id = %(shard)s
    ) AND {own} AND account.legal_entity_id = %(entity)s
UNION ALL
SELECT account.id, account.currency, true FROM customers_account AS account
    WHERE account.id IN (SELECT account_id FROM billing_minimumspend WHERE {account})
    AND account.legal_entity_id = %(entity)s
"""

LINES = """
SELECT charge.account_id, charge.id, billed.period_start, billed.revision, billed.segment,
       charge.item_id, priced.kind, priced.key, is_.product_id, billed.tax_code, billed.tax_rate,
       billed.served_from, billed.served_to, billed.amount
    FROM (
        SELECT charge_id, period_start, revision, segment, tax_code, tax_rate, served_from,
               served_to, amount FROM billing_invoiceline
            WHERE charge_id IN (SELECT id FROM billing_charge WHERE account_id = ANY(%(accounts)s))
        UNION ALL
        SELECT charge_id, period_start, revision, segment, tax_code, tax_rate, served_from,
               served_to, amount FROM billing_draftline
            WHERE shard_id = %(shard)s AND account_id = ANY(%(accounts)s)
            AND invoice_id IS NOT NULL
    ) AS billed
    JOIN billing_charge AS charge ON charge.id = billed.charge_id AND NOT charge.brings_money
    JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
    JOIN catalog_terms AS terms ON terms.id = charge.terms_id
    JOIN catalog_productversion AS is_ ON is_.id = terms.product_version_id
"""

COUPONS = """
SELECT granted.account_id, coupon.currency, granted.id, coupon.kind, coupon.value, coupon.months,
       coupon.periods, granted.starts_on, granted.ends_on, coupon.ends_on, coupon.starts_on,
       array_remove(array_agg(limited.product_id), NULL)
    FROM billing_coupongrant AS granted
    JOIN billing_coupon AS coupon ON coupon.id = granted.coupon_id
    LEFT JOIN billing_couponproduct AS limited ON limited.coupon_id = coupon.id
    WHERE granted.account_id = ANY(%(accounts)s)
    GROUP BY granted.id, coupon.id ORDER BY granted.id
"""

MINIMUMS = """
SELECT at_least.account_id, at_least.currency, at_least.id, minimum, months, counted, prorated,
       starts_on, ends_on,
       CASE WHEN clock.id IS NULL
            THEN ((now() - interval '1 hour') AT TIME ZONE account.time_zone)::date
            ELSE (clock.now AT TIME ZONE account.time_zone)::date END
    FROM billing_minimumspend AS at_least
    JOIN customers_account AS account ON account.id = at_least.account_id
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    WHERE at_least.account_id = ANY(%(accounts)s)
"""

GIVEN = """
SELECT account_id, kind, source_id, COALESCE(charge_id, 0), period_start, sum(amount),
       COALESCE(sum(amount) FILTER (WHERE drafted), 0)
    FROM (
        SELECT account_id, kind, source_id, charge_id, period_start, amount, false AS drafted
            FROM billing_invoiceadjustment WHERE account_id = ANY(%(accounts)s)
        UNION ALL
        SELECT account_id, kind, source_id, charge_id, period_start, amount, true
            FROM billing_draftadjustment
            WHERE shard_id = %(shard)s AND account_id = ANY(%(accounts)s)
    ) AS given
    GROUP BY 1, 2, 3, 4, 5
"""

# A document is its lines and what adjusts it; Postgres says so again when it becomes final.
UNEVEN = """
SELECT draft.account_id, draft.net, COALESCE(line.net, 0) + COALESCE(given.net, 0)
    FROM billing_draftinvoice AS draft
    LEFT JOIN LATERAL (
        SELECT sum(amount) AS net, sum(tax) AS tax FROM billing_draftline
            WHERE shard_id = draft.shard_id AND account_id = draft.account_id
            AND invoice_id = draft.id
    ) AS line ON true
    LEFT JOIN LATERAL (
        SELECT sum(amount) AS net, sum(tax) AS tax FROM billing_draftadjustment
            WHERE shard_id = draft.shard_id AND account_id = draft.account_id
            AND invoice_id = draft.id
    ) AS given ON true
    WHERE draft.shard_id = %(shard)s AND draft.account_id = ANY(%(accounts)s)
    AND (draft.net <> COALESCE(line.net, 0) + COALESCE(given.net, 0)
         OR draft.tax <> COALESCE(line.tax, 0) + COALESCE(given.tax, 0))
"""


class Separate(NamedTuple):
    """What one account was promised off or at least, what it was given, and is `drafted` of it."""

    lines: list[Line]
    coupons: list[Off]
    minimums: list[AtLeast]
    given: Promised
    drafted: Promised


class Asked(NamedTuple):
    """The accounts to look at with their currencies, and those that a minimum alone concerns."""

    currencies: dict[int, str]
    committed: set[int]


def accounts_to_check(shard_id: int, scope: Scope) -> Asked:
    """Whoever has a coupon or a minimum, or a draft of such; nobody in most shards."""
    question = ACCOUNTS.format(account=scope.within("account_id"), own=scope.within("account.id"))
    rows = ask(question, scope.values | {"shard": shard_id})
    return Asked({row[0]: row[1] for row in rows}, {row[0] for row in rows if row[2]})


def separate_data(shard_id: int, currencies: dict[int, str]) -> dict[int, Separate]:
    """By account; amounts in minor units of its currency."""
    found = {key: Separate([], [], [], {}, {}) for key in currencies}
    values = {"shard": shard_id, "accounts": sorted(currencies)}

    def units(account: int, amount: Decimal) -> int:
        return minor_units(amount, currencies[account])

    for account, charge, start, revision, segment, *told, amount in ask(LINES, values):
        item, kind, name, product, code, rate, since, to = told
        found[account].lines.append(
            Line(
                charge,
                start,
                revision,
                segment,
                (item, kind, name),
                product,
                (code, rate),
                since,
                to,
                units(account, amount),
            )
        )
    for account, currency, grant, kind, value, months, periods, *days, only in ask(COUPONS, values):
        starts, ends, last, first = days
        if currency in ("", currencies[account]):
            percent = kind == "percent"
            until = tuple(day for day in (ends, last) if day is not None)
            found[account].coupons.append(
                Off(
                    grant,
                    percent,
                    value if percent else Decimal(units(account, value)),
                    months,
                    periods,
                    starts,
                    until,
                    first or starts,
                    frozenset(only),
                )
            )
    for account, currency, key, minimum, months, counted, prorated, since, ends, today in ask(
        MINIMUMS, values
    ):
        if currency == currencies[account]:
            found[account].minimums.append(
                AtLeast(
                    key,
                    units(account, minimum),
                    months,
                    counted == "calendar",
                    prorated,
                    since,
                    ends or FOREVER,
                    today,
                )
            )
    for account, *of, amount, drafted in ask(GIVEN, values):
        found[account].given[tuple(of)] = units(account, amount)
        found[account].drafted[tuple(of)] = units(account, drafted)
    return found


def uneven_documents(
    shard_id: int, account_ids: Sequence[int]
) -> list[tuple[int, Decimal, Decimal]]:
    """(account, net of the document, net of its parts) where the two differ, or their taxes."""
    return ask(UNEVEN, {"shard": shard_id, "accounts": list(account_ids)})
