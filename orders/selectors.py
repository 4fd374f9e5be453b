"""Questions about orders: lists with derived states, one order whole, queues, fallout, history."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    CharField,
    Count,
    Func,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)

from o2b.charging.terms import from_canonical
from o2b.models import Event
from orders.models import Evidence, Order, OrderLine, Task
from orders.queues import queues_of
from quotes.rules.totals import Priced, Totals, totals

L, T = OrderLine.State, Task.State
AUTOMATIC = Task.Kind.AUTOMATIC
MOST_COUNTED = 1000


def with_standing(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Orders with `standing`, the state that their lines make, worst news first."""

    def some(name: str) -> Q:
        return Q(**{f"{name}__gt": 0})

    counts = {
        name: Count("pk", filter=Q(state__in=states))
        for name, states in {
            "fallen": [L.FALLOUT],
            "held": [L.HELD],
            "waiting": [L.WAITING],
            "begun": [L.PROVISIONING, L.DELIVERED, L.CANCELLING],
            "open": [L.ACCEPTED, L.SCHEDULED],
            "completed": [L.COMPLETED],
        }.items()
    }
    standing = (
        OrderLine.objects.filter(order=OuterRef("pk"))
        .order_by()
        .values("order")
        .annotate(**counts)
        .annotate(
            standing=Case(
                When(some("fallen"), then=Value("fallout")),
                When(some("held"), then=Value("held")),
                When(some("waiting"), then=Value("waiting")),
                When(some("begun"), then=Value("provisioning")),
                When(some("open") & some("completed"), then=Value("provisioning")),
                When(some("open"), then=Value("scheduled")),
                When(some("completed"), then=Value("completed")),
                default=Value("cancelled"),
                output_field=CharField(),
            )
        )
        .values("standing")
    )
    return orders.annotate(standing=Subquery(standing))


STANDINGS = (L.SCHEDULED, L.PROVISIONING, L.WAITING, L.HELD, L.FALLOUT, L.COMPLETED, L.CANCELLED)


def orders_for_list() -> QuerySet[Any]:
    """Every order with what a list shows of it."""
    lines = (
        OrderLine.objects.filter(order=OuterRef("pk"))
        .order_by()
        .values("order")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return with_standing(
        Order.objects.select_related("account__customer", "account__advocate", "quote")
    ).annotate(line_count=Subquery(lines))


def get_order(order_id: int) -> Order:
    """One order with its account and quote; a missing one is a 404."""
    related = ("account__customer", "account__advocate", "account__test_clock", "quote")
    return with_standing(Order.objects.select_related(*related, "placed_by")).get(pk=order_id)


def lines_of(order_id: int) -> QuerySet[OrderLine]:
    """An order's lines with tasks and evidence, in order."""
    evidence = Evidence.objects.select_related("product_version__product", "by").order_by("pk")
    tasks = Task.objects.select_related("queue", "claimed_by").order_by("pk")
    return (
        OrderLine.objects.filter(order_id=order_id)
        .select_related("product_version__product", "terms", "book_version__book", "contract")
        .prefetch_related(Prefetch("tasks", tasks.prefetch_related(Prefetch("evidence", evidence))))
        .order_by("position")
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """How far an order is, and what it is worth."""

    tasks: int
    done: int
    lines: int
    completed: int
    totals: Totals

    @property
    def percent(self) -> int:
        return 100 * self.done // self.tasks if self.tasks else 0


def figures_of(order: Order) -> Figures:
    """Counts and amounts of the whole order; cancelled lines are worth nothing."""
    tasks = Task.objects.filter(order=order).exclude(state=T.CANCELLED)
    counted = tasks.aggregate(all=Count("pk"), done=Count("pk", filter=Q(state=T.DONE)))
    lines = list(
        OrderLine.objects.filter(order=order)
        .exclude(state=L.CANCELLED)
        .values_list("terms__body", "quantity", "state")
    )
    starts_on = order.start_on or order.placed_at.date()
    return Figures(
        tasks=counted["all"],
        done=counted["done"],
        lines=len(lines),
        completed=sum(state == L.COMPLETED for _, _, state in lines),
        totals=worth([(body, quantity) for body, quantity, _ in lines], order, starts_on),
    )


def worth(lines: Sequence[tuple[str, Decimal]], order: Order, starts_on: Any) -> Totals:
    """What lines come to, once and each month, from their frozen Terms."""
    return totals(
        [Priced(from_canonical(body), quantity) for body, quantity in lines],
        currency=order.account.currency,
        starts_on=starts_on,
        anchor_day=order.account.bill_day,
    )


def changes_by_itself(order_id: int) -> bool:
    """Whether a machine works on it right now, so that a page should look again soon."""
    busy = Task.objects.filter(order_id=order_id, kind=AUTOMATIC, state__in=[T.READY, T.RUNNING])
    going = busy.filter(line__state__in=[L.SCHEDULED, L.PROVISIONING])
    return going.exists()


def history_of(order: Order) -> QuerySet[Event]:
    """What happened to an order, newest first."""
    return Event.objects.filter(order_id=order.pk).select_related("actor").order_by("-id")


def order_of_quote(quote_id: int) -> Order | None:
    return with_standing(Order.objects.filter(quote_id=quote_id)).first()


def orders_of_account(account_id: int) -> QuerySet[Order]:
    return with_standing(Order.objects.filter(account_id=account_id)).order_by("-pk")


def work_in_queues(user_id: int) -> QuerySet[Any]:
    """One's queues with how many ready tasks wait in each (`waiting`): a thousand, if not fewer."""
    ready = Task.objects.filter(
        queue=OuterRef("pk"),
        kind=Task.Kind.MANUAL,
        state=T.READY,
        line__state__in=[L.SCHEDULED, L.PROVISIONING],
    )
    some = ArraySubquery(ready.order_by().values("pk")[:MOST_COUNTED])
    counted = Func(some, function="cardinality", output_field=IntegerField())
    return queues_of(user_id).annotate(waiting=counted).order_by("name")


def claimed_tasks(user_id: int) -> QuerySet[Task]:
    """What a person is working on."""
    return _shown(Task.objects.filter(state=T.CLAIMED, claimed_by_id=user_id)).order_by("pk")


def fallen_lines() -> QuerySet[OrderLine]:
    """Every line in fallout with its tasks, the oldest first."""
    return (
        OrderLine.objects.filter(state=L.FALLOUT)
        .select_related("order__account__advocate", "product_version__product")
        .prefetch_related(
            Prefetch("tasks", Task.objects.filter(state__in=[T.FALLOUT, T.DONE]).order_by("pk")),
            "tasks__evidence",
        )
        .order_by("pk")
    )


def get_task(task_id: int) -> Task:
    return _shown(Task.objects.all()).get(pk=task_id)


def _shown(tasks: QuerySet[Task]) -> QuerySet[Task]:
    return tasks.select_related(
        "queue", "order__account__customer", "line__product_version__product", "claimed_by"
    )


def on_their_way(account_id: int) -> QuerySet[OrderLine, tuple[str, Decimal]]:
    """Each product that was ordered for the account and is still to come, and how many."""
    over = [L.COMPLETED, L.CANCELLING, L.CANCELLED]
    return (
        OrderLine.objects.filter(account_id=account_id)
        .exclude(state__in=over)
        .order_by()
        .values_list("product_version__product__code")
        .annotate(Sum("quantity"))
    )


def lines_in_delivery() -> QuerySet[OrderLine]:
    """Lines on which work goes on."""
    return OrderLine.objects.filter(state__in=[L.SCHEDULED, L.PROVISIONING, L.DELIVERED])
