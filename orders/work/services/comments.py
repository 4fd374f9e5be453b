"""Comments beside orders and tasks; who is named with @ hears of it."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b import events
from o2b.people.models import Topic, User
from o2b.people.notices.services import tell
from orders.models import Comment, Order, Task
from orders.work.rules import names_in
from orders.work.services import refusals as no

LONGEST = 2000
MOST_NAMED = 20
EXCERPT = 200


@transaction.atomic
def comment(
    *, order_id: int, author_id: int, text: str, at: datetime, task_id: int | None = None
) -> Comment:
    """Write something beside a task, or beside the order; a name that nobody has is refused."""
    clean = text.strip()
    if not clean:
        raise no.TextMissing(_("Please write something."), field="text")
    if len(clean) > LONGEST or "\0" in clean:
        message = _("A text of up to %(longest)s characters.")
        raise no.TextMissing(message % {"longest": LONGEST}, field="text")
    order = Order.objects.get(pk=order_id)
    task = Task.objects.get(pk=task_id, order=order) if task_id is not None else None
    named = _people_named(clean)
    written = Comment.objects.create(
        order=order,
        account_id=order.account_id,
        task=task,
        author_id=author_id,
        text=clean,
        mentions=[person.pk for person in named],
        at=at,
    )
    _spread(written, order, task, named, at)
    return written


def _people_named(text: str) -> list[User]:
    names = names_in(text)
    if len(names) > MOST_NAMED:
        message = _("At most %(most)s people can be named.")
        raise no.NobodyCalledSo(message % {"most": MOST_NAMED}, field="text")
    there = User.objects.filter(username__in=names, is_active=True).in_bulk(field_name="username")
    if unknown := [name for name in names if name not in there]:
        message = _("Nobody here is called %(names)s.")
        told = {"names": ", ".join(f"@{name}" for name in unknown)}
        raise no.NobodyCalledSo(message % told, field="text")
    return [there[name] for name in names]


def _spread(
    written: Comment, order: Order, task: Task | None, named: list[User], at: datetime
) -> None:
    told: dict[str, Any] = {"reason": written.text[:EXCERPT], "comment": written.pk}
    author = written.author_id
    if task is not None:
        events.record("task.commented", task, at=at, actor_id=author, task=task.name, **told)
        url = reverse("orders:task", args=[task.pk])
    else:
        events.record("order.commented", order, at=at, actor_id=author, **told)
        url = reverse("orders:conversation", args=[order.pk])
    about = f"{order.number} · {task.name}" if task else order.number
    title = _("%(who)s mentions you: %(about)s")
    tell(
        user_ids=[person.pk for person in named if person.pk != author],
        topic=Topic.MENTION,
        key=f"comment-{written.pk}",
        title=title % {"who": written.author, "about": about},
        text=written.text,
        url=f"{url}#comment-{written.pk}",
        at=at,
    )
