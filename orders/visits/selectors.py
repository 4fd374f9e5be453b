"""Questions about visits: of a week, to be arranged, one whole; who can go there."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from o2b.people.models import User
from orders.models import Appointment, Queue

A = Appointment.State
TO_ARRANGE = (A.WANTED, A.MISSED)
MOST_TO_ARRANGE = 50


def shown_visits() -> QuerySet[Appointment]:
    """Visits with all that a card shows."""
    return Appointment.objects.select_related(
        "task", "line__product_version__product", "account__customer", "queue", "with_whom"
    )


def visits_between(
    begin: datetime, end: datetime, *, queue_id: int | None = None, user_id: int | None = None
) -> QuerySet[Appointment]:
    """Visits that begin in a span of time, in order; cancelled ones are nobody's."""
    found = shown_visits().filter(begins_at__gte=begin, begins_at__lt=end)
    found = found.exclude(state=A.CANCELLED).exclude(state=A.MISSED)
    return _of(found, queue_id, user_id).order_by("begins_at", "pk")


def to_arrange(*, queue_id: int | None = None) -> QuerySet[Appointment]:
    """Visits without a time, the oldest wish first."""
    return _of(shown_visits().filter(state__in=TO_ARRANGE), queue_id, None).order_by("pk")


def _of(
    visits: QuerySet[Appointment], queue_id: int | None, user_id: int | None
) -> QuerySet[Appointment]:
    if queue_id is not None:
        visits = visits.filter(queue=queue_id)
    return visits if user_id is None else visits.filter(with_whom=user_id)


def get_visit(visit_id: int) -> Appointment:
    related = ("account__test_clock", "account__advocate", "queue__calendar")
    return shown_visits().select_related(*related).get(pk=visit_id)


def visits_of_tasks(task_ids: Collection[int]) -> dict[int, Appointment]:
    return {v.task_id: v for v in Appointment.objects.filter(task__in=task_ids)}


def queues_with_visits() -> QuerySet[Queue]:
    """Queues that any visit was wanted of."""
    return Queue.objects.filter(pk__in=Appointment.objects.values("queue")).order_by("name")


def travellers(queue: Queue | None = None) -> QuerySet[User]:
    """Who can go there: the queue's members, without a queue anybody who works in one."""
    members = User.objects.filter(is_active=True)
    if queue is not None:
        return members.filter(pk__in=queue.members.values("user")).order_by("username")
    return members.filter(pk__in=_members()).order_by("username")


def _members() -> QuerySet[Queue, int]:
    return Queue.objects.filter(members__user__isnull=False).values_list("members__user", flat=True)
