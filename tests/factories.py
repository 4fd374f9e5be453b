"""Plain functions that make believable rows. Say only what the test is about."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from o2b.catalog.models import (
    Contract,
    ContractDiscount,
    DeliveryPlan,
    MeterVersion,
    Price,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
)
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.services import (
    publish_delivery_plan,
    publish_price_book_version,
    publish_product_version,
    sign_contract,
)
from o2b.catalog.services.meters import add_meter, edit_version, publish_version
from o2b.catalog.services.publishing import publish
from o2b.customers.models import Account, Customer, LegalEntity
from o2b.people.models import User
from o2b.people.services import ensure_groups
from o2b.taxes.models import TaxRate
from quotes.inputs import LineInput
from quotes.models import Quote
from quotes.services import draft_quote, send_quote

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, 12, tzinfo=UTC)

ACTIVATE = [{"key": "activate", "name": "Activate", "kind": "automatic", "handler": "activation"}]
INSTALL = [
    {
        "key": "install",
        "name": "Install on site",
        "kind": "manual",
        "queue": "field",
        "evidence": ["version", "serial"],
        "minutes": 90,
    },
    {
        "key": "activate",
        "name": "Activate",
        "kind": "automatic",
        "handler": "activation",
        "after": ["install"],
    },
]

_numbers = count(1)
_publishable: set[str] = set()  # prices that a book was published with in this process


def a_user(*groups: str, **given: Any) -> User:
    """A person, in groups by name ("sales", "order team", "finance", "administrator")."""
    if groups and not Group.objects.filter(name__in=groups).exists():
        ensure_groups()
    n = next(_numbers)
    user = User.objects.create_user(
        **{"username": f"user{n}", "first_name": "User", "last_name": str(n)} | given
    )
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def an_entity(**given: Any) -> LegalEntity:
    """The seller; one code is one row."""
    fields = {"code": "nordlicht", "name": "Nordlicht Telecom", "country": "DE", "currency": "EUR"}
    fields |= given
    return LegalEntity.objects.get_or_create(code=fields.pop("code"), defaults=fields)[0]


def a_tax_rate(percent: str = "19", code: str = "", **given: Any) -> TaxRate:
    """A rate of the seller's country that has held for long; blank is the standard code."""
    fields = {"country": "DE", "valid_from": date(2020, 1, 1)} | given
    return TaxRate.objects.create(code=code, percent=Decimal(percent), **fields)


def an_account(**given: Any) -> Account:
    """An open account in euros, of a customer of its own; `segment` goes to the customer."""
    n = next(_numbers)
    segment = given.pop("segment", "")
    fields: dict[str, Any] = {"reference": f"A-{n}", "name": f"Acme {n}", "currency": "EUR"} | given
    fields.setdefault("legal_entity", None)
    fields["legal_entity"] = fields["legal_entity"] or an_entity()
    if "customer" not in fields:
        fields["customer"] = Customer.objects.create(name=fields["name"], segment=segment)
    if "advocate" not in fields:
        fields["advocate"] = a_user()
    return Account.objects.create(**fields)


def a_book_version(
    *, currency: str = "EUR", valid_from: date = date(2025, 1, 1), **given: Any
) -> PriceBookVersion:
    """A draft version of a new book, the default of its currency unless told otherwise."""
    fields = {"code": f"book-{next(_numbers)}", "name": "Book", "is_default": True} | given
    book = PriceBook.objects.create(currency=currency, **fields)
    return PriceBookVersion.objects.create(book=book, number=1, valid_from=valid_from)


def monthly(price: str = "49.90", **given: Any) -> dict[str, Any]:
    """A recurring monthly charge per unit, in advance, aligned to the bill day."""
    return {
        "key": "monthly",
        "kind": "recurring",
        "model": "per_unit",
        "unit_price": Decimal(price),
        "interval_unit": "month",
    } | given


def setup_fee(price: str = "99.00", **given: Any) -> dict[str, Any]:
    """A one-time charge per unit."""
    return {"key": "setup", "kind": "one_time", "unit_price": Decimal(price)} | given


def a_product(
    *,
    code: str | None = None,
    charges: Sequence[dict[str, Any]] | None = None,
    tasks: Sequence[dict[str, Any]] = ACTIVATE,
    currency: str = "EUR",
    **given: Any,
) -> ProductVersion:
    """A published product version with a published plan, priced in the default book.

    Each call publishes a new version of the default book that repeats the prices before it, since
    a published one is frozen.
    """
    code = code or f"product-{next(_numbers)}"
    characteristics = given.pop("characteristics", [])
    components = given.pop("components", [])
    product = Product.objects.create(code=code, **{"name": code.title()} | given)
    version = ProductVersion.objects.create(
        product=product, number=1, characteristics=characteristics
    )
    plan = DeliveryPlan.objects.create(
        product=product, number=1, tasks=list(tasks), components=components
    )
    publish_product_version(version_id=version.pk, at=LONG_AGO)
    publish_delivery_plan(plan_id=plan.pk, at=LONG_AGO)
    priced = charges if charges is not None else [monthly()]
    if priced:
        _publish_prices(version, priced, currency)
    version.refresh_from_db()
    return version


def a_meter(code: str, **given: Any) -> MeterVersion:
    """A meter with a published version from long ago, a sum of seconds unless told."""
    fixed = {"name": code.title(), "unit": "second", "aggregation": "sum"}
    fixed |= {name: given.pop(name) for name in list(given) if name in fixed}
    starts_on = given.pop("starts_on", date(2025, 1, 1))
    meter = add_meter(code=code, **fixed, starts_on=starts_on, by=None, at=LONG_AGO)
    version = meter.versions.get()
    edit_version(version_id=version.pk, by=None, at=LONG_AGO, **given)
    return publish_version(version_id=version.pk, at=LONG_AGO)


def reprice(version: ProductVersion, *, charges: Sequence[dict[str, Any]]) -> None:
    """Publish a new version of the default book in which the product costs something else."""
    book = PriceBook.objects.get(is_default=True, currency="EUR")
    before = book.versions.order_by("-number").first()
    assert before is not None
    after = PriceBookVersion.objects.create(
        book=book, number=before.number + 1, valid_from=before.valid_from
    )
    for old in before.prices.exclude(product=version.product):
        old.pk, old.version = None, after
        old.save(force_insert=True)
    for charge in charges:
        Price.objects.create(version=after, product=version.product, **charge)
    publish_price_book_version(version_id=after.pk, at=LONG_AGO)


def _publish_prices(of: ProductVersion, charges: Sequence[dict[str, Any]], currency: str) -> None:
    book = PriceBook.objects.filter(is_default=True, currency=currency).first()
    if book is None:
        book = PriceBook.objects.create(
            code=f"default-{currency.lower()}", name="Default", currency=currency, is_default=True
        )
    before = book.versions.order_by("-number").first()
    version = PriceBookVersion.objects.create(
        book=book, number=before.number + 1 if before else 1, valid_from=date(2025, 1, 1)
    )
    repeated = list(before.prices.all()) if before else []
    for old in repeated:
        old.pk, old.version = None, version
    new = [Price(version=version, product=of.product, **charge) for charge in charges]
    Price.objects.bulk_create(repeated + new)
    said = repr((currency, of.characteristics, charges))
    _publish(version, said, priced={price.product_id for price in repeated + new})


@transaction.atomic
def _publish(version: PriceBookVersion, said: str, priced: set[int]) -> None:
    """As the service does it; what it found publishable once need not be examined again.

    Where something on sale is not in the book, the service has more to say.
    """
    sold = ProductVersion.objects.filter(state=Lifecycle.PUBLISHED)
    if said in _publishable and not sold.exclude(product__in=priced).exists():
        publish(PriceBookVersion, pk=version.pk, at=LONG_AGO, by=None)
        return
    publish_price_book_version(version_id=version.pk, at=LONG_AGO)
    _publishable.add(said)


def a_contract(account: Account, *, discounts: Sequence[tuple[str, str]] = ()) -> Contract:
    """A signed contract with discounts given as (kind, value)."""
    contract = Contract.objects.create(
        account=account, code=f"C-{next(_numbers)}", valid_from=date(2025, 1, 1)
    )
    for position, (kind, value) in enumerate(discounts, start=1):
        ContractDiscount.objects.create(
            contract=contract, position=position, kind=kind, value=Decimal(value)
        )
    return sign_contract(contract_id=contract.pk, at=LONG_AGO)


def a_quote(
    *,
    account: Account | None = None,
    products: Sequence[ProductVersion] | None = None,
    quantity: str = "1",
    at: datetime = NOON,
    **given: Any,
) -> Quote:
    """A draft quote with one line a product."""
    account = account or an_account()
    lines = [
        LineInput(product=version.product.code, quantity=quantity)
        for version in (products if products is not None else [a_product()])
    ]
    fields: dict[str, Any] = {"owner_id": account.advocate_id, "valid_until": date(2026, 12, 31)}
    return draft_quote(account_id=account.pk, lines=lines, at=at, **fields | given)


def a_sent_quote(*, at: datetime = NOON, **given: Any) -> Quote:
    """A quote that the customer can accept."""
    return send_quote(quote_id=a_quote(at=at, **given).pk, at=at)
