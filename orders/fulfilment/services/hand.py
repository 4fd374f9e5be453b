"""Work by hand: claim from a queue, release, complete with evidence, fail with a reason."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import fsm
from o2b.catalog.quantities import check_quantity
from orders.fulfilment.outcomes import Done, Failed
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.scene import GOING, OVER, Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake
from orders.models import Evidence, OrderLine, Task
from orders.queues import may_work_in, queues_of

L, T = OrderLine.State, Task.State
LONGEST_TEXT = 2000
LONGEST_SERIAL = 120


def claim_task(*, task_id: int, user_id: int, at: datetime) -> Task:
    """Take one ready task of a queue that one belongs to."""
    with transaction.atomic():
        task = (
            Task.objects.select_for_update(of=("self",))
            .select_related("queue", "line")
            .get(pk=task_id)
        )
        _refuse_machine_work(task)
        _refuse_stranger(task, user_id)
        _refuse_unless_going(task.line, also=L.FALLOUT)
        fsm.apply(task, "claim", at=at, refusal=no.TaskNotReady, actor_id=user_id, by=user_id)
    _begin(task, at, user_id)
    return task


def claim_next(*, user_id: int, at: datetime, queue_id: int | None = None) -> Task | None:
    """Take the oldest ready task of one's queues that nobody else is taking; None if none waits."""
    with transaction.atomic():
        waiting = Task.objects.filter(
            kind=Task.Kind.MANUAL, state=T.READY, queue__in=queues_of(user_id)
        )
        if queue_id is not None:
            waiting = waiting.filter(queue_id=queue_id)
        going = waiting.filter(line__state__in=GOING).select_related("queue", "line")
        task = going.select_for_update(of=("self",), skip_locked=True).order_by("pk").first()
        if task is None:
            return None
        fsm.apply(task, "claim", at=at, refusal=no.TaskNotReady, actor_id=user_id, by=user_id)
    _begin(task, at, user_id)
    return task


def _begin(task: Task, at: datetime, user_id: int) -> None:
    """The line begins with its first claim; apart, for lines are locked before tasks."""
    with transaction.atomic():
        settle(Scene.of_line(task.line_id), {}, at=at, machine_now=at, actor_id=user_id)


@transaction.atomic
def release_task(*, task_id: int, user_id: int, at: datetime) -> Task:
    """Put a claimed task back into its queue."""
    task = Task.objects.select_for_update(of=("self",)).select_related("queue").get(pk=task_id)
    _refuse_other(task, user_id)
    fsm.apply(task, "release", at=at, refusal=no.TaskNotReady, actor_id=user_id)
    return task


@transaction.atomic
def complete_task(
    *,
    task_id: int,
    user_id: int,
    at: datetime,
    version: int | str | None = None,
    serial: str = "",
    quantity: Decimal | str | None = None,
    data: Mapping[str, Any] | None = None,
) -> Task:
    """Finish one's claimed task with evidence; what was not promised is refused by field."""
    scene, task = _scene_of(task_id)
    _refuse_other(task, user_id)
    _refuse_unless_going(task.line)
    said = _checked_evidence(
        task, version=version, serial=serial, quantity=quantity, data=dict(data or {})
    )
    settle(
        scene,
        {task.pk: Done(**said, by_id=user_id)},
        at=at,
        machine_now=at,
        actor_id=user_id,
    )
    wake(scene, at=at, actor_id=user_id)
    return task


@transaction.atomic
def fail_task(*, task_id: int, user_id: int, reason: str, at: datetime) -> Task:
    """Say that one's claimed task cannot be done, and why: it and its line fall out."""
    scene, task = _scene_of(task_id)
    _refuse_other(task, user_id)
    why = check_reason(reason)
    settle(scene, {task.pk: Failed(why)}, at=at, machine_now=at, actor_id=user_id)
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
    """Add what was delivered in the end to a done task, so that its fallen line goes on."""
    scene, task = _scene_of(task_id)
    if task.state != T.DONE or task.line.state != L.FALLOUT:
        raise no.TaskNotReady(_("Only the evidence of a line in fallout can be mended."))
    said = _checked_evidence(task, version=version, serial=serial, quantity=quantity, data={})
    Evidence.objects.create(
        task=task,
        line=task.line,
        product_version=task.line.product_version,
        quantity=said["quantity"] or task.line.quantity,
        serial=said["serial"],
        at=at,
        by_id=user_id,
    )
    fsm.apply(task.line, "mend", at=at, refusal=no.LineNotReady, actor_id=user_id)
    settle(scene, {}, at=at, machine_now=at, actor_id=user_id)
    return task


def check_reason(reason: str) -> str:
    """The reason without outer blanks; refuses none at all, and what Postgres cannot store."""
    clean = reason.strip()
    if not clean:
        raise no.ReasonMissing(_("Please say why."), field="reason")
    if len(clean) > LONGEST_TEXT or "\0" in clean:
        message = _("A text of up to %(longest)s characters.")
        raise no.ReasonMissing(message % {"longest": LONGEST_TEXT}, field="reason")
    return clean


def _scene_of(task_id: int) -> tuple[Scene, Task]:
    line_id = Task.objects.values_list("line_id", flat=True).get(pk=task_id)
    scene = Scene.of_line(line_id)
    return scene, scene.tasks[task_id]


def _refuse_machine_work(task: Task) -> None:
    if task.kind != Task.Kind.MANUAL:
        raise no.TaskNotReady(_("%(task)s is done by a machine.") % {"task": task.name})


def _refuse_stranger(task: Task, user_id: int) -> None:
    if not may_work_in(user_id, task.queue_id):
        message = _("You do not work in the queue %(queue)s.")
        raise no.NotInQueue(message % {"queue": task.queue})


def _refuse_other(task: Task, user_id: int) -> None:
    if task.state != T.CLAIMED:
        message = _("%(task)s is %(state)s; claim it first.")
        raise no.TaskNotReady(message % {"task": task.name, "state": task.get_state_display()})
    if task.claimed_by_id != user_id:
        message = _("%(task)s was claimed by somebody else.")
        raise no.TaskNotYours(message % {"task": task.name})


def _refuse_unless_going(line: OrderLine, *, also: str = "") -> None:
    """Refuse work on a line that stands still; what was claimed before its fallout goes on."""
    if line.state in OVER or line.state in (L.HELD, L.WAITING, L.CANCELLING, also):
        message = _("Line %(line)s is %(state)s; its work stands still.")
        raise no.LineNotReady(message % {"line": line, "state": line.get_state_display()})


def _checked_evidence(
    task: Task, *, version: Any, serial: str, quantity: Any, data: dict[str, Any]
) -> dict[str, Any]:
    """Evidence as Done takes it; every field that the task asks for is there."""
    promised = task.line.product_version
    given = {"version": version, "serial": serial.strip(), "quantity": quantity} | data
    for field in task.wants:
        if given.get(field) in (None, ""):
            raise no.EvidenceMissing(_("%(field)s is missing.") % {"field": field}, field=field)
    if version in (None, ""):
        version = promised.number
    elif str(version).strip().lower().removeprefix("v") != str(promised.number):
        message = _("Version %(promised)s was promised, not %(version)s.")
        told = {"promised": promised.number, "version": str(version)[:20]}
        raise no.EvidenceWrong(message % told, field="version")
    if len(serial) > LONGEST_SERIAL or "\0" in serial:
        message = _("A text of up to %(longest)s characters.")
        raise no.EvidenceWrong(message % {"longest": LONGEST_SERIAL}, field="serial")
    return {
        "version": promised.number,
        "serial": serial.strip(),
        "quantity": _checked_quantity(task.line, quantity),
        "data": _checked_data(data),
    }


def _checked_quantity(line: OrderLine, quantity: Any) -> Decimal | None:
    if quantity in (None, ""):
        return None
    delivered = check_quantity(line.product_version.product, quantity, field="quantity")
    if delivered != line.quantity:
        message = _("%(promised)s were promised, not %(delivered)s.")
        told = {"promised": f"{line.quantity.normalize():f}", "delivered": f"{delivered:f}"}
        raise no.EvidenceWrong(message % told, field="quantity")
    return delivered


def _checked_data(data: dict[str, Any]) -> dict[str, Any]:
    for field, value in data.items():
        if len(str(value)) > LONGEST_TEXT or "\0" in f"{field}{value}":
            message = _("A text of up to %(longest)s characters.")
            raise no.EvidenceWrong(message % {"longest": LONGEST_TEXT}, field=field)
    return data
