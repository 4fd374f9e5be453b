"""What follows from what was done: lines begin, dependents become ready, lines fall out."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from o2b import fsm
from orders.fulfilment.services.results import facts_of
from orders.fulfilment.services.scene import ENDED, FINISHED, GOING, Scene, is_gone
from orders.models import OrderLine, Task
from orders.timing.clocks import start_clock

L, T = OrderLine.State, Task.State
# Blocked tasks of these lines become ready when nothing is before them any more.
FREEING = GOING | {L.HELD, L.WAITING, L.FALLOUT}


def begin_lines(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """A line begins with the first of its tasks that somebody or something works on."""
    begun = {T.CLAIMED, T.RUNNING, T.FAILED, T.FALLOUT, *FINISHED}
    fsm.move_locked(
        [
            line
            for line in scene.lines.values()
            if line.state == L.SCHEDULED and any(t.state in begun for t in scene.tasks_of[line.pk])
        ],
        "begin",
        at=at,
        actor_id=actor_id,
    )


def free_dependents(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """Count anew what blocked tasks wait on; those that wait on nothing are ready."""
    blocked = [
        task
        for line in scene.lines.values()
        for task in scene.tasks_of[line.pk]
        if task.state == T.BLOCKED and (line.state in FREEING or task.compensates_id)
    ]
    finished = _finished(scene, [task for task in blocked if not task.compensates_id])
    undone = _undone(scene, [task for task in blocked if task.compensates_id])
    fewer, free = [], []
    for task in blocked:
        over = undone if task.compensates_id else finished
        left = sum(pk not in over for pk in task.after)
        if left == 0:
            free.append(task)
        elif left != task.waiting_on:
            task.waiting_on = left
            fewer.append(task)
    if fewer:
        Task.objects.bulk_update(fewer, ["waiting_on"], 500)
    _start_clocks(free, at)
    fsm.move_locked(
        free, "make_ready", at=at, actor_id=actor_id, values={"waiting_on": 0}, facts_of=facts_of
    )


def _finished(scene: Scene, blocked: Iterable[Task]) -> set[int]:
    """Tasks that stand in nobody's way; those of lines outside the scene are looked up."""
    found = {pk for pk, task in scene.tasks.items() if task.state in FINISHED}
    beyond = {pk for task in blocked for pk in task.after} - scene.tasks.keys()
    if beyond:
        there = Task.objects.filter(pk__in=beyond, state__in=FINISHED)
        found |= set(there.values_list("pk", flat=True))
    return found


def _undone(scene: Scene, blocked: Iterable[Task]) -> set[int]:
    """What what undoes waits for no more: compensations that are done, and what is gone anyway."""
    wanted = {pk for task in blocked for pk in task.after}
    beyond = wanted - scene.tasks.keys()
    there = [scene.tasks[pk] for pk in wanted - beyond]
    there += Task.objects.filter(pk__in=beyond) if beyond else []
    return {
        task.pk
        for task in there
        if (task.state in FINISHED if task.compensates_id else is_gone(task))
    }


def _start_clocks(tasks: Iterable[Task], at: datetime) -> None:
    """The clocks of tasks that become ready; most automatic ones have none."""
    timed = [task for task in tasks if task.maximum or task.estimate]
    for task in timed:
        start_clock(task, at)
    if timed:
        Task.objects.bulk_update(timed, ["amber_at", "red_at"], 500)


def let_fall_out(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """A line falls out with the first of its tasks that did, or that waits on what is given up."""
    fallen = []
    for line in scene.going():
        task = next((t for t in scene.tasks_of[line.pk] if t.state == T.FALLOUT), None)
        if task:
            line.reason = f"{task.name}: {task.failure}"
            fallen.append(line)
    fallen += _waiting_in_vain(scene, [line for line in scene.going() if line not in fallen])
    fall_out(fallen, at=at, actor_id=actor_id)


def _waiting_in_vain(scene: Scene, lines: Iterable[OrderLine]) -> list[OrderLine]:
    """Lines with a task that waits on another line's task which is cancelled or undone."""
    blocked = [t for t in scene.tasks_in(lines) if t.state == T.BLOCKED and t.after]
    own = {task.pk: task for task in scene.tasks.values()}
    beyond = {
        pk for task in blocked for pk in task.after if pk not in own or own[pk].line != task.line
    }
    if not beyond:
        return []
    gone = Task.objects.filter(pk__in=beyond, state__in=ENDED - FINISHED).select_related("line")
    by_key = {task.pk: task for task in gone}
    fallen = []
    for task in blocked:
        first = next((by_key[pk] for pk in task.after if pk in by_key), None)
        if first and task.line not in fallen:
            message = _("%(task)s waits on “%(first)s” of line %(line)s, which was cancelled.")
            told = {"task": task.name, "first": first.name, "line": first.line.position}
            task.line.reason = message % told
            fallen.append(task.line)
    return fallen


def fall_out(lines: list[OrderLine], *, at: datetime, actor_id: int | None) -> None:
    """Let lines fall out for the reasons that they carry."""
    if not lines:
        return
    for line in lines:
        line.paused_from = line.state
    OrderLine.objects.bulk_update(lines, ["paused_from", "reason"], 500)
    fsm.move_locked(
        lines, "fall_out", at=at, actor_id=actor_id, facts_of=lambda n: {"reason": n.reason}
    )
