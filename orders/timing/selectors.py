"""Questions of time: how orders lie in time, what turns amber or red, which forecasts are stale."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from o2b.models import Event, TestClock
from orders.models import Jeopardy, Order, OrderLine, Queue, Task, WaitsFor
from orders.rules.path import Path, Step, foresee
from orders.rules.worktime import add_working, working_minutes
from orders.timing.clocks import calendar_of, usual_end

L, T = OrderLine.State, Task.State
J = Jeopardy

# Something is still to be delivered on these.
OPEN_LINES = (L.ACCEPTED, L.SCHEDULED, L.PROVISIONING, L.HELD, L.WAITING, L.FALLOUT)
GIVEN_UP = (L.CANCELLING, L.CANCELLED)
UNDER_WAY = (T.READY, T.CLAIMED, T.RUNNING, T.FAILED, T.FALLOUT)
OVER = (T.DONE, T.SKIPPED)
# The customer is awaited, to say something or to pay: no clock of ours runs.
THEIRS = (WaitsFor.CUSTOMER, WaitsFor.PAYMENT)
OVERLAP = timedelta(seconds=30)  # a change that was not committed yet when a forecast looked
DRIFT = timedelta(minutes=10)  # what is late moves the forecast even when nothing happens
OWN_NEWS = ("order.forecast", "order.promised", "order.amber", "order.red")


class Timed(NamedTuple):
    """What a forecast reads of a task."""

    id: int
    order_id: int
    line_id: int
    after: list[int]
    state: str
    estimate: int
    maximum: int
    jeopardy: str
    amber_at: datetime | None
    ready_at: datetime | None
    claimed_at: datetime | None
    began_at: datetime | None
    done_at: datetime | None
    resume_at: datetime | None
    queue_id: int | None


@dataclass
class InTime:
    """One order in time: its steps laid out, and the levels of those that are under way."""

    path: Path
    levels: list[str] = field(default_factory=list)
    is_open: bool = False


def its_now(order: Order, machine_now: datetime) -> datetime:
    """The moment that an order's account lives in."""
    return order.account.test_now or machine_now


def in_time(orders: Collection[Order], *, machine_now: datetime) -> dict[int, InTime]:
    """Each order laid out from its account's moment on, in three queries whatever their number.

    What is given up, and what undoes it, is left out. What stands still is taken to go on now.
    """
    lines = {
        pk: (state, since)
        for pk, state, since in OrderLine.objects.filter(order__in=[o.pk for o in orders])
        .exclude(state__in=GIVEN_UP)
        .order_by()
        .values_list("pk", "state", "standing_since")
    }
    tasks: dict[int, list[Timed]] = defaultdict(list)
    found = _tasks_of(lines)
    for task in found:
        tasks[task.order_id].append(task)
    queues = _queues({task.queue_id for task in found if task.queue_id})
    return {
        order.pk: _one(order, tasks[order.pk], lines, queues, its_now(order, machine_now))
        for order in orders
    }


def _tasks_of(lines: Iterable[int]) -> list[Timed]:
    going = (
        Task.objects.filter(line__in=list(lines), compensates=None)
        .exclude(state__in=[T.CANCELLED, T.COMPENSATING, T.COMPENSATED])
        .order_by("pk")
    )
    return [Timed(*row) for row in going.values_list(*Timed._fields)]


def _queues(ids: Collection[int]) -> dict[int, Queue]:
    return Queue.objects.select_related("calendar").in_bulk(ids) if ids else {}


def _one(
    order: Order,
    tasks: Sequence[Timed],
    lines: dict[int, tuple[str, datetime | None]],
    queues: dict[int, Queue],
    now: datetime,
) -> InTime:
    begins_at = _begins_at(order)
    steps = [
        _step(task, queues.get(task.queue_id or 0), lines[task.line_id], begins_at, now)
        for task in tasks
    ]
    open_tasks = [task for task in tasks if lines[task.line_id][0] in OPEN_LINES]
    return InTime(
        foresee(steps, now=now),
        [task.jeopardy for task in open_tasks if task.state in UNDER_WAY],
        bool(open_tasks),
    )


def _begins_at(order: Order) -> datetime | None:
    """When the work on a future-dated order may begin."""
    if order.work_from is None:
        return None
    return datetime.combine(order.work_from, time(0), ZoneInfo(order.account.time_zone))


def _step(
    task: Timed,
    queue: Queue | None,
    line: tuple[str, datetime | None],
    begins_at: datetime | None,
    now: datetime,
) -> Step:
    calendar = calendar_of(queue)
    began_at = task.began_at or task.claimed_at or task.ready_at
    if task.state in OVER:
        return Step(task.id, task.after, 0, calendar, began_at, task.done_at or now)
    if task.state not in UNDER_WAY:
        return Step(task.id, task.after, task.estimate, calendar, not_before=begins_at)
    due_at = usual_end(
        amber_at=task.amber_at, estimate=task.estimate, maximum=task.maximum, queue=queue
    )
    state, since = line
    if due_at and since and state == L.WAITING and due_at > since:
        stood = working_minutes(max(since, task.ready_at or since), now, calendar)
        due_at = add_working(due_at, stood, calendar)
    return Step(
        task.id,
        task.after,
        task.estimate,
        calendar,
        began_at,
        due_at=due_at or now,
        not_before=task.resume_at,
    )


def turning(*, machine_now: datetime) -> QuerySet[Any]:
    """Tasks whose clock has passed amber or red and that do not say so yet.

    The clock of a line that waits for the customer stands; that of a line that we hold runs on,
    for the customer waits all the same.
    """
    runs = Q(line__state=L.CANCELLING) | Q(
        line__standing_since=None,
        line__state__in=[L.SCHEDULED, L.PROVISIONING, L.HELD, L.FALLOUT],
    )
    turns = Q(jeopardy=J.GREEN, amber_at__lte=F("its_now")) | (
        ~Q(jeopardy=J.RED) & Q(red_at__lte=F("its_now"))
    )
    return (
        clocked(machine_now=machine_now)
        .filter(runs, turns)
        .exclude(state=T.RUNNING, waits_for__in=THEIRS)
        .order_by("amber_at", "pk")
    )


def clocked(*, machine_now: datetime, or_else: Q | None = None) -> QuerySet[Any]:
    """Tasks under way that may have passed amber, with `its_now`, the moment of their account.

    An index knows no account's own moment, so the latest of all bounds what `task_in_time` finds.
    """
    told = TestClock.objects.aggregate(latest=Max("now"))["latest"]
    passed = Q(
        amber_at__isnull=False,
        amber_at__lte=max(machine_now, told or machine_now),
        state__in=UNDER_WAY,
    )
    # An annotation, for Django makes an inner join of a bare F() and so drops who has no clock.
    its_now = Coalesce(F("account__test_clock__now"), Value(machine_now))
    tasks: QuerySet[Any] = Task.objects.annotate(its_now=its_now)
    return tasks.filter(passed | or_else if or_else else passed)


def stale_forecasts(*, machine_now: datetime) -> QuerySet[Order]:
    """Orders in which something happened since their forecast, or that are late; stalest first."""
    open_lines = OrderLine.objects.filter(order=OuterRef("pk"), state__in=OPEN_LINES)
    last = (
        Event.objects.filter(order_id=OuterRef("pk"))
        .exclude(name__in=OWN_NEWS)
        .order_by("-id")
        .values("recorded_at")[:1]
    )
    return (
        Order.objects.filter(Exists(open_lines) | ~Q(jeopardy=J.GREEN))
        .annotate(changed_at=Subquery(last))
        .filter(
            Q(forecast_made_at=None)
            | Q(changed_at__gt=F("forecast_made_at") - OVERLAP)
            | (~Q(jeopardy=J.GREEN) & Q(forecast_made_at__lt=machine_now - DRIFT))
        )
        .order_by(F("forecast_made_at").asc(nulls_first=True), "pk")
    )


def jeopardy_of_queues() -> dict[int, dict[str, int]]:
    """How many tasks under way are amber and red, by queue; in one query."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    rows: Iterable[Any] = (
        Task.objects.filter(amber_at__isnull=False, state__in=UNDER_WAY, queue__isnull=False)
        .exclude(jeopardy=J.GREEN)
        .order_by()
        .values_list("queue_id", "jeopardy")
        .annotate(n=Count("pk"))
    )
    for queue_id, level, n in rows:
        found[queue_id][level] = n
    return dict(found)
