"""Lists of tasks: whose one may see, what they show, and counts that end at a thousand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from o2b.people.models import User
from orders.models import Queue, QueueMember, Task
from orders.queues import is_administrator, queues_of
from orders.work.selectors.filters import COLUMNS, OPEN, STATES, Narrowed

# A hundred thousand open tasks are not counted to show fifty of them.
MOST_COUNTED = 1000
CARDS = 25

# All that a row or a card shows, and no more: the rest of eight tables takes as long again to read.
SHOWN = (
    *("name", "kind", "state", "waits_for", "jeopardy", "priority", "minutes", "failure"),
    *("ready_at", "red_at", "queue__name", "order__id", "account__customer__name"),
    *("line__state", "line__quantity", "line__product_version__number"),
    *(f"line__product_version__product__{name}" for name in ("code", "name", "unit")),
    *(f"claimed_by__{name}" for name in ("username", "first_name", "last_name")),
)


class CappedPaginator(Paginator):
    """Pages of the first thousand rows; `more` says that there are others.

    The keys of a page come first, then its rows: sorting a hundred thousand rows with all that
    they show would take many times as long.
    """

    @cached_property
    def _found(self) -> int:
        rows: Any = self.object_list
        return int(rows[: MOST_COUNTED + 1].count())

    @property
    def count(self) -> int:
        return min(self._found, MOST_COUNTED)

    @property
    def more(self) -> bool:
        return self._found > MOST_COUNTED

    def page(self, number: int | str) -> Page[Any]:
        page = super().page(number)
        rows: Any = page.object_list
        page.object_list = shown_of(list(rows.values_list("pk", flat=True)))
        return page


def seen_by(user: User) -> QuerySet[Task]:
    """Tasks that a person may see in lists: of their queues and in their hands; leads see all."""
    if user.has_perm("orders.manage_work") or is_administrator(user.pk):
        return Task.objects.all()
    mine = QueueMember.objects.filter(user=user.pk).values("queue")
    return Task.objects.filter(Q(queue__in=mine) | Q(claimed_by=user.pk))


def queues_seen_by(user: User) -> QuerySet[Queue]:
    if user.has_perm("orders.manage_work"):
        return Queue.objects.order_by("name")
    return queues_of(user.pk).order_by("name")


def in_full(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """With what each belongs to."""
    return tasks.select_related(
        "queue", "order", "account__customer", "line__product_version__product", "claimed_by"
    )


def shown(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """With all that a row or a card shows."""
    return in_full(tasks).only(*SHOWN)


def shown_of(keys: Sequence[int]) -> list[Task]:
    """These tasks, in this order, with all that they show."""
    found = shown(Task.objects.filter(pk__in=keys)).in_bulk()
    return [found[key] for key in keys if key in found]


def open_tasks(user: User, asked: Narrowed, *, machine_now: datetime) -> QuerySet[Task]:
    """Open tasks that one may see and that are asked for."""
    rows = seen_by(user).filter(STATES[asked.state] if asked.state else OPEN)
    return shown(asked.narrow(rows, user_id=user.pk, machine_now=machine_now))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the board: its first cards, and how many there are, at most a thousand."""

    name: str
    cards: list[Task]
    count: int

    @property
    def more(self) -> bool:
        return self.count > MOST_COUNTED

    @property
    def shown_count(self) -> int:
        return min(self.count, MOST_COUNTED)


def board(user: User, asked: Narrowed, *, machine_now: datetime) -> list[Column]:
    """The columns of the board, each by priority and age: two queries a column, and one."""
    rows = asked.narrow(seen_by(user), user_id=user.pk, machine_now=machine_now)
    keys: dict[str, list[int]] = {}
    counts: dict[str, int] = {}
    for name, which in COLUMNS.items():
        tasks = rows.filter(which)
        firsts = tasks.order_by("-priority", "pk").values_list("pk", flat=True)
        keys[name] = list(firsts[:CARDS])
        counts[name] = tasks.order_by()[: MOST_COUNTED + 1].count()
    cards = {task.pk: task for task in shown_of([key for some in keys.values() for key in some])}
    return [
        Column(name, [cards[key] for key in some if key in cards], counts[name])
        for name, some in keys.items()
    ]


def members_of(queue_id: int | None) -> QuerySet[User]:
    """Who may be given a task of a queue."""
    who = QueueMember.objects.filter(queue=queue_id, user__is_active=True).values("user")
    return User.objects.filter(pk__in=who).order_by("first_name", "username")


def members_of_all(queues: QuerySet[Queue]) -> QuerySet[User]:
    """Who works in any of some queues."""
    who = QueueMember.objects.filter(queue__in=queues, user__is_active=True).values("user")
    return User.objects.filter(pk__in=who).order_by("first_name", "username")


def waiting_for(user_id: int, queue_id: int | None = None) -> QuerySet[Task]:
    """Ready work of one's queues that one is skilled for, in the order in which it is claimed."""
    return shown(claimable(user_id, queue_id)).order_by("-priority", "pk")


def counted(found: int) -> str:
    """A count that ends at a thousand, as it is shown."""
    return f"{MOST_COUNTED}+" if found >= MOST_COUNTED else str(found)


def claimable(user_id: int, queue_id: int | None = None) -> QuerySet[Task]:
    ready = Task.objects.filter(COLUMNS["ready"])
    if not is_administrator(user_id):
        may = Q(pk__in=[])
        for one in QueueMember.objects.filter(user=user_id):
            may |= Q(queue=one.queue_id, skills__contained_by=one.skills)
        ready = ready.filter(may)
    return ready.filter(queue=queue_id) if queue_id is not None else ready


def claimed_by(user_id: int) -> QuerySet[Any]:
    """What a person is working on, with all that its card shows."""
    mine = Task.objects.filter(state=Task.State.CLAIMED, claimed_by=user_id)
    return in_full(mine).prefetch_related("files__by", "evidence").order_by("-priority", "pk")
