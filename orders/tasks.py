"""What orders do by message and by the clock."""

import os
import socket

from celery import shared_task

from o2b import clock, events
from orders import services

HOST = socket.gethostname()


@events.outside_reaction("orders.advance_order", queue="fulfilment")
def advance_order(key: int, outbox_id: int | None) -> None:
    """Do everything in an order that can be done by itself now."""
    services.advance_order(
        order_id=key, at_of=clock.now, worker=f"{HOST}:{os.getpid()}", outbox_id=outbox_id
    )


@shared_task(name="orders.wake_due")
def wake_due() -> int:
    """Orders with a task whose waiting time is over."""
    return services.wake_due(machine_now=clock.now())
