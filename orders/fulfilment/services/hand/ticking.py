"""Tick off what is on a task's checklist, and take a tick back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand.checks import refuse_other
from orders.models import Task


@transaction.atomic
def tick_item(*, task_id: int, item: int, is_done: bool, user_id: int, at: datetime) -> Task:
    """Tick one item (0 is the first) of one's claimed task, or untick it; who and when is news."""
    task = Task.objects.select_for_update(of=("self",), no_key=True).get(pk=task_id)
    refuse_other(task, user_id)
    if not 0 <= item < len(task.checklist):
        raise no.ItemUnknown(_("There is no such item on the checklist."), field="checklist")
    if (item in task.ticked) == is_done:
        return task
    task.ticked = sorted({*task.ticked, item} if is_done else set(task.ticked) - {item})
    task.save(update_fields=["ticked"])
    events.record(
        "task.ticked",
        task,
        at=at,
        actor_id=user_id,
        item=task.checklist[item],
        is_done=is_done,
        task=task.name,
    )
    return task
