"""Orders whose lines are delivered, written as rows: what stage two hands to stage three."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from o2b.catalog.models import DeliveryPlan, ProductVersion, Terms
from o2b.catalog.resolution import Wanted, resolve
from o2b.catalog.services import freeze_terms
from o2b.charging import StartRule
from o2b.customers.models import Account
from orders.models import Evidence, Order, OrderLine, Task
from tests.factories import an_account

AT = datetime(2026, 2, 10, 9, tzinfo=UTC)
DAY = date(2026, 2, 10)


def terms_for(
    account: Account,
    version: ProductVersion,
    *,
    quantity: str = "1",
    start_rule: StartRule = StartRule.ON_DELIVERY,
) -> Terms:
    """The Terms that the account gets for a product today, frozen."""
    wanted = [Wanted(version, Decimal(quantity))]
    resolved = resolve(account=account, wanted=wanted, on=AT.date(), start_rule=start_rule)
    return freeze_terms(resolved)[0]


def an_order(account: Account | None = None, **given: Any) -> Order:
    """An order without lines."""
    account = account or an_account()
    fields = {"channel": "screen", "placed_at": AT} | given
    return Order.objects.create(account=account, **fields)


def a_line(
    order: Order,
    version: ProductVersion,
    *,
    quantity: str = "1",
    start_rule: StartRule = StartRule.ON_DELIVERY,
    delivered_on: date | None = DAY,
    serials: Sequence[str] = (),
    state: str = OrderLine.State.COMPLETED,
    **given: Any,
) -> OrderLine:
    """One line of the order, delivered and completed, with an evidence row a serial."""
    line = OrderLine.objects.create(
        order=order,
        account_id=order.account_id,
        position=order.lines.count() + 1,
        product_version=version,
        delivery_plan=DeliveryPlan.objects.get(product=version.product),
        quantity=Decimal(quantity),
        terms=terms_for(order.account, version, quantity=quantity, start_rule=start_rule),
        accepted_at=AT,
        delivered_on=delivered_on,
        state=state,
        **given,
    )
    if serials:
        task = Task.objects.create(
            order=order, line=line, account_id=order.account_id, key="install", kind="manual"
        )
        Evidence.objects.bulk_create(
            Evidence(
                task=task,
                line=line,
                product_version=version,
                quantity=line.quantity,
                serial=serial,
                at=AT,
            )
            for serial in serials
        )
    return line
