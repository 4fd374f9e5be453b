"""What a customer sees of an order: stations and days in their words, nothing of how we work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from o2b import clock
from orders.care.rules import Halt, Progress, Station, progress
from orders.models import Appointment, Complaint, Order, OrderLine, Question, Task, WaitsFor

L, T = OrderLine.State, Task.State
LINES_A_PAGE = 30
THEIRS = (WaitsFor.CUSTOMER, WaitsFor.PAYMENT)


@dataclass(frozen=True, slots=True)
class TrackedLine:
    """One line of the order as its customer sees it."""

    line: OrderLine
    progress: Progress
    awaits_payment: bool
    awaits_you: bool

    @property
    def is_over(self) -> bool:
        return self.progress.halt is Halt.CANCELLED or self.progress.station is Station.DELIVERED


@dataclass(frozen=True, slots=True)
class Tracked:
    """One order as its customer sees it."""

    order: Order
    page: Page[TrackedLine]
    lines: int
    delivered: int
    percent: int
    forecast_on: date | None
    is_moving: bool
    theirs: Sequence[TrackedLine]
    visits: Sequence[Appointment]
    questions: Sequence[Question]
    complaints: Sequence[Complaint]
    now: datetime


def order_to_track(order_id: int) -> Order:
    """The order with whom it concerns; a missing one is a 404."""
    related = ("account__customer", "account__legal_entity", "account__advocate")
    return Order.objects.select_related(*related, "account__test_clock").get(pk=order_id)


def tracked(order: Order, page: str | None, *, now: datetime) -> Tracked:
    """Everything that the order's page shows to its customer."""
    lines = _lines(order)
    live = [one for one in lines if one.progress.halt is not Halt.CANCELLED]
    delivered = sum(one.progress.station is Station.DELIVERED for one in live)
    forecast = clock.day(order.account, order.forecast_at) if order.forecast_at else None
    return Tracked(
        order=order,
        page=Paginator(lines, LINES_A_PAGE).get_page(page),
        lines=len(live),
        delivered=delivered,
        percent=sum(one.progress.percent for one in live) // len(live) if live else 0,
        forecast_on=forecast if delivered < len(live) else None,
        is_moving=not all(one.is_over for one in lines),
        theirs=[one for one in lines if _is_theirs(one)],
        visits=list(visits_of(order)),
        questions=list(Question.objects.filter(order=order).order_by("-pk")),
        complaints=list(
            Complaint.objects.filter(order=order)
            .select_related("line__product_version__product", "owner")
            .order_by("-pk")
        ),
        now=now,
    )


def _is_theirs(one: TrackedLine) -> bool:
    return one.progress.halt is Halt.YOURS or one.awaits_payment or one.awaits_you


def _lines(order: Order) -> list[TrackedLine]:
    finished = Q(state__in=[T.DONE, T.SKIPPED])
    going = Q(state__in=[T.RUNNING, T.READY, T.CLAIMED])
    counted: dict[int, dict[str, Any]] = {
        row["line"]: dict(row)
        for row in Task.objects.filter(order=order, compensates=None)
        .exclude(state=T.CANCELLED)
        .order_by()
        .values("line")
        .annotate(
            steps=Count("pk"),
            finished=Count("pk", filter=finished),
            payment=Count("pk", filter=going & Q(waits_for=WaitsFor.PAYMENT)),
            you=Count("pk", filter=going & Q(waits_for=WaitsFor.CUSTOMER)),
        )
    }
    lines = OrderLine.objects.filter(order=order).select_related("product_version__product")
    return [_line(line, counted.get(line.pk, {})) for line in lines.order_by("position")]


def _line(line: OrderLine, tasks: dict[str, Any]) -> TrackedLine:
    return TrackedLine(
        line=line,
        progress=progress(
            line.state,
            paused_from=line.paused_from,
            fraction=Decimal(line.delivered_fraction),
            steps=tasks.get("steps", 0),
            finished=tasks.get("finished", 0),
        ),
        awaits_payment=bool(tasks.get("payment")),
        awaits_you=bool(tasks.get("you")),
    )


def visits_of(order: Order) -> QuerySet[Appointment]:
    """Visits that are to come, arranged or still to be arranged."""
    shown = (Appointment.State.WANTED, Appointment.State.ARRANGED, Appointment.State.MISSED)
    return (
        Appointment.objects.filter(line__order=order, state__in=shown)
        .exclude(line__state__in=[L.CANCELLED, L.CANCELLING, L.COMPLETED])
        .select_related("with_whom", "line__product_version__product")
        .order_by("begins_at", "pk")
    )


def choices_of(lines: Iterable[OrderLine]) -> list[tuple[int, str]]:
    """Lines to choose one from."""
    return [(line.pk, f"{line.position} · {line.product_version.product}") for line in lines]
