"""What an order costs us and brings us: planned, actual, and how much of each line is delivered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from orders.models import DeliveredPart, Order, OrderLine, Task, TaskCost
from orders.selectors import worth

NOTHING = Decimal(0)
SEE_COSTS = ("orders.manage_work", "billing.view_promise")


def may_see_costs(user: Any) -> bool:
    """Leads and finance."""
    return any(user.has_perm(name) for name in SEE_COSTS)


@dataclass
class LineCosts:
    """One line: amounts of cost in the seller's currency, of revenue in the account's."""

    line: OrderLine
    one_time: Decimal
    monthly: Decimal
    planned: Decimal = NOTHING
    labour: Decimal = NOTHING
    purchase: Decimal = NOTHING
    equipment: Decimal = NOTHING
    minutes: int = 0
    parts: list[DeliveredPart] = field(default_factory=list)

    @property
    def actual(self) -> Decimal:
        return self.labour + self.purchase + self.equipment

    @property
    def revenue(self) -> Decimal:
        """What is charged once, and the first month."""
        return self.one_time + self.monthly

    @property
    def margin(self) -> Decimal:
        return self.revenue - self.actual

    @property
    def planned_margin(self) -> Decimal:
        return self.revenue - self.planned

    @property
    def percent(self) -> int:
        return int(self.line.delivered_fraction * 100)


@dataclass(frozen=True)
class OrderCosts:
    """All lines but cancelled ones' revenue; the sum of each column."""

    lines: list[LineCosts]
    currency: str
    cost_currency: str

    def _sum(self, name: str) -> Decimal:
        return sum((getattr(one, name) for one in self.lines), NOTHING)

    @property
    def comparable(self) -> bool:
        """Whether cost and revenue are in one currency, so that there is a margin."""
        return self.currency == self.cost_currency

    @property
    def planned(self) -> Decimal:
        return self._sum("planned")

    @property
    def actual(self) -> Decimal:
        return self._sum("actual")

    @property
    def revenue(self) -> Decimal:
        return self._sum("revenue")

    @property
    def margin(self) -> Decimal:
        return self._sum("margin")

    @property
    def planned_margin(self) -> Decimal:
        return self._sum("planned_margin")


def costs_of(order: Order) -> OrderCosts:
    """Every line's costs, revenue and dated parts: four queries, however many lines."""
    lines = list(
        OrderLine.objects.filter(order=order)
        .select_related("product_version__product", "terms")
        .order_by("position")
    )
    rows = _with_revenue(order, lines)
    by_line = {row.line.pk: row for row in rows}
    planned = Task.objects.filter(order=order).exclude(state=Task.State.CANCELLED).order_by()
    for line_id, amount in planned.values_list("line").annotate(Sum("planned_cost")):
        by_line[line_id].planned = amount
    spent = TaskCost.objects.filter(line__order=order).order_by().values_list("line", "kind")
    for line_id, kind, amount, minutes in spent.annotate(Sum("amount"), Sum("minutes")):
        setattr(by_line[line_id], kind, amount)
        by_line[line_id].minutes += minutes
    for part in DeliveredPart.objects.filter(line__order=order).select_related("task"):
        by_line[part.line_id].parts.append(part)
    return OrderCosts(rows, order.account.currency, order.account.legal_entity.currency)


def _with_revenue(order: Order, lines: Sequence[OrderLine]) -> list[LineCosts]:
    begins = order.start_on or order.placed_at.date()
    sums = worth([(line.terms.body, line.quantity) for line in lines], order, begins)
    gone = OrderLine.State.CANCELLED
    return [
        LineCosts(
            line,
            one_time=NOTHING if line.state == gone else amounts.one_time,
            monthly=NOTHING if line.state == gone else amounts.monthly,
        )
        for line, amounts in zip(lines, sums.lines, strict=True)
    ]
