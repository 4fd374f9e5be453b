"""Write an order with its lines and lay their plans; in bulk, whatever the number of lines."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.catalog.models import BundleOption, DeliveryPlan, ProductVersion
from o2b.copying import copy_in, write_all
from o2b.customers.models import Account
from o2b.errors import Refused
from orders.laying.queues import codes_of, queues_called
from orders.laying.steps import components_of, parents_of, tasks_of
from orders.models import Order, OrderLine, Priority, Queue
from quotes.services import AccountClosed


class NoPlan(Refused):
    """A product that nobody has said how to deliver."""

    code = "no_plan"


@dataclass(frozen=True, slots=True)
class ChangePart:
    """What a line does to what is in service, and what it found before."""

    action: str
    change_on: date
    in_service: dict[str, Any]


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
    # What a line that changes a service found of it, and what it does to it from which day on.
    change: ChangePart | None = None
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
    # Nothing is begun before this day of the account; by which day we said we would deliver.
    work_from: date | None = None
    promised_on: date | None = None
    priority: int = Priority.NORMAL
    bulk_id: int | None = None
    kind: str = Order.Kind.NEW
    po_number: str = ""


def lock_account(*, account_id: int, field: str | None = None) -> Account:
    """The account, locked before everything else; refuses a closed one."""
    return lock_accounts(account_ids=[account_id], field=field)[account_id]


def lock_accounts(
    *, account_ids: Collection[int], field: str | None = None, closed_too: bool = False
) -> dict[int, Account]:
    """The accounts, locked in ascending key; refuses a closed one.

    With `closed_too` closed ones are locked as well: the caller says what may still be changed.
    """
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
        if not account.is_open and not closed_too:
            message = _("%(account)s is closed; it can order nothing.")
            raise AccountClosed(message % {"account": account}, field=field)
    return accounts


def write_orders(
    *, orders: Sequence[NewOrder], channel: str, at: datetime, actor_id: int | None = None
) -> list[Order]:
    """Write orders, their lines and their tasks; call it with the accounts locked.

    Lines are scheduled, but for those of an order whose work begins on a later day.
    """
    wanted = [line for new in orders for line in new.lines]
    plans, versions = _plans_for(wanted), _versions_for(wanted)
    written = write_all(
        Order(
            account=new.account,
            quote_id=new.quote_id,
            kind=new.kind,
            channel=channel,
            placed_at=at,
            placed_by_id=actor_id,
            start_on=new.start_on,
            note=new.note,
            work_from=new.work_from,
            promised_on=new.promised_on,
            priority=new.priority,
            bulk_id=new.bulk_id,
            po_number=new.po_number,
        )
        for new in orders
    )
    lines = write_all(
        _line(order, position, line, plans[line.plan_of], versions, at)
        for order, new in zip(written, orders, strict=True)
        for position, line in enumerate(new.lines, start=1)
    )
    _join_bundles(lines)
    copy_in(tasks_of(lines, versions, _queues_for(plans.values()), at=at))
    counts = {order.pk: len(new.lines) for order, new in zip(written, orders, strict=True)}
    events.record_many(
        "order.placed",
        written,
        at=at,
        actor_id=actor_id,
        facts_of=lambda o: {"lines": counts[o.pk], "channel": channel, "quote": o.quote_id},
    )
    scheduled = [line for line in lines if line.state == OrderLine.State.SCHEDULED]
    events.record_many("order_line.scheduled", scheduled, at=at, actor_id=actor_id)
    return written


def begins_later(order: Order, *, at: datetime) -> bool:
    """Whether the work on an order begins on a later day of its account."""
    return order.work_from is not None and clock.day(order.account, at) < order.work_from


def _line(
    order: Order,
    position: int,
    new: NewLine,
    plan: DeliveryPlan,
    versions: Mapping[int, ProductVersion],
    at: datetime,
) -> OrderLine:
    line = OrderLine(
        order=order,
        account_id=order.account_id,
        position=position,
        quote_line_id=new.quote_line_id,
        product_version=versions[new.product_version_id],
        delivery_plan=plan,
        quantity=new.quantity,
        characteristics=new.characteristics,
        terms_id=new.terms_id,
        book_version_id=new.book_version_id,
        contract_id=new.contract_id,
        start_on=order.start_on,
        accepted_at=at,
        **_changing(new.change),
    )
    line.components = components_of(line, line.product_version)
    if not begins_later(order, at=at):
        line.schedule(at=at)
    return line


def _changing(change: ChangePart | None) -> dict[str, Any]:
    return asdict(change) if change else {}


def _join_bundles(lines: Sequence[OrderLine]) -> None:
    """Let each part of a bundle know the bundle's line."""
    bundles: dict[int, set[int]] = {}
    offered = BundleOption.objects.filter(version_id__in={li.product_version_id for li in lines})
    for version_id, component_id in offered.values_list("version_id", "component_id"):
        bundles.setdefault(version_id, set()).add(component_id)
    joined = []
    for line, head in parents_of(lines, bundles) if bundles else ():
        line.parent = head
        joined.append(line)
    if joined:
        OrderLine.objects.bulk_update(joined, ["parent"], 500)


def _versions_for(lines: Sequence[NewLine]) -> dict[int, ProductVersion]:
    """The versions that are ordered, with their products."""
    wanted = {line.product_version_id for line in lines}
    return ProductVersion.objects.select_related("product").in_bulk(wanted)


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


def _queues_for(plans: Collection[DeliveryPlan]) -> dict[str, Queue]:
    """The queues that the plans name, also for what undoes their steps."""
    return queues_called(codes_of(step for plan in plans for step in plan.tasks))
