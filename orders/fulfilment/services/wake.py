"""Send the message "advance this order" when something in it can run that nobody told it of."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from o2b import events
from o2b.models import Outbox
from orders.fallout import breaker
from orders.fulfilment.services.scene import ENDED, GOING, Scene
from orders.models import Order, OrderLine, Task

L, T = OrderLine.State, Task.State
TASK = "orders.advance_order"
PATIENCE = timedelta(minutes=1)


def wake(scene: Scene, *, at: datetime, actor_id: int | None = None) -> None:
    """After a person's step: let the order advance if automatic work became possible by it."""
    waiting = [
        task
        for task in scene.workable()
        if task.kind == Task.Kind.AUTOMATIC and task.state == T.READY
    ]
    if waiting:
        _wake(waiting[0], at, actor_id)


def wake_those_behind(scene: Scene, *, at: datetime, actor_id: int | None = None) -> None:
    """Let the order advance if tasks of other lines wait on one of the scene that has ended."""
    ended = [task.pk for task in scene.tasks.values() if task.state in ENDED]
    if not ended:
        return
    order_id = next(iter(scene.lines.values())).order_id
    behind = Task.objects.filter(order_id=order_id, state=T.BLOCKED, after__overlap=ended)
    if first := behind.exclude(line__in=scene.lines).first():
        _wake(first, at, actor_id)


def wake_orders(tasks: Iterable[Task], at: datetime, actor_id: int | None = None) -> None:
    """Let the orders of these tasks advance, each once."""
    for task in {task.order_id: task for task in tasks}.values():
        _wake(task, at, actor_id)


def nudge(*, task_ids: Collection[int], at: datetime, machine_now: datetime) -> int:
    """Let waiting tasks look now whether their wait is over; returns how many orders were woken."""
    with transaction.atomic():
        waiting = list(
            Task.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk__in=task_ids, state=T.RUNNING, leased_until=None)
            .exclude(waits_for="")
            .order_by("pk")
        )
        Task.objects.filter(pk__in=[task.pk for task in waiting]).update(due_at=machine_now)
        wake_orders(waiting, at)
    return len({task.order_id for task in waiting})


def _wake(task: Task, at: datetime, actor_id: int | None) -> None:
    order = Order(pk=task.order_id, account_id=task.account_id)
    events.record("order.woken", order, at=at, actor_id=actor_id)


def _is_due(machine_now: datetime) -> Q:
    """Back-off or lease is over, a poll is due, or the day came that a task waits for.

    When a task became ready says an account's own clock, so under a test clock nothing of when.
    """
    its_now = Coalesce(F("account__test_clock__now"), Value(machine_now))
    is_old = Q(ready_at__lt=machine_now - PATIENCE) | Q(account__test_clock__isnull=False)
    return (
        Q(state=T.READY, due_at__lte=machine_now)
        | (Q(state=T.READY, due_at=None) & is_old)
        | Q(state=T.RUNNING, leased_until__lt=machine_now)
        | Q(state=T.RUNNING, leased_until=None, due_at__lte=machine_now)
        | Q(state=T.RUNNING, leased_until=None, resume_at__lte=its_now)
    )


def wake_due(*, machine_now: datetime, limit: int = 1000) -> int:
    """Owe a message to every order with a task whose back-off or lease is over; say how many.

    Set-based; orders that are owed a message already are left to it. Two of these at once take
    different rows. Tasks of a system that is down sleep on; when it may be tried, one wakes.
    """
    with transaction.atomic():
        owed_already = Outbox.objects.filter(task=TASK, key=OuterRef("order_id"))
        tasks = (
            Task.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
            .filter(kind=Task.Kind.AUTOMATIC, line__state__in=(*GOING, L.CANCELLING))
            .filter(_is_due(machine_now))
            .filter(~Exists(owed_already))
            .order_by("pk")
            .values_list("order_id", "account_id")
        )
        circuits = breaker.look_at_all(at=machine_now)
        broken = circuits.down | circuits.to_try
        due = list((tasks.exclude(system__in=broken) if broken else tasks)[:limit])
        for code in sorted(circuits.to_try):
            due += tasks.filter(system=code)[:1]
        owed = Outbox.objects.bulk_create(
            Outbox(event_name="task.due", task=TASK, key=order, account_id=account)
            for order, account in sorted(set(due))
        )
        if owed:
            transaction.on_commit(lambda: events.publish(owed), robust=True)
    return len(owed)
