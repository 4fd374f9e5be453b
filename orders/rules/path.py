"""The critical path: when each step of an order will begin and end, and which of them decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orders.rules.worktime import ALWAYS, Calendar, add_working, working_minutes


@dataclass(frozen=True, slots=True)
class Step:
    """One step as a forecast sees it: over, under way, or still to come.

    `ended_at` is told of what is over. `due_at` is told of what may be worked on already: when it
    will usually have ended. The others take `minutes` of working time once all before them ended.
    `not_before` holds back the beginning of what is to come, and the end of what is under way.
    """

    key: int
    after: Sequence[int] = ()
    minutes: int = 0
    calendar: Calendar = ALWAYS
    began_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """When a step begins and ends, and how many working minutes it may still lose."""

    begins_at: datetime
    ends_at: datetime
    slack: int
    is_over: bool

    @property
    def is_critical(self) -> bool:
        """Every minute that it takes longer makes the whole longer."""
        return not self.is_over and self.slack == 0


@dataclass(frozen=True, slots=True)
class Path:
    """The steps of an order in time."""

    times: Mapping[int, Times]
    ends_at: datetime | None  # of all; nothing to do: never

    @property
    def critical(self) -> frozenset[int]:
        return frozenset(key for key, times in self.times.items() if times.is_critical)


def foresee(steps: Iterable[Step], *, now: datetime) -> Path:
    """Lay steps out in working time from now on.

    What they wait on and is not among them stands in nobody's way; of steps that wait on each
    other, none is told of, for they never begin.
    """
    ordered = _in_order({step.key: step for step in steps})
    spans: dict[int, tuple[datetime, datetime]] = {}
    ends: dict[tuple[datetime, int, int], datetime] = {}  # many lines have the same steps
    for step in ordered:
        spans[step.key] = _span(step, spans, now, ends)
    if not spans:
        return Path({}, None)
    last = max(end for _, end in spans.values())
    slack = _slack(ordered, spans, last)
    times = {
        step.key: Times(*spans[step.key], slack.get(step.key, 0), step.ended_at is not None)
        for step in ordered
    }
    return Path(times, last)


def _in_order(steps: dict[int, Step]) -> list[Step]:
    """Each step behind those that it waits on."""
    left = {key: sum(before in steps for before in step.after) for key, step in steps.items()}
    behind: dict[int, list[int]] = {}
    for key, step in steps.items():
        for before in step.after:
            behind.setdefault(before, []).append(key)
    ordered = [steps[key] for key, count in left.items() if count == 0]
    for step in ordered:  # grows while it is read
        for key in behind.get(step.key, ()):
            left[key] -= 1
            if left[key] == 0:
                ordered.append(steps[key])
    return ordered


def _span(
    step: Step,
    spans: Mapping[int, tuple[datetime, datetime]],
    now: datetime,
    ends: dict[tuple[datetime, int, int], datetime],
) -> tuple[datetime, datetime]:
    if step.ended_at is not None:
        return step.began_at or step.ended_at, step.ended_at
    earliest = max(now, step.not_before or now)
    if step.due_at is not None:
        return step.began_at or now, max(earliest, step.due_at)
    begin = max((spans[key][1] for key in step.after if key in spans), default=now)
    begin = max(begin, earliest)
    known = (begin, step.minutes, id(step.calendar))
    if known not in ends:
        ends[known] = add_working(begin, step.minutes, step.calendar)
    return begin, ends[known]


def _slack(
    ordered: Sequence[Step], spans: Mapping[int, tuple[datetime, datetime]], last: datetime
) -> dict[int, int]:
    """Working minutes that each open step may lose: the least of those of the ways behind it."""
    found: dict[int, int] = {}
    gaps: dict[tuple[datetime, datetime, int], int] = {}

    def gap(end: datetime, begin: datetime, calendar: Calendar) -> int:
        known = (end, begin, id(calendar))
        if known not in gaps:
            gaps[known] = 0 if begin <= end else working_minutes(end, begin, calendar)
        return gaps[known]

    for step in reversed(ordered):
        if step.ended_at is not None:
            continue
        mine = found.get(step.key)
        if mine is None:
            mine = found[step.key] = gap(spans[step.key][1], last, step.calendar)
        begin = spans[step.key][0]
        for key in step.after:
            if key in spans:
                way = mine + gap(spans[key][1], begin, step.calendar)
                found[key] = min(found.get(key, way), way)
    return found
