"""Read what product versions say of other products, and examine a version beside all of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import PositiveSmallIntegerField, Q, Value

from o2b.catalog.models import BundleOption, Product, ProductRule, ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.rules.compatibility import Definition, Option, Rule, faults_of_definition
from o2b.catalog.rules.definitions import faults_of_characteristics
from o2b.catalog.rules.eligibility import faults_of_eligibility
from o2b.catalog.rules.faults import Fault

# Chains of bundles and rules are short; what is longer than this is no catalog but an accident.
MOST_STEPS = 50


def faults_of_version(version: ProductVersion) -> list[Fault]:
    """Every fault of a version: in itself, and beside what is on sale."""
    faults = faults_of_characteristics(version.characteristics)
    faults += faults_of_eligibility(version.eligibility)
    return faults + faults_beside(definition_of(version))


def faults_beside(mine: Definition) -> list[Fault]:
    """Every fault of a definition beside those on sale; it need not be written down yet."""
    if not mine.options and not mine.rules:
        return []
    named = {*mine.components, *(rule.other for rule in mine.rules)}
    known = set(Product.objects.filter(code__in=_askable(named)).values_list("code", flat=True))
    return faults_of_definition(mine, _around(mine), known)


def definition_of(version: ProductVersion) -> Definition:
    """What a version says of other products."""
    return definitions_of([version])[version.pk]


def definitions_of(versions: Iterable[ProductVersion]) -> dict[int, Definition]:
    """The same for many, by key, in one query."""
    codes = {version.pk: version.product.code for version in versions}
    options: dict[int, list[Option]] = defaultdict(list)
    rules: dict[int, list[Rule]] = defaultdict(list)
    for key, kind, other, minimum, maximum, default, group in _relations(codes):
        if kind == "option":
            options[key].append(Option(other, minimum, maximum, default, group))
        else:
            rules[key].append(Rule(kind, other))
    return {
        key: Definition(
            code,
            tuple(sorted(options[key], key=lambda o: (o.group, o.component))),
            tuple(sorted(rules[key], key=lambda r: (r.kind, r.other))),
        )
        for key, code in codes.items()
    }


def _relations(versions: Collection[int]) -> Iterable[tuple[Any, ...]]:
    """Options and rules as rows of one shape: version, kind, other product, and how many."""
    options = (
        BundleOption.objects.filter(version__in=versions)
        .order_by()
        .values_list(
            "version_id",
            Value("option"),
            "component__code",
            *("minimum", "maximum", "default", "group"),
        )
    )
    none = Value(None, output_field=PositiveSmallIntegerField())
    rules = (
        ProductRule.objects.filter(version__in=versions)
        .order_by()
        .values_list("version_id", "kind", "other__code", Value(0), none, Value(0), Value(""))
    )
    return options.union(rules, all=True)


def on_sale(codes: Iterable[str]) -> dict[str, ProductVersion]:
    """The newest published version of each product."""
    versions = (
        ProductVersion.objects.filter(product__code__in=_askable(codes), state=Lifecycle.PUBLISHED)
        .select_related("product")
        .order_by("product_id", "-number")
        .distinct("product_id")
    )
    return {version.product.code: version for version in versions}


def _around(mine: Definition) -> Mapping[str, Definition]:
    """The definitions on sale that can be reached from this one, or that lead to it."""
    found: dict[str, Definition] = {}
    seen: set[str] = set()
    waiting = {mine.product, *mine.components, *(rule.other for rule in mine.rules)}
    for _step in range(MOST_STEPS):
        waiting = (waiting | _naming(waiting)) - seen
        if not waiting:
            break
        seen |= waiting
        fresh = definitions_of(on_sale(waiting).values()).values()
        found |= {definition.product: definition for definition in fresh}
        waiting = {
            other
            for definition in fresh
            for other in (*definition.components, *(rule.other for rule in definition.rules))
        }
    found.pop(mine.product, None)
    return found


def _naming(codes: Collection[str]) -> set[str]:
    """The products on sale of which an option or a rule names one of these."""
    published = Q(version__state=Lifecycle.PUBLISHED)
    asked = _askable(codes)
    options = BundleOption.objects.filter(published, component__code__in=asked)
    rules = ProductRule.objects.filter(published, other__code__in=asked)
    return {
        *options.values_list("version__product__code", flat=True),
        *rules.values_list("version__product__code", flat=True),
    }


def _askable(codes: Iterable[str]) -> list[str]:
    # Postgres refuses text with a NUL in it.
    return [code for code in codes if isinstance(code, str) and "\0" not in code]
