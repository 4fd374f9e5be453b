"""Tasks of new lines: each plan laid out by its line's facts, joined inside and across lines."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter

from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from o2b.catalog.plans import ExpressionBroken, Facts, Laid, lay_out
from o2b.catalog.plans.costs import planned_cost
from o2b.errors import Refused
from orders.fulfilment import handlers
from orders.laying.keys import new_task_keys
from orders.models import OrderLine, Queue, Task
from orders.timing.clocks import start_clock

PARENT, PARTS = "parent", "parts"
COSTING = ("rate", "equipment", "vendor")


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
    steps = [Step(line, laid) for line in lines for laid in _laid_out(line, versions)]
    before = _before(steps, lines, versions)
    keys = new_task_keys(len(steps))
    return [
        _task(step, keys[n], sorted(keys[m] for m in before.get(n, ())), queues, at)
        for n, step in enumerate(steps)
    ]


def _laid_out(line: OrderLine, versions: Mapping[int, ProductVersion]) -> list[Laid]:
    version = versions[line.product_version_id]
    facts = Facts(version.product.code, version.number, line.quantity, line.characteristics)
    try:
        return lay_out(line.delivery_plan.tasks, facts)
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


def _task(step: Step, pk: int, after: list[int], queues: Mapping[str, Queue], at: datetime) -> Task:
    said, line = step.laid.step, step.line
    by_hand = said["kind"] == Task.Kind.MANUAL
    queue = queues.get(said.get("queue") or "")
    minutes = said.get("minutes") or 0
    task = Task(
        pk=pk,
        order_id=line.order_id,
        line=line,
        account_id=line.account_id,
        key=step.key,
        name=said.get("name") or step.key,
        kind=said["kind"],
        queue=queue if by_hand or said.get("queue") else None,
        handler=said.get("handler") or "",
        parameters=step.laid.parameters,
        component=said.get("component") or "",
        skills=list(said.get("skills", [])),
        wants=list(said.get("evidence", [])),
        checklist=list(said.get("checklist", [])),
        after=after,
        waiting_on=len(after),
        minutes=minutes,
        estimate=said.get("estimate") or minutes,
        maximum=said.get("maximum") or 0,
        planned_cost=planned_cost(said, queue.hourly_rate if queue else Decimal(0)),
        costing={name: str(said[name]) for name in COSTING if said.get(name) is not None},
        weight=Decimal(str(said.get("weight") or 0)),
        point_of_no_return=bool(said.get("point_of_no_return")),
        compensation=said.get("compensation"),
        priority=line.order.priority,
        system="" if by_hand else said.get("system") or handlers.system_of(said["handler"]),
    )
    if not after and line.state == OrderLine.State.SCHEDULED:
        task.make_ready(at=at)
        start_clock(task, at)
    return task


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
