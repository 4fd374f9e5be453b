"""Rows of a small world copied many times: copy n has n times the span added to each key."""

from django.db import connection
from psycopg2 import sql

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
    """Copy n of a row has n times the table's span added to each of its keys."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        spans = {}
        for table in {*COPIED, *ROWS_OF.values()}:
            key = COPIED.get(table, ("id",))[0]
            cursor.execute(f"SELECT COALESCE(max({key}) - min({key}) + 1, 0) FROM {table}")
            spans[table] = cursor.fetchone()[0]
        for table, keys in COPIED.items():
            _copy_rows(cursor, table, keys, copies, spans)
        cursor.execute("SET session_replication_role = DEFAULT")


def _copy_rows(
    cursor: object, table: str, keys: tuple[str, ...], copies: int, spans: dict[str, int]
) -> None:
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        " AND table_schema = 'public' ORDER BY ordinal_position",
        [table],
    )
    columns = [row[0] for row in cursor.fetchall()]  # type: ignore[attr-defined]
    chosen: list[sql.Composable] = []
    for column in columns:
        name = sql.Identifier(column)
        if column in keys:
            span = spans[ROWS_OF.get(column, table)]
            chosen.append(sql.SQL("{} + n * {}").format(name, sql.Literal(span)))
        elif column == "reference":
            chosen.append(sql.SQL("{} || '-' || n").format(name))
        else:
            chosen.append(name)
    cursor.execute(  # type: ignore[attr-defined]
        sql.SQL(
            "INSERT INTO {} ({}) SELECT {} FROM {} CROSS JOIN generate_series(1, {}) AS n"
            " ORDER BY n, {}"
        ).format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(chosen),
            sql.Identifier(table),
            sql.Literal(copies - 1),
            sql.Identifier(keys[0]),
        )
    )
