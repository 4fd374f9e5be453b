"""One task whole: what it waits on, what waits on it, and all that was left, said and asked."""

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from o2b.models import Event
from o2b.people.models import User
from orders.models import Approval, Comment, Evidence, Order, Task, TaskFile
from orders.models.words import TaskState as T

ENDED = (T.DONE, T.SKIPPED, T.CANCELLED, T.COMPENSATING, T.COMPENSATED)
MOST_BESIDE = 100
MOST_COMMENTS = 200
MOST_EVENTS = 100


def task_whole(task_id: int) -> Task:
    """A task with evidence, files (not their bodies), attempts, costs and approvals."""
    evidence = Evidence.objects.select_related("product_version__product", "by").order_by("pk")
    files = TaskFile.objects.defer("body").select_related("by").order_by("pk")
    asked = Approval.objects.select_related("asked_by", "of_whom", "decided_by", "to_version")
    return (
        Task.objects.select_related(
            "queue",
            "order__account__customer",
            "order__account__advocate",
            "order__account__test_clock",
            "account__legal_entity",
            "line__product_version__product",
            "claimed_by",
            "compensates",
        )
        .prefetch_related(
            Prefetch("evidence", evidence),
            Prefetch("files", files),
            Prefetch("approvals", asked.order_by("pk")),
            "tries",
            "costs__by",
        )
        .get(pk=task_id)
    )


@dataclass(frozen=True, slots=True)
class Beside:
    """Tasks before or behind one, those that still count first."""

    tasks: list[Task]

    @property
    def open(self) -> list[Task]:
        return [task for task in self.tasks if task.state not in ENDED]


def before(task: Task) -> Beside:
    """What a task waits on, also of other lines."""
    return Beside(list(_beside(Task.objects.filter(pk__in=task.after))))


def behind(task: Task) -> Beside:
    """What waits on a task, also of other lines."""
    waits = Task.objects.filter(order=task.order_id, after__contains=[task.pk])
    return Beside(list(_beside(waits)))


def _beside(tasks: QuerySet[Task]) -> QuerySet[Task]:
    return tasks.select_related("queue", "claimed_by", "line").order_by("line", "pk")[:MOST_BESIDE]


def comments_on(*, order: Order, task: Task | None = None) -> list[Comment]:
    """What was said beside a task; of an order: beside it and all its tasks. The oldest first."""
    rows = Comment.objects.filter(order=order)
    if task is not None:
        rows = rows.filter(task=task)
    newest = rows.select_related("author", "task").order_by("-pk")[:MOST_COMMENTS]
    return list(reversed(newest))


def people() -> QuerySet[User, str]:
    """User names that can be named with an @."""
    people = User.objects.filter(is_active=True).exclude(password__startswith="!")
    return people.order_by("username").values_list("username", flat=True)[:200]


def person_called(username: str) -> int:
    """The key of somebody by user name; 0, whom nobody is, when there is none."""
    clean = username.replace("\0", "")
    found = User.objects.filter(username=clean, is_active=True).values_list("pk", flat=True)
    return found.first() or 0


def events_of(task: Task) -> QuerySet[Event]:
    """What happened to a task, newest first."""
    found = Event.objects.filter(subject_type="orders.task", subject_id=task.pk)
    return found.select_related("actor").order_by("-id")[:MOST_EVENTS]


def file(*, task_id: int, file_id: int) -> TaskFile:
    return TaskFile.objects.get(task=task_id, pk=file_id)


def approvals_to_decide(user: User, *, is_boss: bool) -> QuerySet[Approval]:
    """What waits for one's answer."""
    asked = _asked().filter(state=Approval.State.ASKED).exclude(asked_by=user.pk)
    if is_boss:
        return asked
    mine = asked.filter(of_whom=user.pk)
    return mine | asked.filter(of_whom=None) if user.has_perm("orders.approve_work") else mine


def approvals_asked_by(user_id: int) -> QuerySet[Approval]:
    """What one has asked, the newest first."""
    return _asked().filter(asked_by=user_id).order_by("-pk")


def _asked() -> QuerySet[Approval]:
    return Approval.objects.select_related(
        "line__product_version__product",
        "order",
        "account__customer",
        "task",
        "to_version",
        "asked_by",
        "of_whom",
        "decided_by",
    ).order_by("pk")
