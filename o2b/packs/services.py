"""Load a pack: products, books, contracts and sample customers, through the sheets' own import."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b.catalog.exchange.services import import_catalog
from o2b.catalog.models import (
    Contract,
    DeliveryPlan,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
)
from o2b.catalog.models.exchange import SheetKind
from o2b.catalog.services import (
    publish_delivery_plan,
    publish_price_book_version,
    publish_product_version,
    retire_product,
    sign_contract,
)
from o2b.customers.models import LegalEntity
from o2b.customers.opening import ensure_legal_entity, open_accounts
from o2b.errors import Refused
from o2b.packs.reading import Pack, PackInvalid, accounts_of
from o2b.people.models import User

# Until a pack brings plans of its own, each product is delivered by hand in one step.
BY_HAND = [
    {
        "key": "deliver",
        "name": "Deliver",
        "kind": "manual",
        "queue": "delivery",
        "after": [],
        "evidence": [],
        "minutes": 30,
    }
]


class PackThere(Refused):
    """Some of the pack's books are there already."""

    code = "pack_there"


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many of each thing a pack brought."""

    products: int
    prices: int
    contracts: int
    accounts: int


@transaction.atomic
def load_pack(*, pack: Pack, advocate_id: int, at: datetime) -> Loaded:
    """All of a pack, published and signed, or nothing; the advocate answers for its customers."""
    taken = PriceBook.objects.filter(code__in=[each.options["book"] for each in pack.books])
    if taken.exists():
        message = _("The pack “%(pack)s” is loaded: its price book %(book)s is there.")
        raise PackThere(message % {"pack": pack.title, "book": taken[0].code})
    if not User.objects.filter(pk=advocate_id, is_active=True).exists():
        raise PackInvalid(_("The advocate is not an active user."), field="advocate")
    entity = ensure_legal_entity(**pack.entity)
    versions = _products(pack, at)
    prices = sum(
        _book(each.file, each.options, at) for each in pack.books if not each.after_retirement
    )
    for code in pack.retired:
        _retire(code, pack)
    prices += sum(
        _book(each.file, each.options, at) for each in pack.books if each.after_retirement
    )
    accounts = _accounts(pack, entity, advocate_id)
    contracts = _contracts(pack, at)
    return Loaded(versions, prices, contracts, accounts)


def _products(pack: Pack, at: datetime) -> int:
    """Publish what is named before what names it; each with a plan if it has none."""
    made = _take(pack.products, SheetKind.PRODUCTS, {}, at).get(_label(ProductVersion), ())
    drafts = ProductVersion.objects.filter(pk__in=made).order_by("pk")
    for version in drafts.select_related("product"):
        if not version.product.plans.exists():
            plan = DeliveryPlan.objects.create(product=version.product, number=1, tasks=BY_HAND)
            publish_delivery_plan(plan_id=plan.pk, at=at)
        publish_product_version(version_id=version.pk, at=at)
    return len(made)


def _book(file: Path, options: Mapping[str, Any], at: datetime) -> int:
    prices = 0
    for pk in _take(file, SheetKind.BOOKS, options, at).get(_label(PriceBookVersion), ()):
        version = publish_price_book_version(version_id=pk, at=at)
        prices += version.prices.count()
    return prices


def _retire(code: str, pack: Pack) -> None:
    product = Product.objects.get(code=code)
    named = product.versions.exclude(successor=None).select_related("successor").first()
    successor = named.successor.product_id if named and named.successor else None
    retire_product(product_id=product.pk, successor_id=successor, on=pack.retired_on, by=None)


def _accounts(pack: Pack, entity: LegalEntity, advocate_id: int) -> int:
    if pack.customers is None:
        return 0
    wanted = list(accounts_of(pack.customers, advocate_id=advocate_id))
    return len(open_accounts(entity=entity, wanted=wanted))


def _contracts(pack: Pack, at: datetime) -> int:
    if pack.contracts is None:
        return 0
    made = _take(pack.contracts, SheetKind.CONTRACTS, {}, at).get(_label(Contract), ())
    for pk in made:
        sign_contract(contract_id=pk, at=at)
    return len(made)


def _take(
    file: Path, kind: SheetKind, options: Mapping[str, Any], at: datetime
) -> Mapping[str, list[int]]:
    with file.open("rb") as stream:
        report = import_catalog(
            kind=kind,
            stream=stream,
            file_name=file.name,
            options=options,
            by_id=None,
            at=at,
        )
    for fault in report.faults:
        raise PackInvalid(str(fault), field=file.name)
    return report.made


def _label(model: type[Any]) -> str:
    return str(model._meta.label_lower)
