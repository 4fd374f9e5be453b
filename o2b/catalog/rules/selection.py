"""Whether lines can be had together: what they require and exclude, and the options of bundles."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from o2b.catalog.rules.compatibility import Definition, Option
from o2b.catalog.rules.faults import Fault
from o2b.catalog.rules.faults import gettext_noop as _


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line that somebody chose; `bundle` is the index of the bundle's line that it belongs to."""

    product: str
    quantity: Decimal
    bundle: int | None = None


def check_selection(
    chosen: Sequence[Chosen],
    definitions: Mapping[str, Definition],
    *,
    already: Collection[str] = (),
) -> list[Fault]:
    """Every fault of the lines together; `already` are products that the account has.

    What is required may be there already. What is excluded, and the options of a bundle, are
    looked for among the lines alone: to exclude says that one does not order both at once, such as
    a phone to rent and the same one to buy. An account has many sites, keeps for ever what it
    bought, and moves from one product to the other by ordering the new one first; refusing that
    would leave it no way out.

    A component that names no bundle counts for all bundles of the lines that have it as an option
    and to which no component was given by name.
    """
    ordered = {line.product for line in chosen}
    faults: list[Fault] = []
    for i, line in enumerate(chosen):
        if definition := definitions.get(line.product):
            faults += _of_rules(definition, ordered, already, f"lines[{i}].product")
        faults += _of_bundle(line, chosen, definitions, f"lines[{i}].bundle")
    return faults or _of_counts(chosen, definitions)


def _of_rules(
    definition: Definition, ordered: Collection[str], already: Collection[str], field: str
) -> Iterator[Fault]:
    for other in definition.named("requires"):
        if other not in ordered and other not in already:
            yield Fault(
                field,
                _("%(product)s needs %(other)s too."),
                {"product": definition.product, "other": other},
                "requires",
            )
    for other in definition.named("excludes"):
        if other in ordered:
            message = _("%(product)s cannot be had together with %(other)s.")
            facts = {"product": definition.product, "other": other}
            yield Fault(field, message, facts, "excludes")


def _of_bundle(
    line: Chosen, chosen: Sequence[Chosen], definitions: Mapping[str, Definition], field: str
) -> Iterator[Fault]:
    if line.bundle is None:
        return
    known = isinstance(line.bundle, int) and 0 <= line.bundle < len(chosen)
    owner = definitions.get(chosen[line.bundle].product) if known else None
    if owner is None or line.product not in owner.components:
        message = _("%(product)s is no option of that line.")
        yield Fault(field, message, {"product": line.product}, "bundle_invalid")


def _of_counts(chosen: Sequence[Chosen], definitions: Mapping[str, Definition]) -> list[Fault]:
    given: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    loose: dict[str, Decimal] = defaultdict(Decimal)
    for line in chosen:
        if line.bundle is None:
            loose[line.product] += line.quantity
        else:
            given[line.bundle][line.product] += line.quantity
    faults: list[Fault] = []
    shared: dict[str, list[tuple[int, Option]]] = defaultdict(list)
    for i, line in enumerate(chosen):
        definition = definitions.get(line.product)
        for option in definition.options if definition else ():
            if i in given:
                count = given[i][option.component]
                faults += _of_count(chosen, [(i, option)], count)
            else:
                shared[option.component].append((i, option))
    for component, wanted in shared.items():
        faults += _of_count(chosen, wanted, loose[component])
    return sorted(faults, key=lambda fault: fault.field)


def _of_count(
    chosen: Sequence[Chosen], wanted: Sequence[tuple[int, Option]], count: Decimal
) -> Iterator[Fault]:
    """So many of a component, for all these bundles together."""
    first, option = wanted[0]
    least = sum((o.minimum * chosen[i].quantity for i, o in wanted), Decimal(0))
    most = sum((o.maximum * chosen[i].quantity for i, o in wanted if o.maximum), Decimal(0))
    facts = {
        "product": chosen[first].product,
        "other": option.component,
        "count": f"{count.normalize():f}",
        "least": f"{least.normalize():f}",
        "most": f"{most.normalize():f}",
    }
    if count < least:
        message = _("%(product)s needs at least %(least)s of %(other)s; there are %(count)s.")
        yield Fault(f"lines[{first}].product", message, facts, "option_count")
    elif count > most and all(o.maximum for _i, o in wanted):
        message = _("%(product)s takes at most %(most)s of %(other)s; there are %(count)s.")
        yield Fault(f"lines[{first}].product", message, facts, "option_count")
