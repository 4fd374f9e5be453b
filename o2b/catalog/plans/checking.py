"""What makes a delivery plan sound: seen on its own, tried with lines, and beside other plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from o2b.catalog.plans.faults import PlanBroken, PlanFault
from o2b.catalog.plans.links import Around, faults_across, faults_in_line, inside
from o2b.catalog.plans.samples import Product
from o2b.catalog.plans.schema import KINDS, faults_of_document
from o2b.catalog.plans.trying import Faults, faults_of_trial


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a plan is examined against; without `kinds` no name of a handler is looked at."""

    product: Product
    kinds: Mapping[str, Faults] | None = None
    around: Around = field(default_factory=Around)


def faults_of_plan(tasks: Any, components: Any, beside: Surroundings) -> list[PlanFault]:
    """Everything that is wrong with a plan; each fault names its step and field."""
    faults = faults_of_document(tasks, components)
    is_whole = not faults
    faults += faults_in_line(tasks)
    faults += faults_across(tasks, beside.product.code, beside.around)
    return faults + faults_of_trial(
        tasks, components, beside.product, beside.kinds, is_whole=is_whole
    )


def check_plan(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys in an order that respects every dependency; refuses what cannot be laid.

    It asks for no more than that: plans that were published before a rule was made stay loadable,
    and a program's own plans may name handlers that only it knows.
    """
    if not tasks:
        raise PlanBroken("a plan needs at least one task", field="tasks")
    keys = [str(t.get("key", "")) for t in tasks]
    if len(set(keys)) != len(keys) or "" in keys:
        raise PlanBroken("each task needs a key of its own", field="tasks.key")
    for task in tasks:
        _check_work(task)
    for fault in faults_in_line(tasks):
        raise PlanBroken(f"{fault.key}: {fault.message % fault.facts}", field="tasks.after")
    return list(TopologicalSorter({t["key"]: inside(t) for t in tasks}).static_order())


def _check_work(task: Mapping[str, Any]) -> None:
    key = task["key"]
    if task.get("kind") not in KINDS:
        raise PlanBroken(f"{key}: the kind is manual or automatic", field="tasks.kind")
    if task["kind"] == "manual" and not task.get("queue"):
        raise PlanBroken(f"{key}: work by hand needs a queue", field="tasks.queue")
    if task["kind"] == "automatic" and not task.get("handler"):
        raise PlanBroken(f"{key}: automatic work needs a handler", field="tasks.handler")
