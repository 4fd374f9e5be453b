"""Give work to somebody, and hand it back with a word; who is concerned hears of it."""

from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b.people.models import Topic, User
from o2b.people.notices.services import tell
from orders.fulfilment.services import assign_task, release_task
from orders.models import Task
from orders.work.services import refusals as no
from orders.work.services.comments import comment


@transaction.atomic
def assign(*, task_id: int, to_id: int, user_id: int, at: datetime) -> Task:
    """Give a task to a member of its queue and tell them."""
    if not User.objects.filter(pk=to_id, is_active=True).exists():
        raise no.MemberUnknown(_("There is nobody like that."), field="to")
    task = assign_task(task_id=task_id, to_id=to_id, user_id=user_id, at=at)
    giver = User.objects.get(pk=user_id)
    title = _("%(who)s gives you %(task)s of O-%(order)s")
    tell(
        user_ids=[to_id] if to_id != user_id else [],
        topic=Topic.WORK,
        key=f"assigned-{task.pk}-{at.isoformat()}-{to_id}",
        title=title % {"who": giver, "task": task.name, "order": task.order_id},
        url=reverse("orders:task", args=[task.pk]),
        at=at,
    )
    return task


@transaction.atomic
def hand_back(
    *, task_id: int, user_id: int, at: datetime, note: str = "", manages: bool = False
) -> Task:
    """Put a claimed task back into its queue; the note stays beside it as a comment."""
    had = Task.objects.values_list("claimed_by", flat=True).get(pk=task_id)
    clean = note.strip()
    task = release_task(
        task_id=task_id, user_id=user_id, at=at, note=clean[:200].replace("\0", ""), manages=manages
    )
    if clean:
        comment(order_id=task.order_id, task_id=task.pk, author_id=user_id, text=clean, at=at)
    taker = User.objects.get(pk=user_id)
    title = _("%(who)s has put %(task)s of O-%(order)s back into its queue")
    tell(
        user_ids=[had] if had not in (None, user_id) else [],
        topic=Topic.WORK,
        key=f"taken-back-{task.pk}-{at.isoformat()}",
        title=title % {"who": taker, "task": task.name, "order": task.order_id},
        text=clean,
        url=reverse("orders:task", args=[task.pk]),
        at=at,
    )
    return task
