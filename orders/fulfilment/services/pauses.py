"""Let a line stand still, go on, be given up; give a task in fallout another try."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import fsm
from o2b.catalog.services import release_fixed_discount
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand import check_reason
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake
from orders.models import OrderLine, Task

L, T = OrderLine.State, Task.State

TOUCHED = frozenset({T.RUNNING, T.DONE, T.SKIPPED, T.COMPENSATING, T.COMPENSATED})
OPEN = frozenset({T.BLOCKED, T.READY, T.CLAIMED, T.FAILED, T.FALLOUT})


@transaction.atomic
def hold_line(*, line_id: int, at: datetime, reason: str, user_id: int | None = None) -> OrderLine:
    """Let nothing more be begun for a line until it is resumed."""
    why = check_reason(reason)
    line = OrderLine.objects.select_for_update(of=("self",)).get(pk=line_id)
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
    line = OrderLine.objects.select_for_update(of=("self",)).get(pk=line_id)
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
    """Give up a line for which nothing was done yet, with all its tasks."""
    why = check_reason(reason)
    scene = Scene.of_line(line_id)
    line = scene.lines.get(line_id) or OrderLine.objects.get(pk=line_id)
    tasks = scene.tasks_of[line_id]
    if touched := next((t for t in tasks if t.state in TOUCHED), None):
        message = _("Line %(line)s cannot be cancelled: “%(task)s” is %(state)s.")
        told = {"line": line, "task": touched.name, "state": touched.get_state_display()}
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
    fsm.move_locked([t for t in tasks if t.state in OPEN], "cancel", at=at, actor_id=user_id)
    fsm.apply(line, "close", at=at, refusal=no.LineNotReady, actor_id=user_id)
    _release_discount(line)
    return line


def _release_discount(line: OrderLine) -> None:
    """A contract's fixed discount goes back when the last line of its order is cancelled."""
    if line.quote_line_id is not None or line.contract_id is None:
        return
    carriers = OrderLine.objects.filter(
        contract=line.contract_id,
        quote_line=None,
        terms__charges__discounts__contains=[{"kind": "amount"}],
    )
    if not carriers.exclude(state=L.CANCELLED).exists():
        release_fixed_discount(contract_id=line.contract_id)


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
    return task
