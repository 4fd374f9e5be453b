"""What helps a task or line that fell out: another try, edited; by hand; without what is gone."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events, fsm
from o2b.customers.models import Account
from orders.fallout.parameters import check_parameters
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand.checks import check_reason
from orders.fulfilment.services.pauses import retry_task
from orders.fulfilment.services.results import facts_of
from orders.fulfilment.services.scene import ENDED, FINISHED, UNCERTAIN, Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake, wake_those_behind
from orders.models import Order, OrderLine, Task
from orders.queues import may_work_in

L, T = OrderLine.State, Task.State
ORDERS_AT_ONCE = 50


@transaction.atomic
def edit_and_retry(
    *, task_id: int, parameters: Mapping[str, Any], at: datetime, user_id: int | None = None
) -> Task:
    """Try it again with other parameters; who changed what is kept, and Terms are untouched.

    What was refused for certain is asked under a new key. Where the outside may have done it the
    key stays: it must not be done twice.
    """
    _, task = _fallen(task_id)
    said = check_parameters(task.handler, parameters)
    if said != task.parameters:
        before, task.parameters = task.parameters, said
        task.save(update_fields=["parameters"])
        anew = task.failure_class not in UNCERTAIN
        told = {**facts_of(task), "before": before, "after": said, "anew": anew}
        events.record("task.edited", task, at=at, actor_id=user_id, **told)
    return retry_task(task_id=task_id, at=at, user_id=user_id)


@transaction.atomic
def take_by_hand(*, task_id: int, user_id: int, at: datetime) -> Task:
    """A person does what fell out, and completes it with evidence; its line goes on meanwhile."""
    scene, task = _fallen(task_id)
    if task.kind == Task.Kind.MANUAL and not may_work_in(user_id, task.queue_id):
        message = _("You do not work in the queue %(queue)s.")
        raise no.NotInQueue(message % {"queue": task.queue})
    facts = facts_of(task)
    fsm.apply(
        task,
        "take_by_hand",
        at=at,
        refusal=no.TaskNotReady,
        actor_id=user_id,
        facts=facts,
        by=user_id,
    )
    _mend(scene, [task.line], at, user_id)
    settle(scene, {}, at=at, machine_now=at, actor_id=user_id)
    wake(scene, at=at, actor_id=user_id)
    return task


@transaction.atomic
def go_on_without(
    *, line_id: int, reason: str, at: datetime, user_id: int | None = None
) -> OrderLine:
    """Let a line go on that waits in vain on steps of other lines that were given up."""
    why = check_reason(reason)
    scene = Scene.of_line(line_id)
    line = scene.lines.get(line_id) or OrderLine.objects.get(pk=line_id)
    gone = {task.pk: task for task in waited_in_vain(scene.tasks_of[line_id])}
    if line.state != L.FALLOUT or not gone:
        message = _("Line %(line)s waits on nothing that was given up.")
        raise no.LineNotReady(message % {"line": line})
    waiting = [task for task in scene.tasks_of[line_id] if gone.keys() & set(task.after)]
    for task in waiting:
        task.after = [pk for pk in task.after if pk not in gone]
    Task.objects.bulk_update(waiting, ["after"], 500)
    told: dict[str, Any] = {"reason": why, "without": sorted(task.name for task in gone.values())}
    events.record("order_line.went_without", line, at=at, actor_id=user_id, **told)
    _mend(scene, [line], at, user_id)
    settle(scene, {}, at=at, machine_now=at, actor_id=user_id)
    wake(scene, at=at, actor_id=user_id)
    wake_those_behind(scene, at=at, actor_id=user_id)
    return line


def waited_in_vain(tasks: Iterable[Task]) -> list[Task]:
    """Tasks that blocked tasks wait on and that will never be done: they were given up."""
    after = {pk for task in tasks if task.state == T.BLOCKED for pk in task.after}
    gone = Task.objects.filter(pk__in=after, state__in=ENDED - FINISHED)
    return list(gone.select_related("line").order_by("pk")) if after else []


def retry_together(
    *,
    task_ids: Collection[int],
    at_of: Callable[[Account | None], datetime],
    user_id: int | None = None,
) -> int:
    """Another try for all of these that are still in fallout; returns how many they were.

    Set-based, some orders a transaction; each order is told in the moment of its account.
    """
    found = Task.objects.filter(pk__in=task_ids, state=T.FALLOUT)
    order_ids = sorted(set(found.values_list("order_id", flat=True)))
    wanted = set(task_ids)
    tried = 0
    for first in range(0, len(order_ids), ORDERS_AT_ONCE):
        with transaction.atomic():
            scene = Scene.of_orders(order_ids[first : first + ORDERS_AT_ONCE])
            for part in scene.by_clock():
                tasks = [
                    task
                    for pk, task in part.tasks.items()
                    if pk in wanted and task.state == T.FALLOUT
                ]
                at = at_of(next(iter(part.lines.values())).account)
                _retry(part, tasks, at, at_of(None), user_id)
                tried += len(tasks)
    return tried


def _retry(
    scene: Scene, tasks: Sequence[Task], at: datetime, machine_now: datetime, user_id: int | None
) -> None:
    if not tasks:
        return
    fresh = {"attempts": 0, "due_at": None, "failure": "", "claimed_by_id": None}
    fsm.move_locked(tasks, "retry", at=at, actor_id=user_id, values=fresh, facts_of=facts_of)
    _mend(scene, [task.line for task in tasks], at, user_id)
    settle(scene, {}, at=at, machine_now=machine_now, actor_id=user_id)
    orders = {t.order_id: Order(pk=t.order_id, account_id=t.account_id) for t in tasks}
    events.record_many("order.woken", list(orders.values()), at=at, actor_id=user_id)


def _mend(scene: Scene, lines: Iterable[OrderLine], at: datetime, user_id: int | None) -> None:
    """Lines in fallout of which nothing is broken any more go on."""
    whole = {
        line.pk: line
        for line in lines
        if line.state == L.FALLOUT
        and not any(task.state == T.FALLOUT for task in scene.tasks_of[line.pk])
    }
    clean = {"paused_from": "", "reason": ""}
    fsm.move_locked(list(whole.values()), "mend", at=at, actor_id=user_id, values=clean)


def _fallen(task_id: int) -> tuple[Scene, Task]:
    line_id = Task.objects.values_list("line_id", flat=True).get(pk=task_id)
    scene = Scene.of_line(line_id)
    task = scene.tasks[task_id]
    if task.state != T.FALLOUT:
        message = _("%(task)s is %(state)s; only what fell out can be mended.")
        told = {"task": task.name, "state": task.get_state_display()}
        raise no.TaskNotReady(message % told)
    return scene, task
