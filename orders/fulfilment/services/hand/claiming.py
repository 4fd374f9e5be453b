"""Who does it: claim one task, be given one, hand it back, say what comes first."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events, fsm
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand.checks import (
    refuse_machine_work,
    refuse_other,
    refuse_unless_going,
)
from orders.models import OrderLine, Priority, QueueMember, Task
from orders.queues import is_administrator

L, T = OrderLine.State, Task.State


@transaction.atomic
def claim_task(*, task_id: int, user_id: int, at: datetime) -> Task:
    """Take one ready task of a queue that one belongs to, with the skills that it asks for."""
    task = _locked(task_id, with_line=True)
    _check_may_have(task, user_id)
    fsm.apply(task, "claim", at=at, refusal=no.TaskNotReady, actor_id=user_id, by=user_id)
    begin_line(task, at, user_id)
    return task


@transaction.atomic
def assign_task(*, task_id: int, to_id: int, user_id: int, at: datetime) -> Task:
    """Give a task to a member of its queue, whoever had it before."""
    task = _locked(task_id, with_line=True)
    if task.state == T.CLAIMED and task.claimed_by_id == to_id:
        message = _("%(who)s has %(task)s already.")
        raise no.TaskNotReady(message % {"who": task.claimed_by, "task": task.name})
    _check_may_have(task, to_id)
    if task.state == T.CLAIMED:
        fsm.apply(task, "release", at=at, refusal=no.TaskNotReady, actor_id=user_id)
    fsm.apply(task, "claim", at=at, refusal=no.TaskNotReady, actor_id=user_id, by=to_id)
    events.record("task.assigned", task, at=at, actor_id=user_id, to=to_id, task=task.name)
    begin_line(task, at, user_id)
    return task


@transaction.atomic
def release_task(
    *, task_id: int, user_id: int, at: datetime, note: str = "", manages: bool = False
) -> Task:
    """Put a claimed task back into its queue; who manages work may take it from others."""
    task = _locked(task_id)
    if not manages or task.state != T.CLAIMED:
        refuse_other(task, user_id)
    facts: dict[str, object] = {"reason": note} if note else {}
    fsm.apply(task, "release", at=at, refusal=no.TaskNotReady, actor_id=user_id, facts=facts)
    return task


@transaction.atomic
def prioritise_task(*, task_id: int, priority: int, user_id: int, at: datetime) -> Task:
    """Say that a task comes before others of its queue, or after them."""
    if priority not in Priority.values:
        raise no.PriorityUnknown(_("There is no such priority."), field="priority")
    task = _locked(task_id)
    if task.state not in (T.BLOCKED, T.READY, T.CLAIMED, T.FALLOUT, T.FAILED, T.RUNNING):
        message = _("%(task)s is %(state)s; it waits for nobody.")
        raise no.TaskNotReady(message % {"task": task.name, "state": task.get_state_display()})
    was, task.priority = task.priority, priority
    if was != priority:
        task.save(update_fields=["priority"])
        events.record(
            "task.reprioritised", task, at=at, actor_id=user_id, was=was, priority=priority
        )
    return task


def begin_line(task: Task, at: datetime, user_id: int) -> None:
    """The line begins with its first claim; call it with the line locked, or nothing at all."""
    fsm.move(OrderLine.objects.filter(pk=task.line_id), "begin", at=at, actor_id=user_id)


def _locked(task_id: int, *, with_line: bool = False) -> Task:
    """The task, locked; its line before it where that may begin, as everybody else locks them."""
    if with_line:
        of_task = Task.objects.filter(pk=task_id).values("line_id")
        list(OrderLine.objects.select_for_update(no_key=True).filter(pk__in=of_task))
    found = Task.objects.select_for_update(of=("self",), no_key=True)
    return found.select_related("queue", "line", "claimed_by").get(pk=task_id)


def _check_may_have(task: Task, user_id: int) -> None:
    """Refuse who does not work in the queue, lacks a skill, or has enough already."""
    refuse_machine_work(task)
    refuse_unless_going(task, also=L.FALLOUT)
    # Locked, so that two claims of one person do not both find room for one more.
    member = (
        QueueMember.objects.select_for_update().filter(queue=task.queue, user_id=user_id).first()
    )
    if is_administrator(user_id):
        return
    if member is None:
        message = _("You do not work in the queue %(queue)s.")
        raise no.NotInQueue(message % {"queue": task.queue})
    if missing := sorted(set(task.skills) - set(member.skills)):
        message = _("%(task)s asks for a skill that is missing: %(skills)s.")
        raise no.NotSkilled(message % {"task": task.name, "skills": ", ".join(missing)})
    has = Task.objects.filter(state=T.CLAIMED, claimed_by_id=user_id, queue=task.queue)
    if member.capacity and task.claimed_by_id != user_id and has.count() >= member.capacity:
        message = _("In %(queue)s, %(n)s tasks at once are enough; finish one first.")
        raise no.CapacityReached(message % {"queue": task.queue, "n": member.capacity})
