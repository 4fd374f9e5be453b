"""The lines under way and all their tasks, locked: what every step of fulfilment looks at."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from orders.models import OrderLine, Task

L, T = OrderLine.State, Task.State

OVER = frozenset({L.COMPLETED, L.CANCELLED})
GOING = frozenset({L.SCHEDULED, L.PROVISIONING})
STANDING = frozenset({L.HELD, L.WAITING, L.FALLOUT})
FINISHED = frozenset({T.DONE, T.SKIPPED})


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
    def of_line(cls, line_id: int) -> "Scene":
        """One line; empty when there is none."""
        return cls._lock(OrderLine.objects.filter(pk=line_id))

    @classmethod
    def _lock(cls, wanted: QuerySet[OrderLine]) -> "Scene":
        lines = {
            line.pk: line
            for line in wanted.select_for_update(of=("self",))
            .select_related("account__test_clock", "product_version__product")
            .order_by("pk")
        }
        if not lines:
            return cls({}, {})
        locked = Task.objects.select_for_update(of=("self",)).filter(line_id__in=lines)
        scene = cls(lines, {task.pk: task for task in locked.order_by("pk")})
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

    def tasks_in(self, lines: Iterable[OrderLine]) -> list[Task]:
        return [task for line in lines for task in self.tasks_of[line.pk]]
