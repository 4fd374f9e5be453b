"""Questions about products: lists, versions, plans, and what one costs in each book."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from o2b.catalog.models import (
    DeliveryPlan,
    Price,
    PriceBookVersion,
    Product,
    ProductVersion,
)
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.plans import PlanBroken, check_plan
from o2b.catalog.plans.links import inside
from o2b.catalog.selectors.granted import MeterNames
from o2b.catalog.selectors.rates import Rate, rate_of


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


def state_of(product: Any) -> str:
    """On sale, not yet, or no more: of a product as `products_for_list` reads it."""
    if product.on_sale:
        return "published"
    return "draft" if product.any_draft or product.newest is None else "retired"


def versions_of(product: Product) -> QuerySet[ProductVersion]:
    """The product's versions, the newest first, with all that a page says of them."""
    related = ("prepared_by", "published_by", "successor__product")
    versions = product.versions.select_related(*related).order_by("-number")
    return versions.prefetch_related("options__component", "rules__other")


def get_version(code: str, number: int) -> ProductVersion:
    """One version of a product; a missing one is a 404."""
    related = ("product", "prepared_by", "published_by", "successor__product")
    versions = ProductVersion.objects.select_related(*related)
    return versions.prefetch_related("options__component", "rules__other").get(
        product__code=code, number=number
    )


def bundles_with(product: Product) -> list[Product]:
    """The products in whose newest published version it may be chosen."""
    options = ProductVersion.objects.filter(
        options__component=product, state=Lifecycle.PUBLISHED
    ).values("product")
    return list(Product.objects.filter(pk__in=options))


def shelves_of(product: Product) -> list[Shelf]:
    """What the product costs in each book that prices it, but for accounts' own books."""
    newest: dict[int, PriceBookVersion] = {}
    published = PriceBookVersion.objects.filter(
        state=Lifecycle.PUBLISHED, book__account=None
    ).select_related("book")
    for version in published.order_by("-book__is_default", "book__code", "-valid_from", "-number"):
        newest.setdefault(version.book_id, version)
    rates: dict[int, list[Rate]] = defaultdict(list)
    meters = MeterNames()
    prices = Price.objects.filter(product=product, version__in=newest.values())
    for price in prices.select_related("version__book").order_by("key", "pk"):
        rates[price.version_id].append(rate_of(price, price.version.book.currency, meters))
    return [Shelf(version, rates[version.pk]) for version in newest.values() if rates[version.pk]]


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
        after=sorted(number[key] for key in inside(task)),
    )
