"""Undo what was done for a line that is given up: compensations, in reverse order of what was done.

Each done task that its plan can undo gets a task of its own that does so, the last done first, one
after the other; what other lines built upon it is undone before. Tasks that still run outside are
waited for; what they come to is undone too.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from graphlib import TopologicalSorter
from typing import Any

from django.utils.translation import gettext as _

from o2b import fsm
from o2b.catalog.plans import ExpressionBroken, Facts
from o2b.catalog.plans.costs import planned_cost
from o2b.catalog.plans.expressions import value_of
from o2b.copying import new_keys
from orders.fulfilment import handlers
from orders.fulfilment.services.results import facts_of
from orders.fulfilment.services.scene import FINISHED, Scene, is_gone, is_uncertain
from orders.fulfilment.services.wake import wake_orders
from orders.laying.queues import queues_called
from orders.laying.steps import costing_of
from orders.models import OrderLine, Queue, Task
from orders.models.tasks import HARMLESS
from orders.timing.clocks import start_clock

L, T = OrderLine.State, Task.State
OPEN = frozenset({T.BLOCKED, T.READY, T.CLAIMED, T.FAILED, T.FALLOUT})
UNSETTLED = OPEN | {T.RUNNING}
LONGEST_NAME = 200


def undo(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """Lay the compensations of lines that are given up and on which nobody works any more."""
    if not scene.cancelling():
        return
    _note_undone(scene, at, actor_id)
    _give_up(scene, at, actor_id)
    undone = {line.pk: tasks for line in scene.cancelling() if (tasks := _to_undo(scene, line))}
    if not undone:
        return
    together = [task for tasks in undone.values() for task in tasks]
    first = _first_of_others(scene, together)
    made = _compensations(undone, first, at)
    fsm.move_locked(together, "compensate", at=at, actor_id=actor_id, facts_of=facts_of)
    scene.add(Task.objects.bulk_create(made))
    # Of lines beyond the scene nobody knows whether they were undone meanwhile: look again.
    wake_orders([task for task in together if first[task.pk] - scene.tasks.keys()], at, actor_id)


def _note_undone(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """What was undone is compensated."""
    ended = {
        task.compensates_id
        for task in scene.tasks_in(scene.cancelling())
        if task.compensates_id and task.state in FINISHED
    }
    over = [t for t in scene.tasks.values() if t.state == T.COMPENSATING and t.pk in ended]
    fsm.move_locked(over, "compensated", at=at, actor_id=actor_id, facts_of=facts_of)


def _give_up(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """Cancel what nobody has to see through: what has not begun, and waits that touch nothing."""
    idle = [
        task
        for task in scene.tasks_in(scene.cancelling())
        if not task.compensates_id
        and (
            (task.state in OPEN and not is_uncertain(task))
            or (task.state == T.RUNNING and task.waits_for in HARMLESS)
        )
    ]
    clean = {"waits_for": "", "resume_at": None, "due_at": None}
    fsm.move_locked(idle, "cancel", at=at, actor_id=actor_id, values=clean, facts_of=facts_of)


def _to_undo(scene: Scene, line: OrderLine) -> list[Task]:
    """What is to be undone of a line, once all of it has come to something."""
    tasks = [task for task in scene.tasks_of[line.pk] if not task.compensates_id]
    if any(task.state in UNSETTLED for task in tasks):
        return []
    return [task for task in tasks if task.state == T.DONE and task.compensation]


def _first_of_others(scene: Scene, undone: Sequence[Task]) -> Mapping[int, set[int]]:
    """By key of a task: tasks of other lines built upon it, to be undone before it.

    Those are meant that are given up too. Behind one that nothing undoes, those behind it count.
    """
    upon = _dependents(scene, undone)
    found: dict[int, set[int]] = defaultdict(set)
    known = {task.pk: task for tasks in upon.values() for task in tasks}
    for pk in reversed(_in_order([*known.values(), *undone])):
        for task in upon.get(pk, ()):
            is_left = task.line.state == L.CANCELLING and not is_gone(task)
            found[pk] |= {task.pk} if is_left else found[task.pk]
    return {
        task.pk: {pk for pk in found[task.pk] if known[pk].line_id != task.line_id}
        for task in undone
    }


def _dependents(scene: Scene, undone: Sequence[Task]) -> Mapping[int, list[Task]]:
    """By key of a task: the tasks that come after it; directly, of lines outside the scene."""
    orders = {task.order_id for task in undone}
    beyond = Task.objects.filter(
        order__in=orders,
        line__state=L.CANCELLING,
        compensates=None,
        after__overlap=[task.pk for task in undone],
    ).exclude(line__in=scene.lines)
    upon: dict[int, list[Task]] = defaultdict(list)
    for task in [*scene.tasks.values(), *beyond.select_related("line")]:
        if task.order_id in orders and not task.compensates_id:
            for pk in task.after:
                upon[pk].append(task)
    return upon


def _in_order(tasks: Collection[Task]) -> list[int]:
    """Their keys, each behind those that it comes after."""
    keys = {task.pk for task in tasks}
    before = {task.pk: [pk for pk in task.after if pk in keys] for task in tasks}
    return list(TopologicalSorter(before).static_order())


def _compensations(
    undone: Mapping[int, Sequence[Task]], first: Mapping[int, set[int]], at: datetime
) -> list[Task]:
    """One task for each, in each line the last done first."""
    together = [task for tasks in undone.values() for task in tasks]
    # Of what was done in the same moment, what came after is the last.
    rank = {pk: n for n, pk in enumerate(_in_order(together))}
    queues = queues_called({(task.compensation or {}).get("queue") or "" for task in together})
    keys = iter(new_keys(Task, len(together)))
    made = []
    for tasks in undone.values():
        behind: list[int] = []
        for task in sorted(tasks, key=lambda t: (t.done_at, rank[t.pk]), reverse=True):
            key = next(keys)
            made.append(_compensation(task, key, [*behind, *sorted(first[task.pk])], queues, at))
            behind = [key]
    return made


def _compensation(
    task: Task, key: int, after: list[int], queues: Mapping[str, Queue], at: datetime
) -> Task:
    step: dict[str, Any] = dict(task.compensation or {})
    queue = queues.get(step.get("queue") or "")
    name = step.get("name") or _("Undo: %(task)s") % {"task": task.name}
    made = Task(
        pk=key,
        order_id=task.order_id,
        line=task.line,
        account_id=task.account_id,
        key=f"undo-{task.key}"[:60],
        name=name[:LONGEST_NAME],
        kind=step.get("kind") or Task.Kind.AUTOMATIC,
        queue=queue,
        handler=step.get("handler") or "",
        parameters=_parameters(step, task.line),
        component=task.component,
        wants=list(step.get("evidence", [])),
        after=after,
        waiting_on=len(after),
        minutes=step.get("minutes") or 0,
        estimate=step.get("estimate") or step.get("minutes") or 0,
        maximum=step.get("maximum") or 0,
        planned_cost=planned_cost(step, queue.hourly_rate if queue else Decimal(0)),
        costing=costing_of(step),
        compensates=task,
        priority=task.priority,
        system=_system(step, task),
    )
    if not after:
        made.make_ready(at=at)
        start_clock(made, at)
    return made


def _system(step: Mapping[str, Any], task: Task) -> str:
    """The outside system that it asks: where it is of the same kind, the one that did it."""
    handler = step.get("handler") or ""
    if handlers.is_instant(handler):
        return ""
    usual = handlers.system_of(handler)
    return task.system if usual == handlers.system_of(task.handler) else usual


def _parameters(step: Mapping[str, Any], line: OrderLine) -> dict[str, Any]:
    version = line.product_version
    facts = Facts(version.product.code, version.number, line.quantity, line.characteristics)
    try:
        found: dict[str, Any] = value_of(step.get("parameters") or {}, facts.names())
    except ExpressionBroken as fault:
        return {"fault": str(fault)}
    return found
