"""The tables of a world to bill that are copied, and which of their columns name whose rows."""

from o2b import multiplying

# table → the columns that grow with each copy, its key first
COPIED = {
    "customers_account": ("id",),
    "quotes_quote": ("id", "account_id"),
    "quotes_quoteline": ("id", "quote_id"),
    "orders_order": ("id", "account_id", "quote_id"),
    "orders_orderline": ("id", "account_id", "order_id", "quote_line_id"),
    "orders_evidence": ("id", "line_id", "task_id"),
    "subscriptions_subscription": ("id", "account_id", "order_id"),
    "subscriptions_item": ("id", "account_id", "order_line_id", "subscription_id"),
    "subscriptions_itemversion": ("id", "item_id"),
    "billing_promise": ("id", "account_id", "order_id", "order_line_id"),
    "subscriptions_itemchange": ("id", "item_id", "order_line_id"),
    "subscriptions_usagetotal": ("service_id",),
    "billing_charge": ("id", "account_id", "item_id"),
    "billing_chargestate": ("charge_id", "account_id"),
}
ROWS_OF = {
    "account_id": "customers_account",
    "quote_id": "quotes_quote",
    "quote_line_id": "quotes_quoteline",
    "order_id": "orders_order",
    "line_id": "orders_orderline",
    "order_line_id": "orders_orderline",
    "task_id": "orders_task",
    "subscription_id": "subscriptions_subscription",
    "item_id": "subscriptions_item",
    "service_id": "subscriptions_item",
    "charge_id": "billing_charge",
}


def multiply(copies: int) -> None:
    """So many copies of everything that was sold, changed, used and promised."""
    tables = {
        table: {column: ROWS_OF.get(column, table) for column in keys}
        for table, keys in COPIED.items()
    }
    multiplying.multiply(tables, copies, named={("customers_account", "reference")})
