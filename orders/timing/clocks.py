"""The clock of a task: when it turns amber and red, in the working time of its queue."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from orders.models import Queue, Task, WorkCalendar
from orders.rules.worktime import ALWAYS, Calendar, add_working

AMBER_PERCENT = 80  # of the estimate, where no queue says otherwise


def calendar_of(queue: Queue | None) -> Calendar:
    """When a queue works; without one, always."""
    said: WorkCalendar | None = queue.calendar if queue is not None else None
    if said is None:
        return ALWAYS
    return _calendar(
        _frozen(said.hours),
        said.time_zone,
        said.country,
        said.subdivision,
        frozenset(said.closed_on),
    )


def start_clock(task: Task, at: datetime) -> None:
    """Set when a task that becomes ready now turns amber and red; not written.

    Amber: when the queue's share of the estimate has passed. Red: when the maximum has passed, or,
    where the plan names none, the estimate. Neither: no clock runs.
    """
    limit = task.maximum or task.estimate
    if not limit:
        return
    calendar = calendar_of(task.queue)
    task.amber_at = add_working(
        at, _warned_after(task.estimate, task.maximum, task.queue), calendar
    )
    task.red_at = add_working(at, limit, calendar)


def usual_end(
    *, amber_at: datetime | None, estimate: int, maximum: int, queue: Queue | None
) -> datetime | None:
    """When a task whose clock runs will usually have ended; None where nothing is estimated.

    Counted from the clock, not from when it became ready: a clock that stood has moved.
    """
    if amber_at is None or not estimate:
        return None
    left = estimate - _warned_after(estimate, maximum, queue)
    return add_working(amber_at, left, calendar_of(queue))


def _warned_after(estimate: int, maximum: int, queue: Queue | None) -> int:
    """Working minutes after which a task is amber."""
    limit = maximum or estimate
    percent = queue.amber_percent if queue else AMBER_PERCENT
    return min((estimate or limit) * percent // 100, limit)


@lru_cache(maxsize=512)
def _calendar(hours: Any, zone: str, country: str, subdivision: str, closed: Any) -> Calendar:
    return Calendar.of(
        {day: [list(span) for span in spans] for day, spans in hours},
        time_zone=zone,
        country=country,
        subdivision=subdivision,
        closed_on=closed,
    )


def _frozen(hours: dict[str, list[list[str]]]) -> tuple[Any, ...]:
    return tuple((day, tuple(tuple(span) for span in spans)) for day, spans in hours.items())
