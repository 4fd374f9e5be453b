"""What a delivery plan is examined against, read from the catalog: its product, and other plans."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from o2b.catalog.models import BundleOption, DeliveryPlan, Product, ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.plans import PlanFault, Surroundings, faults_of_plan
from o2b.catalog.plans import samples as plan_samples
from o2b.catalog.plans.faults import each_of
from o2b.catalog.plans.links import PARENT, PARTS, Around, Neighbour, beyond
from o2b.catalog.plans.trying import Faults

# Chains of plans are short; what is longer than this is no catalog but an accident.
MOST_STEPS = 50


def faults_of_draft(
    plan: DeliveryPlan, *, kinds: Mapping[str, Faults] | None = None
) -> list[PlanFault]:
    """Everything that stands in the way of a plan's publication."""
    beside = surroundings_of(plan.product, plan.tasks, kinds=kinds)
    return faults_of_plan(plan.tasks, plan.components, beside)


def surroundings_of(
    product: Product, tasks: Any, *, kinds: Mapping[str, Faults] | None = None
) -> Surroundings:
    """What these steps of the product are examined against."""
    return Surroundings(what_may_be_asked(product), kinds, around_of(product.code, tasks))


def what_may_be_asked(product: Product) -> plan_samples.Product:
    """Names that expressions know: characteristics of the version on sale and of the newest.

    What only one of the two has may be missing from a line, and a choice of either may be made.
    """
    sold, newest = _two_versions(product)
    both = [list(each.characteristics) for each in {sold, newest} - {None} if each]
    specs: dict[str, Mapping[str, Any]] = {}
    for spec in (spec for rows in both for spec in rows):
        there = sum(spec["name"] == other["name"] for rows in both for other in rows)
        merged = dict(spec) if there == len(both) else {**spec, "required": False}
        if (before := specs.get(spec["name"])) and merged.get("choices"):
            choices = [*(before.get("choices") or []), *merged["choices"]]
            merged["choices"] = list(dict.fromkeys(choices))
        specs[spec["name"]] = merged
    number = sold.number if sold else 1
    return plan_samples.Product(product.code, number, list(specs.values()), product.quantity_places)


def shown_version(product: Product) -> ProductVersion | None:
    """The version that is sold, or the newest one where none is."""
    return _two_versions(product)[0]


def _two_versions(product: Product) -> tuple[ProductVersion | None, ProductVersion | None]:
    """The one on sale (or the newest, if none is), and the newest."""
    versions = list(product.versions.order_by("-number"))
    newest = versions[0] if versions else None
    on_sale = (version for version in versions if version.state == Lifecycle.PUBLISHED)
    return next(on_sale, newest), newest


def around_of(product: str, tasks: Any) -> Around:
    """The products that these steps lead to, and those that their plans lead to in turn."""
    neighbours: dict[str, Neighbour] = {}
    bundles: dict[str, set[str]] = {}
    parts: dict[str, set[str]] = {}
    rows_of: dict[str, Iterable[Mapping[str, Any]]] = {product: [at.said for at in each_of(tasks)]}
    for _step in range(MOST_STEPS):
        wanting = {code: _scopes(rows) for code, rows in rows_of.items()}
        _read_bundles([c for c, scopes in wanting.items() if PARENT in scopes], bundles, up=True)
        _read_bundles([c for c, scopes in wanting.items() if PARTS in scopes], parts, up=False)
        around = Around(neighbours, bundles, parts)
        meant = {
            other
            for code, scopes in wanting.items()
            for scope in scopes
            for other in around.meant(code, scope)
        }
        fresh = _neighbours(meant - neighbours.keys() - {product})
        neighbours |= fresh
        rows_of = {code: neighbour.tasks for code, neighbour in fresh.items()}
        if not rows_of:
            break
    mine = [at.said for at in each_of(tasks)]
    keys = frozenset(key for at in each_of(tasks) if (key := at.key))
    neighbours[product] = Neighbour(product, mine, keys, has_plan=True)
    return Around(neighbours, bundles, parts)


def _scopes(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    return {ref.partition("/")[0] for said in rows for ref in beyond(said)}


def _read_bundles(codes: Collection[str], found: dict[str, set[str]], *, up: bool) -> None:
    """For parts the bundles that offer them, or for bundles their parts; of versions on sale."""
    wanted = [code for code in codes if code not in found]
    if not wanted:
        return
    found |= {code: set() for code in wanted}
    bundle, part = "version__product__code", "component__code"
    mine, other = (part, bundle) if up else (bundle, part)
    options = BundleOption.objects.filter(
        **{f"{mine}__in": wanted}, version__state=Lifecycle.PUBLISHED
    )
    for code, there in options.order_by().values_list(mine, other):
        found[code].add(there)


def _neighbours(codes: Collection[str]) -> dict[str, Neighbour]:
    """Products by code, with the newest published plan of each; unknown ones are left out."""
    # Postgres refuses text with a NUL in it.
    asked = [code for code in codes if "\0" not in code]
    if not asked:
        return {}
    known = Product.objects.filter(code__in=asked).values_list("code", flat=True)
    plans = DeliveryPlan.objects.filter(product__code__in=asked).exclude(state=Lifecycle.RETIRED)
    newest: dict[str, list[Mapping[str, Any]]] = {}
    keys: dict[str, set[str]] = defaultdict(set)
    rows = plans.order_by("product_id", "-number").values_list("product__code", "state", "tasks")
    for code, state, tasks in rows:
        steps = [at.said for at in each_of(tasks)]
        published = state == Lifecycle.PUBLISHED
        if published and code in newest:
            continue
        keys[code] |= {str(step.get("key")) for step in steps}
        if published:
            newest[code] = steps
    return {
        code: Neighbour(code, newest.get(code, ()), frozenset(keys[code]), code in newest)
        for code in known
    }
