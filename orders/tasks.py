"""What orders do by message and by the clock."""

import os
import socket
from typing import Any

from celery import shared_task

from o2b import asks, clock, events
from orders import services
from orders.care import tasks as care
from orders.fulfilment.outcomes import Standing
from orders.kinds import tasks as kinds
from orders.models import Task
from orders.timing.tasks import (
    forecast_orders,
    renew_forecasts,
    restart_clocks,
    tell_jeopardy,
    tell_order_jeopardy,
    watch_time,
)

# Celery looks for an app's tasks here; those of its rooms are found by it too.
__all__ = [
    "care",
    "forecast_orders",
    "kinds",
    "renew_forecasts",
    "restart_clocks",
    "tell_jeopardy",
    "tell_order_jeopardy",
    "watch_time",
]

HOST = socket.gethostname()
AT_ONCE = 25


def standing_of(account_id: int) -> Standing | None:
    """How an account stands, as the stage above tells that bills it."""
    return next(iter(asks.ask("account_standing", account_id)), None)


@events.outside_reaction("orders.advance_order", at_once=AT_ONCE)
def advance_order(owed: dict[int, list[int]], key: int) -> None:
    """Do everything in an order, and in others that wait, that can be done by itself now."""
    worker = f"{HOST}:{os.getpid()}"
    ways: dict[str, Any] = {"at_of": clock.now, "worker": worker, "standing_of": standing_of}
    left = services.advance_together(owed=owed, **ways)
    if key in left:
        services.advance_order(order_id=key, owed=owed[key], **ways)
    events.hand_back(pk for order_id in left - {key} for pk in owed[order_id])


@events.periodic("orders.wake_due")
def wake_due() -> int:
    """Orders with a task whose waiting time is over."""
    return services.wake_due(machine_now=clock.now())


@events.reaction("orders.wake_system")
def wake_system(key: int) -> None:
    """A system is asked again: what waited for it goes on."""
    services.wake_system(system_id=key, at=clock.now())


@events.periodic("orders.begin_due")
def begin_due() -> int:
    """Orders on which work begins today, where their accounts live."""
    begun = 0
    while found := services.begin_due_orders(machine_now=clock.now()):
        begun += found
    return begun


@events.outside_reaction("orders.work_on_bulk")
def work_on_bulk(owed: dict[int, list[int]], key: int) -> None:
    """Try or place the rows of a sheet, batch by batch."""
    ways: dict[str, Any] = {"machine_now": clock.now(), "already_of": asks.held_by}
    while services.work_on_bulk(bulk_id=key, owed=owed[key], **ways):
        pass


@shared_task(name="orders.touch_task")
def touch_task(*, key: int) -> None:
    """The yardstick of bench_fulfilment: a message that does one UPDATE and nothing else."""
    Task.objects.filter(pk=key).update(worker=str(os.getpid()), done_at=clock.now())
