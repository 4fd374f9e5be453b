"""A line's plan as a picture: boxes in columns by dependency, joined by curves; pure geometry."""

from collections.abc import Sequence
from dataclasses import dataclass

from orders.models import Task

WIDTH, HEIGHT, GAP, ROW = 176, 46, 40, 62
MARGIN = 6


@dataclass(frozen=True, slots=True)
class Box:
    """One task, where it stands in the picture."""

    task: Task
    x: int
    y: int

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
    def title(self) -> str:
        name = self.task.name
        return name if len(name) <= 22 else f"{name[:21].rstrip()}…"


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the SVG needs."""

    boxes: list[Box]
    path: str
    width: int
    height: int


def draw(tasks: Sequence[Task]) -> Picture:
    """Columns by the longest way to a task; in a column, as the plan lists them."""
    depth = _depths({task.key: list(task.after) for task in tasks})
    rows: dict[int, int] = {}
    boxes = {}
    for task in tasks:
        column = depth[task.key]
        row = rows.get(column, 0)
        rows[column] = row + 1
        boxes[task.key] = Box(task, MARGIN + column * (WIDTH + GAP), MARGIN + row * ROW)
    curves = [
        _curve(boxes[before], boxes[task.key])
        for task in tasks
        for before in task.after
        if before in boxes
    ]
    columns = max(rows, default=0) + 1
    return Picture(
        boxes=list(boxes.values()),
        path=" ".join(curves),
        width=columns * (WIDTH + GAP) - GAP + 2 * MARGIN,
        height=max(rows.values(), default=1) * ROW - (ROW - HEIGHT) + 2 * MARGIN,
    )


def _depths(after: dict[str, list[str]]) -> dict[str, int]:
    """How many tasks lie before each on the longest way; a published plan has no loops."""
    found: dict[str, int] = {}
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


def _curve(start: Box, end: Box) -> str:
    x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"
