"""The tuples that a shard is drafted from: a few set-based queries, no objects."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from json import loads
from typing import Any, NamedTuple

from billing.rules.drafting import DueRow
from billing.runs.selectors.scope import Scope
from o2b.charging import ChargeTerms, Discount
from o2b.charging.terms import details_of, tiers_of
from o2b.periods import Interval
from o2b.sql import ask
from subscriptions.pools.statements import USAGE_REVISION

# Days that are not billed are as if not in service. A charge of a changed item that has no day
# left comes too, without days: what it was billed is taken back. What is owed once begins where
# its Terms first hold, wherever that is now. Where days end the whole chain is asked whether it
# goes on; as a value, so that no plan reads all versions to answer it of a few. Of what is not
# all delivered so much is told; what is owed once goes by the most that ever was. A part that its
# payer has is told last, where there is one. What of a changed item was never billed may follow a
# price that was, whose bills tell its rate of tax. Of how tables are read, see `expected.PROMISED`.
DUE = """
SELECT charge.account_id, charge.id, item.revision,
       item.revision = 1 AND standing.seen_revision = 1 AND priced.kind <> 'usage'
           AND {again} IS NOT TRUE AND (share.mark IS NULL OR share.seen = share.mark),
       standing.seen_revision < item.revision OR {again} IS TRUE
           OR COALESCE(share.seen < share.mark, false)
           OR item.revision > 1 AND standing.billed_through IS NULL,
       charge.terms_charge_id || '|' || COALESCE(version.quantity::text, '') || '|'
           || CASE WHEN version.opens AND priced.kind = 'one_time' THEN lower(version.valid)
                   ELSE charge.started_on END || '|'
           || charge.anchor_day || '|' || COALESCE(standing.billed_through::text, '') || '|'
           || COALESCE(lower(version.valid)::text, '') || '|'
           || COALESCE(upper(version.valid)::text, '')
           || CASE WHEN upper(version.valid) IS NULL THEN '' ELSE COALESCE((
               SELECT '|on' FROM subscriptions_item AS other
                   JOIN subscriptions_itemversion AS next ON next.item_id = other.id
                   WHERE (other.id = COALESCE(item.root_id, item.id)
                          OR other.root_id = COALESCE(item.root_id, item.id))
                   AND upper_inf(next.recorded) AND next.billed
                   AND lower(next.valid) = upper(version.valid)
                   LIMIT 1
           ), '') END
           || CASE WHEN version.delivered < 1 AND priced.kind <> 'usage' THEN '|=' || CASE
               WHEN priced.kind = 'one_time' THEN (
                   SELECT max(part.delivered) FROM subscriptions_item AS other
                       JOIN subscriptions_itemversion AS part ON part.item_id = other.id
                       WHERE (other.id = COALESCE(item.root_id, item.id)
                              OR other.root_id = COALESCE(item.root_id, item.id))
                       AND upper_inf(part.recorded)
               ) ELSE version.delivered END ELSE '' END
           || COALESCE('|/' || share.parts, ''),
       priced.kind = 'usage',
       CASE WHEN share.seen < share.mark THEN share.mark END
    FROM {standing} AS standing
    JOIN {charge} AS charge ON charge.id = standing.charge_id
    JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
    LEFT JOIN {item} AS item ON item.id = charge.item_id
    LEFT JOIN billing_chargeshare AS share ON share.charge_id = charge.id AND {share}
    LEFT JOIN {version} AS version
        ON version.item_id = charge.item_id AND version.terms_id = charge.terms_id
        AND (priced.kind <> 'one_time' OR version.opens)
    WHERE charge.legal_entity_id = %(entity)s AND ({due})
    ORDER BY charge.account_id, charge.id, lower(version.valid)
"""
# What was reversed is billed again by difference, until a run has gone past all of it.
AGAIN = "(standing.taken_back_to > COALESCE(standing.billed_through, '-infinity'))"
DUE_BY = """
standing.next_due_on <= %(until)s OR standing.seen_revision < item.revision
OR share.seen < share.mark
OR priced.kind = 'usage' AND standing.seen_usage < (
    SELECT """
DUE_BY += USAGE_REVISION.format(service="COALESCE(item.root_id, item.id)", meter="meter.id")
DUE_BY += """
        FROM catalog_meter AS meter
        WHERE meter.code = COALESCE(priced.details ->> 'meter', priced.key)
)
"""
# What a changed item was billed so far, and nobody would look at again; usage is rated elsewhere.
BILLED = "item.revision > 1 AND standing.seen_revision >= item.revision AND priced.kind <> 'usage'"

METERED = "priced.kind = 'usage'"

ACCOUNTS = """
SELECT id, currency, payment_days, advocate_id, bill_day, tax_exempt,
       EXISTS (SELECT FROM billing_payershare WHERE {payer})
       OR EXISTS (SELECT FROM billing_payeragreement WHERE {agreed}),
       invoice_split, minimum_invoice
    FROM customers_account
    WHERE {account} AND legal_entity_id = %(entity)s
"""

TERMS_CHARGES = """
SELECT priced.id, priced.terms_id, priced.key, priced.kind, priced.model, priced.unit_price,
       terms.currency, priced.interval_unit, priced.interval_count, priced.timing,
       priced.alignment, priced.proration, priced.discounts, priced.tax_code, priced.revenue_rule,
       priced.tiers, priced.details, product.name
    FROM catalog_termscharge AS priced
    JOIN catalog_terms AS terms ON terms.id = priced.terms_id
    JOIN catalog_productversion AS is_ ON is_.id = terms.product_version_id
    JOIN catalog_product AS product ON product.id = is_.product_id
    WHERE priced.terms_id {of}
    ORDER BY priced.terms_id, priced.position
"""
OF_CHARGES = """IN (
    SELECT DISTINCT charge.terms_id FROM billing_charge AS charge
        WHERE {charge} AND charge.legal_entity_id = %(entity)s
)"""

TAX_CODES = """
SELECT DISTINCT tax_code FROM catalog_termscharge WHERE terms_id {of}
"""


class AccountFacts(NamedTuple):
    """What a draft needs to know of its account; `near_payers`: of one in the scope others pay."""

    currency: str
    payment_days: int
    advocate_id: int
    bill_day: int
    tax_exempt: bool
    near_payers: bool
    split: str = ""
    minimum: Decimal | None = None


class TermsChargeRow(NamedTuple):
    """A TermsCharge as its row says; it becomes ChargeTerms when somebody needs it."""

    id: int
    terms_id: int
    key: str
    kind: str
    model: str
    unit_price: Any
    currency: str
    interval_unit: str
    interval_count: int
    timing: str
    alignment: str
    proration: str
    discounts: str  # Django leaves JSON to whoever reads it
    tax_code: str
    revenue_rule: str
    tiers: str
    details: str
    product: str


def due_rows(scope: Scope, *, until: date) -> list[DueRow]:
    """Every charge of the scope that bills by `until`, or whose item has changed."""
    return _rows_of(scope, DUE_BY, until=until)


def billed_rows(scope: Scope) -> list[DueRow]:
    """Every charge of changed items of the scope, as if their last change had not been seen."""
    rows = _rows_of(scope, BILLED)
    return [
        DueRow(account, charge, rev, False, True, key)
        for account, charge, rev, _, _, key, *_ in rows
    ]


def metered_rows(scope: Scope) -> list[DueRow]:
    """Every usage charge of the scope, due or not."""
    return [DueRow(*row) for row in _rows_of(scope, METERED)]


def _rows_of(scope: Scope, due: str, **values: Any) -> list[DueRow]:
    charge = scope.read("billing_charge")
    items = f"SELECT item_id FROM {charge} AS charge"
    question = DUE.format(
        standing=scope.read("billing_chargestate"),
        charge=charge,
        item=scope.read_of("subscriptions_item", "id", ids=items),
        version=scope.read_of(
            "subscriptions_itemversion",
            "item_id",
            ids=items,
            which="upper_inf(recorded) AND billed",
        ),
        share=scope.within("share.account_id"),
        due=due,
        again=AGAIN,
    )
    rows: list[Any] = ask(question, scope.values | values)
    return rows


def accounts_of(scope: Scope) -> dict[int, AccountFacts]:
    """The accounts of the scope."""
    question = ACCOUNTS.format(
        account=scope.within("id"),
        payer=scope.within("payer_id"),
        agreed=scope.within("account_id"),
    )
    return {row[0]: AccountFacts(*row[1:]) for row in ask(question, scope.values)}


def terms_charges_of(scope: Scope) -> list[TermsChargeRow]:
    """All charges of the Terms that the scope's charges stand under."""
    return _terms_charges(_of_charges(scope), scope.values)


def charges_of_terms(terms_ids: Collection[int]) -> list[TermsChargeRow]:
    """All charges of these Terms."""
    return _terms_charges("= ANY(%(terms)s)", {"terms": sorted(terms_ids)})


def _terms_charges(of: str, values: dict[str, object]) -> list[TermsChargeRow]:
    return [TermsChargeRow(*row) for row in ask(TERMS_CHARGES.format(of=of), values)]


def _of_charges(scope: Scope) -> str:
    return OF_CHARGES.format(charge=scope.within("charge.account_id"))


def tax_codes_of(scope: Scope) -> list[str]:
    """Every tax code that a charge of the scope may bear."""
    return [row[0] for row in ask(TAX_CODES.format(of=_of_charges(scope)), scope.values)]


def charge_terms(row: TermsChargeRow) -> ChargeTerms:
    """The row as the rules know it; raises TermsInvalid for what cannot be billed."""
    interval = Interval(row.interval_unit, row.interval_count) if row.interval_unit else None  # type: ignore[arg-type]
    return ChargeTerms(
        key=row.key,
        kind=row.kind,  # type: ignore[arg-type]
        model=row.model,  # type: ignore[arg-type]
        unit_price=row.unit_price,
        currency=row.currency,
        interval=interval,
        timing=row.timing,  # type: ignore[arg-type]
        alignment=row.alignment,  # type: ignore[arg-type]
        proration=row.proration,  # type: ignore[arg-type]
        discounts=tuple(_discount(each) for each in loads(row.discounts)),
        tax_code=row.tax_code,
        revenue_rule=row.revenue_rule,
        tiers=tiers_of(loads(row.tiers)),
        **details_of(loads(row.details)),
    )


def _discount(said: dict[str, str]) -> Discount:
    return Discount(said["kind"], Decimal(said["value"]))  # type: ignore[arg-type]
