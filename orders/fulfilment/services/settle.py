"""Write what tasks came to, and everything that follows from it, in bulk.

Outcomes become states and evidence; dependents become ready; lines begin, fall out, are delivered
and completed. The number of queries does not grow with lines or tasks.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from o2b import clock, events, fsm
from o2b.catalog.models import ProductVersion
from o2b.promise import Promise, compare
from orders.fulfilment.outcomes import Done, Failed, Outcome, TryAgain
from orders.fulfilment.services.scene import FINISHED, Scene
from orders.models import Evidence, OrderLine, Task

L, T = OrderLine.State, Task.State
Versions = Mapping[tuple[int, int], ProductVersion]

MOST_ATTEMPTS = 6
LONGEST_WAIT = timedelta(minutes=5)


def settle(
    scene: Scene,
    outcomes: Mapping[int, Outcome],
    *,
    at: datetime,
    machine_now: datetime,
    actor_id: int | None = None,
) -> None:
    """Write the outcomes of tasks in the scene, by task key, and what follows from them.

    `at` is business time; `machine_now` is what back-off is counted from, because a test clock
    that stands still would never let it pass.
    """
    said = {pk: outcome for pk, outcome in outcomes.items() if pk in scene.tasks}
    fresh: list[Evidence] = []
    if said:
        versions = _versions_said(scene, said)
        said = {pk: _believed(scene.tasks[pk], one, versions) for pk, one in said.items()}
        _keep_details(scene, said, machine_now)
        fresh = _finish(scene, said, versions, at, actor_id)
        _stop(scene, said, at, actor_id)
    _begin_lines(scene, at, actor_id)
    _free_dependents(scene, at, actor_id)
    _let_fall_out(scene, at, actor_id)
    _deliver(scene, fresh, at, actor_id)


def wait_before(attempt: int) -> timedelta:
    """2, 4, 8… seconds before the next attempt, never longer than five minutes."""
    return min(timedelta(seconds=2 ** min(attempt, 16)), LONGEST_WAIT)


def _keep_details(scene: Scene, said: Mapping[int, Outcome], machine_now: datetime) -> None:
    """What differs from task to task: exchange, reason, due time; for those that have any."""
    changed = []
    for pk, outcome in said.items():
        task = scene.tasks[pk]
        if isinstance(outcome, Done) and outcome.exchange.request is None:
            continue
        task.request, task.response = outcome.exchange.request, outcome.exchange.response
        if not isinstance(outcome, Done):
            task.failure = outcome.reason
        if isinstance(outcome, TryAgain) and task.attempts < MOST_ATTEMPTS:
            task.due_at = machine_now + wait_before(task.attempts)
        changed.append(task)
    if changed:
        Task.objects.bulk_update(changed, ["request", "response", "failure", "due_at"], 500)


def _believed(task: Task, said: Outcome, versions: Versions) -> Outcome:
    """A version that the product never had is no evidence."""
    promised = task.line.product_version
    if (
        isinstance(said, Done)
        and said.version not in (None, promised.number)
        and (promised.product_id, said.version) not in versions
    ):
        reason = f"version {said.version} was delivered, they say, but {promised.product} has none"
        return Failed(reason, said.exchange)
    return said


def _finish(
    scene: Scene,
    said: Mapping[int, Outcome],
    versions: Versions,
    at: datetime,
    actor_id: int | None,
) -> list[Evidence]:
    done = {pk: outcome for pk, outcome in said.items() if isinstance(outcome, Done)}
    tasks = [scene.tasks[pk] for pk in sorted(done)]
    clean = {"leased_until": None, "failure": ""}
    fsm.move_locked(tasks, "finish", at=at, actor_id=actor_id, values=clean, facts_of=_facts)
    return Evidence.objects.bulk_create(
        [_evidence(task, done[task.pk], versions, at) for task in tasks]
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
        serial=said.serial,
        data=said.data,
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
    hopeless = [
        task
        for task in failed
        if isinstance(said[task.pk], Failed) or task.attempts >= MOST_ATTEMPTS
    ]
    fsm.move_locked(hopeless, "fall_out", at=at, actor_id=actor_id, facts_of=_facts)
    again = [task for task in failed if task.state == T.FAILED]
    fsm.move_locked(again, "retry", at=at, actor_id=actor_id, facts_of=_facts)


def _begin_lines(scene: Scene, at: datetime, actor_id: int | None) -> None:
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


def _free_dependents(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """Count anew what blocked tasks wait on; those that wait on nothing are ready."""
    fewer, free = [], []
    for tasks in scene.tasks_of.values():
        finished = {task.key for task in tasks if task.state in FINISHED}
        for task in tasks:
            if task.state != T.BLOCKED:
                continue
            left = len(set(task.after) - finished)
            if left == 0:
                free.append(task)
            elif left != task.waiting_on:
                task.waiting_on = left
                fewer.append(task)
    if fewer:
        Task.objects.bulk_update(fewer, ["waiting_on"], 500)
    fsm.move_locked(
        free, "make_ready", at=at, actor_id=actor_id, values={"waiting_on": 0}, facts_of=_facts
    )


def _let_fall_out(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """A line falls out with the first of its tasks that did."""
    fallen = []
    for line in scene.going():
        task = next((t for t in scene.tasks_of[line.pk] if t.state == T.FALLOUT), None)
        if task:
            line.reason = f"{task.name}: {task.failure}"
            fallen.append(line)
    fall_out(fallen, at=at, actor_id=actor_id)


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


def _deliver(scene: Scene, fresh: Iterable[Evidence], at: datetime, actor_id: int | None) -> None:
    """Lines whose tasks are all done: delivered and completed, if the evidence is the promise."""
    finished = [
        line
        for line in scene.lines.values()
        if line.state == L.PROVISIONING
        and all(task.state in FINISHED for task in scene.tasks_of[line.pk])
    ]
    if not finished:
        return
    shown = _newest_evidence(scene, finished, fresh)
    kept: list[OrderLine] = []
    broken: list[OrderLine] = []
    for line in finished:
        line.reason = "; ".join(_differences(line, shown.get(line.pk, [])))
        (broken if line.reason else kept).append(line)
    if broken:
        fall_out(broken, at=at, actor_id=actor_id)
        events.record_many(
            "evidence.refused",
            broken,
            at=at,
            actor_id=actor_id,
            facts_of=lambda line: {"reason": line.reason},
        )
    if kept:
        by_day: dict[date, list[OrderLine]] = {}
        for line in kept:
            by_day.setdefault(clock.day(line.account, at), []).append(line)
        for day, lines in by_day.items():
            values = {"delivered_on": day}
            fsm.move_locked(lines, "deliver", at=at, actor_id=actor_id, values=values)
        fsm.move_locked(kept, "complete", at=at, actor_id=actor_id)


def _newest_evidence(
    scene: Scene, lines: Iterable[OrderLine], fresh: Iterable[Evidence]
) -> dict[int, list[Evidence]]:
    """The last evidence of each task, by line; read only where a task was done before."""
    newest = {evidence.task_id: evidence for evidence in fresh}
    older = [
        task.pk for task in scene.tasks_in(lines) if task.pk not in newest and task.state == T.DONE
    ]
    if older:
        kept = Evidence.objects.filter(task_id__in=older).select_related("product_version__product")
        newest |= {evidence.task_id: evidence for evidence in kept.order_by("pk")}
    found: dict[int, list[Evidence]] = {}
    for evidence in newest.values():
        found.setdefault(evidence.line_id, []).append(evidence)
    return found


def _differences(line: OrderLine, evidence: list[Evidence]) -> list[str]:
    if not evidence:
        return ["nothing shows that it was delivered"]
    promised = _promise(line.product_version, line.quantity)
    return sorted(
        {
            difference.message
            for one in evidence
            for difference in compare(promised, _promise(one.product_version, one.quantity))
        }
    )


def _promise(version: ProductVersion, quantity: Decimal) -> Promise:
    return Promise(product=version.product.code, version=version.number, quantity=quantity)


def _facts(task: Task) -> dict[str, object]:
    return {"task": task.name, "line": task.line.position}
