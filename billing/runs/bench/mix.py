"""What the accounts of a bench have: flat charges alone, or a realistic mix of five kinds."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from o2b.catalog.models import Meter, MeterVersion
from quotes.inputs import LineInput
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item

PRODUCTS = 10
START, CHANGED_ON = date(2026, 1, 1), date(2026, 1, 16)
METER = "data"
TIERS = [
    {"up_to": "100", "unit_price": "0.10", "flat_fee": "2"},
    {"up_to": "1000", "unit_price": "0.05"},
    {"unit_price": "0.02", "flat_fee": "1"},
]

Prices = Mapping[str, dict[str, Any]]

FLAT: Prices = {
    f"bench-{n}": {
        "key": "monthly",
        "kind": "recurring",
        "model": "per_unit",
        "unit_price": Decimal("9.95") + 5 * n,
        "interval_unit": "month",
    }
    for n in range(PRODUCTS)
}
REALISTIC: Prices = {
    **FLAT,
    "bench-used": {
        "key": METER,
        "kind": "usage",
        "model": "graduated",
        "tiers": TIERS,
        "unit_price": Decimal(0),
        "interval_unit": "week",
        "interval_count": 2,
        "timing": "arrears",
        "alignment": "anniversary",
    },
    "bench-once": {
        "key": "setup",
        "kind": "one_time",
        "model": "per_unit",
        "unit_price": Decimal("49.90"),
    },
    "bench-later": {
        "key": "quarterly",
        "kind": "recurring",
        "model": "per_unit",
        "unit_price": Decimal("29.70"),
        "interval_unit": "month",
        "interval_count": 3,
        "timing": "arrears",
    },
}
PRICES: Mapping[str, Prices] = {"flat": FLAT, "realistic": REALISTIC}

# Of ten accounts: 4 flat, 2 with tiered usage, 2 changed in mid-period, 1 with charges due once,
# 1 that owes nothing yet.
KINDS = ("later", "once", "changed", "changed", "used", "used", *("flat",) * 4)

USED = """
INSERT INTO subscriptions_usagetotal
        (service_id, meter_id, day, part, quantity, count, how, last_at)
    SELECT item.id, meter.id, day, '', 7 + item.id %% 5 + extract(day FROM day), 3, 0,
           day + time '12:00'
        FROM subscriptions_item AS item
        JOIN catalog_productversion AS version ON version.id = item.product_version_id
        JOIN catalog_product AS product ON product.id = version.product_id
        CROSS JOIN catalog_meter AS meter
        CROSS JOIN generate_series(date '2026-01-01', date '2026-01-31', interval '1 day') AS day
    WHERE product.code = 'bench-used' AND meter.code = %s
"""


def kind_of(mix: str, n: int) -> str:
    """What the n-th account has."""
    return "flat" if mix == "flat" else KINDS[n % len(KINDS)]


def lines_of(kind: str, n: int, lines: int) -> list[LineInput]:
    """So many lines of the n-th account; of one with usage the first one is metered."""
    return [LineInput(product=_product(kind, n, k), quantity=_quantity(n, k)) for k in range(lines)]


def _product(kind: str, n: int, k: int) -> str:
    if kind in ("once", "later") or (kind == "used" and k == 0):
        return f"bench-{kind}"
    return f"bench-{(n + k) % PRODUCTS}"


def _quantity(n: int, k: int) -> Decimal:
    return Decimal(1 + (n * k) % 5)


def make_meter(at: datetime) -> None:
    """What the services with usage are measured by."""
    meter = Meter.objects.create(code=METER, name=METER, unit="MB", aggregation="sum")
    judged = MeterVersion(meter=meter, number=1, starts_on=START)
    judged.publish(at=at)
    judged.save()


def live(accounts: Mapping[int, str], at: datetime) -> None:
    """What happens to these accounts (by key, with their kind) after they are in service."""
    with connection.cursor() as cursor:
        cursor.execute(USED, [METER])
    for account_id, kind in accounts.items():
        if kind != "changed":
            continue
        item = Item.objects.filter(account_id=account_id).order_by("pk").first()
        assert item is not None
        quantity = item.order_line.quantity + 2
        wish = Wish(
            item_id=item.pk, act=Act.QUANTITY, when=When.ON, on=CHANGED_ON, quantity=quantity
        )
        change_services(account_id=account_id, wishes=[wish], at=at, actor_id=None)
