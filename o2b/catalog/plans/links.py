"""What waits on what, in a line and across lines: unknown steps, and loops with the way shown."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from o2b.catalog.plans.faults import STEPS, At, PlanFault, each_of
from o2b.catalog.rules.faults import gettext_noop as _

PARENT, PARTS = "parent", "parts"
Node = tuple[str, str]  # a product and a step


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another product: the steps of its newest plan, and which ones any of its plans has."""

    code: str
    tasks: Sequence[Mapping[str, Any]] = ()
    known_keys: frozenset[str] = frozenset()
    has_plan: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """The products that can stand beside a line in an order: who is sold within whom."""

    neighbours: Mapping[str, Neighbour] = field(default_factory=dict)
    bundles: Mapping[str, Collection[str]] = field(default_factory=dict)  # part → bundles
    parts: Mapping[str, Collection[str]] = field(default_factory=dict)  # bundle → parts

    def meant(self, product: str, scope: str) -> Collection[str]:
        """The products whose lines a reference can mean."""
        if scope == PARENT:
            return self.bundles.get(product, ())
        if scope == PARTS:
            return self.parts.get(product, ())
        return (scope,)


def faults_in_line(tasks: Any) -> list[PlanFault]:
    """References to steps that are not there, and loops; of one plan on its own."""
    steps = each_of(tasks)
    keys = {at.key for at in steps}
    faults = [
        at.fault("after", _("It waits on “%(name)s”, which is not in the plan."), name=ref[:60])
        for at in steps
        for ref in inside(at.said)
        if ref not in keys
    ]
    if way := loop_in({at.key: inside(at.said) for at in steps}):
        faults.append(_looped(steps, way[0], way))
    return faults


def faults_across(tasks: Any, product: str, around: Around) -> list[PlanFault]:
    """References to products or steps that nobody knows, and loops that lead through others."""
    steps = each_of(tasks)
    faults = [
        fault for at in steps for ref in beyond(at.said) for fault in _of_reference(at, ref, around)
    ]
    plans = {code: neighbour.tasks for code, neighbour in around.neighbours.items()}
    plans[product] = [at.said for at in steps]
    graph = {
        (code, str(said.get("key"))): list(_before(code, said, plans, around))
        for code, rows in plans.items()
        for said in rows
    }
    way = loop_in(graph, within=((product, at.key) for at in steps))
    own = any(ref.startswith(f"{product}/") for at in steps for ref in beyond(at.said))
    if way and (own or any(code != product for code, _key in way)):
        mine = next((key for code, key in way if code == product), "")
        faults.append(_looped(steps, mine, [f"{code}/{key}" for code, key in way]))
    return faults


def inside(said: Mapping[str, Any]) -> list[str]:
    """What a step waits on in its own line."""
    return [ref for ref in _refs(said) if "/" not in ref]


def beyond(said: Mapping[str, Any]) -> list[str]:
    """What it waits on in other lines: "parent/key", "parts/key", "product/key"."""
    return [ref for ref in _refs(said) if "/" in ref]


def _refs(said: Mapping[str, Any]) -> list[str]:
    after = said.get("after")
    return [ref for ref in after if isinstance(ref, str)] if isinstance(after, list | tuple) else []


def loop_in(graph: Mapping[Any, Iterable[Any]], within: Iterable[Any] | None = None) -> list[Any]:
    """A way that comes back to where it began, in the order of work; empty where there is none.

    `within` are the nodes from which the way is looked for; what leads to no loop is left out.
    """
    wanted = dict(graph) if within is None else _reached(graph, within)
    try:
        TopologicalSorter(wanted).prepare()
    except CycleError as exc:
        return list(exc.args[1])
    return []


def _reached(graph: Mapping[Any, Iterable[Any]], start: Iterable[Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    left = list(start)
    while left:
        node = left.pop()
        if node not in found:
            found[node] = list(graph.get(node, ()))
            left.extend(found[node])
    return found


def _before(
    code: str, said: Mapping[str, Any], plans: Mapping[str, Iterable[Any]], around: Around
) -> Iterator[Node]:
    for ref in inside(said):
        yield code, ref
    for ref in beyond(said):
        scope, _slash, key = ref.partition("/")
        for other in around.meant(code, scope):
            if any(isinstance(s, Mapping) and s.get("key") == key for s in plans.get(other, ())):
                yield other, key


def _of_reference(at: At, ref: str, around: Around) -> Iterator[PlanFault]:
    scope, _slash, key = ref.partition("/")
    if not scope or not key or "/" in key:
        yield at.fault(
            "after", _("“%(name)s”: it is “parent/step”, “parts/step” or “product/step”."), name=ref
        )
    elif scope not in (PARENT, PARTS):
        other = around.neighbours.get(scope)
        if other is None:
            yield at.fault("after", _("There is no product “%(name)s”."), name=scope[:60])
        elif other.has_plan and key not in other.known_keys:
            yield at.fault(
                "after",
                _("No plan of “%(product)s” has a step “%(name)s”."),
                product=scope,
                name=key[:60],
            )


def _looped(steps: Sequence[At], key: str, way: Sequence[str]) -> PlanFault:
    at = next((at for at in steps if at.key == key), None)
    message, facts = _("A loop: %(way)s."), {"way": " → ".join(way)}
    return at.fault("after", message, **facts) if at else PlanFault(message, facts, of=STEPS)
