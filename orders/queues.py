"""Who works in which queue: members, and administrators in all of them."""

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from o2b.people.groups import ADMINISTRATOR
from o2b.people.models import User
from orders.models import Queue


def queues_of(user_id: int) -> QuerySet[Queue]:
    """The queues that a person works in."""
    if is_administrator(user_id):
        return Queue.objects.all()
    return Queue.objects.filter(members__user_id=user_id)


def may_work_in(user_id: int, queue_id: int | None) -> bool:
    return queue_id is not None and queues_of(user_id).filter(pk=queue_id).exists()


def is_administrator(user_id: int) -> bool:
    return (
        User.objects.filter(pk=user_id, is_superuser=True).exists()
        or Group.objects.filter(name=ADMINISTRATOR, user__pk=user_id).exists()
    )
