"""Advance an order: claim every automatic task that can run, run it, write down what it came to.

Each round is one short transaction (write the last outcomes, claim what is ready now, do at once
what needs nobody) and then the outside is asked, with no transaction open. Whoever dies leaves
running tasks whose lease runs out; the message is still owed, and the next one goes on from there.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from o2b import clock, events, fsm
from o2b.customers.models import Account
from orders.fulfilment import handlers
from orders.fulfilment.outcomes import Failed, Job, Outcome
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import MOST_ATTEMPTS, settle
from orders.models import Task

T = Task.State
AtOf = Callable[[Account | None], datetime]

LEASE = timedelta(seconds=60)
MOST_OUTSIDE = 3  # outside calls a round: even if all of them hang, the lease outlasts them


@dataclass(frozen=True, slots=True)
class Round:
    """What one transaction leaves to be asked of the outside, and how many tasks it finished."""

    outside: list[Job]
    ran: int


def advance_order(
    *,
    order_id: int,
    at_of: AtOf = clock.now,
    worker: str = "",
    owed: Sequence[int] = (),
) -> int:
    """Do all that can be done by itself now; return how many tasks were run.

    `at_of(account)` tells the account's moment, `at_of(None)` the machine's (leases, back-off);
    `owed` are the outbox rows that are settled by it.
    """
    outcomes: dict[int, Outcome] = {}
    ran = 0
    while True:
        with transaction.atomic():
            turn = _round(Scene.of_orders([order_id]), outcomes, at_of, worker, MOST_OUTSIDE)
            if not turn.outside:
                events.done(owed)
        ran += turn.ran
        if not turn.outside:
            return ran
        outcomes = {job.task_id: handlers.run(job) for job in turn.outside}


def advance_together(
    *, owed: Mapping[int, Sequence[int]], at_of: AtOf = clock.now, worker: str = ""
) -> set[int]:
    """Do at once what needs nobody from the outside, for many orders in the queries of one.

    `owed` names the outbox rows of each order. Returns the orders that wait for the outside; what
    is owed for them stays owed.
    """
    with transaction.atomic():
        scene = Scene.of_orders(owed)
        for part in scene.by_clock():
            _round(part, {}, at_of, worker, room=0)
        machine_now = at_of(None)
        left = {
            task.order_id
            for task in scene.tasks_in(scene.going())
            if task.kind == Task.Kind.AUTOMATIC and _can_run(task, machine_now)
        }
        events.done(pk for order_id, ids in owed.items() if order_id not in left for pk in ids)
    return left


def _round(
    scene: Scene, outcomes: dict[int, Outcome], at_of: AtOf, worker: str, room: int
) -> Round:
    """Write outcomes and claim what is ready, again and again; what is done here is done at once.

    Returns the jobs that ask the outside, at most `room`: they run when the transaction is over.
    """
    if not scene.lines:
        return Round([], 0)
    machine_now = at_of(None)
    at = at_of(next(iter(scene.lines.values())).account)
    outcomes = _still_ours(scene, outcomes, worker)
    outside: list[Job] = []
    ran = len(outcomes)
    while True:
        settle(scene, outcomes, at=at, machine_now=machine_now)
        claimed = _claim(scene, at, machine_now, worker, room=room - len(outside))
        if not claimed:
            return Round(outside, ran)
        outcomes = {}
        for task in claimed:
            if task.attempts > MOST_ATTEMPTS:
                outcomes[task.pk] = Failed("every worker that tried it died")
            elif task.handler in handlers.INSTANT:
                outcomes[task.pk] = handlers.run(_job(task, at))
            else:
                outside.append(_job(task, at))
        ran += len(outcomes)


def _still_ours(scene: Scene, outcomes: dict[int, Outcome], worker: str) -> dict[int, Outcome]:
    """Outcomes of tasks that no other worker took over after our lease ran out."""
    return {
        pk: outcome
        for pk, outcome in outcomes.items()
        if (task := scene.tasks.get(pk)) and task.state == T.RUNNING and task.worker == worker
    }


def _claim(
    scene: Scene, at: datetime, machine_now: datetime, worker: str, *, room: int
) -> list[Task]:
    """Take every automatic task of a going line that is ready and due, or whose worker is dead."""
    automatic = [t for t in scene.tasks_in(scene.going()) if t.kind == Task.Kind.AUTOMATIC]
    due = _within_limit((t for t in automatic if _can_run(t, machine_now)), room)
    ready = [t for t in due if t.state == T.READY]
    orphans = [t for t in due if t.state == T.RUNNING]
    attempts = {t.pk: t.attempts + 1 for t in due}
    taken: dict[str, Any] = {
        "leased_until": machine_now + LEASE,
        "worker": worker,
        "due_at": None,
        "attempts": F("attempts") + 1,
    }
    fsm.move_locked(ready, "run", at=at, values=taken)
    if orphans:
        Task.objects.filter(pk__in=[t.pk for t in orphans]).update(**taken)
    for task in due:
        task.__dict__.update(taken | {"attempts": attempts[task.pk]})
    starting = {t.line_id: t.line for t in ready if t.line.state == "scheduled"}
    fsm.move_locked(list(starting.values()), "begin", at=at)
    return due


def _within_limit(tasks: Iterable[Task], room: int) -> list[Task]:
    """All that is done here, and as many that ask the outside as there is room for."""
    outside = itertools.count(1)
    return [task for task in tasks if task.handler in handlers.INSTANT or next(outside) <= room]


def _can_run(task: Task, machine_now: datetime) -> bool:
    if task.state == T.READY:
        return task.due_at is None or task.due_at <= machine_now
    return (
        task.state == T.RUNNING
        and task.leased_until is not None
        and task.leased_until < machine_now
    )


def _job(task: Task, at: datetime) -> Job:
    version = task.line.product_version
    return Job(
        task_id=task.pk,
        key=task.key,
        handler=task.handler,
        order_id=task.order_id,
        line_id=task.line_id,
        account_id=task.account_id,
        product=version.product.code,
        version=version.number,
        quantity=task.line.quantity,
        characteristics=task.line.characteristics,
        parameters=task.parameters,
        attempt=task.attempts,
        at=at,
    )
