"""Write what tasks came to: state, attempt, evidence, cost; again later, waiting, or fallout."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from o2b import fsm
from o2b.catalog.models import ProductVersion
from o2b.catalog.plans.costs import labour
from orders.fulfilment.outcomes import Done, Failed, Outcome, TryAgain, Waiting
from orders.fulfilment.services.scene import Scene
from orders.models import Attempt, Evidence, FailureClass, Task, TaskCost
from orders.rules.backoff import is_hopeless, wait_before

T = Task.State
Versions = Mapping[tuple[int, int], ProductVersion]
A_BATCH = 2000


def write_results(
    scene: Scene,
    said: Mapping[int, Outcome],
    at: datetime,
    machine_now: datetime,
    actor_id: int | None,
) -> list[Evidence]:
    """Write outcomes of tasks of the scene; returns the evidence that is new."""
    versions = _versions_said(scene, said)
    believed = {pk: _believed(scene.tasks[pk], one, versions) for pk, one in said.items()}
    tried = [pk for pk in sorted(believed) if _is_attempt(scene.tasks[pk], believed[pk])]
    Attempt.objects.bulk_create(
        [_attempt(scene.tasks[pk], believed[pk], at) for pk in tried], batch_size=A_BATCH
    )
    _keep_details(scene, believed, machine_now)
    fresh = _finish(scene, believed, versions, at, actor_id)
    _stop(scene, believed, at, actor_id)
    return fresh


def _is_attempt(task: Task, said: Outcome) -> bool:
    """A machine's try; looking whether an answer has come, and it has not, is none."""
    is_poll = isinstance(said, Waiting) and bool(task.waits_for)
    return task.kind == Task.Kind.AUTOMATIC and not is_poll


def facts_of(task: Task) -> dict[str, object]:
    """What an event of a task tells."""
    return {"task": task.name, "line": task.line.position}


def _believed(task: Task, said: Outcome, versions: Versions) -> Outcome:
    """A version that the product never had is no evidence."""
    promised = task.line.product_version
    if (
        isinstance(said, Done)
        and said.version not in (None, promised.number)
        and (promised.product_id, said.version) not in versions
    ):
        reason = f"version {said.version} was delivered, they say, but {promised.product} has none"
        return Failed(reason, said.exchange, kind=FailureClass.GARBAGE)
    return said


def _attempt(task: Task, said: Outcome, at: datetime) -> Attempt:
    outcome, kind, reason = Attempt.Outcome.DONE, "", ""
    if isinstance(said, Waiting):
        outcome, reason = Attempt.Outcome.WAITING, said.reason
    elif isinstance(said, TryAgain | Failed):
        again = isinstance(said, TryAgain) and not is_hopeless(said.kind, task.attempts)
        outcome = Attempt.Outcome.AGAIN if again else Attempt.Outcome.FAILED
        kind, reason = said.kind, said.reason
    return Attempt(
        task=task,
        number=task.attempts,
        worker=task.worker,
        outcome=outcome,
        failure_class=kind,
        reason=reason,
        request=said.exchange.request,
        response=said.exchange.response,
        at=at,
    )


def _keep_details(scene: Scene, said: Mapping[int, Outcome], machine_now: datetime) -> None:
    """What differs from task to task: exchange, reason, waits; for those that have any."""
    changed = []
    for pk, outcome in said.items():
        task = scene.tasks[pk]
        if isinstance(outcome, Done) and outcome.exchange.request is None and not task.waits_for:
            continue
        if outcome.exchange.request is not None or not isinstance(outcome, Done):
            task.request, task.response = outcome.exchange.request, outcome.exchange.response
        task.waits_for, task.resume_at = "", None
        if isinstance(outcome, Waiting):
            _wait(task, outcome, machine_now)
        elif not isinstance(outcome, Done):
            task.failure, task.failure_class = outcome.reason, outcome.kind
            if isinstance(outcome, TryAgain) and not is_hopeless(outcome.kind, task.attempts):
                task.due_at = machine_now + wait_before(outcome.kind, task.attempts)
        changed.append(task)
    if changed:
        fields = ["request", "response", "failure", "failure_class", "due_at", "leased_until"]
        Task.objects.bulk_update(changed, [*fields, "waits_for", "resume_at"], 500)


def _wait(task: Task, said: Waiting, machine_now: datetime) -> None:
    """It stays running, held by no worker, until a call-back, a day or a poll."""
    task.waits_for, task.resume_at, task.failure = said.on, said.until, said.reason
    task.leased_until = None
    task.due_at = (
        machine_now + wait_before("", 1) * said.poll_after / 2 if said.poll_after else None
    )


def _finish(
    scene: Scene,
    said: Mapping[int, Outcome],
    versions: Versions,
    at: datetime,
    actor_id: int | None,
) -> list[Evidence]:
    done = {pk: outcome for pk, outcome in said.items() if isinstance(outcome, Done)}
    tasks = [scene.tasks[pk] for pk in sorted(done)]
    clean = {"leased_until": None, "failure": "", "failure_class": "", "due_at": None}
    fsm.move_locked(tasks, "finish", at=at, actor_id=actor_id, values=clean, facts_of=facts_of)
    costs = [cost for task in tasks for cost in _costs(task, done[task.pk], at)]
    TaskCost.objects.bulk_create(costs, batch_size=A_BATCH)
    return Evidence.objects.bulk_create(
        [_evidence(task, done[task.pk], versions, at) for task in tasks], batch_size=A_BATCH
    )


def _evidence(task: Task, said: Done, versions: Versions, at: datetime) -> Evidence:
    promised = task.line.product_version
    version = promised
    if said.version is not None and said.version != promised.number:
        version = versions[promised.product_id, said.version]
    return Evidence(
        task=task,
        line=task.line,
        product_version=version,
        quantity=task.line.quantity if said.quantity is None else said.quantity,
        serial=said.serial or next(iter(said.serials), ""),
        serials=list(said.serials),
        is_part=said.is_part,
        data=said.data,
        at=at,
        by_id=said.by_id,
    )


def _costs(task: Task, said: Done, at: datetime) -> Iterable[TaskCost]:
    """Minutes at a rate, always; equipment and purchases, where there are any.

    What a person or a handler says goes before what the plan says.
    """
    minutes = task.minutes if said.minutes is None else said.minutes
    if task.kind == Task.Kind.AUTOMATIC and said.minutes is None:
        minutes = 0
    queue_rate = task.queue.hourly_rate if task.queue else Decimal(0)
    rate = Decimal(task.costing["rate"]) if "rate" in task.costing else queue_rate
    yield _cost(task, TaskCost.Kind.LABOUR, labour(minutes, rate), at, said, minutes=minutes)
    told = {kind for kind, _, _ in said.costs}
    for name, kind in (("equipment", "equipment"), ("vendor", "purchase")):
        if name in task.costing and kind not in told:
            yield _cost(task, kind, Decimal(task.costing[name]), at, said)
    for kind, amount, note in said.costs:
        yield _cost(task, kind, amount, at, said, note=note)


def _cost(
    task: Task,
    kind: str,
    amount: Decimal,
    at: datetime,
    said: Done,
    *,
    minutes: int = 0,
    note: str = "",
) -> TaskCost:
    return TaskCost(
        task=task,
        line=task.line,
        kind=kind,
        amount=amount,
        currency=task.line.account.legal_entity.currency,
        minutes=minutes,
        note=note,
        at=at,
        by_id=said.by_id,
    )


def _versions_said(scene: Scene, said: Mapping[int, Outcome]) -> Versions:
    """Versions other than the promised ones that somebody says were delivered."""
    others = {
        (scene.tasks[pk].line.product_version.product_id, one.version)
        for pk, one in said.items()
        if isinstance(one, Done)
        and one.version not in (None, scene.tasks[pk].line.product_version.number)
    }
    if not others:
        return {}
    found = ProductVersion.objects.filter(
        product_id__in={product for product, _ in others}, number__in={n for _, n in others}
    ).select_related("product")
    return {(version.product_id, version.number): version for version in found}


def _stop(scene: Scene, said: Mapping[int, Outcome], at: datetime, actor_id: int | None) -> None:
    """Failed tasks: ready again at their due time, or fallout once it is hopeless."""
    failed = [scene.tasks[pk] for pk in sorted(said) if isinstance(said[pk], TryAgain | Failed)]
    fsm.move_locked(
        failed,
        "fail",
        at=at,
        actor_id=actor_id,
        values={"leased_until": None},
        facts_of=lambda t: {"task": t.name, "reason": t.failure, "attempt": t.attempts},
    )
    hopeless = [task for task in failed if _is_hopeless(task, said[task.pk])]
    fsm.move_locked(hopeless, "fall_out", at=at, actor_id=actor_id, facts_of=facts_of)
    again = [task for task in failed if task.state == T.FAILED]
    fsm.move_locked(again, "retry", at=at, actor_id=actor_id, facts_of=facts_of)


def _is_hopeless(task: Task, said: Outcome) -> bool:
    return isinstance(said, Failed) or is_hopeless(task.failure_class, task.attempts)


def shares(tasks: Sequence[Task], accepted: Mapping[int, Decimal]) -> list[tuple[Decimal, Decimal]]:
    """(weight, share) of each task that counts; `accepted` quantities by task, of parts so far."""
    return [
        (task.weight, Decimal(1) if task.state == T.DONE else _share(task, accepted))
        for task in tasks
        if task.state not in (T.SKIPPED, T.CANCELLED) and not task.compensates_id
    ]


def _share(task: Task, accepted: Mapping[int, Decimal]) -> Decimal:
    return accepted.get(task.pk, Decimal(0)) / task.line.quantity
