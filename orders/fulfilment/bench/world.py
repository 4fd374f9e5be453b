"""A seller whose one product is delivered by ten automatic tasks on three levels; many orders."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from o2b import clock
from o2b.catalog.introduction import Offer, introduce_book, introduce_product
from o2b.catalog.resolution import Wanted, resolve
from o2b.catalog.services import freeze_terms
from o2b.customers.models import Account, Customer, LegalEntity
from o2b.people.models import User
from orders.laying.services import NewLine, NewOrder, lock_account, write_orders
from orders.models import Order

LONG_AGO = datetime(2020, 1, 1, 9, tzinfo=UTC)
LEVELS = (3, 4, 3)
TASKS = sum(LEVELS)
A_BATCH = 250


@dataclass(frozen=True)
class World:
    """Who orders, and what a line of every order is."""

    account: Account
    line: NewLine


def plan() -> list[dict[str, Any]]:
    """Ten steps, each after all of the level before; two of them give out a licence key."""
    steps: list[dict[str, Any]] = []
    before: list[str] = []
    for level, count in enumerate(LEVELS):
        keys = [f"l{level}-{n}" for n in range(count)]
        for n, key in enumerate(keys):
            handler = "licence_key" if n == 0 and level != 1 else "activation"
            step = {"key": key, "name": f"Step {key}", "kind": "automatic", "handler": handler}
            steps.append(step | {"after": before})
        before = keys
    return steps


@transaction.atomic
def build() -> World:
    """The seller, one account of it, and the product with price and plan."""
    entity = LegalEntity.objects.create(code="bench", name="Bench", country="DE", currency="EUR")
    account = Account.objects.create(
        reference="BENCH",
        name="Bench",
        legal_entity=entity,
        customer=Customer.objects.create(name="Bench"),
        advocate=User.objects.create(username="bench-advocate", email="advocate@example.com"),
        currency="EUR",
    )
    version = introduce_product(
        code="bench", name="Bench", family="bench", tasks=plan(), characteristics=[], at=LONG_AGO
    )
    monthly: dict[str, Any] = {"kind": "recurring", "interval_unit": "month"}
    introduce_book(
        code="bench",
        name="Bench",
        currency="EUR",
        is_default=True,
        segment="",
        valid_from=date(2020, 1, 1),
        offers=[Offer(version.product, key="monthly", unit_price=Decimal("9.90"), **monthly)],
        at=LONG_AGO,
    )
    wanted = [Wanted(version, Decimal(1))]
    found = resolve(account=account, wanted=wanted, on=clock.today(account))
    line = NewLine(
        product_id=version.product_id,
        product_version_id=version.pk,
        quantity=Decimal(1),
        characteristics={},
        terms_id=freeze_terms(found)[0].pk,
        book_version_id=found[0].book_version_id,
        contract_id=None,
    )
    return World(account, line)


def place(world: World, *, orders: int, lines: int = 1) -> list[Order]:
    """So many orders of so many lines, placed now."""
    placed: list[Order] = []
    while len(placed) < orders:
        count = min(A_BATCH, orders - len(placed))
        with transaction.atomic():
            account = lock_account(account_id=world.account.pk)
            new = [NewOrder(account=account, lines=[world.line] * lines)] * count
            placed += write_orders(orders=new, channel="rest", at=clock.now())
    return placed
