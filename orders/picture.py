"""A line's plan as a picture: boxes in columns by dependency, joined by curves; pure geometry."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from orders.models import Jeopardy, Task

WIDTH, HEIGHT, GAP, ROW = 176, 46, 40, 62
MARGIN = 6
STUB = 14  # how far a dependency of another line reaches into the picture
T = Task.State
AT_REST = (T.DONE, T.SKIPPED, T.CANCELLED, T.COMPENSATED)


@dataclass(frozen=True, slots=True)
class Box:
    """One task, where it stands in the picture."""

    task: Task
    x: int
    y: int
    is_critical: bool = False
    beyond: tuple[str, ...] = ()

    @property
    def text_x(self) -> int:
        return self.x + 12

    @property
    def title_y(self) -> int:
        return self.y + 20

    @property
    def note_y(self) -> int:
        return self.y + 36

    @property
    def middle(self) -> int:
        return self.y + HEIGHT // 2

    @property
    def mark(self) -> str:
        """amber or red while it is in danger or late, and not over."""
        at_rest = self.task.state in AT_REST or self.task.jeopardy == Jeopardy.GREEN
        return "" if at_rest else self.task.jeopardy

    @property
    def sign(self) -> str:
        """A triangle in the corner."""
        x, y = self.x + WIDTH - 24, self.y + 6
        return f"M{x} {y + 14} L{x + 8} {y} L{x + 16} {y + 14} Z"

    @property
    def sign_x(self) -> int:
        return self.x + WIDTH - 16

    @property
    def sign_y(self) -> int:
        return self.y + 18

    @property
    def title(self) -> str:
        name, longest = self.task.name, 22 - 3 * bool(self.mark) - 2 * self.is_critical
        return name if len(name) <= longest else f"{name[: longest - 1].rstrip()}…"


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the SVG needs."""

    boxes: list[Box]
    path: str
    width: int
    height: int
    critical: str = ""  # curves between critical tasks
    stubs: str = ""  # from tasks of other lines

    @property
    def beyond(self) -> list[tuple[Task, str]]:
        """(task, what it waits on in another line)."""
        return [(box.task, name) for box in self.boxes for name in box.beyond]

    @property
    def marked(self) -> list[Box]:
        return [box for box in self.boxes if box.mark]


def draw(
    tasks: Sequence[Task],
    *,
    critical: Collection[int] = (),
    others: Mapping[int, str] | None = None,
) -> Picture:
    """Columns by the longest way to a task; in a column, as the plan lists them.

    `critical` are the tasks on the critical path; `others` names tasks of other lines.
    """
    here = {task.pk for task in tasks}
    depth = _depths({task.pk: [pk for pk in task.after if pk in here] for task in tasks})
    names = others or {}
    rows: dict[int, int] = {}
    boxes = {}
    for task in tasks:
        column = depth[task.pk]
        row = rows.get(column, 0)
        rows[column] = row + 1
        x, y = MARGIN + column * (WIDTH + GAP), MARGIN + row * ROW
        beyond = tuple(names[pk] for pk in task.after if pk in names and pk not in here)
        boxes[task.pk] = Box(task, x, y, task.pk in critical, beyond)
    shift = STUB if any(box.beyond and box.x == MARGIN for box in boxes.values()) else 0
    if shift:
        boxes = {
            pk: Box(box.task, box.x + shift, box.y, box.is_critical, box.beyond)
            for pk, box in boxes.items()
        }
    joined = [
        (boxes[before], boxes[task.pk])
        for task in tasks
        for before in task.after
        if before in boxes
    ]
    columns = max(rows, default=0) + 1
    return Picture(
        boxes=list(boxes.values()),
        path=_curves(joined),
        width=columns * (WIDTH + GAP) - GAP + 2 * MARGIN + shift,
        height=max(rows.values(), default=1) * ROW - (ROW - HEIGHT) + 2 * MARGIN,
        critical=_curves(pair for pair in joined if pair[0].is_critical and pair[1].is_critical),
        stubs=" ".join(
            f"M{box.x - STUB} {box.middle} L{box.x} {box.middle}"
            for box in boxes.values()
            if box.beyond
        ),
    )


def _depths(after: dict[int, list[int]]) -> dict[int, int]:
    """How many tasks lie before each on the longest way; a published plan has no loops."""
    found: dict[int, int] = {}
    left = dict(after)
    while left:
        free = [key for key, before in left.items() if not any(b in left for b in before)]
        if not free:
            break
        for key in free:
            found[key] = max((found[b] + 1 for b in left[key] if b in found), default=0)
        for key in free:
            del left[key]
    return found | dict.fromkeys(left, 0)


def _curves(joined: Iterable[tuple[Box, Box]]) -> str:
    return " ".join(_curve(start, end) for start, end in joined)


def _curve(start: Box, end: Box) -> str:
    x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"
