"""The lines under way and all their tasks, locked: what every step of fulfilment looks at."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet, expressions

from orders.models import FailureClass as F
from orders.models import OrderLine, Task
from orders.models.tasks import HARMLESS

L, T = OrderLine.State, Task.State

OVER = frozenset({L.COMPLETED, L.CANCELLED})
GOING = frozenset({L.SCHEDULED, L.PROVISIONING})
STANDING = frozenset({L.HELD, L.WAITING, L.FALLOUT})
FINISHED = frozenset({T.DONE, T.SKIPPED})
# Whether the outside did it, nobody knows: it is asked again before it can be undone.
UNCERTAIN = frozenset({F.TIMEOUT, F.LOST, F.SERVER_ERROR, F.UNREACHABLE, F.GARBAGE, F.BROKEN})
# Nothing more is to be expected of these; what was undone counts as gone.
ENDED = FINISHED | {T.CANCELLED, T.COMPENSATING, T.COMPENSATED}
# Of a line that is given up: what was not done, or is undone.
GONE = frozenset({T.SKIPPED, T.CANCELLED, T.COMPENSATED})


@dataclass
class Scene:
    """Lines in ascending key, each with its tasks; whoever holds it may write to all of them.

    The lines are locked first, waiting, then their tasks: a picture in which a task were skipped
    because somebody else holds it could make a line look finished that is not.
    """

    lines: dict[int, OrderLine]
    tasks: dict[int, Task]
    tasks_of: dict[int, list[Task]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of_orders(cls, order_ids: Collection[int]) -> "Scene":
        """Every line of the orders that is not over."""
        return cls._lock(OrderLine.objects.filter(order__in=order_ids).exclude(state__in=OVER))

    @classmethod
    def of_lines(cls, line_ids: Collection[int]) -> "Scene":
        """These lines."""
        return cls._lock(OrderLine.objects.filter(pk__in=line_ids))

    @classmethod
    def of_line(cls, line_id: int) -> "Scene":
        """One line; empty when there is none."""
        return cls.of_lines([line_id])

    @classmethod
    def _lock(cls, wanted: QuerySet[OrderLine]) -> "Scene":
        # No key changes. A lock against that too would meet the foreign keys (of a part to its
        # bundle's line, of facts to their task) that Postgres looks up when somebody commits.
        lines: dict[int, OrderLine] = {
            line.pk: line
            for line in wanted.select_for_update(of=("self",), no_key=True)
            .select_related(
                "account__test_clock", "account__legal_entity", "product_version__product"
            )
            .annotate(start_rule=expressions.F("terms__start_rule"))
            .order_by("pk")
        }
        if not lines:
            return cls({}, {})
        locked = Task.objects.select_for_update(of=("self",), no_key=True).filter(line_id__in=lines)
        found = locked.select_related("queue__calendar").order_by("pk")
        scene = cls(lines, {task.pk: task for task in found})
        for task in scene.tasks.values():
            task.line = lines[task.line_id]
            scene.tasks_of[task.line_id].append(task)
        return scene

    def by_clock(self) -> list["Scene"]:
        """The scene in parts, each of accounts that live in the same moment."""
        parts: dict[int | None, Scene] = {}
        for line in self.lines.values():
            part = parts.setdefault(line.account.test_clock_id, Scene({}, {}))
            part.lines[line.pk] = line
            for task in self.tasks_of[line.pk]:
                part.tasks[task.pk] = task
                part.tasks_of[line.pk].append(task)
        return list(parts.values())

    def going(self) -> list[OrderLine]:
        """Lines on which work goes on."""
        return [line for line in self.lines.values() if line.state in GOING]

    def cancelling(self) -> list[OrderLine]:
        """Lines that are given up, and what was done for them undone."""
        return [line for line in self.lines.values() if line.state == L.CANCELLING]

    def tasks_in(self, lines: Iterable[OrderLine]) -> list[Task]:
        return [task for line in lines for task in self.tasks_of[line.pk]]

    def workable(self) -> list[Task]:
        """Tasks on which work may go on; of lines given up, what undoes and what has begun."""
        given_up = self.tasks_in(self.cancelling())
        return self.tasks_in(self.going()) + [
            task
            for task in given_up
            if task.compensates_id or task.state == T.RUNNING or is_uncertain(task)
        ]

    def add(self, tasks: Iterable[Task]) -> None:
        """Tasks that were written just now for lines of the scene."""
        for task in tasks:
            task.line = self.lines[task.line_id]
            self.tasks[task.pk] = task
            self.tasks_of[task.line_id].append(task)


def is_gone(task: Task) -> bool:
    """Whether of a task of a line that is given up nothing is left that could be undone."""
    return task.state in GONE or (task.state == T.DONE and not task.compensation)


def is_uncertain(task: Task) -> bool:
    """Whether the outside may have done it, so that it must be seen through before it is undone.

    How its last try failed stays true while it is tried anew: only what it comes to clears that.
    """
    asked = task.state == T.RUNNING and task.attempts and not _is_idle(task)
    return bool(task.compensation and (task.failure_class in UNCERTAIN or asked))


def _is_idle(task: Task) -> bool:
    return task.waits_for in HARMLESS
