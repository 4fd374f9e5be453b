"""An order as its page shows it: lines with plan, amounts and what one may do, and the history."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator

from o2b.catalog.selectors import MeterNames, granted_by
from o2b.charging import from_canonical
from orders import selectors
from orders.changing.shown import found_before, sentence
from orders.fulfilment.services.pauses import is_past_return
from orders.history import Entry, entries
from orders.models import Order, OrderLine, Task
from orders.picture import Picture, draw
from orders.timing.outlook import Outlook, names_of_others

L, T = OrderLine.State, Task.State
LINES_A_PAGE = 25
MOST_ENTRIES = 60
CANCELLABLE = (L.ACCEPTED, L.SCHEDULED, L.PROVISIONING, L.HELD, L.WAITING, L.FALLOUT)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line with its tasks, its picture and the doors that are open for it."""

    line: OrderLine
    tasks: list[Task]
    picture: Picture | None
    monthly: Decimal
    one_time: Decimal
    sentence: str = ""
    brings: tuple[str, ...] = ()

    @property
    def may_hold(self) -> bool:
        return self.line.state in (L.SCHEDULED, L.PROVISIONING)

    @property
    def may_resume(self) -> bool:
        return self.line.state == L.HELD

    @property
    def waits_for_customer(self) -> bool:
        return self.line.state == L.WAITING

    @property
    def may_cancel(self) -> bool:
        return self.line.state in CANCELLABLE and not any(map(is_past_return, self.tasks))

    @property
    def evidence(self) -> list[Any]:
        return [one for task in self.tasks for one in task.evidence.all()]

    @property
    def done(self) -> int:
        return sum(task.state in (T.DONE, T.SKIPPED) for task in self.tasks)


def shown_lines(outlook: Outlook, page: str | None) -> tuple[Page[OrderLine], list[ShownLine]]:
    """One page of an order's lines."""
    found = Paginator(selectors.lines_of(outlook.order.pk), LINES_A_PAGE).get_page(page)
    return found, show_lines(outlook, found.object_list)


def show_lines(outlook: Outlook, lines: Iterable[OrderLine]) -> list[ShownLine]:
    """Lines with their plans, the critical path of the whole order marked."""
    lines, order = list(lines), outlook.order
    others = names_of_others([list(line.tasks.all()) for line in lines])
    begins = order.start_on or order.placed_at.date()
    sums = selectors.worth([(line.terms.body, line.quantity) for line in lines], order, begins)
    found = found_before(lines)
    meters = MeterNames()
    return [
        replace(
            _shown(line, amounts.monthly, amounts.one_time, outlook.critical, others),
            sentence=sentence(line, found.get(line.pk)),
            brings=_brings(line, meters),
        )
        for line, amounts in zip(lines, sums.lines, strict=True)
    ]


def _shown(
    line: OrderLine,
    monthly: Decimal,
    one_time: Decimal,
    critical: Collection[int],
    others: Mapping[int, str],
) -> ShownLine:
    tasks = list(line.tasks.all())
    drawn = draw(tasks, critical=critical, others=others) if len(tasks) > 1 else None
    return ShownLine(line, tasks, drawn, monthly, one_time)


def _brings(line: OrderLine, meters: MeterNames) -> tuple[str, ...]:
    """What its charges bring into pools or the wallet, in words."""
    charges = from_canonical(line.terms.body).charges
    told = (granted_by(each, meters, quantity=line.quantity) for each in charges)
    return tuple(filter(None, told))


def history(order: Order) -> list[Entry]:
    """The newest events of an order in words."""
    events = list(selectors.history_of(order)[:MOST_ENTRIES])
    about = {event.subject_id for event in events if event.subject_type == "orders.orderline"}
    doing = {event.subject_id for event in events if event.subject_type == "orders.task"}
    lines = OrderLine.objects.filter(pk__in=about).select_related("product_version__product")
    tasks = Task.objects.filter(pk__in=doing).select_related("line")
    return entries(
        events,
        {line.pk: f"{line.position} · {line.product_version.product}" for line in lines},
        {task.pk: f"{task.line.position} · {task.name}" for task in tasks},
    )
