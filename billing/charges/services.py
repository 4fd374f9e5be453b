"""What one may do with charges: open them for what has been put into service."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

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
        return cursor.rowcount
