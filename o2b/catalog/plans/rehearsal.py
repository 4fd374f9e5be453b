"""The dry run of a plan: what would be laid for one line, what left out, and what it costs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from graphlib import TopologicalSorter
from typing import Any

from o2b.catalog.plans.costs import planned_cost
from o2b.catalog.plans.expressions import value_of
from o2b.catalog.plans.laying import Facts, Laid, lay_out
from o2b.catalog.plans.links import PARENT, PARTS


@dataclass(frozen=True, slots=True)
class Beside:
    """The other lines of the order: the bundle above, and each product with its steps' keys."""

    parent: str = ""
    parts: Collection[str] = ()
    keys: Mapping[str, Collection[str]] = field(default_factory=dict)

    def with_step(self, scope: str, key: str) -> list[str]:
        """The products of the order that have the step that is meant."""
        meant = {PARENT: [self.parent], PARTS: list(self.parts)}.get(scope, [scope])
        return [code for code in meant if key in self.keys.get(code, ())]


@dataclass(frozen=True, slots=True)
class Wait:
    """A step of another line: which lines of the order have it; none, then nobody is waited on."""

    ref: str
    products: list[str]


@dataclass(frozen=True, slots=True)
class Tried:
    """One step that would be laid."""

    laid: Laid
    cost: Decimal
    waits: list[Wait]
    starts_after: int
    on_way: bool

    @property
    def step(self) -> Mapping[str, Any]:
        return self.laid.step

    @property
    def key(self) -> str:
        return str(self.step["key"])

    @property
    def name(self) -> str:
        return str(self.step.get("name") or self.key)

    @property
    def where(self) -> str:
        return str(self.step.get("queue") or self.step.get("handler") or "")

    @property
    def minutes(self) -> int:
        return int(self.step.get("minutes") or 0)

    @property
    def takes(self) -> int:
        return duration(self.step)


@dataclass(frozen=True, slots=True)
class Part:
    """A technical component as the line would have it."""

    key: str
    name: str
    quantity: Any
    characteristics: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A whole plan, tried for one line; `longest` is the longest way in working minutes."""

    steps: list[Tried]
    left_out: list[Mapping[str, Any]]
    parts: list[Part]
    minutes: int
    cost: Decimal
    longest: int


def rehearse(
    tasks: Sequence[Mapping[str, Any]],
    components: Sequence[Mapping[str, Any]],
    facts: Facts,
    *,
    rates: Mapping[str, Decimal],
    beside: Beside,
) -> Rehearsal:
    """What the plan comes to; raises ExpressionBroken as laying does. `rates` are of queues."""
    laid = lay_out(tasks, facts)
    kept = {str(one.step["key"]) for one in laid}
    begins, way = _longest(laid)
    steps = [
        Tried(
            one,
            planned_cost(one.step, rates.get(one.step.get("queue") or "", Decimal(0))),
            [Wait("/".join(ref), beside.with_step(*ref)) for ref in one.beyond],
            begins[key],
            key in way,
        )
        for one in laid
        if (key := str(one.step["key"]))
    ]
    return Rehearsal(
        steps,
        [step for step in tasks if step["key"] not in kept],
        lay_parts(components, facts),
        sum(step.step.get("minutes") or 0 for step in steps),
        sum((step.cost for step in steps), Decimal(0)),
        max((step.starts_after + step.takes for step in steps), default=0),
    )


def lay_parts(components: Sequence[Mapping[str, Any]], facts: Facts) -> list[Part]:
    """The technical components of one line."""
    names = facts.names()
    return [
        Part(
            str(one["key"]),
            str(one.get("name") or one["key"]),
            value_of(one.get("quantity", 1), names),
            value_of(one.get("characteristics") or {}, names),
        )
        for one in components
    ]


def duration(step: Mapping[str, Any]) -> int:
    """Working minutes until it is done, as planned."""
    return int(step.get("estimate") or step.get("minutes") or 0)


def _longest(laid: Sequence[Laid]) -> tuple[dict[str, int], set[str]]:
    """When each step begins at the earliest, and the steps of the longest way."""
    by_key = {str(one.step["key"]): one for one in laid}
    begins: dict[str, int] = {}
    comes_from: dict[str, str] = {}
    for key in TopologicalSorter({key: one.after for key, one in by_key.items()}).static_order():
        ends = {
            before: begins[before] + duration(by_key[before].step) for before in by_key[key].after
        }
        begins[key] = max(ends.values(), default=0)
        if ends:
            comes_from[key] = max(ends, key=lambda one: ends[one])
    way: set[str] = set()
    ends_at = {key: (begin + duration(by_key[key].step), begin) for key, begin in begins.items()}
    at = max(ends_at, key=lambda key: ends_at[key], default="")
    while at:
        way.add(at)
        at = comes_from.get(at, "")
    return begins, way
