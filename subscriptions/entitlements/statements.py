"""The SQL of entitlements: who may ask, whose they are, what is held of a product, and of all."""

from subscriptions.entitlements.prepared import Prepared

# An item that was transferred goes on as another item, and keeps the pieces of its first.
WITH_SERIAL = """
SELECT item.id FROM subscriptions_item AS item WHERE item.serial = $1 AND item.serial <> ''
UNION
SELECT piece.item_id FROM subscriptions_equipment AS piece WHERE piece.serial = $1
UNION
SELECT item.id FROM subscriptions_equipment AS piece
    JOIN subscriptions_item AS item ON item.root_id = piece.item_id WHERE piece.serial = $1
"""
LICENSED = """
    FROM orders_licencekey AS licence
    JOIN subscriptions_item AS first ON first.order_line_id = licence.line_id
"""
GIVEN = "licence.key = $1 AND licence.state = 'issued'"
WITH_KEY = f"""
SELECT first.id {LICENSED} WHERE {GIVEN}
UNION
SELECT later.id {LICENSED} JOIN subscriptions_item AS later ON later.root_id = first.id
    WHERE {GIVEN}
"""

# how it is told whose → (type of what is told, which accounts, which of their items)
OF_ITEMS = "account.id IN (SELECT it.account_id FROM subscriptions_item AS it WHERE it.id IN ({}))"
WHOSE = {
    "account": ("text", "account.reference = $1", ""),
    "account_id": ("bigint", "account.id = $1", ""),
    "customer": ("bigint", "account.customer_id = $1", ""),
    "serial": ("text", OF_ITEMS.format(WITH_SERIAL), f"AND item.id IN ({WITH_SERIAL})"),
    "key": ("text", OF_ITEMS.format(WITH_KEY), f"AND item.id IN ({WITH_KEY})"),
}

# What only bills the leaving of another service is a thing that nobody has: its line tells what it
# found in service, and it continues no other item.
REAL = "(line.in_service IS NULL OR item.root_id IS NOT NULL)"

# An account without the product is a row too, so that it is told from no account at all.
CHECK = f"""
SELECT account.reference, account.time_zone, clock.now,
       lower(version.valid), upper(version.valid), version.standing, sum(version.quantity)
    FROM customers_account AS account
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    LEFT JOIN (
        subscriptions_item AS item
        JOIN subscriptions_itemversion AS version
            ON version.item_id = item.id AND upper_inf(version.recorded)
        JOIN catalog_productversion AS is_ ON is_.id = version.product_version_id
        JOIN catalog_product AS product ON product.id = is_.product_id AND product.code = $2
        JOIN orders_orderline AS line ON line.id = item.order_line_id AND {REAL}
    ) ON item.account_id = account.id {{items}}
    WHERE {{whose}}
    GROUP BY account.id, clock.now, 4, 5, 6
    ORDER BY account.id
"""

LIST = f"""
SELECT account.reference, account.time_zone, clock.now,
       item.id, item.subscription_id,
       product.code, product.name, is_.number,
       lower(version.valid), upper(version.valid), version.standing, version.quantity,
       COALESCE(version.described, line.characteristics)::text,
       item.serial,
       ARRAY(SELECT piece.serial FROM subscriptions_equipment AS piece
             WHERE piece.item_id = COALESCE(item.root_id, item.id) ORDER BY piece.id)
    FROM customers_account AS account
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    LEFT JOIN LATERAL (
        SELECT item.* FROM subscriptions_item AS item
            JOIN orders_orderline AS line ON line.id = item.order_line_id AND {REAL}
            WHERE item.account_id = account.id AND item.id > $2 {{items}}
            ORDER BY item.id LIMIT $3
    ) AS item ON true
    LEFT JOIN subscriptions_itemversion AS version
        ON version.item_id = item.id AND upper_inf(version.recorded)
    LEFT JOIN catalog_productversion AS is_ ON is_.id = version.product_version_id
    LEFT JOIN catalog_product AS product ON product.id = is_.product_id
    LEFT JOIN orders_orderline AS line
        ON line.id = COALESCE(version.order_line_id, item.order_line_id)
    WHERE {{whose}}
    ORDER BY item.id NULLS LAST, lower(version.valid)
"""

# What `user.has_perm` says of one permission, without reading all that the user has.
MAY_ASK = Prepared(
    "o2b_may_ask",
    "bigint",
    """
SELECT EXISTS (
    SELECT FROM auth_permission AS said
        JOIN django_content_type AS kind ON kind.id = said.content_type_id
        WHERE kind.app_label = 'subscriptions' AND said.codename = 'check_entitlement'
          AND (EXISTS (SELECT FROM people_user_user_permissions AS own
                       WHERE own.user_id = $1 AND own.permission_id = said.id)
               OR EXISTS (SELECT FROM people_user_groups AS member
                          JOIN auth_group_permissions AS granted
                              ON granted.group_id = member.group_id
                          WHERE member.user_id = $1 AND granted.permission_id = said.id))
)
""",
)
CHECKS = {
    by: Prepared(f"o2b_may_use_by_{by}", f"{type_}, text", CHECK.format(whose=whose, items=items))
    for by, (type_, whose, items) in WHOSE.items()
}
LISTS = {
    by: Prepared(
        f"o2b_entitled_by_{by}", f"{type_}, bigint, int", LIST.format(whose=whose, items=items)
    )
    for by, (type_, whose, items) in WHOSE.items()
}
