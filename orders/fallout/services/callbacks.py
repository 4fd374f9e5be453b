"""An answer that calls back: it takes effect as an answer at once would have, and only once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from o2b import events
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from orders.fallout import breaker
from orders.fulfilment import handlers
from orders.fulfilment.outcomes import Done, Exchange, Outcome
from orders.fulfilment.services.results import facts_of
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake, wake_those_behind
from orders.gateways.answers import Unusable, believed, said_failed
from orders.models import Evidence, OrderLine, Task, WaitsFor

L, T = OrderLine.State, Task.State
AtOf = Callable[[Account | None], datetime]
DONE_ONCE = frozenset({T.DONE, T.COMPENSATING, T.COMPENSATED})


class CallBackLate(Refused):
    """Nobody waits for it (any more)."""

    code = "callback_late"


class CallBackSenseless(Invalid):
    """It is genuine, but says nothing that can be believed."""

    code = "callback_senseless"
    status = 400


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a call-back: taken now, or the same as one that was taken before."""

    task_id: int
    state: str
    already: bool = False
    ignored: str = ""


def take_call_back(*, task_id: int, answer: Mapping[str, Any], at_of: AtOf) -> Taken:
    """Settle a task by what its system calls back; a late call is noted and refused."""
    line_id = Task.objects.values_list("line_id", flat=True).get(pk=task_id)
    with transaction.atomic():
        taken, outcome = _take(task_id, line_id, dict(answer), at_of)
    if taken.ignored:
        raise CallBackLate(taken.ignored, state=taken.state)
    if outcome is not None:
        system = Task.objects.values_list("system", flat=True).get(pk=task_id)
        breaker.note({task_id: outcome}, {task_id: system}, at=at_of(None))
    return taken


def _take(
    task_id: int, line_id: int, answer: dict[str, Any], at_of: AtOf
) -> tuple[Taken, Outcome | None]:
    scene = Scene.of_line(line_id)
    task = scene.tasks[task_id]
    at = at_of(task.line.account)
    outcome = _outcome(task, answer)
    if _is_the_same(task, answer, outcome):
        return Taken(task_id, task.state, already=True), None
    if late := _why_late(task):
        told: dict[str, Any] = {**facts_of(task), "reason": late, "said": str(answer.get("status"))}
        events.record("task.callback_ignored", task, at=at, **told)
        return Taken(task_id, task.state, ignored=late), None
    settle(scene, {task_id: outcome}, at=at, machine_now=at_of(None))
    wake(scene, at=at)
    wake_those_behind(scene, at=at)
    return Taken(task_id, task.state), outcome


def _outcome(task: Task, answer: dict[str, Any]) -> Outcome:
    exchange = Exchange(task.request or {"task": task.pk}, {"callback": answer})
    try:
        if answer.get("status") == "failed":
            return said_failed(answer, exchange)
        if answer.get("status") == "done":
            return believed(answer, exchange)
    except Unusable as fault:
        raise CallBackSenseless(f"The call-back makes no sense: {fault}.") from fault
    message = "The call-back makes no sense: its status is neither done nor failed."
    raise CallBackSenseless(message, field="status")


def _is_the_same(task: Task, answer: dict[str, Any], outcome: Outcome) -> bool:
    """Whether it says what is known already: from a call before, or an answer to a poll."""
    if (task.response or {}).get("callback") == answer:
        return True
    if task.state not in DONE_ONCE or not isinstance(outcome, Done):
        return False
    known = Evidence.objects.filter(task=task).select_related("product_version").first()
    if known is None:
        return False
    same_version = outcome.version in (None, known.product_version.number)
    return same_version and outcome.serial in ("", known.serial)


def _why_late(task: Task) -> str:
    """Why nobody waits for it; empty when somebody does: a worker still, or nobody but it."""
    if task.line.state in (L.COMPLETED, L.CANCELLED):
        return f"line {task.line} is {task.line.state}"
    if task.state != T.RUNNING:
        return f"the task is {task.state}, so nobody waits for an answer"
    waits = task.waits_for == WaitsFor.CALLBACK
    asking = not task.waits_for and not handlers.is_instant(task.handler)
    return "" if waits or asking else f"the task waits for {task.waits_for}, not for an answer"
