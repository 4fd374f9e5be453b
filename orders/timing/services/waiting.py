"""Let a line stand still for the customer, whose time is not ours, and go on from there."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import fsm
from o2b.models import Event
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand import check_reason
from orders.fulfilment.services.pauses import resume_line
from orders.models import OrderLine, Task
from orders.rules.worktime import add_working, working_minutes
from orders.timing.clocks import calendar_of
from orders.timing.selectors import UNDER_WAY

L = OrderLine.State


@transaction.atomic
def wait_for_customer(
    *, line_id: int, reason: str, at: datetime, user_id: int | None = None
) -> OrderLine:
    """Stand still until the customer has answered; no clock of the line's tasks runs on.

    Unlike a hold, which is ours: there the customer waits all the same, and so its clocks run.
    """
    why = check_reason(reason)
    line = _locked(line_id)
    _catch_up(line)
    line.standing_since = at
    arguments: dict[str, Any] = {"facts": {"reason": why}, "reason": why, "actor_id": user_id}
    fsm.apply(line, "wait", at=at, refusal=no.LineNotReady, **arguments)
    return line


@transaction.atomic
def customer_answered(*, line_id: int, at: datetime, user_id: int | None = None) -> OrderLine:
    """Let a line that waited for the customer go on; its clocks are as late as they were."""
    line = _locked(line_id)
    if line.state != L.WAITING:
        message = _("Line %(line)s is %(state)s; nobody waits for the customer.")
        raise no.LineNotReady(message % {"line": line, "state": line.get_state_display()})
    line = resume_line(line_id=line_id, at=at, user_id=user_id)
    _go_on(line, at)
    return line


@transaction.atomic
def restart_clocks(*, line_id: int) -> None:
    """However a line was resumed: move its clocks by the time that it stood for the customer."""
    _catch_up(_locked(line_id))


def _locked(line_id: int) -> OrderLine:
    return OrderLine.objects.select_for_update(of=("self",), no_key=True).get(pk=line_id)


def _catch_up(line: OrderLine) -> None:
    """Move the clocks of a line that goes on, if nobody has yet: before it waits again, at last."""
    if line.standing_since is None or line.state == L.WAITING:
        return
    resumed = Event.objects.filter(
        subject_type="orders.orderline", subject_id=line.pk, name="order_line.resumed"
    )
    last = resumed.order_by("-id").first()
    _go_on(line, last.at if last else line.standing_since)


def _go_on(line: OrderLine, at: datetime) -> None:
    """Move what had not passed yet by the working time that was stood still."""
    since = line.standing_since or at
    clocked = Task.objects.select_for_update(of=("self",), no_key=True).filter(
        line=line, state__in=UNDER_WAY, amber_at__isnull=False
    )
    tasks = list(clocked.select_related("queue__calendar").order_by("pk"))
    for task in tasks:
        calendar = calendar_of(task.queue)
        # What became ready in between has stood from then on.
        stood = working_minutes(max(since, task.ready_at or since), at, calendar)
        for name in ("amber_at", "red_at"):
            moment = getattr(task, name)
            if moment is not None and moment > since:
                setattr(task, name, add_working(moment, stood, calendar))
    if tasks:
        Task.objects.bulk_update(tasks, ["amber_at", "red_at"], 500)
    OrderLine.objects.filter(pk=line.pk).update(standing_since=None)
    line.standing_since = None
