"""Where each charge of an account with split bills belongs, as it is now; in one query."""

from collections.abc import Mapping
from datetime import date
from json import loads
from typing import Any

from django.db import connection

from billing.documents.rules.places import Place, Whereabouts, place_of
from subscriptions.installbase.rules import place_of as site_of

# All charges of these accounts, due or not: a discount may be corrected of one that is not. The
# place is that of the version of the day; before its first day, of its order line.
CHARGES = """
SELECT charge.id, charge.account_id, placed.po_number, item.id, item.subscription_id,
       COALESCE(version.described, described.characteristics, ordered.characteristics)::text,
       product.name
    FROM billing_charge AS charge
    JOIN subscriptions_item AS item ON item.id = charge.item_id
    JOIN orders_orderline AS ordered ON ordered.id = item.order_line_id
    JOIN orders_order AS placed ON placed.id = ordered.order_id
    JOIN catalog_productversion AS is_ ON is_.id = item.product_version_id
    JOIN catalog_product AS product ON product.id = is_.product_id
    LEFT JOIN LATERAL (
        SELECT known.described, known.order_line_id FROM subscriptions_itemversion AS known
            WHERE known.item_id = item.id AND upper_inf(known.recorded)
                AND lower(known.valid) <= %(on)s
            ORDER BY lower(known.valid) DESC LIMIT 1
    ) AS version ON true
    LEFT JOIN orders_orderline AS described ON described.id = version.order_line_id
    WHERE charge.account_id = ANY(%(accounts)s)
    ORDER BY charge.account_id, charge.id
"""


def places_of(splits: Mapping[int, str], *, on: date) -> dict[int, dict[int, Place]]:
    """account → charge → the document that it stands on; `splits` are of accounts that have one."""
    found: dict[int, dict[int, Place]] = {account: {} for account in splits}
    if not splits:
        return found
    with connection.cursor() as cursor:
        cursor.execute(CHARGES, {"accounts": sorted(splits), "on": on})
        for row in cursor.fetchall():
            facts = _facts(row)
            found[facts.account][facts.charge] = place_of(facts, splits[facts.account])
    return found


def _facts(row: tuple[Any, ...]) -> Whereabouts:
    charge, account, po_number, item, subscription, described, product = row
    return Whereabouts(
        charge,
        account,
        po_number,
        site_of(loads(described or "{}")),
        item,
        f"{product} · S-{subscription}.{item}",
    )
