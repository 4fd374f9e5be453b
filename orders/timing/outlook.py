"""An order's time as its page shows it: outlook, critical path, and the schedule of some lines."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_skeleton, format_time

from o2b import clock
from o2b.web.show import reader_locale
from o2b.web.states import label_of, tone_of
from orders.models import Jeopardy, Order, OrderLine, Task
from orders.rules.gantt import Chart, Row, Tick, lay
from orders.rules.jeopardy import worst
from orders.rules.path import Times
from orders.timing.looking import end_of, look
from orders.timing.selectors import GIVEN_UP, InTime, in_time

L, T = OrderLine.State, Task.State
MOST_STEPS = 40  # rows of steps that a page shows without being asked
LEFT_OUT = (T.CANCELLED, T.COMPENSATING, T.COMPENSATED)
TONES = {Jeopardy.GREEN: "good", Jeopardy.AMBER: "warn", Jeopardy.RED: "bad"}


@dataclass(frozen=True)
class Outlook:
    """An order that was looked at at one moment of its account."""

    order: Order
    seen: InTime
    now: datetime

    @property
    def critical(self) -> frozenset[int]:
        return self.seen.path.critical

    @property
    def tone(self) -> str:
        return TONES[Jeopardy(self.order.jeopardy)]

    @property
    def is_open(self) -> bool:
        return self.seen.is_open

    @property
    def forecast_on(self) -> date | None:
        """The account's own day of the forecast, or of the end."""
        at = self.order.forecast_at
        return clock.day(self.order.account, at) if at else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the schedule in words."""

    row: Row
    state: str
    slack: int

    @property
    def hours(self) -> Decimal:
        return (Decimal(self.slack) / 60).quantize(Decimal("0.1"))


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule of some lines: as a picture, and as a list that says the same."""

    chart: Chart
    entries: list[Entry]
    labels: list[tuple[Tick, str]]
    today: str
    has_steps: bool
    can_choose: bool


def outlook_of(order: Order, *, now: datetime) -> Outlook:
    """Look at an order now; its forecast and jeopardy are those of the moment, and not written."""
    seen = in_time([order], machine_now=now)[order.pk]
    look(order, seen, now)
    return Outlook(order, seen, now)


def names_of_others(lines: Iterable[Sequence[Task]]) -> dict[int, str]:
    """The tasks of other lines that these lines' tasks wait on, named with their line."""
    beyond: set[int] = set()
    for tasks in lines:
        own = {task.pk for task in tasks}
        beyond |= {pk for task in tasks if not task.compensates_id for pk in task.after} - own
    if not beyond:
        return {}
    found = Task.objects.filter(pk__in=beyond).select_related("line__product_version__product")
    return {
        task.pk: f"{task.line.position} · {task.line.product_version.product}: {task.name}"
        for task in found
    }


def schedule_of(
    outlook: Outlook, lines: Collection[tuple[OrderLine, Sequence[Task]]], *, wish: str = ""
) -> Schedule | None:
    """Bars of lines, and of their steps where there are few or they are wished for ("steps")."""
    planned = [
        (line, [t for t in tasks if t.pk in outlook.seen.path.times and t.state not in LEFT_OUT])
        for line, tasks in lines
    ]
    planned = [(line, tasks) for line, tasks in planned if tasks and line.state not in GIVEN_UP]
    if not planned:
        return None
    is_small = sum(len(tasks) for _, tasks in planned) <= MOST_STEPS
    has_steps = wish == "steps" or (is_small and wish != "lines")
    entries = [
        entry
        for line, tasks in planned
        for entry in (_head(line, tasks, outlook), *(_steps(tasks, outlook) if has_steps else ()))
    ]
    order = outlook.order
    zone = order.account.time_zone
    chart = lay(
        [entry.row for entry in entries],
        now=outlook.now,
        promised_at=end_of(order.promised_on, zone) if order.promised_on else None,
        zone=zone,
    )
    labels = [(tick, _label(tick)) for tick in chart.ticks]
    return Schedule(chart, entries, labels, _day(outlook.now), has_steps, len(planned) > 1)


def _head(line: OrderLine, tasks: Sequence[Task], outlook: Outlook) -> Entry:
    times = [outlook.seen.path.times[task.pk] for task in tasks]
    is_over = all(each.is_over for each in times)
    mark = worst(_mark(task) or Jeopardy.GREEN for task in tasks)
    row = Row(
        key=line.pk,
        label=f"{line.position} · {line.product_version.product}",
        begin=min(each.begins_at for each in times),
        end=max(each.ends_at for each in times),
        tone=tone_of(line.state) if mark == Jeopardy.GREEN else TONES[Jeopardy(mark)],
        is_head=True,
        is_over=is_over,
        is_critical=any(each.is_critical for each in times),
        mark="" if mark == Jeopardy.GREEN else mark,
    )
    slack = min((each.slack for each in times if not each.is_over), default=0)
    return Entry(row, str(label_of(line.state)), slack)


def _steps(tasks: Sequence[Task], outlook: Outlook) -> Iterable[Entry]:
    for task in tasks:
        times = outlook.seen.path.times[task.pk]
        yield Entry(_step(task, times), str(label_of(task.state)), times.slack)


def _step(task: Task, times: Times) -> Row:
    mark = _mark(task)
    return Row(
        key=task.pk,
        label=task.name,
        begin=times.begins_at,
        end=times.ends_at,
        tone=TONES[Jeopardy(mark)] if mark else tone_of(task.state),
        is_over=times.is_over,
        is_critical=times.is_critical,
        mark=mark,
    )


def _mark(task: Task) -> str:
    at_rest = task.state in (T.DONE, T.SKIPPED) or task.jeopardy == Jeopardy.GREEN
    return "" if at_rest else task.jeopardy


def _label(tick: Tick) -> str:
    if not tick.is_hour or tick.at.hour == 0:
        return _day(tick.at)
    return format_time(tick.at, "HH:mm", tzinfo=tick.at.tzinfo, locale=reader_locale())


def _day(at: datetime) -> str:
    return format_skeleton("MMMd", at, tzinfo=at.tzinfo, locale=reader_locale())
