"""What follows when a second person allowed it: a task is skipped, another version stands."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import fsm
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand.checks import refuse_unless_going, scene_of
from orders.fulfilment.services.scene import FINISHED, Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake, wake_those_behind
from orders.models import OrderLine, Task

L, T = OrderLine.State, Task.State
SKIPPABLE = frozenset({T.READY, T.CLAIMED, T.FAILED, T.FALLOUT})


@transaction.atomic
def skip_task(*, task_id: int, user_id: int, reason: str, at: datetime) -> Task:
    """Leave a step out; its line goes on without it, and mends if it fell out for it."""
    scene, task = scene_of(task_id)
    check_skippable(task)
    fsm.move_locked(
        [task],
        "skip",
        at=at,
        actor_id=user_id,
        values={"failure": reason, "leased_until": None, "due_at": None},
        facts_of=lambda one: {"task": one.name, "line": one.line.position, "reason": reason},
    )
    _go_on(scene, task.line, at, user_id)
    return task


def check_skippable(task: Task) -> None:
    """Refuse what cannot be left out any more, or not yet."""
    if task.state not in SKIPPABLE:
        message = _("%(task)s is %(state)s; it cannot be skipped.")
        raise no.TaskNotReady(message % {"task": task.name, "state": task.get_state_display()})
    refuse_unless_going(task)


@transaction.atomic
def let_substitute(*, line_id: int, user_id: int, at: datetime) -> None:
    """A version that was delivered instead is approved now: a line that fell out for it mends."""
    scene = Scene.of_line(line_id)
    line = scene.lines[line_id]
    if line.state == L.FALLOUT and all(t.state in FINISHED for t in scene.tasks_of[line_id]):
        _go_on(scene, line, at, user_id)


def _go_on(scene: Scene, line: OrderLine, at: datetime, user_id: int) -> None:
    broken = any(task.state == T.FALLOUT for task in scene.tasks_of[line.pk])
    if line.state == L.FALLOUT and not broken:
        fsm.apply(line, "mend", at=at, refusal=no.LineNotReady, actor_id=user_id)
    settle(scene, {}, at=at, machine_now=at, actor_id=user_id)
    wake(scene, at=at, actor_id=user_id)
    wake_those_behind(scene, at=at, actor_id=user_id)
