"""A step that somebody must allow: the advocate, or whoever may approve work.

Parameters: `reason` (what is asked), `of_whom` (advocate or anyone).
"""

from collections.abc import Collection
from datetime import datetime
from typing import cast

from django.db import transaction

from o2b import events, fsm
from o2b.customers.models import Account
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, Job, Outcome, Waiting
from orders.kinds.parameters import checker, guarded, one_of, text
from orders.models import Approval, OrderLine
from orders.models.words import FailureClass, WaitsFor
from orders.work.services.telling import tell_asked

A = Approval.State
ADVOCATE, ANYONE = "advocate", "anyone"

faults = checker(needed=("reason",), reason=text(1000), of_whom=one_of(ADVOCATE, ANYONE))


def approval(job: Job) -> Outcome:
    """Ask once, wait, and go by the answer."""
    asked = asked_for(job)
    if asked is None:
        of = None
        if job.parameters.get("of_whom") == ADVOCATE:
            of = Account.objects.values_list("advocate_id", flat=True).get(pk=job.account_id)
        asked = ask_step(job, reason=job.parameters["reason"].strip(), of_whom_id=of)
    return answer(asked) or Waiting(WaitsFor.APPROVAL, reason=asked.reason)


def asked_for(job: Job) -> Approval | None:
    """The question that stands for this task: a new attempt after a refusal asks anew."""
    return asked_for_each([job]).get(job.task_id)


def asked_for_each(jobs: Collection[Job]) -> dict[int, Approval]:
    """The questions that stand, by task."""
    polled = {job.task_id for job in jobs if job.is_poll}
    theirs = Approval.objects.filter(
        task__in=[job.task_id for job in jobs], kind=Approval.Kind.STEP
    ).exclude(state=A.WITHDRAWN)
    newest = {cast(int, asked.task_id): asked for asked in theirs.order_by("pk")}
    return {
        task_id: asked
        for task_id, asked in newest.items()
        if asked.state != A.REFUSED or task_id in polled
    }


@transaction.atomic
def ask_step(job: Job, *, reason: str, of_whom_id: int | None = None) -> Approval:
    """Ask whether a task may be passed."""
    asked = Approval.objects.create(
        kind=Approval.Kind.STEP,
        task_id=job.task_id,
        line=OrderLine(pk=job.line_id, order_id=job.order_id),
        order_id=job.order_id,
        account_id=job.account_id,
        reason=reason,
        asked_at=job.at,
        of_whom_id=of_whom_id,
    )
    events.record("approval.asked", asked, at=job.at, reason=reason, task=job.name)
    tell_asked(asked)
    return asked


def withdraw(asked: Approval, *, at: datetime) -> None:
    """Nobody needs to answer any more; an answer that came meanwhile stays."""
    fsm.move(Approval.objects.filter(pk=asked.pk), "withdraw", at=at)


def answer(asked: Approval) -> Done | Failed | None:
    """What was decided, if it was."""
    if asked.state == A.GRANTED:
        data = {"approved_by": str(asked.decided_by)} | (
            {"answer": asked.answer} if asked.answer else {}
        )
        return Done(data=data, by_id=asked.decided_by_id)
    if asked.state == A.REFUSED:
        said = f": {asked.answer}" if asked.answer else ""
        return Failed(f"refused by {asked.decided_by}{said}", kind=FailureClass.REFUSED)
    return None


APPROVAL = Handler(run=guarded(faults, approval), instant=True, writes=True, faults=faults)
