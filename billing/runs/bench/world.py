"""A world to bill: a few accounts brought into service by the product, then copied many times."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import connection
from psycopg2 import sql

from o2b import events
from o2b.catalog.models import DeliveryPlan, Price, PriceBook, PriceBookVersion, ProductVersion
from o2b.catalog.models.products import Product
from o2b.catalog.services import (
    publish_delivery_plan,
    publish_price_book_version,
    publish_product_version,
)
from o2b.customers.models import Account, Customer, LegalEntity
from o2b.people.services import ensure_service_user
from orders.acceptance.services import place_order
from quotes.inputs import LineInput
from quotes.services import draft_quote, send_quote

AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
START, ON = date(2026, 1, 1), date(2026, 1, 31)
SEEDS, PRODUCTS = 20, 10

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
    "charge_id": "billing_charge",
}


def build(*, accounts: int, lines: int, faults: int) -> LegalEntity:
    """So many accounts with so many lines each, in service since the start of the month."""
    entity = LegalEntity.objects.create(
        code="bench", name="Bench", country="DE", currency="EUR", number_prefix="B-"
    )
    _catalog()
    seeds = min(SEEDS, accounts)
    for n in range(seeds):
        seed(
            entity,
            n,
            [
                LineInput(product=f"bench-{(n + k) % PRODUCTS}", quantity=Decimal(1 + (n * k) % 5))
                for k in range(lines)
            ],
        )
    events.drain()
    copies, left = divmod(accounts, seeds)
    if left:
        raise ValueError(f"the number of accounts is a multiple of {seeds}")
    multiply(copies)
    _plant(faults)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return entity


def _catalog() -> None:
    """Ten products at ten prices in one book."""
    book = PriceBook.objects.create(code="bench", name="Bench", currency="EUR", is_default=True)
    prices = PriceBookVersion.objects.create(book=book, number=1, valid_from=START)
    step = {"key": "activate", "name": "Activate", "kind": "automatic", "handler": "activation"}
    for n in range(PRODUCTS):
        product = Product.objects.create(code=f"bench-{n}", name=f"Bench product {n}")
        version = ProductVersion.objects.create(product=product, number=1)
        plan = DeliveryPlan.objects.create(product=product, number=1, tasks=[step])
        publish_product_version(version_id=version.pk, at=AT)
        publish_delivery_plan(plan_id=plan.pk, at=AT)
        Price.objects.create(
            version=prices,
            product=product,
            key="monthly",
            kind="recurring",
            model="per_unit",
            unit_price=Decimal("9.95") + 5 * n,
            interval_unit="month",
        )
    publish_price_book_version(version_id=prices.pk, at=AT)


def seed(
    entity: LegalEntity,
    n: int,
    lines: Sequence[LineInput],
    *,
    start_on: date = START,
    valid_until: date = ON,
    at: datetime = AT,
) -> None:
    """An account of its own whose quote of these lines is accepted."""
    owner = ensure_service_user(username="bench")
    account = Account.objects.create(
        reference=f"B-{n}",
        name=f"Bench {n}",
        legal_entity=entity,
        customer=Customer.objects.create(name=f"Bench {n}"),
        advocate=owner,
        currency="EUR",
    )
    quote = draft_quote(
        account_id=account.pk,
        owner_id=owner.pk,
        valid_until=valid_until,
        lines=lines,
        at=at,
        start_on=start_on,
    )
    send_quote(quote_id=quote.pk, at=at)
    place_order(quote_id=quote.pk, by="bench", at=at)


def multiply(copies: int) -> None:
    """Copy n of a row has n times the table's span added to each of its keys."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        spans = {}
        for table in {*COPIED, "orders_task"}:
            key = "charge_id" if table == "billing_chargestate" else "id"
            cursor.execute(f"SELECT max({key}) - min({key}) + 1 FROM {table}")
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


def _plant(faults: int) -> None:
    """Deliver another version to some accounts, behind every trigger's back."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            """
            UPDATE orders_evidence SET product_version_id = product_version_id %% 10 + 1
                WHERE line_id IN (
                    SELECT min(id) FROM orders_orderline WHERE account_id IN (
                        SELECT id FROM (
                            SELECT id, row_number() OVER (ORDER BY id) AS n FROM customers_account
                        ) AS account
                        WHERE n %% (SELECT greatest(count(*) / greatest(%(faults)s, 1), 1)
                                        FROM customers_account) = 0
                        ORDER BY id LIMIT %(faults)s
                    ) GROUP BY account_id
                )
            """,
            {"faults": faults},
        )
        cursor.execute("SET session_replication_role = DEFAULT")
