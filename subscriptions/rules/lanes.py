"""A subscription over time as a picture: a lane an item, bars for its days, signs on some; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from o2b.periods import add_months

WIDTH, LABELS, ROW, HEAD, BAR = 1060, 190, 38, 30, 22
PAD, LEAST, LETTER = 18, 3, 7  # beside the axis; the narrowest bar; what a letter takes
MOST_TICKS = 9
STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 600)  # months between two lines of the axis
AHEAD = timedelta(days=3 * 366)  # what lies further ahead is not drawn to scale
LEAST_DAYS = 60


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which an item is one thing; `tone` is use, paused (billed) or unbilled."""

    start: date
    end: date | None
    label: str
    title: str
    tone: str = "use"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happens on a day: changed, planned, end or transfer; it may lead somewhere."""

    on: date
    kind: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One item over its days."""

    key: int
    label: str
    stretches: Sequence[Stretch]
    marks: Sequence[Mark] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch where it stands."""

    stretch: Stretch
    x: int
    y: int
    width: int
    is_open: bool
    inset: int = 6  # more where a sign stands on its first day

    @property
    def text_y(self) -> int:
        return self.y + 15

    @property
    def text_x(self) -> int:
        return self.x + self.inset

    @property
    def label(self) -> str:
        return shortened(self.stretch.label, (self.width - self.inset - 4) // LETTER)


@dataclass(frozen=True, slots=True)
class Sign:
    """One mark where it stands."""

    mark: Mark
    x: int
    y: int

    @property
    def path(self) -> str:
        """A small diamond on the day."""
        return f"M{self.x} {self.y - 6}l6 6l-6 6l-6 -6z"


@dataclass(frozen=True, slots=True)
class Row:
    """One lane where it stands."""

    lane: Lane
    y: int
    bars: Sequence[Bar]
    signs: Sequence[Sign]

    @property
    def text_y(self) -> int:
        return self.y + 24

    @property
    def label(self) -> str:
        return shortened(self.lane.label, (LABELS - 12) // LETTER)


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the SVG needs; `shown_x` is the day that is looked at, if not today."""

    rows: list[Row]
    ticks: list[tuple[date, int]]
    today_x: int
    shown_x: int | None
    height: int
    width: int = field(default=WIDTH)
    bar: int = field(default=BAR)

    @property
    def foot(self) -> int:
        return self.height - 6


def lay(lanes: Sequence[Lane], *, today: date, shown: date | None = None) -> Chart:
    """Lanes below each other; the axis spans all their days, today and the day that is shown."""
    axis = _Axis(*_ends(lanes, today, shown))
    return Chart(
        rows=[_row(lane, HEAD + n * ROW, axis) for n, lane in enumerate(lanes)],
        ticks=[(day, axis(day)) for day in _ticks(axis.first, axis.last)],
        today_x=axis(today),
        shown_x=axis(shown) if shown and shown != today else None,
        height=HEAD + len(lanes) * ROW + 10,
    )


def shortened(text: str, most: int) -> str:
    """The text, or as much of it as there is room for.

    >>> shortened("Fibre 100", 6), shortened("Fibre", 6), shortened("Fibre", 1)
    ('Fibre…', 'Fibre', '')
    """
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rstrip()}…" if most > 2 else ""


class _Axis:
    """Days as places between the labels and the right edge; days outside stand at the edges."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last

    def __call__(self, day: date) -> int:
        inside = min(max(day, self.first), self.last)
        share = (inside - self.first).days / (self.last - self.first).days
        return round(LABELS + PAD + share * (WIDTH - LABELS - 2 * PAD))


def _ends(lanes: Sequence[Lane], today: date, shown: date | None) -> tuple[date, date]:
    days = [today, *filter(None, [shown])]
    for lane in lanes:
        days += [mark.on for mark in lane.marks]
        for stretch in lane.stretches:
            days += filter(None, [stretch.start, stretch.end])
    horizon = today + AHEAD
    first, known = min(days), min(max(days), horizon)
    span = max((known - first).days, 0)
    return first, max(known, first) + timedelta(days=max(LEAST_DAYS, span // 7))


def _row(lane: Lane, y: int, axis: _Axis) -> Row:
    top = y + (ROW - BAR) // 2
    signed = {mark.on for mark in lane.marks}
    return Row(
        lane=lane,
        y=y,
        bars=[_bar(each, top, axis, 12 if each.start in signed else 6) for each in lane.stretches],
        signs=[Sign(mark, axis(mark.on), top + BAR // 2) for mark in lane.marks],
    )


def _bar(stretch: Stretch, y: int, axis: _Axis, inset: int) -> Bar:
    x = axis(stretch.start)
    is_open = stretch.end is None or stretch.end > axis.last
    end = axis.last if stretch.end is None else stretch.end
    return Bar(stretch, x, y, max(axis(end) - x, LEAST), is_open, inset)


def _ticks(first: date, last: date) -> Iterator[date]:
    """First days of months, no more than fit."""
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next((each for each in STEPS if months / each <= MOST_TICKS), STEPS[-1])
    at = date(first.year, 1, 1)
    while at <= last:
        if at >= first:
            yield at
        at = add_months(at, step)
