"""Escalate: tell somebody else when a task has stood in jeopardy or fallout for too long."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from o2b import events
from o2b.models import Event
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many
from orders.models import EscalationRule, Task
from orders.rules.worktime import working_minutes
from orders.timing.clocks import calendar_of
from orders.timing.selectors import clocked
from orders.timing.services.telling import text_of

FALLOUT, FELL = EscalationRule.Level.FALLOUT, Task.State.FALLOUT
EVENT = "task.escalated"
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """A task in jeopardy or fallout, and since when by the clock of its account."""

    task_id: int
    queue_id: int | None
    level: str
    since: datetime
    its_now: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A task for which a rule has come true."""

    task: Any
    rule: EscalationRule
    its_now: datetime


@transaction.atomic
def escalate(*, machine_now: datetime) -> int:
    """Follow the rules of escalation, each once a task; returns how often somebody was told.

    What stands in jeopardy is read with a few columns, and compared here: as one statement it asks
    the events once a task and rule, and a planner without statistics makes minutes of that.
    """
    rules = list(EscalationRule.objects.filter(is_active=True).order_by("pk"))
    if not rules:
        return 0
    standing = _standing(machine_now)
    known = _known([one.task_id for one in standing])
    pairs = [
        (one, rule)
        for one in standing
        for rule in rules
        if (one.task_id, rule.pk) not in known and _may_be_due(one, rule)
    ][:AT_ONCE]
    tasks = _locked([one.task_id for one, _ in pairs])
    found = [
        Due(task, rule, one.its_now)
        for one, rule in pairs
        if (task := tasks.get(one.task_id)) and _is_due(task, one, rule)
    ]
    _record(found)
    tell_many([_note(due) for due in found])
    return len(found)


def _standing(machine_now: datetime) -> list[Standing]:
    """Everything that stands in jeopardy or fallout, those that stand longest first."""
    rows = clocked(machine_now=machine_now, or_else=Q(state=FELL)).order_by()
    columns = ("pk", "queue", "state", "jeopardy", "jeopardy_since", "its_now")
    told = list(rows.values_list(*columns))
    fell = _fell_at([pk for pk, _, state, *_ in told if state == FELL])
    found = [
        Standing(pk, queue, *_level(pk, state, jeopardy, since, fell), its_now)
        for pk, queue, state, jeopardy, since, its_now in told
        if pk in fell or since is not None
    ]
    return sorted(found, key=lambda one: (one.since, one.task_id))


def _level(
    pk: int, state: str, jeopardy: str, since: datetime, fell: dict[int, datetime]
) -> tuple[str, datetime]:
    return (FALLOUT, fell[pk]) if pk in fell else (jeopardy, since)


def _fell_at(task_ids: Sequence[int]) -> dict[int, datetime]:
    events_of = Event.objects.filter(subject_type="orders.task", subject_id__in=task_ids)
    fell = events_of.filter(name="task.fell_out").order_by().values_list("subject_id")
    return dict(fell.annotate(Max("at")))


def _locked(task_ids: Sequence[int]) -> dict[int, Any]:
    """The tasks that nobody else holds, locked, with all that a notice tells of them."""
    free = Task.objects.select_for_update(
        of=("self",), no_key=True, skip_locked=True
    ).select_related(
        "order__account__customer", "queue__calendar", "line__product_version__product"
    )
    return {task.pk: task for task in free.filter(pk__in=task_ids).order_by("pk")}


def _record(found: Sequence[Due]) -> None:
    together: dict[tuple[datetime, EscalationRule], list[Any]] = defaultdict(list)
    for due in found:
        together[due.its_now, due.rule].append(due.task)
    for (at, rule), tasks in together.items():
        facts: dict[str, Any] = {"rule": rule.pk, "level": rule.level, "to": rule.tell_id}
        events.record_many(EVENT, tasks, at=at, facts_of=lambda t: {"task": t.name}, **facts)


def _known(task_ids: Sequence[int]) -> set[tuple[int, int]]:
    told = Event.objects.filter(subject_type="orders.task", subject_id__in=task_ids, name=EVENT)
    return set(told.values_list("subject_id", "facts__rule"))


def _may_be_due(one: Standing, rule: EscalationRule) -> bool:
    """No fewer minutes have passed than working ones."""
    fits = one.level == rule.level and rule.queue_id in (None, one.queue_id)
    return fits and one.its_now - one.since >= timedelta(minutes=rule.after_minutes)


def _is_due(task: Task, one: Standing, rule: EscalationRule) -> bool:
    """It stands there still, and so many working minutes have passed."""
    if (task.state == FELL) != (one.level == FALLOUT):
        return False
    worked = working_minutes(one.since, one.its_now, calendar_of(task.queue))
    return worked >= rule.after_minutes


def _note(due: Due) -> Note:
    told = {"order": due.task.order, "task": due.task.name, "level": due.rule.get_level_display()}
    return Note(
        user_ids=[due.rule.tell_id],
        topic=Topic.WORK,
        key=f"task-{due.task.pk}-rule-{due.rule.pk}",
        title=_("%(order)s: “%(task)s” is still %(level)s") % told,
        at=due.its_now,
        text=text_of(due.task),
        url=due.task.order.get_absolute_url(),
        tone="bad",
    )
