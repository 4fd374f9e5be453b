"""What the bench measures: tasks finished by workers, empty messages answered, plans laid."""

import time
from collections.abc import Callable
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django.db.models import Max, Min

from o2b import clock, events
from o2b.models import Event, Outbox
from orders.acceptance.services import place_order
from orders.fulfilment.bench.world import World, offer
from orders.models import Attempt, Evidence, LicenceKey, Order, OrderLine, Task, TaskCost

MOST_SECONDS = 1800.0
LOOK_SECONDS = 0.2
ADVANCE = "orders.advance_order"
TOUCH = "orders.touch_task"


def rows_left() -> dict[str, int]:
    """What finished tasks left behind, counted by SQL."""
    done = Task.objects.filter(state=Task.State.DONE)
    return {
        "tasks_done": done.count(),
        "attempts": Attempt.objects.count(),
        "events": Event.objects.filter(name="task.done").count(),
        "costs": TaskCost.objects.count(),
        "evidence": Evidence.objects.count(),
        "licence_keys": LicenceKey.objects.exclude(task=None).count(),
        "lines_completed": OrderLine.objects.filter(state=OrderLine.State.COMPLETED).count(),
    }


def finishing_seconds() -> float:
    """From the first attempt that was written to the last, by the database's clock."""
    found = Attempt.objects.aggregate(first=Min("recorded_at"), last=Max("recorded_at"))
    return float((found["last"] - found["first"]).total_seconds())


def send_orders() -> None:
    """A message for what is owed, as after a commit; the other reactions are left alone."""
    events.publish(Outbox.objects.filter(task=ADVANCE).order_by("pk"))


def send_touches() -> int:
    """One empty message a task, through the same broker."""
    keys = list(Task.objects.order_by("pk").values_list("pk", flat=True))
    task = current_app.tasks[TOUCH]
    with current_app.producer_pool.acquire(block=True) as producer:
        for key in keys:
            task.apply_async(kwargs={"key": key}, producer=producer)
    return len(keys)


def touching_seconds() -> float:
    """From the first UPDATE of an empty message to the last."""
    found = Task.objects.aggregate(first=Min("done_at"), last=Max("done_at"))
    return float((found["last"] - found["first"]).total_seconds())


def await_(reached: Callable[[], bool]) -> None:
    """Look until it is so."""
    until = time.monotonic() + MOST_SECONDS
    while not reached():
        if time.monotonic() > until:
            raise TimeoutError("the bench does not come to its end")
        time.sleep(LOOK_SECONDS)


def laying(world: World, *, lines: int, rounds: int = 5) -> dict[str, Any]:
    """Seconds to accept a large quote, and to insert the same rows ready made.

    The least of some rounds each, every round in a transaction that is rolled back.
    """
    quote = offer(world, lines=lines)

    def accept() -> Order:
        return place_order(quote_id=quote.pk, by="Ann Hall", at=clock.now())

    ours = min(_timed(accept) for _ in range(rounds))
    with transaction.atomic():
        rows = _rows_of(accept())
        transaction.set_rollback(True)
    bare = min(_timed(lambda: _insert(rows)) for _ in range(rounds))
    return {
        "laying_lines": lines,
        "laying_tasks": len(rows[2]),
        "laying_seconds": round(ours, 4),
        "bare_insert_seconds": round(bare, 4),
        "laying_ratio_to_bare": round(ours / bare, 2),
    }


def _timed(work: Callable[[], object]) -> float:
    with transaction.atomic():
        began = time.perf_counter()
        work()
        took = time.perf_counter() - began
        transaction.set_rollback(True)
    return took


def _rows_of(order: Order) -> list[list[Any]]:
    """Every row that placing an order leaves, in an order in which they can be written."""
    about = Event.objects.filter(order_id=order.pk)
    return [
        [order],
        list(OrderLine.objects.filter(order=order).order_by("pk")),
        list(Task.objects.filter(order=order).order_by("pk")),
        list(about.order_by("pk")),
        list(Outbox.objects.filter(key=order.pk)),
    ]


def _insert(rows: list[list[Any]]) -> None:
    for kind in rows:
        if kind:
            type(kind[0])._base_manager.bulk_create(kind, batch_size=2000)


def vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
