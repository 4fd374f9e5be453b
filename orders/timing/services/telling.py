"""Tell people that a task is in danger or late: its owner, and the customer's advocate."""

from collections.abc import Collection

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many
from orders.models import Jeopardy, Task

TITLES = {
    Jeopardy.AMBER: gettext_noop("%(order)s: “%(task)s” is in danger"),
    Jeopardy.RED: gettext_noop("%(order)s: “%(task)s” is late"),
}
TONES = {Jeopardy.AMBER: "warn", Jeopardy.RED: "bad"}


def tell_jeopardy(*, task_ids: Collection[int]) -> int:
    """One notice a person, task and turn; what is in order again by now is not told."""
    tasks = (
        Task.objects.filter(pk__in=task_ids, jeopardy__in=TITLES)
        .exclude(state__in=[Task.State.DONE, Task.State.SKIPPED, Task.State.CANCELLED])
        .select_related("order__account__customer", "line__product_version__product", "queue")
        .order_by("pk")
    )
    return tell_many([_note(task) for task in tasks])


def _note(task: Task) -> Note:
    level, since = Jeopardy(task.jeopardy), task.jeopardy_since
    assert since is not None  # the watch writes both at once
    told = {"order": task.order, "task": task.name}
    return Note(
        user_ids=[pk for pk in (owner_of(task), task.order.account.advocate_id) if pk],
        topic=Topic.JEOPARDY,
        key=f"task-{task.pk}-{level}-{since:%Y%m%dT%H%M}",
        title=_(TITLES[level]) % told,
        at=since,
        text=text_of(task),
        url=task.order.get_absolute_url(),
        tone=TONES[level],
    )


def owner_of(task: Task) -> int | None:
    """Who answers for a task: who claimed it, else the owner of its queue."""
    return task.claimed_by_id or (task.queue.owner_id if task.queue else None)


def text_of(task: Task) -> str:
    """Whose it is and what for, in one line."""
    parts = [
        str(task.order.account.customer),
        f"{task.line.position} · {task.line.product_version.product}",
        str(task.queue) if task.queue else _("automatic"),
    ]
    return " · ".join(parts)
