"""Bring new things into the catalog in one go: a product with its plan, a book with its prices.

What packs, imports and tests call; a product manager's own pages work on drafts instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from o2b import fsm
from o2b.catalog.models import (
    Contract,
    ContractDiscount,
    DeliveryPlan,
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
    refuse_overlaps,
)
from o2b.customers.models import Account


@dataclass(frozen=True, slots=True)
class Offer:
    """One charge of a product in a book."""

    product: Product
    key: str
    kind: str
    unit_price: Decimal
    model: str = "per_unit"
    interval_unit: str = ""
    interval_count: int = 1
    timing: str = "advance"
    alignment: str = "bill_day"
    proration: str = "day"
    tax_code: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract to be written: discounts as (kind, value) in the order they apply."""

    account: Account
    code: str
    valid_from: date
    term_months: int = 0
    discounts: Sequence[tuple[str, Decimal]] = field(default=())


@transaction.atomic
def introduce_product(
    *,
    code: str,
    name: str,
    tasks: Sequence[Mapping[str, Any]],
    at: datetime,
    family: str = "",
    unit: str = "piece",
    quantity_places: int = 0,
    characteristics: Sequence[Mapping[str, Any]] = (),
) -> ProductVersion:
    """The product's first version, published, with its first delivery plan, published."""
    product = Product.objects.create(
        code=code, name=name, family=family, unit=unit, quantity_places=quantity_places
    )
    version = ProductVersion.objects.create(
        product=product, number=1, characteristics=list(characteristics)
    )
    plan = DeliveryPlan.objects.create(product=product, number=1, tasks=list(tasks))
    publish_delivery_plan(plan_id=plan.pk, at=at)
    return publish_product_version(version_id=version.pk, at=at)


@transaction.atomic
def introduce_book(
    *,
    code: str,
    name: str,
    currency: str,
    valid_from: date,
    offers: Sequence[Offer],
    at: datetime,
    segment: str = "",
    is_default: bool = False,
) -> PriceBookVersion:
    """The book's first version with its prices, published."""
    book = PriceBook.objects.create(
        code=code, name=name, currency=currency, segment=segment, is_default=is_default
    )
    version = PriceBookVersion.objects.create(book=book, number=1, valid_from=valid_from)
    Price.objects.bulk_create(Price(version=version, **_fields(offer)) for offer in offers)
    return publish_price_book_version(version_id=version.pk, at=at)


def _fields(offer: Offer) -> dict[str, Any]:
    return {f.name: getattr(offer, f.name) for f in fields(offer)}


@transaction.atomic
def sign_agreements(*, agreements: Sequence[Agreement], at: datetime) -> list[Contract]:
    """Write and sign many contracts at once, in a fixed number of statements."""
    contracts = [
        Contract(account=a.account, code=a.code, valid_from=a.valid_from, term_months=a.term_months)
        for a in agreements
    ]
    refuse_overlaps(contracts)
    Contract.objects.bulk_create(contracts)
    ContractDiscount.objects.bulk_create(
        ContractDiscount(contract=contract, position=position, kind=kind, value=value)
        for contract, agreement in zip(contracts, agreements, strict=True)
        for position, (kind, value) in enumerate(agreement.discounts, start=1)
    )
    drafts = Contract.objects.filter(pk__in=[c.pk for c in contracts])
    return fsm.move(drafts, "sign", at=at)
