"""Send the message "advance this order" when something in it can run that nobody told it of."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from o2b import events
from o2b.models import Outbox
from orders.fulfilment.services.scene import GOING, Scene
from orders.models import Order, Task

T = Task.State
TASK = "orders.advance_order"
PATIENCE = timedelta(minutes=1)


def wake(scene: Scene, *, at: datetime, actor_id: int | None = None) -> None:
    """After a person's step: let the order advance if automatic work became possible by it."""
    waiting = [
        task
        for task in scene.tasks_in(scene.going())
        if task.kind == Task.Kind.AUTOMATIC and task.state == T.READY
    ]
    if waiting:
        order = Order(pk=waiting[0].order_id, account_id=waiting[0].account_id)
        events.record("order.woken", order, at=at, actor_id=actor_id)


def wake_due(*, machine_now: datetime, limit: int = 1000) -> int:
    """Owe a message to every order with a task whose back-off or lease is over; say how many.

    Set-based; orders that are owed a message already are left to it. Two of these at once take
    different rows.
    """
    with transaction.atomic():
        owed_already = Outbox.objects.filter(task=TASK, key=OuterRef("order_id"))
        due = (
            Task.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(kind=Task.Kind.AUTOMATIC, line__state__in=GOING)
            .filter(
                Q(state=T.READY, due_at__lte=machine_now)
                | Q(state=T.READY, due_at=None, ready_at__lt=machine_now - PATIENCE)
                | Q(state=T.RUNNING, leased_until__lt=machine_now)
            )
            .filter(~Exists(owed_already))
            .order_by("pk")
            .values_list("order_id", flat=True)[:limit]
        )
        owed = Outbox.objects.bulk_create(
            Outbox(event_name="task.due", task=TASK, key=order) for order in sorted(set(due))
        )
        if owed:
            transaction.on_commit(lambda: events.publish(owed), robust=True)
    return len(owed)
