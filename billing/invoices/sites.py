"""Where each line of a document was served: the place of its service on the line's first day."""

from collections.abc import Collection
from json import loads
from typing import Any

from django.db import connection

from billing.models import InvoiceLine
from subscriptions.installbase.rules import place_of

# As billing.documents tells what a bill is split by: the version of the day, else the order line.
DESCRIBED = """
SELECT asked.item, asked.on_::text,
       COALESCE(version.described, described.characteristics, ordered.characteristics)::text
    FROM unnest(%(items)s::bigint[], %(days)s::date[]) AS asked (item, on_)
    JOIN subscriptions_item AS item ON item.id = asked.item
    JOIN orders_orderline AS ordered ON ordered.id = item.order_line_id
    LEFT JOIN LATERAL (
        SELECT known.described, known.order_line_id FROM subscriptions_itemversion AS known
            WHERE known.item_id = item.id AND upper_inf(known.recorded)
                AND lower(known.valid) <= asked.on_
            ORDER BY lower(known.valid) DESC LIMIT 1
    ) AS version ON true
    LEFT JOIN orders_orderline AS described ON described.id = version.order_line_id
"""


def note_sites(lines: Collection[InvoiceLine]) -> None:
    """Tell each line its `site`, empty where nothing says it: one query, none if all are told."""
    untold = [line for line in lines if not hasattr(line, "site")]
    if not untold:
        return
    asked = sorted({(line.charge.item_id, line.served_from) for line in untold})
    values: dict[str, Any] = {
        "items": [item for item, _ in asked],
        "days": [day for _, day in asked],
    }
    with connection.cursor() as cursor:
        cursor.execute(DESCRIBED, values)
        found = {(item, day): place_of(loads(said or "{}")) for item, day, said in cursor}
    for line in untold:
        said = found.get((line.charge.item_id, line.served_from.isoformat()), "")
        line.site = " ".join(said.split())  # type: ignore[attr-defined]
