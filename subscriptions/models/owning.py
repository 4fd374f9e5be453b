"""The triggers of items: what was ordered for an account is in service for that account."""

import pgtrigger

# A transfer's item has a root, and is of another account than who ordered the service. Each row is
# looked up by its key, and planned anew each time: see the triggers of invoices.
FOREIGN = """
SELECT item.id FROM {items} AS item
    LEFT JOIN LATERAL (
        SELECT own.account_id FROM orders_orderline AS line
            JOIN orders_order AS own ON own.id = line.order_id
            WHERE line.id = item.order_line_id OFFSET 0
    ) AS ordered ON true
    LEFT JOIN LATERAL (
        SELECT own.account_id FROM subscriptions_subscription AS subscription
            JOIN orders_order AS own ON own.id = subscription.order_id
            WHERE subscription.id = item.subscription_id OFFSET 0
    ) AS served ON true
    WHERE item.root_id IS NULL AND (item.account_id IS DISTINCT FROM ordered.account_id
        OR item.account_id IS DISTINCT FROM served.account_id)
    LIMIT 1
"""
REFUSED = """
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'o2b: item % stands under an order of another account', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""

BEGINS_WITH_ITS_ORDER = pgtrigger.Trigger(
    name="begins_with_its_order",
    operation=pgtrigger.Insert,
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="added"),
    declare=[("wrong", "BIGINT")],
    func=f"""
    EXECUTE '{FOREIGN.format(items="added")}' INTO wrong;
    {REFUSED}""",
)

STAYS_WITH_ITS_ORDER = pgtrigger.Trigger(
    name="stays_with_its_order",
    operation=pgtrigger.UpdateOf("account_id", "root_id", "order_line_id", "subscription_id"),
    when=pgtrigger.After,
    condition=pgtrigger.Q(old__account__df=pgtrigger.F("new__account"))
    | pgtrigger.Q(old__root__df=pgtrigger.F("new__root"))
    | pgtrigger.Q(old__order_line__df=pgtrigger.F("new__order_line"))
    | pgtrigger.Q(old__subscription__df=pgtrigger.F("new__subscription")),
    declare=[("wrong", "BIGINT")],
    func=f"""
    EXECUTE '{FOREIGN.format(items="(SELECT ($1).*)")}' INTO wrong USING NEW;
    {REFUSED}""",
)
