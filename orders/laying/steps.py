"""Tasks of new lines: each plan laid out by its line's facts, joined inside and across lines."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db.models.base import ModelState
from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from o2b.catalog.plans import ExpressionBroken, Facts, Laid, lay_out
from o2b.catalog.plans.costs import planned_cost
from o2b.catalog.plans.rehearsal import lay_parts
from o2b.copying import new_keys
from o2b.errors import Refused
from orders.fulfilment import handlers
from orders.models import LineAction, OrderLine, Queue, Task
from orders.timing.clocks import start_clock

PARENT, PARTS = "parent", "parts"
COSTING = ("rate", "equipment", "vendor")
# The last step of a line that changes a service: what was delivered takes the place of what was.
CHANGE: dict[str, Any] = {
    "key": "change-service",
    "name": "Change what is in service",
    "kind": "automatic",
    "handler": "change_service",
}


class PlanFails(Refused):
    """A plan that does not come out: an expression fails, or lines wait on each other."""

    code = "plan_fails"


@dataclass(frozen=True, slots=True)
class Step:
    """One task to be, before it has a key."""

    line: OrderLine
    laid: Laid

    @property
    def key(self) -> str:
        return str(self.laid.step["key"])


def tasks_of(
    lines: Sequence[OrderLine],
    versions: Mapping[int, ProductVersion],
    queues: Mapping[str, Queue],
    *,
    at: datetime,
) -> list[Task]:
    """Every task of the lines, not yet written, with its key and those of the tasks before it."""
    steps = list(_steps(lines, versions))
    before = _before(steps, lines, versions)
    keys = new_keys(Task, len(steps))
    said: dict[tuple[int, str], Task] = {}
    found = []
    for n, step in enumerate(steps):
        known = step.line.delivery_plan_id, step.key
        if known not in said:
            said[known] = _as_planned(step, queues)
        after = sorted(keys[m] for m in before.get(n, ()))
        found.append(_task(said[known], step, keys[n], after, at))
    return found


def _steps(lines: Sequence[OrderLine], versions: Mapping[int, ProductVersion]) -> Iterator[Step]:
    """The steps of every line; lines of which the same is known are laid out once."""
    known: dict[tuple[int, int, Decimal, str, bool], list[Laid]] = {}
    for line in lines:
        facts = json.dumps(line.characteristics, sort_keys=True, default=str)
        is_start = line.action == LineAction.START
        same = line.delivery_plan_id, line.product_version_id, line.quantity, facts, is_start
        if same not in known:
            known[same] = _laid_out(line, versions)
        yield from (Step(line, laid) for laid in known[same])


def components_of(line: OrderLine, version: ProductVersion) -> list[dict[str, Any]]:
    """The technical parts of a line that is not written yet."""
    with _planning(line):
        return [
            asdict(part) for part in lay_parts(line.delivery_plan.components, _facts(line, version))
        ]


def _laid_out(line: OrderLine, versions: Mapping[int, ProductVersion]) -> list[Laid]:
    steps = line.delivery_plan.tasks
    if line.action != LineAction.START:
        steps = [*steps, CHANGE | {"after": [step["key"] for step in steps]}]
    with _planning(line):
        return lay_out(steps, _facts(line, versions[line.product_version_id]))


def _facts(line: OrderLine, version: ProductVersion) -> Facts:
    return Facts(version.product.code, version.number, line.quantity, line.characteristics)


@contextmanager
def _planning(line: OrderLine) -> Iterator[None]:
    """Refuse the line for which an expression of its plan fails."""
    try:
        yield
    except ExpressionBroken as fault:
        message = _("Line %(line)s cannot be planned: %(fault)s.")
        told = {"line": line.position, "fault": fault}
        raise PlanFails(message % told, field=f"lines[{line.position - 1}]") from fault


def _before(
    steps: Sequence[Step], lines: Sequence[OrderLine], versions: Mapping[int, ProductVersion]
) -> dict[int, set[int]]:
    """Number of a step → numbers of the steps before it; refuses lines that wait on each other."""
    numbers = {(step.line.pk, step.key): n for n, step in enumerate(steps)}
    found: dict[int, set[int]] = {}
    lines_of = _Scopes(lines, versions)
    crossing = set()
    for n, step in enumerate(steps):
        first = {numbers[step.line.pk, key] for key in step.laid.after}
        for scope, key in step.laid.beyond:
            others = {numbers.get((pk, key)) for pk in lines_of(step.line, scope)}
            first |= {m for m in others if m is not None and m != n}
            crossing.add(step.line.order_id)
        if first:
            found[n] = first
    if crossing:
        _refuse_loops(found, steps)
    return found


class _Scopes:
    """Which lines a reference beyond a line means."""

    def __init__(self, lines: Sequence[OrderLine], versions: Mapping[int, ProductVersion]) -> None:
        self.parts: dict[int, list[int]] = defaultdict(list)
        self.by_product: dict[tuple[int, str], list[int]] = defaultdict(list)
        for line in lines:
            if line.parent_id:
                self.parts[line.parent_id].append(line.pk)
            code = versions[line.product_version_id].product.code
            self.by_product[line.order_id, code].append(line.pk)

    def __call__(self, line: OrderLine, scope: str) -> Iterable[int]:
        if scope == PARENT:
            return [line.parent_id] if line.parent_id else []
        if scope == PARTS:
            return self.parts[line.pk]
        return self.by_product[line.order_id, scope]


def _refuse_loops(before: Mapping[int, set[int]], steps: Sequence[Step]) -> None:
    try:
        TopologicalSorter(before).prepare()
    except CycleError as exc:
        way = " → ".join(f"{steps[n].line.position}/{steps[n].key}" for n in exc.args[1])
        message = _("The lines wait on each other: %(way)s.") % {"way": way}
        raise PlanFails(message, field="lines") from exc


def _task(planned: Task, step: Step, pk: int, after: list[int], at: datetime) -> Task:
    """The step's task for one line: a copy, for a new one takes longer than all else together."""
    line, task = step.line, _copy(planned)
    task.pk, task.line = pk, line
    task.order_id, task.account_id = line.order_id, line.account_id
    task.parameters, task.priority = step.laid.parameters, line.order.priority
    task.after, task.waiting_on = after, len(after)
    if not after and line.state == OrderLine.State.SCHEDULED:
        task.make_ready(at=at)
        start_clock(task, at)
    return task


def _copy(planned: Task) -> Task:
    task = Task.__new__(Task)
    task.__dict__ = {**planned.__dict__, "_state": ModelState()}
    task._state.fields_cache = {**planned._state.fields_cache}
    return task


def _as_planned(step: Step, queues: Mapping[str, Queue]) -> Task:
    """What the tasks of a step have in common, whatever the line."""
    said = step.laid.step
    by_hand = said["kind"] == Task.Kind.MANUAL
    queue = queues.get(said.get("queue") or "")
    minutes = said.get("minutes") or 0
    return Task(
        key=step.key,
        name=said.get("name") or step.key,
        kind=said["kind"],
        queue=queue if by_hand or said.get("queue") else None,
        handler=said.get("handler") or "",
        component=said.get("component") or "",
        skills=list(said.get("skills", [])),
        wants=list(said.get("evidence", [])),
        checklist=list(said.get("checklist", [])),
        minutes=minutes,
        estimate=said.get("estimate") or minutes,
        maximum=said.get("maximum") or 0,
        planned_cost=planned_cost(said, queue.hourly_rate if queue else Decimal(0)),
        costing=costing_of(said),
        weight=Decimal(str(said.get("weight") or 0)),
        point_of_no_return=bool(said.get("point_of_no_return")),
        compensation=said.get("compensation"),
        system="" if by_hand else said.get("system") or handlers.system_of(said["handler"]),
    )


def costing_of(step: Mapping[str, Any]) -> dict[str, str]:
    """What a step costs beside the queue's rate, as its plan has it."""
    return {name: str(step[name]) for name in COSTING if step.get(name) is not None}


def parents_of(
    lines: Sequence[OrderLine], bundles: Mapping[int, Iterable[int]]
) -> Iterator[tuple[OrderLine, OrderLine]]:
    """(line, its bundle's line): the nearest bundle before it that offers it, else the first after.

    `bundles` names, by product version, the products that a bundle is made of.
    """
    heads = [line for line in lines if line.product_version_id in bundles]
    for line in lines:
        offering = [
            head
            for head in heads
            if head.order_id == line.order_id
            and head is not line
            and line.product_version.product_id in bundles[head.product_version_id]
        ]
        earlier = [head for head in offering if head.position < line.position]
        if offering:
            yield line, earlier[-1] if earlier else offering[0]
