"""Watch the clocks of tasks: what has passed its moment turns amber or red, once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from o2b import events
from orders.models import Jeopardy, Task
from orders.timing.selectors import turning

J = Jeopardy
A_ROUND, MOST_ROUNDS = 1000, 20


def watch_tasks(*, machine_now: datetime) -> int:
    """Let tasks turn amber and red by their account's clock; returns how many did.

    Each change is one event. Two of these at once take different rows, and a row that has turned
    is found no more.
    """
    turned = 0
    for _ in range(MOST_ROUNDS):
        count = _turn(machine_now)
        turned += count
        if count < A_ROUND:
            break
    return turned


@transaction.atomic
def _turn(machine_now: datetime) -> int:
    free = turning(machine_now=machine_now).select_for_update(
        of=("self",), no_key=True, skip_locked=True
    )
    levels: dict[Jeopardy, list[Any]] = {J.AMBER: [], J.RED: []}
    for task in free[:A_ROUND]:
        late = task.red_at is not None and task.red_at <= task.its_now
        levels[J.RED if late else J.AMBER].append(task)
    for level, since in ((J.AMBER, "amber_at"), (J.RED, "red_at")):
        _write(levels[level], level, since)
    return sum(map(len, levels.values()))


def _write(tasks: Sequence[Any], level: Jeopardy, since: str) -> None:
    if not tasks:
        return
    ids = [task.pk for task in tasks]
    Task.objects.filter(pk__in=ids).update(jeopardy=level, jeopardy_since=F(since))
    moments: dict[datetime, list[Any]] = defaultdict(list)
    for task in tasks:
        moments[task.its_now].append(task)

    def facts_of(task: Task) -> dict[str, Any]:
        passed = getattr(task, since).isoformat()
        return {"task": task.name, "estimate": task.estimate, "since": passed}

    for at, those in moments.items():
        events.record_many(f"task.{level}", those, at=at, facts_of=facts_of)
