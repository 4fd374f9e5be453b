"""A schedule as a picture: bars over a time axis, with lines for today and for the promised day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WIDTH, LABELS, ROW, HEAD, BAR = 1060, 236, 26, 30, 14
PAD, LEAST = 24, 4  # beside the axis; the narrowest bar
MOST_TICKS = 9
HOURS, DAYS = (1, 3, 6, 12), (1, 2, 7, 14, 28, 91, 182, 365, 1825)


@dataclass(frozen=True, slots=True)
class Row:
    """What is drawn as one bar, from when to when; a head has the bars of its parts below it."""

    key: int
    label: str
    begin: datetime
    end: datetime
    tone: str = ""
    is_head: bool = False
    is_over: bool = False
    is_critical: bool = False
    mark: str = ""  # amber or red


@dataclass(frozen=True, slots=True)
class Bar:
    """One row where it stands: what has passed of it, and what is forecast."""

    row: Row
    y: int
    x: int
    passed: int
    ahead: int

    @property
    def ahead_x(self) -> int:
        return self.x + self.passed

    @property
    def bar_y(self) -> int:
        return self.y + (ROW - BAR) // 2

    @property
    def text_y(self) -> int:
        return self.y + 17

    @property
    def mark_x(self) -> int:
        return self.x + self.passed + self.ahead + 6

    @property
    def label(self) -> str:
        longest = 30 if self.row.is_head else 28
        text = self.row.label
        return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"

    @property
    def label_x(self) -> int:
        return 6 if self.row.is_head else 18


@dataclass(frozen=True, slots=True)
class Tick:
    """One line of the axis."""

    at: datetime
    x: int
    is_hour: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the SVG needs."""

    bars: list[Bar]
    ticks: list[Tick]
    now_x: int
    promised_x: int | None
    height: int
    width: int = WIDTH
    bar: int = BAR

    @property
    def foot(self) -> int:
        return self.height - 6


def lay(rows: Sequence[Row], *, now: datetime, promised_at: datetime | None, zone: str) -> Chart:
    """Bars in the order of the rows; the axis spans them, the moment and the promise."""
    moments = [now, *(row.begin for row in rows), *(row.end for row in rows)]
    if promised_at:
        moments.append(promised_at)
    first, last = min(moments), max(moments)
    last = max(last, first + timedelta(hours=1))
    axis = _Axis(first, last)
    bars = [_bar(row, HEAD + n * ROW, axis, now) for n, row in enumerate(rows)]
    return Chart(
        bars=bars,
        ticks=[
            Tick(at, axis(at), is_hour)
            for at, is_hour in _ticks(first.astimezone(ZoneInfo(zone)), last)
        ],
        now_x=axis(now),
        promised_x=axis(promised_at) if promised_at else None,
        height=HEAD + len(rows) * ROW + 10,
    )


class _Axis:
    """Moments as places between the labels and the right edge."""

    def __init__(self, first: datetime, last: datetime) -> None:
        self.first = first
        self.seconds = (last - first).total_seconds()

    def __call__(self, at: datetime) -> int:
        share = (at - self.first).total_seconds() / self.seconds
        return round(LABELS + PAD + share * (WIDTH - LABELS - 2 * PAD))


def _bar(row: Row, y: int, axis: _Axis, now: datetime) -> Bar:
    turn = row.end if row.is_over else min(max(now, row.begin), row.end)
    passed, ahead = axis(turn) - axis(row.begin), axis(row.end) - axis(turn)
    short = max(0, LEAST - passed - ahead)
    return Bar(
        row,
        y,
        axis(row.begin),
        passed + (short if row.is_over else 0),
        ahead + (0 if row.is_over else short),
    )


def _ticks(first: datetime, last: datetime) -> Iterator[tuple[datetime, bool]]:
    """Whole hours or midnights of the account, no more than fit."""
    hours = (last - first).total_seconds() / 3600
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if hours <= HOURS[-1] * 4:
        step = next((each for each in HOURS if hours / each <= MOST_TICKS), HOURS[-1])
        yield from _every(midnight, timedelta(hours=step), first, last, is_hour=True)
    else:
        step = next((each for each in DAYS if hours / 24 / each <= MOST_TICKS), DAYS[-1])
        yield from _every(midnight, timedelta(days=step), first, last, is_hour=False)


def _every(
    start: datetime, step: timedelta, first: datetime, last: datetime, *, is_hour: bool
) -> Iterator[tuple[datetime, bool]]:
    at = start
    while at <= last:
        if at >= first:
            yield at, is_hour
        at += step
