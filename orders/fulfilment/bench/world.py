"""A seller whose one product is delivered by ten automatic tasks on three levels; many orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from o2b import clock
from o2b.catalog.introduction import Offer, introduce_book, introduce_product
from o2b.catalog.models import ProductVersion
from o2b.catalog.resolution import Wanted, resolve
from o2b.catalog.services import freeze_terms
from o2b.customers.models import Account, Customer, LegalEntity
from o2b.people.models import User
from orders.laying.services import NewLine, NewOrder, lock_account, write_orders
from orders.models import Order
from quotes.inputs import LineInput
from quotes.models import Quote
from quotes.services import draft_quote, send_quote

LONG_AGO = datetime(2020, 1, 1, 9, tzinfo=UTC)
LEVELS = (3, 4, 3)
TASKS = sum(LEVELS)
A_BATCH = 250


@dataclass(frozen=True)
class World:
    """Who orders, and what a line of every order is."""

    account: Account
    line: NewLine
    on_site: ProductVersion
    seller: User


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


def plan_on_site() -> list[dict[str, Any]]:
    """Twelve steps, of which conditions leave ten: by hand in two queues, and with parameters."""
    return [
        _by_hand("survey", queue="planning", skills=["fibre"], checklist=["Call", "Visit"]),
        _by_hand("permit", ["survey"], queue="planning", when="bandwidth > 100"),
        _by_hand("microwave", ["survey"], queue="field", when="bandwidth <= 100"),
        _by_hand("dig", ["permit", "microwave"], queue="field", vendor="120.00"),
        _by_hand("install", ["dig"], queue="field", evidence=["version", "serial"], weight=3),
        _automatic("wait", ["dig"], parameters={"days": "= 2 + quantity"}, handler="wait"),
        _by_hand("second", ["install"], queue="field", when="quantity > 1"),
        _by_hand("splice", ["install", "wait"], queue="field", skills=["fibre"], weight=1),
        _automatic("configure", ["splice"], point_of_no_return=True),
        _by_hand("measure", ["configure"], queue="field", checklist=["Up", "Down"]),
        _automatic("activate", ["measure"]),
        _by_hand("tell", ["activate"], queue="planning"),
    ]


def _by_hand(key: str, after: Sequence[str] = (), **said: Any) -> dict[str, Any]:
    told = {"kind": "manual", "minutes": 60, "estimate": 480, "maximum": 960}
    return {"key": key, "name": f"Step {key}", "after": list(after)} | told | said


def _automatic(key: str, after: Sequence[str], **said: Any) -> dict[str, Any]:
    told = {"kind": "automatic", "handler": "activation", "after": list(after)}
    return {"key": key, "name": f"Step {key}"} | told | said


@transaction.atomic
def build() -> World:
    """The seller, one account of it, and its products with prices and plans."""
    entity = LegalEntity.objects.create(code="bench", name="Bench", country="DE", currency="EUR")
    seller = User.objects.create(username="bench-advocate", email="advocate@example.com")
    account = Account.objects.create(
        reference="BENCH",
        name="Bench",
        legal_entity=entity,
        customer=Customer.objects.create(name="Bench"),
        advocate=seller,
        currency="EUR",
    )
    version = introduce_product(
        code="bench", name="Bench", family="bench", tasks=plan(), characteristics=[], at=LONG_AGO
    )
    on_site = introduce_product(
        code="bench-site",
        name="Bench on site",
        family="bench",
        tasks=plan_on_site(),
        characteristics=[{"name": "bandwidth", "type": "integer", "minimum": 1, "maximum": 1000}],
        at=LONG_AGO,
    )
    monthly: dict[str, Any] = {"kind": "recurring", "interval_unit": "month"}
    introduce_book(
        code="bench",
        name="Bench",
        currency="EUR",
        is_default=True,
        segment="",
        valid_from=date(2020, 1, 1),
        offers=[
            Offer(one.product, key="monthly", unit_price=Decimal("9.90"), **monthly)
            for one in (version, on_site)
        ],
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
    return World(account, line, on_site, seller)


def offer(world: World, *, lines: int) -> Quote:
    """A quote that was sent, of so many lines that are delivered on site."""
    code, now = world.on_site.product.code, clock.now()
    asked = [LineInput(code, 1, {"bandwidth": 50 + 100 * (n % 2)}) for n in range(lines)]
    quote = draft_quote(
        account_id=world.account.pk,
        owner_id=world.seller.pk,
        valid_until=clock.day(world.account, now) + timedelta(days=30),
        lines=asked,
        at=now,
    )
    return send_quote(quote_id=quote.pk, at=now)


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
