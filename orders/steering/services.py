"""Steer an order as a whole: each of its lines that can follows, and of each it is said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events, fsm
from o2b.errors import Invalid, Refused
from orders.entry.days import check_days, check_priority
from orders.entry.services import checked_po_number
from orders.fulfilment.services.hand import check_reason
from orders.fulfilment.services.pauses import is_past_return
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake
from orders.models import Order, OrderLine, Task
from orders.steering.beginning import begin_due_orders, begin_lines

__all__ = [
    "OrderBegun",
    "OrderNotReady",
    "begin_due_orders",
    "cancel_order",
    "change_work_from",
    "hold_order",
    "name_po_number",
    "reprioritise",
    "resume_order",
]

L, T = OrderLine.State, Task.State
CANCELLABLE = (L.ACCEPTED, L.SCHEDULED, L.PROVISIONING, L.HELD, L.WAITING, L.FALLOUT)
OPEN = (T.BLOCKED, T.READY, T.CLAIMED, T.RUNNING, T.FAILED, T.FALLOUT)


class OrderNotReady(Refused):
    """No line of the order can do what is asked; `lines` says of each why not."""

    code = "order_not_ready"


class OrderBegun(Refused):
    """Work has begun, so the day on which it begins is settled."""

    code = "order_begun"


class WorkFromUnchanged(Invalid):
    code = "work_from_unchanged"


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of one line: done as asked, or why not."""

    line_id: int
    position: int
    done: bool
    state: str
    reason: str = ""


@transaction.atomic
def hold_order(
    *, order_id: int, at: datetime, reason: str, user_id: int | None = None
) -> list[LineResult]:
    """Let nothing more be begun for the order until it is resumed."""
    why = check_reason(reason)
    lines = _locked_lines(order_id)
    fit = [line for line in lines if line.state in (L.SCHEDULED, L.PROVISIONING)]
    for state in (L.SCHEDULED, L.PROVISIONING):
        fsm.move_locked(
            [line for line in fit if line.state == state],
            "hold",
            at=at,
            actor_id=user_id,
            values={"paused_from": str(state), "reason": why},
            facts_of=lambda line: {"reason": why},
        )
    return _told(lines, fit)


@transaction.atomic
def resume_order(*, order_id: int, at: datetime, user_id: int | None = None) -> list[LineResult]:
    """Let every line that we held go on from where it stood."""
    lines = _locked_lines(order_id)
    fit = [line for line in lines if line.state == L.HELD]
    for state in (L.SCHEDULED, L.PROVISIONING):
        fsm.move_locked(
            [line for line in fit if line.state == L.HELD and line.paused_from == state],
            f"resume_to_{state.value}",
            at=at,
            actor_id=user_id,
            values={"paused_from": "", "reason": ""},
        )
    return _told(lines, fit)


@transaction.atomic
def cancel_order(
    *, order_id: int, at: datetime, reason: str, user_id: int | None = None
) -> list[LineResult]:
    """Give up every line before its point of no return; what was done is undone, last first."""
    why = check_reason(reason)
    _lock(order_id)
    scene = Scene.of_orders([order_id])
    passed = {
        pk: next((task for task in tasks if is_past_return(task)), None)
        for pk, tasks in scene.tasks_of.items()
    }
    fit = [
        line
        for line in scene.lines.values()
        if line.state in CANCELLABLE and not passed.get(line.pk)
    ]
    fsm.move_locked(
        fit,
        "cancel",
        at=at,
        actor_id=user_id,
        values={"reason": why},
        facts_of=lambda line: {"reason": why},
    )
    settle(scene, {}, at=at, machine_now=at, actor_id=user_id)
    wake(scene, at=at, actor_id=user_id)
    others = OrderLine.objects.filter(order=order_id).exclude(pk__in=scene.lines)
    finals = {pk: _final(task) for pk, task in passed.items() if task}
    return _told([*scene.lines.values(), *others], fit, finals)


@transaction.atomic
def reprioritise(
    *, order_id: int, priority: int, at: datetime, reason: str = "", user_id: int | None = None
) -> Order:
    """Put an order before others or behind them: the work that is open follows."""
    wanted = check_priority(priority)
    order = _lock(order_id)
    if order.priority == wanted:
        return order
    before, order.priority = order.priority, wanted
    order.save(update_fields=["priority"])
    list(order.lines.select_for_update(of=("self",), no_key=True).order_by("pk"))
    tasks = Task.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    open_tasks = tasks.filter(order=order, state__in=OPEN).values_list("pk", flat=True)
    Task.objects.filter(pk__in=list(open_tasks)).update(priority=wanted)
    events.record(
        "order.reprioritised",
        order,
        at=at,
        actor_id=user_id,
        before=before,
        after=wanted,
        reason=check_reason(reason) if reason.strip() else "",
    )
    return order


@transaction.atomic
def change_work_from(
    *,
    order_id: int,
    work_from: date | None,
    at: datetime,
    reason: str,
    user_id: int | None = None,
) -> Order:
    """Let the work on an order begin on another day; without one, or on a past one, now.

    The promised day stays: whether it holds still is told by the new forecast.
    """
    why = check_reason(reason)
    order = _lock(order_id)
    lines = [line for line in _locked_lines(order_id) if line.state != L.CANCELLED]
    if not lines or any(line.state != L.ACCEPTED for line in lines):
        raise OrderBegun(
            _("Work on %(order)s has begun or is over; only what is ahead has a day.")
            % {"order": order},
            field="work_from",
        )
    if order.work_from == work_from:
        raise WorkFromUnchanged(_("It is this day already."), field="work_from")
    today = clock.day(order.account, at)
    check_days(today=today, work_from=work_from, promised_on=None)
    before, order.work_from = order.work_from, work_from
    order.save(update_fields=["work_from"])
    events.record(
        "order.rescheduled",
        order,
        at=at,
        actor_id=user_id,
        before=before and before.isoformat(),
        after=work_from and work_from.isoformat(),
        reason=why,
    )
    if work_from is None or work_from <= today:
        begin_lines(lines, at=at, actor_id=user_id)
    return order


@transaction.atomic
def name_po_number(
    *, order_id: int, po_number: str, at: datetime, user_id: int | None = None
) -> Order:
    """Note the customer's number of an order, at any time: bills from then on say it.

    What was billed under another one stays as it is.
    """
    number = checked_po_number(po_number)
    order = _lock(order_id)
    before, order.po_number = order.po_number, number
    if before != number:
        order.save(update_fields=["po_number"])
        events.record(
            "order.po_numbered", order, at=at, actor_id=user_id, before=before, after=number
        )
    return order


def _lock(order_id: int) -> Order:
    locked = Order.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("account__test_clock").get(pk=order_id)


def _locked_lines(order_id: int) -> list[OrderLine]:
    """The order's lines, with the order locked before them."""
    _lock(order_id)
    lines = OrderLine.objects.select_for_update(of=("self",), no_key=True).select_related(
        "account__test_clock"
    )
    return list(lines.filter(order=order_id).order_by("pk"))


def _told(
    lines: Iterable[OrderLine],
    done: Sequence[OrderLine],
    finals: dict[int, str] | None = None,
) -> list[LineResult]:
    """The result of each line; refuses where none could follow."""
    moved = {line.pk for line in done}
    results = [
        LineResult(
            line_id=line.pk,
            position=line.position,
            done=line.pk in moved,
            state=str(line.state),
            reason="" if line.pk in moved else _why_not(line, finals or {}),
        )
        for line in sorted(lines, key=lambda line: line.position)
    ]
    if not moved:
        message = _("No line of the order can do that: %(why)s")
        why = next((result.reason for result in results), "")
        raise OrderNotReady(message % {"why": why}, lines=[result.reason for result in results])
    return results


def _why_not(line: OrderLine, finals: dict[int, str]) -> str:
    return finals.get(line.pk) or _("It is %(state)s.") % {"state": line.get_state_display()}


def _final(task: Task) -> str:
    message = _("“%(task)s” is %(state)s, and final.")
    return message % {"task": task.name, "state": task.get_state_display()}
