"""Under which charges a service had its days, where one is paid whole; read from two sources.

A shard asks each once, about services that were changed.
"""

from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.rules.drafting import DueRow
from billing.rules.expecting import delivered_by
from billing.rules.keys import with_begun
from billing.runs.selectors.delivered import Parts
from billing.runs.selectors.expected import verified_terms
from o2b.catalog.models.terms import PAID_WHOLE
from o2b.charging import Kind, Proration, Segment
from o2b.charging.begun import Begun, Had, begun_by, by_grid
from o2b.periods import FOREVER, Period
from o2b.sql import ask

# Nothing is looked up where `any` says that nobody is paid whole at all, as in most houses.
CHAIN = """
WITH asked AS MATERIALIZED (
    SELECT DISTINCT COALESCE(item.root_id, item.id) AS root FROM subscriptions_item AS item
        WHERE item.id = ANY({items}) AND EXISTS ({any})
), chain AS MATERIALIZED (
    SELECT asked.root, item.id, item.account_id, item.anchor_on, item.anchor_day, item.started_on
        FROM asked JOIN subscriptions_item AS item ON item.id = asked.root
    UNION ALL
    SELECT asked.root, item.id, item.account_id, item.anchor_on, item.anchor_day, item.started_on
        FROM asked JOIN subscriptions_item AS item ON item.root_id = asked.root
)
"""

# What drafting reads: charges as they were opened. Grids are those of the whole chain; what several
# pay is one charge here.
DRAFTED = (
    CHAIN.format(
        items="ARRAY(SELECT item_id FROM billing_charge WHERE id = ANY(%s))",
        any="""SELECT FROM catalog_termscharge AS priced
            WHERE priced.kind = 'recurring' AND NOT priced.proration = 'day'""",
    )
    + """
, alike AS (
    SELECT charge.id, charge.item_id, charge.terms_id, charge.terms_charge_id,
           priced.proration <> 'day' AS whole, min(charge.id) OVER same AS grid,
           bool_or(priced.proration <> 'day') OVER same AS any_whole,
           min(charge.id) OVER same <> max(charge.id) OVER same AS several
        FROM chain
        JOIN billing_charge AS charge ON charge.item_id = chain.id
        JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
        WHERE priced.kind = 'recurring'
        WINDOW same AS (
            PARTITION BY chain.root, priced.key, charge.currency, charge.started_on,
                charge.anchor_day, priced.interval_unit, priced.interval_count, priced.alignment,
                priced.details ->> 'trial'
        )
)
SELECT alike.id, alike.grid, alike.item_id, alike.terms_charge_id, alike.terms_id, alike.whole,
       lower(version.valid), upper(version.valid), version.quantity, version.standing = 'in_use',
       version.delivered
    FROM alike
    JOIN subscriptions_itemversion AS version
        ON version.item_id = alike.item_id AND version.terms_id = alike.terms_id
        AND upper_inf(version.recorded) AND version.billed
    WHERE alike.any_whole AND alike.several
    ORDER BY alike.id, lower(version.valid)
"""
)

# What the check reads: versions of the items, and which Terms say of themselves that they are paid
# whole. How much was there it knows of the orders.
PROMISED = (
    CHAIN.format(
        items="%s",
        any=f"SELECT FROM catalog_terms AS terms WHERE terms.body ~ '{PAID_WHOLE}'",
    )
    + f"""
, told AS (
    SELECT chain.root, chain.id, version.terms_id, lower(version.valid) AS first,
           upper(version.valid) AS after, version.quantity, version.standing = 'in_use' AS in_use,
           COALESCE(chain.anchor_on, chain.started_on) AS anchor_on,
           COALESCE(chain.anchor_day, account.bill_day) AS anchor_day,
           bool_or(terms.body ~ '{PAID_WHOLE}') OVER (PARTITION BY chain.root) AS whole
        FROM chain
        JOIN customers_account AS account ON account.id = chain.account_id
        JOIN subscriptions_itemversion AS version
            ON version.item_id = chain.id AND upper_inf(version.recorded) AND version.billed
        JOIN catalog_terms AS terms ON terms.id = version.terms_id
)
SELECT root, id, terms_id, first, after, quantity, in_use, anchor_on, anchor_day
    FROM told WHERE whole ORDER BY root, first
"""
)


class _Held(NamedTuple):
    """Days of an item of a chain under one Terms, as the check knows them."""

    root: int
    item_id: int
    terms_id: int
    first: date
    after: date | None
    quantity: Decimal
    in_use: bool
    anchor_on: date
    anchor_day: int

    def segments(self, parts: Parts | None) -> list[Segment]:
        """The days by how much was there; without `parts` all of it was."""
        whole = [Segment(Period(self.first, self.after or FOREVER), self.quantity)]
        return whole if parts is None else delivered_by(whole, parts)

    def had(
        self, place: tuple[int, int, str], days: Segment, *, whole: bool
    ) -> Had[tuple[int, int, str]]:
        told = (days.period, days.quantity, whole, self.in_use, days.delivered)
        return Had(place, self.terms_id, *told)


def telling_begun(rows: list[DueRow]) -> list[DueRow]:
    """The same rows; each that goes on with a price that was paid whole says so in its key."""
    asked = sorted({row[1] for row in rows if (row[2] or 1) > 1 and not row[6]})
    begun = _drafted(asked) if asked else {}
    if not begun:
        return rows
    return [
        DueRow(*row[:5], with_begun(row[5], begun[row[1]]), *row[6:]) if row[1] in begun else row
        for row in rows
    ]


def _drafted(charge_ids: list[int]) -> dict[int, tuple[Begun, ...]]:
    places: dict[int, tuple[int, int]] = {}
    had: dict[tuple[int, int, int, date], tuple[int, Had[tuple[int, int]]]] = {}
    for charge, grid, item, priced, terms, whole, first, after, *rest in ask(DRAFTED, [charge_ids]):
        places[charge] = place = (item, priced)
        quantity, in_use, delivered = rest
        days = Period(first, after or FOREVER)
        had[grid, *place, first] = grid, Had(place, terms, days, quantity, whole, in_use, delivered)
    begun = begun_by(by_grid(had.values()).values())
    return {pk: begun[place] for pk, place in places.items() if place in begun}


def promised_begun(
    item_ids: Iterable[int], parts: Mapping[int, Parts]
) -> dict[tuple[int, int, str], tuple[Begun, ...]]:
    """(item, Terms, key) → what began its periods, by the Terms' own texts; for changed items.

    `parts` of any of these are those of its chain: one order line began it.
    """
    wanted = sorted(set(item_ids))
    held = [_Held(*row) for row in ask(PROMISED, [wanted])] if wanted else []
    if not held:
        return {}
    terms = verified_terms(each.terms_id for each in held)
    by_root = {each.root: parts[each.item_id] for each in held if each.item_id in parts}
    had: list[tuple[Hashable, Had[tuple[int, int, str]]]] = []
    for each in held:
        days = each.segments(by_root.get(each.root))
        body = terms.get(each.terms_id)
        for charge in body.charges if body else ():
            if charge.kind is not Kind.RECURRING:
                continue
            grid = (
                *(each.root, charge.key, charge.currency, each.anchor_on, each.anchor_day),
                *(charge.interval, charge.alignment, charge.trial),
            )
            place = (each.item_id, each.terms_id, charge.key)
            whole = charge.proration is not Proration.DAY
            had += [(grid, each.had(place, segment, whole=whole)) for segment in days]
    return begun_by(by_grid(had).values())
