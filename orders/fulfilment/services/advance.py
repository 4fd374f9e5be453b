"""One round: claim every automatic task that can run, run it, write down what it came to.

Each round is one short transaction (write the last outcomes, claim what is ready now, do at once
what needs nobody) and then the outside is asked, with no transaction open. Whoever dies leaves
running tasks whose lease runs out; the message is still owed, and the next one goes on from there.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from o2b import clock, fsm
from o2b.customers.models import Account
from o2b.models import Event
from orders.fallout import breaker
from orders.fulfilment import handlers
from orders.fulfilment.outcomes import Failed, Job, Outcome, Standing
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import settle
from orders.models import Attempt, FailureClass, Task
from orders.rules.backoff import MOST_ATTEMPTS

T = Task.State
AtOf = Callable[[Account | None], datetime]
StandingOf = Callable[[int], Standing | None]

LEASE = timedelta(seconds=60)
MOST_OUTSIDE = 3  # outside calls a round: even if all of them hang, the lease outlasts them


def nobody_knows(account_id: int) -> Standing | None:
    return None


@dataclass(frozen=True, slots=True)
class Ways:
    """What a worker brings along: its name, the clock, and whom to ask how an account stands.

    `at_of(account)` tells the account's moment, `at_of(None)` the machine's (leases, back-off).
    """

    at_of: AtOf = clock.now
    worker: str = ""
    standing_of: StandingOf = nobody_knows


@dataclass(frozen=True, slots=True)
class Round:
    """What one transaction leaves to be asked of the outside, and how many tasks it finished."""

    outside: list[Job]
    ran: int


def play_round(scene: Scene, outcomes: dict[int, Outcome], ways: Ways, room: int) -> Round:
    """Write outcomes and claim what is ready, again and again; what is done here is done at once.

    Returns the jobs that ask the outside, at most `room`: they run when the transaction is over.
    """
    if not scene.lines:
        return Round([], 0)
    ways = replace(ways, standing_of=cache(ways.standing_of))  # asked once an account
    machine_now = ways.at_of(None)
    at = ways.at_of(next(iter(scene.lines.values())).account)
    outcomes = _still_ours(scene, outcomes, ways.worker)
    outside: list[Job] = []
    ran = len(outcomes)
    waiting: set[int] = set()  # an instant task that waits is asked once a round
    while True:
        settle(scene, outcomes, at=at, machine_now=machine_now)
        claimed = _claim(scene, at, ways, room=room - len(outside), but=waiting)
        if not claimed:
            return Round(outside, ran)
        lost = {t.pk: _lost() for t in claimed if t.attempts > MOST_ATTEMPTS}
        edits = _edits(claimed)
        jobs = [_job(task, at, ways, edits[task.pk]) for task in claimed if task.pk not in lost]
        instant = [job for job in jobs if handlers.is_instant(job.handler)]
        outside += [job for job in jobs if not handlers.is_instant(job.handler)]
        outcomes = lost | handlers.run_all(instant)
        waiting |= {job.task_id for job in instant}
        ran += len(outcomes)


def _lost() -> Outcome:
    return Failed("every worker that tried it died", kind=FailureClass.LOST)


def _still_ours(scene: Scene, outcomes: dict[int, Outcome], worker: str) -> dict[int, Outcome]:
    """Outcomes of tasks that no other worker took over after our lease ran out."""
    return {
        pk: outcome
        for pk, outcome in outcomes.items()
        if (task := scene.tasks.get(pk)) and task.state == T.RUNNING and task.worker == worker
    }


def runnable(scene: Scene, ways: Ways) -> tuple[list[Task], breaker.Circuits]:
    """Automatic tasks that a worker may take now, but for those whose system is not asked."""
    machine_now = ways.at_of(None)
    found = [
        task
        for task in scene.workable()
        if task.kind == Task.Kind.AUTOMATIC
        and _can_run(task, machine_now, ways.at_of(task.line.account))
    ]
    circuits = breaker.look({task.system for task in found if task.system}, at=machine_now)
    return [task for task in found if task.system not in circuits.down], circuits


def _claim(scene: Scene, at: datetime, ways: Ways, *, room: int, but: set[int]) -> list[Task]:
    """Take every automatic task of a going line that is ready and due, or whose worker is dead."""
    machine_now = ways.at_of(None)
    found, circuits = runnable(scene, ways)
    due = _within_limit((t for t in found if t.pk not in but), room)
    if circuits.to_try:
        due = breaker.let_through(due, circuits, at=machine_now)
    if not due:
        return []
    taken: dict[str, Any] = {
        "leased_until": machine_now + LEASE,
        "worker": ways.worker,
        "due_at": None,
    }
    ready = [t for t in due if t.state == T.READY]
    going_on = [t for t in due if t.state == T.RUNNING]
    Attempt.objects.bulk_create(_lost_try(t, at) for t in going_on if t.leased_until is not None)
    # A poll of what has begun is no new attempt, nor is the trial of a system; a dead worker's is.
    same = {t.pk for t in due if t.waits_for or (t.attempts and t.system in circuits.to_try)}
    numbers = {t.pk: t.attempts + (t.pk not in same) for t in due}
    fsm.move_locked(ready, "run", at=at, values=taken)
    if going_on:
        Task.objects.filter(pk__in=[t.pk for t in going_on]).update(**taken)
    for number in sorted(set(numbers.values())):
        those = [pk for pk, each in numbers.items() if each == number]
        Task.objects.filter(pk__in=those).update(attempts=number)
    for task in due:
        task.__dict__.update(taken | {"attempts": numbers[task.pk]})
    starting = {t.line_id: t.line for t in ready if t.line.state == "scheduled"}
    fsm.move_locked(list(starting.values()), "begin", at=at)
    return due


def _lost_try(task: Task, at: datetime) -> Attempt:
    """What is left of a worker that died: whether it asked the outside, nobody knows."""
    return Attempt(
        task=task,
        number=task.attempts,
        worker=task.worker,
        outcome=Attempt.Outcome.AGAIN,
        failure_class=FailureClass.LOST,
        reason="its worker died",
        at=at,
    )


def _within_limit(tasks: Iterable[Task], room: int) -> list[Task]:
    """All that is done here, and as many that ask the outside as there is room for."""
    outside = itertools.count(1)
    return [t for t in tasks if handlers.is_instant(t.handler) or next(outside) <= room]


def _can_run(task: Task, machine_now: datetime, account_now: datetime) -> bool:
    if task.state == T.READY:
        return task.due_at is None or task.due_at <= machine_now
    if task.state != T.RUNNING:
        return False
    if task.leased_until is not None:
        return task.leased_until < machine_now
    is_polled = task.due_at is not None and task.due_at <= machine_now
    return is_polled or (task.resume_at is not None and task.resume_at <= account_now)


def _edits(tasks: Iterable[Task]) -> Counter[int]:
    """By task: how often what it asks of the outside was edited after a definite refusal."""
    asking = [task.pk for task in tasks if not handlers.is_instant(task.handler)]
    if not asking:
        return Counter()
    edited = Event.objects.filter(subject_type="orders.task", subject_id__in=asking)
    anew = edited.filter(name="task.edited", facts__anew=True)
    return Counter(anew.values_list("subject_id", flat=True))


def _job(task: Task, at: datetime, ways: Ways, edits: int) -> Job:
    version = task.line.product_version
    handler = handlers.find(task.handler)
    wants = handler is not None and handler.wants_standing
    return Job(
        task_id=task.pk,
        key=task.key,
        name=task.name,
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
        currency=task.line.account.legal_entity.currency,
        undoes=task.compensates_id,
        is_poll=bool(task.waits_for),
        request=task.request,
        standing=ways.standing_of(task.account_id) if wants else None,
        edits=edits,
    )
