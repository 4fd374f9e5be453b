"""The telecom's products, plans and prices that its subscribers' file is billed by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from o2b.catalog.introduction import Offer, introduce_book, introduce_product
from o2b.catalog.models import PriceBook, PriceBookVersion
from o2b.customers.models import LegalEntity
from o2b.customers.opening import ensure_legal_entity

SEGMENT = "telco-subscribers"
ENTITY = "telco"
BOOK = "telco-subscribers"
CURRENCY = "USD"
IN_FORCE_FROM = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class Sold:
    """A product of the book: its name, what it costs a month, and the handler that delivers it."""

    name: str
    monthly: Decimal
    handler: str


PRODUCTS: Mapping[str, Sold] = {
    "phone": Sold("Phone", Decimal(20), "activation"),
    "second-line": Sold("Second line", Decimal(5), "activation"),
    "dsl": Sold("DSL", Decimal(25), "activation"),
    "fibre": Sold("Fibre", Decimal(50), "activation"),
    "online-security": Sold("Online security", Decimal(5), "licence_key"),
    "online-backup": Sold("Online backup", Decimal(5), "licence_key"),
    "device-protection": Sold("Device protection", Decimal(5), "activation"),
    "tech-support": Sold("Tech support", Decimal(5), "activation"),
    "streaming-tv": Sold("Streaming TV", Decimal(10), "licence_key"),
    "streaming-films": Sold("Streaming films", Decimal(10), "licence_key"),
}


def list_price(products: tuple[str, ...]) -> Decimal:
    """What the book asks a month for all of them together."""
    return sum((PRODUCTS[code].monthly for code in products), Decimal(0))


@transaction.atomic
def ensure_book(*, at: datetime) -> LegalEntity:
    """The seller, its ten products with plans, and their published book; once."""
    entity = ensure_legal_entity(
        code=ENTITY, name="Telco", country="US", currency=CURRENCY, number_prefix="TEL-"
    )
    if PriceBookVersion.objects.filter(book__code=BOOK, state="published").exists():
        return entity
    offers = [_offer(code, sold, at=at) for code, sold in PRODUCTS.items()]
    introduce_book(
        code=BOOK,
        name="Telco subscribers",
        currency=CURRENCY,
        segment=SEGMENT,
        is_default=not PriceBook.objects.filter(currency=CURRENCY, is_default=True).exists(),
        valid_from=IN_FORCE_FROM,
        offers=offers,
        at=at,
    )
    return entity


def _offer(code: str, sold: Sold, *, at: datetime) -> Offer:
    version = introduce_product(
        code=code,
        name=sold.name,
        family="telco",
        tasks=[
            {
                "key": "activate",
                "name": f"Activate {sold.name.lower()}",
                "kind": "automatic",
                "handler": sold.handler,
            }
        ],
        at=at,
    )
    return Offer(
        product=version.product,
        key="monthly",
        kind="recurring",
        unit_price=sold.monthly,
        interval_unit="month",
    )
