"""How a task that a person has ends: done with evidence, or not possible; and evidence mended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import fsm
from orders.fulfilment.outcomes import Done, Failed
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand.checks import (
    check_reason,
    refuse_other,
    refuse_unless_going,
    scene_of,
)
from orders.fulfilment.services.hand.evidence import Said, Shown, check_complete, check_mended
from orders.fulfilment.services.scene import Scene, is_uncertain
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake, wake_those_behind
from orders.models import Evidence, FailureClass, OrderLine, Task

L, T = OrderLine.State, Task.State


@transaction.atomic
def complete_task(
    *,
    task_id: int,
    user_id: int,
    at: datetime,
    version: int | str | None = None,
    serial: str = "",
    serials: Sequence[str] = (),
    quantity: Decimal | str | None = None,
    minutes: int | str | None = None,
    data: Mapping[str, Any] | None = None,
) -> Task:
    """Finish one's claimed task with evidence; what was not promised is refused by field.

    Where parts were delivered before, this is what was left. What may have been done outside for a
    line that is given up is completed by who looked: then it is undone.
    """
    scene, task = scene_of(task_id)
    refuse_other(task, user_id)
    if not (task.line.state == L.CANCELLING and is_uncertain(task)):
        refuse_unless_going(task)
    said = Said(version, serial, serials, quantity, minutes, dict(data or {}))
    finish(scene, task, check_complete(task, said), at=at, user_id=user_id)
    return task


def finish(scene: Scene, task: Task, shown: Shown, *, at: datetime, user_id: int) -> None:
    """Write a task of the scene as done by this person, and what follows."""
    has_parts = Evidence.objects.filter(task=task, is_part=True).exists()
    done = Done(
        version=shown.version.number,
        serial=shown.serial,
        serials=shown.serials,
        quantity=shown.quantity,
        minutes=shown.minutes,
        data=shown.data,
        is_part=has_parts,
        by_id=user_id,
    )
    settle(scene, {task.pk: done}, at=at, machine_now=at, actor_id=user_id)
    wake(scene, at=at, actor_id=user_id)
    wake_those_behind(scene, at=at, actor_id=user_id)


@transaction.atomic
def fail_task(*, task_id: int, user_id: int, reason: str, at: datetime) -> Task:
    """Say that one's claimed task cannot be done, and why: it and its line fall out."""
    scene, task = scene_of(task_id)
    refuse_other(task, user_id)
    why = check_reason(reason)
    settle(
        scene,
        {task.pk: Failed(why, kind=FailureClass.PERSON)},
        at=at,
        machine_now=at,
        actor_id=user_id,
    )
    wake(scene, at=at, actor_id=user_id)
    wake_those_behind(scene, at=at, actor_id=user_id)
    return task


@transaction.atomic
def correct_evidence(
    *,
    task_id: int,
    user_id: int,
    at: datetime,
    version: int | str | None = None,
    serial: str = "",
    quantity: Decimal | str | None = None,
) -> Task:
    """Add what was delivered in the end to a done task, so that its fallen line goes on.

    It speaks for the task as a whole, whatever parts came before.
    """
    scene, task = scene_of(task_id)
    if task.state != T.DONE or task.line.state != L.FALLOUT:
        raise no.TaskNotReady(_("Only the evidence of a line in fallout can be mended."))
    shown = check_mended(task, Said(version, serial, (), quantity))
    Evidence.objects.create(
        task=task,
        line=task.line,
        product_version=shown.version,
        quantity=shown.quantity,
        serial=shown.serial,
        at=at,
        by_id=user_id,
    )
    fsm.apply(task.line, "mend", at=at, refusal=no.LineNotReady, actor_id=user_id)
    settle(scene, {}, at=at, machine_now=at, actor_id=user_id)
    wake_those_behind(scene, at=at, actor_id=user_id)
    return task
