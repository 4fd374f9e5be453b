"""A task as its page shows it: facts, neighbours, and the forms that are open for this person."""

from dataclasses import dataclass
from typing import Any

from django.forms import Form

from o2b.people.models import User
from orders.fulfilment.forms import EvidenceForm, PartForm
from orders.fulfilment.services.hand.evidence import left_of
from orders.fulfilment.services.hand.skipping import SKIPPABLE
from orders.history import entries
from orders.models import Approval, Task
from orders.queues import may_work_in
from orders.work import forms
from orders.work.selectors import lists, one

T, A = Task.State, Approval.State


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a checklist."""

    number: int
    text: str
    is_done: bool


def checklist(task: Task) -> list[Item]:
    return [Item(n, text, n in task.ticked) for n, text in enumerate(task.checklist)]


def task_context(user: User, task_id: int, **filled: Form) -> dict[str, Any]:
    """Everything on the page of a task; `filled` are forms that came back with errors."""
    task = one.task_whole(task_id)
    works = user.has_perm("orders.work_tasks")
    is_mine = works and task.state == T.CLAIMED and task.claimed_by_id == user.pk
    manages = user.has_perm("orders.manage_work")
    asked = {approval.kind for approval in task.approvals.all() if approval.state == A.ASKED}
    context = {
        "task": task,
        "order": task.order,
        "works": works,
        "manages": manages,
        "is_mine": is_mine,
        "may_claim": works and _may_claim(task, user),
        "may_hand_back": is_mine or (manages and task.state == T.CLAIMED),
        "may_assign": manages and task.state in (T.READY, T.CLAIMED) and task.queue_id,
        "may_skip": works and task.state in SKIPPABLE and "skip" not in asked,
        "may_substitute": works and not task.line.is_over and "substitution" not in asked,
        "checklist": checklist(task),
        "before": one.before(task),
        "behind": one.behind(task),
        "comments": one.comments_on(order=task.order, task=task),
        "people": list(one.people()),
        "entries": entries(one.events_of(task), {}, {}),
        "in_parts": is_mine and task.line.quantity > 1,
        "left": left_of(task),
        "wants_file": "file" in task.wants,
        "actual": sum(cost.amount for cost in task.costs.all()),
    }
    return context | _forms(task, context) | filled


def _may_claim(task: Task, user: User) -> bool:
    ready = task.state == T.READY and task.kind == Task.Kind.MANUAL
    return ready and may_work_in(user.pk, task.queue_id)


def _forms(task: Task, context: dict[str, Any]) -> dict[str, Any]:
    people = lists.members_of(task.queue_id) if context["may_assign"] else []
    return {
        "evidence_form": EvidenceForm(task),
        "part_form": PartForm(task),
        "comment_form": forms.CommentForm(),
        "file_form": forms.FileForm(),
        "skip_form": forms.SkipForm(),
        "substitute_form": forms.SubstituteForm(),
        "note_form": forms.NoteForm(),
        "given_form": forms.GivenForm(people),
        "priority_form": forms.PriorityForm(initial={"priority": task.priority}),
    }
