"""One step for many tasks: each in a transaction of its own, with a result for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from o2b.errors import Refused
from orders.fulfilment.services import claim_task, prioritise_task
from orders.models import Task
from orders.work.services.assigning import assign, hand_back

Verb = Callable[..., Task]
AT_ONCE = 200
VERBS: Mapping[str, Verb] = {
    "claim": claim_task,
    "assign": assign,
    "hand-back": hand_back,
    "prioritise": prioritise_task,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one task: done, or why not."""

    task: Task
    problem: str = ""


def work_on_many(
    *,
    verb: str,
    task_ids: Sequence[int],
    user_id: int,
    at_of: Callable[[Task], datetime],
    **said: object,
) -> list[Result]:
    """Do the same with each of some tasks; what is refused for one holds up no other."""
    wanted = Task.objects.filter(pk__in=task_ids[:AT_ONCE])
    tasks = wanted.select_related("account__test_clock", "order").order_by("pk")
    return [_one(VERBS[verb], task, user_id, at_of(task), said) for task in tasks]


def _one(verb: Verb, task: Task, user_id: int, at: datetime, said: Mapping[str, object]) -> Result:
    try:
        with transaction.atomic():
            verb(task_id=task.pk, user_id=user_id, at=at, **said)
    except Refused as refusal:
        return Result(task, refusal.message)
    except DatabaseError:
        return Result(task, _("That did not work; look again in a moment."))
    return Result(task)
