"""How much of a service its delivery has shown, by day: the check holds versions against it."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import connection

from o2b.catalog.models.terms import PAID_BY_PART

# Parts of the line that began the service, if its Terms' text lets each cost, while it lasted; and
# whether the reaction to one of them is owed by the outbox, so that the item cannot know of it yet:
# true if it failed or nobody took it up for long. So is one of a moment to come, for then the clock
# was set back and nobody knows. The outbox has no index for it: it is read once, not for each part.
PARTS = f"""
WITH owed AS MATERIALIZED (
    SELECT key AS order_id, bool_or(
            last_error <> '' OR recorded_at NOT BETWEEN
                statement_timestamp() - interval '10 minutes'
                AND statement_timestamp() + interval '10 minutes'
        ) AS fails
        FROM o2b_outbox WHERE task = 'subscriptions.take_parts' GROUP BY key
)
SELECT item.id, part.on, part.fraction, ordered.order_id, owed.fails
    FROM subscriptions_item AS item
    JOIN subscriptions_item AS root ON root.id = COALESCE(item.root_id, item.id)
    JOIN orders_orderline AS ordered ON ordered.id = root.order_line_id
    JOIN catalog_terms AS began ON began.id = ordered.terms_id
        AND began.body ~ '{PAID_BY_PART}'
    LEFT JOIN owed ON owed.order_id = ordered.order_id
    LEFT JOIN orders_deliveredpart AS part ON part.line_id = ordered.id AND EXISTS (
        SELECT FROM subscriptions_item AS leg
            JOIN subscriptions_itemversion AS known ON known.item_id = leg.id
            WHERE (leg.id = root.id OR leg.root_id = root.id) AND upper_inf(known.recorded)
            AND (upper_inf(known.valid) OR upper(known.valid) > part.on)
    )
    WHERE item.id = ANY(%s)
        AND EXISTS (SELECT FROM catalog_terms AS one WHERE one.body ~ '{PAID_BY_PART}')
    ORDER BY item.id, part.on, part.id
"""

Parts = list[tuple[date, Decimal]]


def parts_of(item_ids: Iterable[int]) -> tuple[dict[int, Parts], dict[int, int | None]]:
    """Item → (day, how much is delivered from then on), in order; and the items not told of all.

    With these goes the order whose reaction fails, None where it has only not run yet. Without the
    items of services that did not begin under Terms that let each part cost.
    """
    found: dict[int, Parts] = {}
    untold: dict[int, int | None] = {}
    wanted = sorted(set(item_ids))
    if not wanted:
        return found, untold
    with connection.cursor() as cursor:
        cursor.execute(PARTS, [wanted])
        for item_id, on, fraction, order_id, fails in cursor.fetchall():
            parts = found.setdefault(item_id, [])
            if fraction:
                parts.append((on, fraction))
            if fails is not None:
                untold[item_id] = order_id if fails else None
    return found, untold
