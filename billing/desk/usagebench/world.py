"""A world that uses something: services sold by three meters, and millions of keys of long ago."""

from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import connection

from billing.runs.bench.multiplying import multiply
from billing.runs.bench.world import seed
from o2b import events
from o2b.catalog.models import (
    DeliveryPlan,
    Meter,
    MeterVersion,
    Price,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
)
from o2b.catalog.services import (
    publish_delivery_plan,
    publish_price_book_version,
    publish_product_version,
)
from o2b.charging import Aggregation
from o2b.customers.models import LegalEntity
from quotes.inputs import LineInput
from subscriptions.models import Item
from subscriptions.usage.services import write_subjects

AT = datetime(2025, 1, 1, 9, tzinfo=UTC)
START, VALID = date(2025, 1, 1), date(2025, 2, 1)
SEEDS = 20
SOURCE = "bench"
METERS = {"data": Aggregation.SUM, "calls": Aggregation.SUM, "requests": Aggregation.COUNT}

# As many in both: the product's keys, and the yardstick's rows.
BARE = """
CREATE TABLE usage_bare (
    source TEXT COLLATE "C", key TEXT COLLATE "C", meter TEXT, subject TEXT, at TIMESTAMPTZ,
    value NUMERIC, unit TEXT
);
INSERT INTO usage_bare
    SELECT 'bench', md5(n::text), 'data', 'S-1.1', '2025-03-01T00:00:00Z', 1, 'MB'
        FROM generate_series(1, %(keys)s) AS n;
ALTER TABLE usage_bare ADD PRIMARY KEY (source, key)
"""
KEYS = """
ALTER TABLE subscriptions_usagekey DROP CONSTRAINT subscriptions_usagekey_pkey;
INSERT INTO subscriptions_usagekey (source, key, event_id, recorded_on)
    SELECT 'bench', md5(n::text), -n, '2025-03-01' FROM generate_series(1, %(keys)s) AS n;
ALTER TABLE subscriptions_usagekey ADD PRIMARY KEY (key, source)
"""


def build(*, items: int) -> LegalEntity:
    """So many services of accounts of their own, in use since the start of 2025."""
    entity = LegalEntity.objects.create(
        code="bench", name="Bench", country="DE", currency="EUR", number_prefix="B-"
    )
    _catalog()
    for n in range(SEEDS):
        line = LineInput(product="metered", quantity=Decimal(1))
        seed(entity, n, [line], start_on=START, valid_until=VALID, at=AT)
    events.drain()
    copies, left = divmod(items, SEEDS)
    if left:
        raise ValueError(f"the number of items is a multiple of {SEEDS}")
    multiply(copies)
    roots = list(Item.objects.order_by("pk").values_list("pk", flat=True))
    write_subjects(roots)
    _rest()
    return entity


def store_keys(count: int) -> None:
    """Keys of long ago, whose events nobody needs here."""
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for statement in (KEYS, BARE):
            cursor.execute(statement, {"keys": count})
    _rest()


def _rest() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _catalog() -> None:
    product = Product.objects.create(code="metered", name="Metered")
    version = ProductVersion.objects.create(product=product, number=1)
    step = {"key": "activate", "name": "Activate", "kind": "automatic", "handler": "activation"}
    plan = DeliveryPlan.objects.create(product=product, number=1, tasks=[step])
    publish_product_version(version_id=version.pk, at=AT)
    publish_delivery_plan(plan_id=plan.pk, at=AT)
    book = PriceBook.objects.create(code="bench", name="Bench", currency="EUR", is_default=True)
    prices = PriceBookVersion.objects.create(book=book, number=1, valid_from=START)
    for code, aggregation in METERS.items():
        meter = Meter.objects.create(code=code, name=code, unit=code, aggregation=aggregation)
        judged = MeterVersion(meter=meter, number=1, starts_on=START)
        judged.publish(at=AT)
        judged.save()
        Price.objects.create(
            version=prices,
            product=product,
            key=code,
            kind="usage",
            model="per_unit",
            unit_price=Decimal("0.01"),
            interval_unit="month",
            timing="arrears",
        )
    publish_price_book_version(version_id=prices.pk, at=AT)
