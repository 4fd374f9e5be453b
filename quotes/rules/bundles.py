"""What a bundle's line still lacks of the options that it usually has."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from o2b.catalog.rules.compatibility import Definition, Option
from o2b.catalog.rules.selection import Chosen

Missing = list[tuple[str, Decimal]]


def missing_options(
    chosen: Sequence[Chosen], definitions: Mapping[str, Definition]
) -> dict[int, Missing]:
    """By the index of a bundle's line, which components to add, and how many of each.

    All bundles that have the component as an option are looked at together, as when they are
    checked. Nothing is missing where somebody chose fewer than usual but enough.
    """
    there: dict[str, Decimal] = defaultdict(Decimal)
    least: dict[str, Decimal] = defaultdict(Decimal)
    usual: dict[str, Decimal] = defaultdict(Decimal)
    for line in chosen:
        there[line.product] += line.quantity
        for option in _options(line, definitions):
            least[option.component] += option.minimum * line.quantity
            usual[option.component] += option.default * line.quantity
    found: dict[int, Missing] = {}
    for i, line in enumerate(chosen):
        missing = [
            (option.component, usual[option.component] - there[option.component])
            for option in _options(line, definitions)
            if there[option.component] < least[option.component] or not there[option.component]
        ]
        found[i] = [(component, count) for component, count in missing if count > 0]
    return found


def _options(line: Chosen, definitions: Mapping[str, Definition]) -> Sequence[Option]:
    definition = definitions.get(line.product)
    return definition.options if definition else ()
