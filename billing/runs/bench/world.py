"""A world to bill: a few accounts brought into service by the product, then copied many times."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from django.db import connection

from billing.runs.bench.mix import PRICES, START, kind_of, lines_of, live, make_meter
from billing.runs.bench.multiplying import multiply
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
from quotes.inputs import MOST_LINES, LineInput
from quotes.services import draft_quote, send_quote

AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
ON = date(2026, 1, 31)
SEEDS = 20


def build(*, accounts: int, lines: int, faults: int, mix: str = "flat") -> LegalEntity:
    """So many accounts with so many lines each, in service since the start of the month."""
    entity = LegalEntity.objects.create(
        code="bench", name="Bench", country="DE", currency="EUR", number_prefix="B-"
    )
    _catalog(mix)
    seeds = min(SEEDS, accounts)
    copies, left = divmod(accounts, seeds)
    if left:
        raise ValueError(f"the number of accounts is a multiple of {seeds}")
    sold = {}
    for n in range(seeds):
        kind = kind_of(mix, n)
        account = seed(entity, n, lines_of(kind, n, lines))
        sold[account.pk] = kind
    events.drain()
    live(sold, AT)
    events.drain()
    multiply(copies)
    _plant(faults)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return entity


def _catalog(mix: str) -> None:
    """A product for each price, in one book."""
    make_meter(AT)
    book = PriceBook.objects.create(code="bench", name="Bench", currency="EUR", is_default=True)
    prices = PriceBookVersion.objects.create(book=book, number=1, valid_from=START)
    step = {"key": "activate", "name": "Activate", "kind": "automatic", "handler": "activation"}
    for code, price in PRICES[mix].items():
        product = Product.objects.create(code=code, name=code.replace("bench-", "Bench product "))
        version = ProductVersion.objects.create(product=product, number=1)
        plan = DeliveryPlan.objects.create(product=product, number=1, tasks=[step])
        publish_product_version(version_id=version.pk, at=AT)
        publish_delivery_plan(plan_id=plan.pk, at=AT)
        Price.objects.create(version=prices, product=product, **price)
    publish_price_book_version(version_id=prices.pk, at=AT)


def seed(
    entity: LegalEntity,
    n: int,
    lines: Sequence[LineInput],
    *,
    start_on: date = START,
    valid_until: date = ON,
    at: datetime = AT,
) -> Account:
    """An account of its own whose quotes, of as many lines as one may have, are accepted."""
    owner = ensure_service_user(username="bench")
    account = Account.objects.create(
        reference=f"B-{n}",
        name=f"Bench {n}",
        legal_entity=entity,
        customer=Customer.objects.create(name=f"Bench {n}"),
        advocate=owner,
        currency="EUR",
    )
    for first in range(0, len(lines), MOST_LINES):
        quote = draft_quote(
            account_id=account.pk,
            owner_id=owner.pk,
            valid_until=valid_until,
            lines=lines[first : first + MOST_LINES],
            at=at,
            start_on=start_on,
        )
        send_quote(quote_id=quote.pk, at=at)
        # Ordered a day later: it was there already, so it starts whenever it is delivered.
        place_order(quote_id=quote.pk, by="bench", at=at + timedelta(days=1))
    return account


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
