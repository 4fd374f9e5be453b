"""What orders do by message and by the clock."""

import os
import socket

from celery import shared_task

from o2b import clock, events
from orders import services

HOST = socket.gethostname()
AT_ONCE = 25


@events.outside_reaction("orders.advance_order", at_once=AT_ONCE)
def advance_order(owed: dict[int, list[int]], key: int) -> None:
    """Do everything in an order, and in others that wait, that can be done by itself now."""
    worker = f"{HOST}:{os.getpid()}"
    left = services.advance_together(owed=owed, at_of=clock.now, worker=worker)
    if key in left:
        services.advance_order(order_id=key, at_of=clock.now, worker=worker, owed=owed[key])
    events.hand_back(pk for order_id in left - {key} for pk in owed[order_id])


@shared_task(name="orders.wake_due")
def wake_due() -> int:
    """Orders with a task whose waiting time is over."""
    return services.wake_due(machine_now=clock.now())
