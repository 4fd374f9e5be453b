"""Tell people that a task or a promise is in danger: its owner, and the customer's advocate."""

from collections.abc import Collection
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from o2b.models import Event
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many
from o2b.web.show import day_text
from orders.models import Jeopardy, Order, Task

TITLES = {
    Jeopardy.AMBER: gettext_noop("%(order)s: “%(task)s” is in danger"),
    Jeopardy.RED: gettext_noop("%(order)s: “%(task)s” is late"),
}
PROMISES = {
    "order.amber": gettext_noop("%(order)s: the promised day is in danger"),
    "order.red": gettext_noop("%(order)s: the promised day will be missed"),
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


def tell_order_jeopardy(*, order_ids: Collection[int]) -> int:
    """The advocate, else who placed the order, hears that its promise is in danger or will break.

    Once a turn; what is in order again by now is not told.
    """
    turned = Event.objects.filter(
        subject_type="orders.order", subject_id__in=order_ids, name__in=PROMISES
    )
    newest = {event.subject_id: event for event in turned.order_by("id")}
    orders = Order.objects.filter(pk__in=newest).exclude(jeopardy=Jeopardy.GREEN)
    found = orders.select_related("account__customer").order_by("pk")
    return tell_many([_note_of_promise(order, newest[order.pk]) for order in found])


def _note_of_promise(order: Order, turn: Event) -> Note:
    days = {name: date.fromisoformat(turn.facts[name]) for name in ("on", "promised")}
    told = {"forecast": day_text(days["on"]), "promised": day_text(days["promised"])}
    text = _("Forecast for %(forecast)s, promised for %(promised)s") % told
    whom = order.account.advocate_id or order.placed_by_id
    return Note(
        user_ids=[whom] if whom else [],
        topic=Topic.JEOPARDY,
        key=f"order-{order.pk}-{turn.pk}",
        title=_(PROMISES[turn.name]) % {"order": order},
        at=turn.at,
        text=f"{order.account.customer} · {text}",
        url=order.get_absolute_url(),
        tone=TONES[Jeopardy(turn.name.removeprefix("order."))],
    )


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
