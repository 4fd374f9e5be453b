"""Write an order with its lines and lay their plans; in bulk, whatever the number of lines."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.models import DeliveryPlan
from o2b.customers.models import Account
from o2b.errors import Refused
from orders.models import Order, OrderLine, Queue, Task
from quotes.services import AccountClosed


class NoPlan(Refused):
    """A product that nobody has said how to deliver."""

    code = "no_plan"


@dataclass(frozen=True, slots=True)
class NewLine:
    """One line to be written: what was promised, by whom it is known already."""

    product_id: int
    product_version_id: int
    quantity: Decimal
    characteristics: dict[str, Any]
    terms_id: int
    book_version_id: int | None
    contract_id: int | None
    quote_line_id: int | None = None
    # Whose plan delivers it, where that is not the product's own: the successor of a retired one.
    delivered_as_id: int | None = None

    @property
    def plan_of(self) -> int:
        return self.delivered_as_id or self.product_id


@dataclass(frozen=True, slots=True)
class NewOrder:
    """One order to be written, for an account that is locked."""

    account: Account
    lines: Sequence[NewLine]
    quote_id: int | None = None
    start_on: date | None = None
    note: str = ""


def lock_account(*, account_id: int, field: str | None = None) -> Account:
    """The account, locked before everything else; refuses a closed one."""
    return lock_accounts(account_ids=[account_id], field=field)[account_id]


def lock_accounts(*, account_ids: Collection[int], field: str | None = None) -> dict[int, Account]:
    """The accounts, locked in ascending key; refuses a closed one."""
    locked = (
        Account.objects.select_for_update(of=("self",), no_key=True)
        .select_related("customer", "test_clock")
        .filter(pk__in=account_ids)
        .order_by("pk")
    )
    accounts = {account.pk: account for account in locked}
    if missing := set(account_ids) - accounts.keys():
        raise Account.DoesNotExist(f"there is no account {min(missing)}")
    for account in accounts.values():
        if not account.is_open:
            message = _("%(account)s is closed; it can order nothing.")
            raise AccountClosed(message % {"account": account}, field=field)
    return accounts


def write_orders(
    *, orders: Sequence[NewOrder], channel: str, at: datetime, actor_id: int | None = None
) -> list[Order]:
    """Write orders, their lines (scheduled) and their tasks; call it with the accounts locked."""
    plans = _plans_for([line for new in orders for line in new.lines])
    written = Order.objects.bulk_create(
        Order(
            account=new.account,
            quote_id=new.quote_id,
            channel=channel,
            placed_at=at,
            placed_by_id=actor_id,
            start_on=new.start_on,
            note=new.note,
        )
        for new in orders
    )
    lines = OrderLine.objects.bulk_create(
        _line(order, position, line, plans[line.plan_of], at)
        for order, new in zip(written, orders, strict=True)
        for position, line in enumerate(new.lines, start=1)
    )
    queues = _queues_for(plans.values())
    Task.objects.bulk_create(
        [task for line in lines for task in _tasks(line, line.delivery_plan.tasks, queues, at)]
    )
    counts = {order.pk: len(new.lines) for order, new in zip(written, orders, strict=True)}
    events.record_many(
        "order.placed",
        written,
        at=at,
        actor_id=actor_id,
        facts_of=lambda o: {"lines": counts[o.pk], "channel": channel, "quote": o.quote_id},
    )
    events.record_many("order_line.scheduled", lines, at=at, actor_id=actor_id)
    return written


def _line(order: Order, position: int, new: NewLine, plan: DeliveryPlan, at: datetime) -> OrderLine:
    line = OrderLine(
        order=order,
        account_id=order.account_id,
        position=position,
        quote_line_id=new.quote_line_id,
        product_version_id=new.product_version_id,
        delivery_plan=plan,
        quantity=new.quantity,
        characteristics=new.characteristics,
        terms_id=new.terms_id,
        book_version_id=new.book_version_id,
        contract_id=new.contract_id,
        start_on=order.start_on,
        accepted_at=at,
    )
    line.schedule(at=at)
    return line


def _plans_for(lines: Sequence[NewLine]) -> dict[int, DeliveryPlan]:
    """The newest published plan of each product; refuses the first line that has none."""
    wanted = {line.plan_of for line in lines}
    newest = (
        DeliveryPlan.objects.filter(product_id__in=wanted, state=DeliveryPlan.State.PUBLISHED)
        .order_by("product_id", "-number")
        .distinct("product_id")
    )
    plans = {plan.product_id: plan for plan in newest}
    for index, line in enumerate(lines):
        if line.plan_of not in plans:
            message = _("Nobody has published yet how line %(line)s is delivered.")
            raise NoPlan(message % {"line": index + 1}, field=f"lines[{index}].product")
    return plans


def _queues_for(plans: Any) -> dict[str, int]:
    """Queue codes → keys; a code that a plan names and nobody set up yet becomes a queue."""
    codes = {task["queue"] for plan in plans for task in plan.tasks if task["kind"] == "manual"}
    if not codes:
        return {}
    known = dict(Queue.objects.filter(code__in=codes).values_list("code", "pk"))
    if missing := sorted(codes - known.keys()):
        Queue.objects.bulk_create(
            [Queue(code=code, name=code.replace("-", " ").capitalize()) for code in missing],
            ignore_conflicts=True,
        )
        known = dict(Queue.objects.filter(code__in=codes).values_list("code", "pk"))
    return known


def _tasks(
    line: OrderLine, plan: Sequence[dict[str, Any]], queues: dict[str, int], at: datetime
) -> list[Task]:
    return [_task(line, step, queues, at) for step in plan]


def _task(line: OrderLine, step: dict[str, Any], queues: dict[str, int], at: datetime) -> Task:
    after = sorted(set(step.get("after", [])))
    task = Task(
        order_id=line.order_id,
        line=line,
        account_id=line.account_id,
        key=step["key"],
        name=step.get("name") or step["key"],
        kind=step["kind"],
        queue_id=queues.get(step["queue"]) if step["kind"] == "manual" else None,
        handler=step.get("handler") or "",
        parameters=step.get("parameters") or {},
        wants=list(step.get("evidence", [])),
        after=after,
        waiting_on=len(after),
        minutes=step.get("minutes") or 0,
    )
    if not after:
        task.make_ready(at=at)
    return task
