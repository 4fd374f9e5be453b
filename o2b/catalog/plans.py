"""What makes a delivery plan sound: known keys, known kinds, no loops, an end."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from o2b.errors import Invalid

KINDS = {"manual", "automatic"}


class PlanBroken(Invalid):
    code = "plan_broken"


def check_plan(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys in an order that respects every dependency; refuses what cannot be laid."""
    if not tasks:
        raise PlanBroken("a plan needs at least one task", field="tasks")
    keys = [str(t.get("key", "")) for t in tasks]
    if len(set(keys)) != len(keys) or "" in keys:
        raise PlanBroken("each task needs a key of its own", field="tasks.key")
    for task in tasks:
        _check_task(task, set(keys))
    try:
        return list(
            TopologicalSorter({t["key"]: list(t.get("after", [])) for t in tasks}).static_order()
        )
    except CycleError as exc:
        raise PlanBroken(f"a loop: {' → '.join(exc.args[1])}", field="tasks.after") from exc


def _check_task(task: Mapping[str, Any], keys: set[str]) -> None:
    key = task["key"]
    if task.get("kind") not in KINDS:
        raise PlanBroken(f"{key}: the kind is manual or automatic", field="tasks.kind")
    if task["kind"] == "manual" and not task.get("queue"):
        raise PlanBroken(f"{key}: work by hand needs a queue", field="tasks.queue")
    if task["kind"] == "automatic" and not task.get("handler"):
        raise PlanBroken(f"{key}: automatic work needs a handler", field="tasks.handler")
    if unknown := set(task.get("after", [])) - keys:
        raise PlanBroken(f"{key} waits on {sorted(unknown)}, not in the plan", field="tasks.after")
