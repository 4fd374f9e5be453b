"""Undo what was done for a line that is given up: compensations, in reverse order of what was done.

Each done task that its plan can undo gets a task of its own that does so, the last done first, one
after the other. Tasks that still run outside are waited for; what they come to is undone too.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b import fsm
from o2b.catalog.plans import ExpressionBroken, Facts
from o2b.catalog.plans.costs import planned_cost
from o2b.catalog.plans.expressions import value_of
from orders.fulfilment import handlers
from orders.fulfilment.services.results import facts_of
from orders.fulfilment.services.scene import Scene, is_uncertain
from orders.laying.keys import new_task_keys
from orders.models import OrderLine, Queue, Task
from orders.models.tasks import HARMLESS
from orders.timing.clocks import start_clock

T = Task.State
OPEN = frozenset({T.BLOCKED, T.READY, T.CLAIMED, T.FAILED, T.FALLOUT})
UNSETTLED = OPEN | {T.RUNNING}


def undo(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """Lay the compensations of lines that are given up and on which nobody works any more."""
    _give_up(scene, at, actor_id)
    new: list[Task] = []
    undone: list[Task] = []
    for line in scene.cancelling():
        tasks = scene.tasks_of[line.pk]
        if any(task.state in UNSETTLED and not task.compensates_id for task in tasks):
            continue
        left = [task for task in tasks if task.state == T.DONE and task.compensation]
        wanted = sorted(
            (t for t in left if not t.compensates_id), key=lambda t: (t.done_at, t.pk), reverse=True
        )
        new += _compensations(line, wanted, at)
        undone += wanted
    if not new:
        return
    fsm.move_locked(undone, "compensate", at=at, actor_id=actor_id, facts_of=facts_of)
    scene.add(Task.objects.bulk_create(new))


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


def _compensations(line: OrderLine, done: list[Task], at: datetime) -> Iterable[Task]:
    keys = new_task_keys(len(done))
    queues = _queues_of(done)
    for n, (key, task) in enumerate(zip(keys, done, strict=True)):
        step = dict(task.compensation or {})
        queue = queues.get(step.get("queue", ""))
        made = Task(
            pk=key,
            order_id=task.order_id,
            line=line,
            account_id=task.account_id,
            key=f"undo-{task.key}"[:60],
            name=step.get("name") or _("Undo: %(task)s") % {"task": task.name},
            kind=step.get("kind") or Task.Kind.AUTOMATIC,
            queue=queue,
            handler=step.get("handler") or "",
            parameters=_parameters(step, line),
            component=task.component,
            wants=list(step.get("evidence", [])),
            after=[keys[n - 1]] if n else [],
            waiting_on=1 if n else 0,
            minutes=step.get("minutes") or 0,
            estimate=step.get("estimate") or step.get("minutes") or 0,
            maximum=step.get("maximum") or 0,
            planned_cost=planned_cost(step, queue.hourly_rate if queue else Decimal(0)),
            compensates=task,
            priority=task.priority,
            system=step.get("system") or handlers.system_of(step.get("handler") or ""),
        )
        if not n:
            made.make_ready(at=at)
            start_clock(made, at)
        yield made


def _parameters(step: dict[str, Any], line: OrderLine) -> dict[str, Any]:
    version = line.product_version
    facts = Facts(version.product.code, version.number, line.quantity, line.characteristics)
    try:
        found: dict[str, Any] = value_of(step.get("parameters") or {}, facts.names())
    except ExpressionBroken as fault:
        return {"fault": str(fault)}
    return found


def _queues_of(tasks: Iterable[Task]) -> dict[str, Queue]:
    steps: list[dict[str, Any]] = [task.compensation or {} for task in tasks]
    codes = {step["queue"] for step in steps if step.get("queue")}
    if not codes:
        return {}
    known = Queue.objects.filter(code__in=codes).select_related("calendar")
    return {queue.code: queue for queue in known}
