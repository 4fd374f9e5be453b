"""Steps of a plan as a picture: boxes in columns by dependency, joined by curves; pure geometry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, GAP, ROW, MARGIN = 176, 46, 40, 62, 6
LONGEST_TITLE, LONGEST_NOTE = 22, 26


@dataclass(frozen=True, slots=True)
class Node:
    """What is to be drawn: `tone` is a class of the picture's style, `url` where a click leads."""

    key: str
    title: str
    note: str = ""
    after: Sequence[str] = ()
    tone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """One node where it stands."""

    node: Node
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
        return _cut(self.node.title, LONGEST_TITLE)

    @property
    def note(self) -> str:
        return _cut(self.node.note, LONGEST_NOTE)


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the SVG needs."""

    boxes: list[Box]
    path: str
    width: int
    height: int
    box_width: int = WIDTH
    box_height: int = HEIGHT


def draw(nodes: Sequence[Node]) -> Picture:
    """Columns by the longest way to a node; in a column, near what comes before."""
    after = {node.key: [key for key in node.after if key != node.key] for node in nodes}
    depth = _depths({key: [b for b in before if b in after] for key, before in after.items()})
    columns: dict[int, list[Node]] = {}
    for node in nodes:
        columns.setdefault(depth[node.key], []).append(node)
    boxes: dict[str, Box] = {}
    for column in sorted(columns):
        ordered = sorted(columns[column], key=lambda node: _middle(after[node.key], boxes))
        for row, node in enumerate(ordered):
            boxes[node.key] = Box(node, MARGIN + column * (WIDTH + GAP), MARGIN + row * ROW)
    curves = [
        _curve(boxes[before], boxes[node.key])
        for node in nodes
        for before in after[node.key]
        if before in boxes
    ]
    wide, tall = len(columns) or 1, max(map(len, columns.values()), default=1)
    return Picture(
        boxes=[boxes[node.key] for node in nodes],
        path=" ".join(curves),
        width=wide * (WIDTH + GAP) - GAP + 2 * MARGIN,
        height=tall * ROW - (ROW - HEIGHT) + 2 * MARGIN,
    )


def _middle(before: Iterable[str], boxes: Mapping[str, Box]) -> float:
    rows = [boxes[key].y for key in before if key in boxes]
    return sum(rows) / len(rows) if rows else 0


def _depths(after: Mapping[str, list[str]]) -> dict[str, int]:
    """How many nodes lie before each on the longest way; a loop is cut where it is listed first."""
    found: dict[str, int] = {}
    left = dict(after)
    while left:
        free = [key for key, before in left.items() if not any(b in left for b in before)]
        free = free or [next(iter(left))]
        for key in free:
            found[key] = max((found[b] + 1 for b in left[key] if b in found), default=0)
        for key in free:
            del left[key]
    return found


def _curve(start: Box, end: Box) -> str:
    x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
