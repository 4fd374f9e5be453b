"""What a second person must allow: leaving a step out, delivering another version, a step's go."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from o2b import events, fsm
from o2b.catalog.models import ProductVersion
from o2b.people.models import User
from orders.fulfilment.services import let_substitute, nudge, skip_task
from orders.fulfilment.services.hand.checks import check_reason, refuse_unless_going
from orders.fulfilment.services.hand.skipping import check_skippable
from orders.models import Approval, OrderLine, Task
from orders.queues import is_administrator
from orders.work.services import refusals as no
from orders.work.services.telling import tell_answer, tell_asked

A, K, L = Approval.State, Approval.Kind, OrderLine.State
APPROVES = "orders.approve_work"


def ask_skip(*, task_id: int, user_id: int, reason: str, at: datetime) -> Approval:
    """Ask to leave a step out; whoever approves work decides, but not who asks."""
    why = check_reason(reason)
    task = Task.objects.select_related("line", "queue").get(pk=task_id)
    check_skippable(task)
    return _ask(
        Approval(
            kind=K.SKIP,
            line=task.line,
            order_id=task.order_id,
            account_id=task.account_id,
            task=task,
            reason=why,
            asked_by_id=user_id,
            asked_at=at,
        )
    )


def ask_substitution(
    *, task_id: int, user_id: int, version: int | str, reason: str, at: datetime
) -> Approval:
    """Ask the account's advocate to let another version be delivered; the Terms stay."""
    why = check_reason(reason)
    task = Task.objects.select_related(
        "line__product_version__product", "line__account", "queue"
    ).get(pk=task_id)
    line = task.line
    if line.is_over or line.state == L.CANCELLING:
        refuse_unless_going(task)
    substitute = _version_of(line, version)
    advocate = line.account.advocate_id
    return _ask(
        Approval(
            kind=K.SUBSTITUTION,
            line=line,
            order_id=task.order_id,
            account_id=task.account_id,
            task=task,
            to_version=substitute,
            reason=why,
            asked_by_id=user_id,
            asked_at=at,
            of_whom_id=advocate,
        )
    )


def _version_of(line: OrderLine, version: int | str) -> ProductVersion:
    number = str(version).strip().lower().removeprefix("v")
    promised = line.product_version
    is_number = number.isascii() and number.isdigit() and len(number) < 6
    known = ProductVersion.objects.filter(product=promised.product_id)
    found = known.filter(number=int(number)).first() if is_number else None
    if found is None or found.pk == promised.pk or found.state == ProductVersion.State.DRAFT:
        message = _("%(product)s has no other version %(version)s that is published.")
        told = {"product": promised.product, "version": number[:20]}
        raise no.SubstituteUnknown(message % told, field="version")
    return found


@transaction.atomic
def _ask(asked: Approval) -> Approval:
    """Write the question and tell who may answer; one task asks one thing of a kind at a time."""
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
    except IntegrityError as exc:
        raise no.AskedAlready(_("That is asked already and waits for its answer.")) from exc
    told: dict[str, Any] = {"kind": asked.kind, "line": asked.line.position, "reason": asked.reason}
    events.record("approval.asked", asked, at=asked.asked_at, actor_id=asked.asked_by_id, **told)
    tell_asked(asked)
    return asked


@transaction.atomic
def grant_approval(
    *, approval_id: int, user_id: int, at: datetime, machine_now: datetime, answer: str = ""
) -> Approval:
    """Allow it; what was asked for happens at once."""
    approval = _decide(approval_id, user_id, "grant", at, answer)
    if approval.kind == K.SKIP and approval.task_id is not None:
        skip_task(task_id=approval.task_id, user_id=user_id, reason=approval.reason, at=at)
    elif approval.kind == K.SUBSTITUTION:
        let_substitute(line_id=approval.line_id, user_id=user_id, at=at)
    _nudge(approval, at, machine_now)
    tell_answer(approval, at)
    return approval


@transaction.atomic
def refuse_approval(
    *, approval_id: int, user_id: int, at: datetime, machine_now: datetime, answer: str
) -> Approval:
    """Say no, and why."""
    why = check_reason(answer)
    approval = _decide(approval_id, user_id, "refuse", at, why)
    _nudge(approval, at, machine_now)
    tell_answer(approval, at)
    return approval


@transaction.atomic
def withdraw_approval(*, approval_id: int, user_id: int, at: datetime) -> Approval:
    """Take back what one has asked."""
    approval = Approval.objects.select_for_update(of=("self",), no_key=True).get(pk=approval_id)
    if approval.asked_by_id != user_id:
        raise no.NotYours(_("Only who asked can take it back."))
    fsm.apply(approval, "withdraw", at=at, refusal=no.ApprovalNotOpen, actor_id=user_id)
    return approval


def may_decide(approval: Approval, user: User) -> bool:
    """Who was asked, else whoever approves work; administrators; never who asks."""
    if approval.state != A.ASKED or approval.asked_by_id == user.pk:
        return False
    if is_administrator(user.pk):
        return True
    if approval.of_whom_id is not None:
        return approval.of_whom_id == user.pk
    return user.has_perm(APPROVES)


def _decide(approval_id: int, user_id: int, verb: str, at: datetime, answer: str) -> Approval:
    # Lines are locked before anything that belongs to them.
    line_id = Approval.objects.values_list("line_id", flat=True).get(pk=approval_id)
    OrderLine.objects.select_for_update(of=("self",), no_key=True).get(pk=line_id)
    approval = (
        Approval.objects.select_for_update(of=("self",), no_key=True)
        .select_related("line__order", "task", "to_version")
        .get(pk=approval_id)
    )
    decider = User.objects.get(pk=user_id)
    if approval.state == A.ASKED and not may_decide(approval, decider):
        message = _("A second person decides this: %(who)s.")
        raise no.NotYours(message % {"who": approval.of_whom or _("somebody who approves work")})
    said = answer.strip()[:2000].replace("\0", "")
    fsm.apply(
        approval,
        verb,
        at=at,
        refusal=no.ApprovalNotOpen,
        actor_id=user_id,
        facts={"kind": approval.kind, "line": approval.line.position, "reason": said},
        by=user_id,
        answer=said,
    )
    return approval


def _nudge(approval: Approval, at: datetime, machine_now: datetime) -> None:
    """A step that waits for this answer looks at it now."""
    if approval.kind == K.STEP and approval.task_id is not None:
        nudge(task_ids=[approval.task_id], at=at, machine_now=machine_now)
