"""What one may do with charges: open them for what is in service, and share them among payers."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection, transaction

from billing.payers.selectors import CONCERNS, agreed_of
from billing.rules.sharing import sharing_of, sharing_text

# A charge stands on the grid of its service, which a change or a transfer does not move.
OPEN = """
WITH made AS (
    INSERT INTO billing_charge (item_id, terms_id, terms_charge_id, account_id, legal_entity_id,
                                currency, started_on, anchor_day, brings_money)
    SELECT item.id, version.terms_id, priced.id, item.account_id, account.legal_entity_id,
           terms.currency,
           CASE WHEN priced.kind = 'one_time' THEN min(lower(version.valid))
                ELSE COALESCE(item.anchor_on, min(lower(version.valid))) END,
           COALESCE(item.anchor_day, account.bill_day),
           priced.details ? 'grant' AND COALESCE(priced.details -> 'grant' ->> 'meter', '') = ''
        FROM subscriptions_item AS item
        JOIN customers_account AS account ON account.id = item.account_id
        JOIN subscriptions_itemversion AS version
            ON version.item_id = item.id AND upper_inf(version.recorded)
        JOIN catalog_terms AS terms ON terms.id = version.terms_id
        JOIN catalog_termscharge AS priced ON priced.terms_id = terms.id
        WHERE item.subscription_id = ANY(%s)
        GROUP BY item.id, version.terms_id, priced.id, account.id, terms.currency
        ORDER BY item.id, priced.id
    ON CONFLICT DO NOTHING
    RETURNING id, item_id, account_id, terms_id
)
INSERT INTO billing_chargestate (charge_id, account_id, next_due_on, seen_revision)
SELECT made.id, made.account_id, min(lower(version.valid)), item.revision
    FROM made JOIN subscriptions_item AS item ON item.id = made.item_id
    JOIN subscriptions_itemversion AS version ON version.item_id = item.id
        AND version.terms_id = made.terms_id AND upper_inf(version.recorded)
    GROUP BY made.id, made.account_id, item.revision
    ORDER BY made.id
"""

# Which items somebody else pays a part of, or ever did.
AGREED_ABOUT = f"""
SELECT item.id FROM subscriptions_item AS item
    WHERE item.subscription_id = ANY(%s)
        AND EXISTS (SELECT FROM billing_payeragreement AS agreement WHERE {CONCERNS})
    ORDER BY item.id
"""

# Each payer's charge stands on the grid of the customer's own.
OPEN_SHARES = """
WITH made AS (
    INSERT INTO billing_charge (item_id, terms_id, terms_charge_id, account_id, legal_entity_id,
                                currency, started_on, anchor_day, brings_money)
    SELECT own.item_id, own.terms_id, own.terms_charge_id, told.payer_id, own.legal_entity_id,
           own.currency, own.started_on, own.anchor_day, false
        FROM unnest(%s::bigint[], %s::bigint[]) AS told (item_id, payer_id)
        JOIN subscriptions_item AS item ON item.id = told.item_id
        JOIN billing_charge AS own ON own.item_id = item.id AND own.account_id = item.account_id
        WHERE NOT own.brings_money
        ORDER BY told.payer_id, own.id
    ON CONFLICT DO NOTHING
    RETURNING id, item_id, account_id, started_on
)
INSERT INTO billing_chargestate (charge_id, account_id, next_due_on, seen_revision)
SELECT made.id, made.account_id, made.started_on, item.revision
    FROM made JOIN subscriptions_item AS item ON item.id = made.item_id
    ORDER BY made.id
"""

SHARED = """
SELECT charge.id, charge.account_id, charge.item_id, charge.account_id = item.account_id
    FROM billing_charge AS charge JOIN subscriptions_item AS item ON item.id = charge.item_id
    WHERE charge.item_id = ANY(%s) AND NOT charge.brings_money
    ORDER BY charge.id
"""

# Only what is new or other than before is marked, so that a run looks at it again.
TELL_SHARES = """
INSERT INTO billing_chargeshare AS share (charge_id, account_id, parts, mark, seen)
SELECT told.*, 1, 0 FROM unnest(%s::bigint[], %s::bigint[], %s::text[])
        AS told (charge_id, account_id, parts)
    ORDER BY 1
ON CONFLICT (charge_id) DO UPDATE SET parts = EXCLUDED.parts, mark = share.mark + 1
    WHERE share.parts <> EXCLUDED.parts
"""
NONE: list[list[object]] = [[], [], []]


def open_charges(*, subscription_id: int, at: datetime) -> int:
    """Open the charges that a subscription's items still lack; return how many.

    A charge is looked at from its first day on; when its first bill is due says the first run.
    """
    return open_charges_of(subscription_ids=[subscription_id], at=at)


@transaction.atomic
def open_charges_of(*, subscription_ids: Sequence[int], at: datetime) -> int:
    """The charges of many subscriptions at the price of one."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [list(subscription_ids)])
        opened = cursor.rowcount
        # Asked after that: who agrees on payers meanwhile holds the account, which a new charge
        # refers to.
        cursor.execute(AGREED_ABOUT, [list(subscription_ids)])
        shared = [row[0] for row in cursor.fetchall()]
    return opened + share_charges(item_ids=shared) if shared else opened


@transaction.atomic
def share_charges(*, item_ids: Collection[int]) -> int:
    """Let each charge of these items know the parts of its payer; return how many were opened.

    What changed is looked at by the next run, which bills each payer the difference. Money that is
    bought for the account's own wallet is not shared.
    """
    agreed = agreed_of(item_ids)
    items, payers = [], []
    for item, each in agreed.items():
        for payer in sorted({payer for every in each for payer, _ in every.shares}):
            items.append(item)
            payers.append(payer)
    with connection.cursor() as cursor:
        cursor.execute(OPEN_SHARES, [items, payers])
        opened = cursor.rowcount
        cursor.execute(SHARED, [sorted(agreed)])
        rows = cursor.fetchall()
        told = [
            (charge, payer, sharing_text(sharing_of(agreed[item], payer=None if own else payer)))
            for charge, payer, item, own in rows
        ]
        cursor.execute(TELL_SHARES, [list(column) for column in zip(*told, strict=True)] or NONE)
    return opened
