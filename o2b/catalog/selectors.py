"""Questions about the catalog: products with prices and plans, books, contracts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from o2b.catalog.models import (
    Contract,
    DeliveryPlan,
    Price,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
)
from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.plans import PlanBroken, check_plan
from o2b.periods import Interval, Unit
from o2b.web.words import interval_words


@dataclass(frozen=True, slots=True)
class Step:
    """One task of a delivery plan, in an order in which it can be done."""

    number: int
    name: str
    kind: str
    where: str
    evidence: list[str]
    after: list[int]


@dataclass(frozen=True, slots=True)
class Rate:
    """One charge of a price, in words and figures."""

    name: str
    amount: Decimal
    currency: str
    rhythm: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """A product's prices in the newest published version of one book."""

    version: PriceBookVersion
    rates: list[Rate]


def products_for_list() -> QuerySet[Product]:
    """Every product with its newest version and whether one is on sale."""
    versions = ProductVersion.objects.filter(product=OuterRef("pk"))
    return Product.objects.annotate(
        newest=Subquery(versions.order_by("-number").values("number")[:1]),
        on_sale=Exists(versions.filter(state=Lifecycle.PUBLISHED)),
        any_draft=Exists(versions.filter(state=Lifecycle.DRAFT)),
    )


def books_for_list() -> QuerySet[PriceBook]:
    """Every book with the number of its versions."""
    return PriceBook.objects.annotate(
        versions_count=Count("versions"),
        published_count=Count("versions", filter=Q(versions__state=Lifecycle.PUBLISHED)),
    )


def shelves_of(product: Product) -> list[Shelf]:
    """What the product costs in each book that prices it."""
    newest: dict[int, PriceBookVersion] = {}
    published = PriceBookVersion.objects.filter(state=Lifecycle.PUBLISHED).select_related("book")
    for version in published.order_by("-book__is_default", "book__code", "-valid_from", "-number"):
        newest.setdefault(version.book_id, version)
    rates: dict[int, list[Rate]] = defaultdict(list)
    prices = Price.objects.filter(product=product, version__in=newest.values())
    for price in prices.select_related("version__book").order_by("key"):
        rates[price.version_id].append(rate_of(price, price.version.book.currency))
    return [Shelf(version, rates[version.pk]) for version in newest.values() if rates[version.pk]]


def rate_of(charge: ChargeShape, currency: str) -> Rate:
    """A stored charge as a page shows it."""
    name = charge.key.replace("-", " ").replace("_", " ").capitalize()
    return Rate(name, charge.unit_price.normalize(), currency, rhythm_of(charge))


def rhythm_of(charge: ChargeShape) -> str:
    """How often and for what it is charged, in words."""
    unit, count = charge.interval_unit, charge.interval_count
    often = interval_words(Interval(Unit(unit), count) if unit else None)
    each = _("flat") if charge.model == "flat" else _("per unit")
    return f"{often}, {each}"


def plan_of(product: Product) -> DeliveryPlan | None:
    """The plan that new lines are laid from: the newest published one."""
    published = product.plans.filter(state=Lifecycle.PUBLISHED)
    return published.order_by("-number").first()


def steps_of(tasks: Sequence[Mapping[str, Any]]) -> list[Step]:
    """A plan's tasks in an order that respects every dependency."""
    try:
        keys = check_plan(tasks)
    except PlanBroken:
        return []
    number = {key: n for n, key in enumerate(keys, start=1)}
    by_key = {task["key"]: task for task in tasks}
    return [_step(by_key[key], number) for key in keys]


def _step(task: Mapping[str, Any], number: Mapping[str, int]) -> Step:
    return Step(
        number=number[task["key"]],
        name=task.get("name") or task["key"],
        kind=task["kind"],
        where=task.get("queue") or task.get("handler", ""),
        evidence=list(task.get("evidence", [])),
        after=sorted(number[key] for key in task.get("after", [])),
    )


def contracts_of_account(account_id: int) -> QuerySet[Contract]:
    """Every version of an account's contracts, the newest first."""
    return Contract.objects.filter(account=account_id).order_by("-valid_from", "-number", "-pk")


def get_contract(contract_id: int) -> Contract:
    """One contract with what was negotiated; a missing one is a 404."""
    related = Contract.objects.select_related("account__customer")
    return related.prefetch_related("prices__product", "discounts").get(pk=contract_id)
