"""Deliver a line's quantity in parts: each leaves its evidence, the last one completes the task."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from o2b import events
from orders.fulfilment.services.ending import deliver
from orders.fulfilment.services.hand.checks import refuse_other, refuse_unless_going, scene_of
from orders.fulfilment.services.hand.evidence import Said, check_complete, left_of
from orders.fulfilment.services.hand.finishing import finish
from orders.models import Evidence, Task


@transaction.atomic
def record_part(
    *,
    task_id: int,
    user_id: int,
    at: datetime,
    quantity: Decimal | str | None = None,
    version: int | str | None = None,
    serial: str = "",
    serials: Sequence[str] = (),
) -> Task:
    """Say that so much of it is delivered; the task stays claimed until the rest is there too.

    How much of the line that makes is a fact of that day.
    """
    scene, task = scene_of(task_id)
    refuse_other(task, user_id)
    refuse_unless_going(task)
    said = Said(version, serial, serials, quantity)
    part = check_complete(task, said, is_whole=False)
    if part.quantity == left_of(task):
        finish(scene, task, check_complete(task, said), at=at, user_id=user_id)
        return task
    evidence = Evidence.objects.create(
        task=task,
        line=task.line,
        product_version=part.version,
        quantity=part.quantity,
        serial=part.serial,
        serials=list(part.serials),
        is_part=True,
        at=at,
        by_id=user_id,
    )
    told = f"{part.quantity.normalize():f}"
    events.record(
        "task.part_delivered", task, at=at, actor_id=user_id, quantity=told, task=task.name
    )
    deliver(scene, [evidence], at, user_id)
    return task
