"""Let a line stand still, go on, be given up; give a task in fallout another try."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import fsm
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand import check_reason
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake, wake_those_behind
from orders.models import OrderLine, Task

L, T = OrderLine.State, Task.State

TOUCHED = frozenset({T.RUNNING, T.DONE, T.COMPENSATING, T.COMPENSATED})


@transaction.atomic
def hold_line(*, line_id: int, at: datetime, reason: str, user_id: int | None = None) -> OrderLine:
    """Let nothing more be begun for a line until it is resumed."""
    why = check_reason(reason)
    line = OrderLine.objects.select_for_update(of=("self",), no_key=True).get(pk=line_id)
    fsm.apply(
        line,
        "hold",
        at=at,
        refusal=no.LineNotReady,
        actor_id=user_id,
        facts={"reason": why},
        reason=why,
    )
    return line


@transaction.atomic
def resume_line(*, line_id: int, at: datetime, user_id: int | None = None) -> OrderLine:
    """Let a held or waiting line go on from where it stood."""
    line = OrderLine.objects.select_for_update(of=("self",), no_key=True).get(pk=line_id)
    back = "scheduled" if line.paused_from == L.SCHEDULED else "provisioning"
    if line.state not in (L.HELD, L.WAITING):
        message = _("Line %(line)s is %(state)s; only one that stands still can be resumed.")
        raise no.LineNotReady(message % {"line": line, "state": line.get_state_display()})
    fsm.apply(line, f"resume_to_{back}", at=at, refusal=no.LineNotReady, actor_id=user_id)
    return line


@transaction.atomic
def cancel_line(
    *, line_id: int, at: datetime, reason: str, user_id: int | None = None
) -> OrderLine:
    """Give up a line before its point of no return; what was done for it is undone, last first.

    It is cancelling until that is done: at once, where nothing was.
    """
    why = check_reason(reason)
    scene = Scene.of_line(line_id)
    line = scene.lines.get(line_id) or OrderLine.objects.get(pk=line_id)
    if passed := next((t for t in scene.tasks_of[line_id] if is_past_return(t)), None):
        message = _("Line %(line)s cannot be cancelled: “%(task)s” is %(state)s, and final.")
        told = {"line": line, "task": passed.name, "state": passed.get_state_display()}
        raise no.LineUnderWay(message % told)
    fsm.apply(
        line,
        "cancel",
        at=at,
        refusal=no.LineNotReady,
        actor_id=user_id,
        facts={"reason": why},
        reason=why,
    )
    settle(scene, {}, at=at, machine_now=at, actor_id=user_id)
    wake(scene, at=at, actor_id=user_id)
    wake_those_behind(scene, at=at, actor_id=user_id)
    return line


def is_past_return(task: Task) -> bool:
    """Whether a task is a point of no return that was reached."""
    return task.point_of_no_return and task.state in TOUCHED


@transaction.atomic
def retry_task(*, task_id: int, at: datetime, user_id: int | None = None) -> Task:
    """Give a task in fallout another try; its line mends when nothing else of it is broken."""
    line_id = Task.objects.values_list("line_id", flat=True).get(pk=task_id)
    scene = Scene.of_line(line_id)
    task = scene.tasks[task_id]
    if task.state != T.FALLOUT:
        message = _("%(task)s is %(state)s; only what fell out can be tried again.")
        told = {"task": task.name, "state": task.get_state_display()}
        raise no.TaskNotReady(message % told)
    fresh = {"attempts": 0, "due_at": None, "failure": "", "claimed_by_id": None}
    fsm.move_locked([task], "retry", at=at, actor_id=user_id, values=fresh)
    broken = any(t.state == T.FALLOUT for t in scene.tasks_of[line_id])
    if task.line.state == L.FALLOUT and not broken:
        fsm.apply(task.line, "mend", at=at, refusal=no.LineNotReady, actor_id=user_id)
    settle(scene, {}, at=at, machine_now=at, actor_id=user_id)
    wake(scene, at=at, actor_id=user_id)
    wake_those_behind(scene, at=at, actor_id=user_id)
    return task
