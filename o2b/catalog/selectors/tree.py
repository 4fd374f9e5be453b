"""The catalog as a tree: families, their products, and each one's versions and components."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Func, Prefetch, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from o2b.catalog.models import BundleOption, Product, ProductVersion
from o2b.catalog.selectors.products import products_for_list, state_of

MOST_PRODUCTS = 400
# What people know a characteristic by; its type is the same word in every product.
SEARCHED = ("name", "label", "choices")


@dataclass(slots=True)
class Leaf:
    """A product in the tree with its versions, the newest first, and what it is made of."""

    product: Any
    state: str
    versions: list[ProductVersion]
    components: list[BundleOption]


@dataclass(slots=True)
class Family:
    """Products of one family."""

    name: str
    leaves: list[Leaf] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tree:
    """The families that are shown; `more` products did not fit, `retired` are hidden."""

    families: list[Family]
    total: int
    more: int
    retired: int


def catalog_tree(*, words: str = "", retired: bool = False) -> Tree:
    """What matches every word, in four queries whatever its size."""
    products = matching(products_for_list(), words)
    gone = Q(on_sale=False, any_draft=False, newest__isnull=False)
    hidden = 0 if retired else products.filter(gone).count()
    shown = products if retired else products.exclude(gone)
    versions = ProductVersion.objects.order_by("-number")
    components = BundleOption.objects.select_related("component")
    shown = shown.order_by("family", "name", "pk").prefetch_related(
        Prefetch("versions", versions), Prefetch("versions__options", components)
    )
    found = list(shown[: MOST_PRODUCTS + 1])
    total = len(found) if len(found) <= MOST_PRODUCTS else shown.count()
    found = found[:MOST_PRODUCTS]
    return Tree(_families(found), total, total - len(found), hidden)


def matching(products: QuerySet[Product], words: str) -> QuerySet[Product]:
    """Products that hold every word in code, name, family or a characteristic."""
    for word in words.split():
        found = Q(code__icontains=word) | Q(name__icontains=word) | Q(family__icontains=word)
        products = products.filter(found | Q(pk__in=_asking_for(word)))
    return products


def _asking_for(word: str) -> QuerySet[ProductVersion, Any]:
    """Products that have a version with such a characteristic."""
    texts = {
        f"said_{name}": Cast(
            Func(
                F("characteristics"),
                Cast(Value(f"$[*].{name}"), _JsonPath()),
                function="jsonb_path_query_array",
            ),
            TextField(),
        )
        for name in SEARCHED
    }
    any_of = Q()
    for name in texts:
        any_of |= Q(**{f"{name}__icontains": word})
    return ProductVersion.objects.alias(**texts).filter(any_of).values("product")


class _JsonPath(TextField):
    def db_type(self, connection: Any) -> str:
        return "jsonpath"


def _families(products: Iterable[Any]) -> list[Family]:
    families: list[Family] = []
    for product in products:
        if not families or families[-1].name != product.family:
            families.append(Family(product.family))
        versions = list(product.versions.all())
        current = next((v for v in versions if v.state == "published"), None)
        components = list(current.options.all()) if current else []
        if not current and versions:
            components = list(versions[0].options.all())
        families[-1].leaves.append(Leaf(product, state_of(product), versions, components))
    # Products without a family stand last.
    return sorted(families, key=lambda family: not family.name)
