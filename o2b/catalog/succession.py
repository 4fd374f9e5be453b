"""Which product takes the place of a retired one: the chain of successors, followed to its end."""

from collections.abc import Iterable

from o2b.catalog.definitions import on_sale
from o2b.catalog.models import ProductVersion
from o2b.catalog.models.products import Lifecycle

# A chain that is longer is a loop that somebody wrote past the services.
LONGEST_CHAIN = 100


def successor_of(version: ProductVersion) -> ProductVersion | None:
    """The version on sale that is sold in place of a retired one; None if there is none."""
    return successors_of([version]).get(version.pk)


def successors_of(versions: Iterable[ProductVersion]) -> dict[int, ProductVersion]:
    """The same for many, by key; a loop ends in nothing."""
    at = {version.pk: version for version in versions if version.successor_id}
    found: dict[int, ProductVersion] = {}
    for _step in range(LONGEST_CHAIN):
        if not at:
            break
        keys = {version.successor_id for version in at.values()}
        linked = ProductVersion.objects.select_related("product").in_bulk(keys)
        current = on_sale(version.product.code for version in linked.values())
        following: dict[int, ProductVersion] = {}
        for start, version in at.items():
            successor = linked[version.successor_id]
            if sold := current.get(successor.product.code):
                found[start] = sold
            elif successor.successor_id:
                following[start] = successor
        at = following
    return found


def is_retired(version: ProductVersion) -> bool:
    return bool(version.state == Lifecycle.RETIRED)
