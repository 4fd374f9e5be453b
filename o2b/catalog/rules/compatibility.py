"""What a version says of other products: options of a bundle, requires, excludes; and loops."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from o2b.catalog.rules.faults import Fault
from o2b.catalog.rules.faults import gettext_noop as _

MOST_OPTIONS = 200
MOST_RULES = 200
LARGEST_COUNT = 32767

Graph = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Option:
    """A component of a bundle: how many of it one bundle has."""

    component: str
    minimum: int = 0
    maximum: int | None = None
    default: int = 0
    group: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What must be there too (requires), or must not (excludes)."""

    kind: str
    other: str


@dataclass(frozen=True, slots=True)
class Definition:
    """What one version of a product says of other products."""

    product: str
    options: tuple[Option, ...] = ()
    rules: tuple[Rule, ...] = ()

    def named(self, kind: str) -> list[str]:
        """The other products of its rules of one kind."""
        return [rule.other for rule in self.rules if rule.kind == kind]

    @property
    def components(self) -> list[str]:
        return [option.component for option in self.options]

    @property
    def always(self) -> list[str]:
        """What is there wherever it is."""
        return self.named("requires") + [o.component for o in self.options if o.minimum]


def faults_of_definition(
    mine: Definition, others: Mapping[str, Definition], known: Collection[str]
) -> list[Fault]:
    """Every fault of a version: its options, its rules, and both beside what others say.

    `others` are the definitions on sale, by product, of all that can be reached from it; `known`
    are the products that exist.
    """
    faults = [*_of_options(mine, known), *_of_rules(mine, known)]
    if faults:
        return faults
    every = {**others, mine.product: mine}
    faults += _loops(mine, {code: one.components for code, one in every.items()}, "options")
    faults += _loops(mine, {code: one.named("requires") for code, one in every.items()}, "rules")
    return faults or list(_contradictions(mine, every))


def _of_options(mine: Definition, known: Collection[str]) -> Iterator[Fault]:
    if len(mine.options) > MOST_OPTIONS:
        yield Fault("options", _("At most %(most)s options."), {"most": MOST_OPTIONS})
        return
    seen: set[str] = set()
    for i, option in enumerate(mine.options):
        at = f"options[{i}]"
        yield from _of_other(mine, option.component, seen, known, f"{at}.component")
        seen.add(option.component)
        if not 0 <= option.minimum <= LARGEST_COUNT:
            yield Fault(f"{at}.minimum", _("How many is a whole number, not less than 0."))
        elif option.maximum is not None and not 1 <= option.maximum <= LARGEST_COUNT:
            yield Fault(f"{at}.maximum", _("The most is a whole number, not less than 1."))
        elif option.maximum is not None and option.maximum < option.minimum:
            yield Fault(
                f"{at}.maximum",
                _("The most, %(maximum)s, is less than the least, %(minimum)s."),
                {"maximum": option.maximum, "minimum": option.minimum},
            )
        elif not option.minimum <= option.default <= (option.maximum or LARGEST_COUNT):
            yield Fault(f"{at}.default", _("The default lies between minimum and maximum."))


def _of_rules(mine: Definition, known: Collection[str]) -> Iterator[Fault]:
    if len(mine.rules) > MOST_RULES:
        yield Fault("rules", _("At most %(most)s rules."), {"most": MOST_RULES})
        return
    seen: dict[str, set[str]] = {"requires": set(), "excludes": set()}
    for i, rule in enumerate(mine.rules):
        if rule.kind not in seen:
            yield Fault(f"rules[{i}].kind", _("A rule requires or excludes."))
            continue
        yield from _of_other(mine, rule.other, seen[rule.kind], known, f"rules[{i}].other")
        seen[rule.kind].add(rule.other)
        if rule.other in seen["requires"] & seen["excludes"]:
            yield Fault(
                f"rules[{i}].kind",
                _("%(product)s cannot both require and exclude %(other)s."),
                {"product": mine.product, "other": rule.other},
                "rules_contradict",
            )


def _of_other(
    mine: Definition, other: str, seen: Collection[str], known: Collection[str], field: str
) -> Iterator[Fault]:
    if other not in known:
        message = _("There is no product “%(code)s”.")
        yield Fault(field, message, {"code": other[:60]}, "product_unknown")
    elif other == mine.product:
        yield Fault(field, _("A product says nothing of itself."))
    elif other in seen:
        yield Fault(field, _("“%(name)s” is there twice."), {"name": other})


def _loops(mine: Definition, graph: Graph, field: str) -> list[Fault]:
    path = loop_through(mine.product, graph)
    if not path:
        return []
    return [Fault(field, _("A loop: %(path)s."), {"path": " → ".join(path)}, "loop")]


def loop_through(start: str, graph: Graph) -> list[str]:
    """A way from a node back to itself, as [start, …, start]; empty if there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        node = waiting.pop()
        for following in graph.get(node, ()):
            if following == start:
                path = [start, node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1] if node != start else [start, start]
            if following not in came_from:
                came_from[following] = node
                waiting.append(following)
    return []


def _contradictions(mine: Definition, every: Mapping[str, Definition]) -> Iterator[Fault]:
    """Of all that comes along with a product, nothing may exclude anything else of it."""
    for root in sorted(every):
        together = _along_with(root, every)
        if mine.product not in together:
            continue
        for one, other in combinations(sorted(together), 2):
            if _exclude_each_other(one, other, every):
                yield Fault(
                    "rules",
                    _("Whoever has %(root)s gets %(one)s and %(other)s, which exclude each other."),
                    {"root": root, "one": one, "other": other},
                    "rules_contradict",
                )
                return


def _along_with(root: str, every: Mapping[str, Definition]) -> set[str]:
    """The product, and what is there wherever it is."""
    together, waiting = {root}, [root]
    while waiting:
        definition = every.get(waiting.pop())
        for other in definition.always if definition else ():
            if other not in together:
                together.add(other)
                waiting.append(other)
    return together


def _exclude_each_other(one: str, other: str, every: Mapping[str, Definition]) -> bool:
    return any(
        b in every[a].named("excludes") for a, b in ((one, other), (other, one)) if a in every
    )
