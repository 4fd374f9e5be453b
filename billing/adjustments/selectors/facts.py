"""What drafting reads of accounts that have a coupon or a minimum; one query where none has."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from billing.adjustments.rules.facts import (
    AccountFacts,
    CouponFacts,
    Given,
    Key,
    Measure,
    MinimumFacts,
    Piece,
    coupon_facts,
)
from billing.runs.selectors.scope import Scope
from o2b.periods import FOREVER
from o2b.sql import ask

ACCOUNTS = """
SELECT account_id FROM billing_coupongrant WHERE {account}
UNION SELECT account_id FROM billing_minimumspend WHERE {account}
"""

COUPONS = """
SELECT granted.account_id, granted.id, coupon.kind, coupon.value, coupon.currency, coupon.months,
       coupon.periods, granted.starts_on, granted.ends_on, coupon.starts_on, coupon.ends_on,
       ARRAY(SELECT product_id FROM billing_couponproduct WHERE coupon_id = coupon.id), coupon.name
    FROM billing_coupongrant AS granted JOIN billing_coupon AS coupon
        ON coupon.id = granted.coupon_id
    WHERE granted.account_id = ANY(%s) ORDER BY granted.id
"""

# A day is over an hour after it ended, as for usage (`billing.runs.selectors.usage`).
MINIMUMS = """
SELECT held.account_id, held.id, held.minimum, held.currency, held.months,
       held.counted = 'calendar', held.prorated, held.starts_on, held.ends_on, held.tax_code,
       held.text,
       (COALESCE(clock.now, now() - interval '1 hour') AT TIME ZONE account.time_zone)::date
    FROM billing_minimumspend AS held
    JOIN customers_account AS account ON account.id = held.account_id
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    WHERE held.account_id = ANY(%s) ORDER BY held.id
"""

# A correction bears the rate of its bill, so the newest line has the rate that counts; a period
# that was taken back altogether and billed anew has another one. What a period was that began
# before all coupons and minimums matters as long as it goes on.
# Money that is paid ahead is no supply yet: nothing is taken off it, and it keeps no minimum.
BILLED = """
SELECT charge.account_id, charge.id, charge.item_id, is_.product_id, priced.kind, priced.key,
       line.period_start, line.segment, max(line.revision), max(line.period_end),
       (array_agg(line.served_from ORDER BY line.revision DESC))[1],
       (array_agg(line.served_to ORDER BY line.revision DESC))[1],
       sum(line.amount),
       (array_agg(line.tax_code ORDER BY line.revision DESC))[1],
       (array_agg(line.tax_rate ORDER BY line.revision DESC))[1]
    FROM billing_charge AS charge
    JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
    JOIN catalog_terms AS terms ON terms.id = charge.terms_id
    JOIN catalog_productversion AS is_ ON is_.id = terms.product_version_id
    LEFT JOIN billing_invoiceline AS line
        ON line.charge_id = charge.id AND line.period_end > %s
    WHERE charge.account_id = ANY(%s) AND NOT charge.brings_money
    GROUP BY charge.account_id, charge.id, is_.product_id, priced.kind, priced.key,
        line.period_start, line.segment
"""

GIVEN = """
SELECT account_id, kind, source_id, charge_id, period_start, max(revision), sum(amount), sum(tax),
       (array_agg(tax_code ORDER BY revision DESC))[1],
       (array_agg(tax_rate ORDER BY revision DESC))[1],
       max(period_end)
    FROM billing_invoiceadjustment WHERE account_id = ANY(%s)
    GROUP BY account_id, kind, source_id, charge_id, period_start
"""


def accounts_to_adjust(scope: Scope) -> list[int]:
    """The accounts of a shard that ever had a coupon or a minimum."""
    question = ACCOUNTS.format(account=scope.within("account_id"))
    return sorted(row[0] for row in ask(question, scope.values))


def facts_of_accounts(account_ids: Sequence[int]) -> dict[int, AccountFacts]:
    """Their coupons and minimums, what was billed since the first of these, and given."""
    keys = list(account_ids)
    coupons, minimums = _coupons(keys), _minimums(keys)
    starts: list[date] = [each.begins for rows in coupons.values() for each in rows]
    starts += [each.starts for rows in minimums.values() for each in rows]
    pieces: dict[int, list[Piece]] = defaultdict(list)
    measures: dict[int, dict[int, Measure]] = defaultdict(dict)
    for account, charge, item, product, kind, name, *told in ask(BILLED, [min(starts), keys]):
        measures[account][charge] = Measure(item, product, kind, name)
        if told[0] is not None:
            pieces[account].append(Piece(charge, *told))
    given: dict[int, dict[Key, Given]] = defaultdict(dict)
    for account, kind, source, of, start, *told in ask(GIVEN, [keys]):
        revision, amount, tax, code, rate, end = told
        given[account][kind, source, of, start] = Given(revision, amount, tax, code, rate, end)
    return {
        key: AccountFacts(
            tuple(coupons.get(key, ())),
            tuple(minimums.get(key, ())),
            tuple(pieces[key]),
            measures[key],
            given[key],
        )
        for key in keys
    }


def _coupons(keys: list[int]) -> dict[int, list[CouponFacts]]:
    found: dict[int, list[CouponFacts]] = defaultdict(list)
    for account, *told in ask(COUPONS, [keys]):
        grant, kind, value, currency, months, periods, starts, ends, first, last, only, text = told
        found[account].append(
            coupon_facts(
                grant=grant,
                kind=kind,
                value=Decimal(value),
                currency=currency,
                months=months,
                periods=periods,
                starts_on=starts,
                ends_on=ends,
                first_on=first,
                last_on=last,
                products=frozenset(only) or None,
                text=text,
            )
        )
    return found


def _minimums(keys: list[int]) -> dict[int, list[MinimumFacts]]:
    found: dict[int, list[MinimumFacts]] = defaultdict(list)
    for account, *told in ask(MINIMUMS, [keys]):
        key, minimum, currency, months, calendar, prorated, starts, ends, code, text, today = told
        found[account].append(
            MinimumFacts(
                key,
                minimum,
                currency,
                months,
                calendar,
                prorated,
                starts,
                ends or FOREVER,
                code,
                text,
                today,
            )
        )
    return found
