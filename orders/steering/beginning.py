"""The day on which work begins: lines are scheduled, and their first tasks ready."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import DateField, DateTimeField, Exists, F, Func, OuterRef, Value
from django.db.models.functions import Cast, Coalesce

from o2b import clock, events, fsm
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import settle
from orders.models import Order, OrderLine

AT_ONCE = 200


def begin_due_orders(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Begin the orders whose day has come where their accounts live; returns how many.

    Set-based; two of these at once take different orders.
    """
    its_now = Coalesce(F("account__test_clock__now"), Value(machine_now))
    local = Func(
        F("account__time_zone"), its_now, function="timezone", output_field=DateTimeField()
    )
    ahead = OrderLine.objects.filter(order=OuterRef("pk"), state=OrderLine.State.ACCEPTED)
    with transaction.atomic():
        due = list(
            Order.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
            .alias(its_day=Cast(local, DateField()))
            .filter(Exists(ahead), work_from__lte=F("its_day"))
            .select_related("account__test_clock")
            .order_by("pk")[:limit]
        )
        accounts = {order.account_id: order.account for order in due}
        for at, account_ids in _moments(accounts, machine_now).items():
            mine = [order.pk for order in due if order.account_id in account_ids]
            lines = OrderLine.objects.filter(order__in=mine, state=OrderLine.State.ACCEPTED)
            locked = lines.select_for_update(of=("self",), no_key=True).order_by("pk")
            begin_lines(list(locked), at=at)
    return len(due)


def begin_lines(lines: Sequence[OrderLine], *, at: datetime, actor_id: int | None = None) -> None:
    """Schedule locked lines of accounts that live in one moment; what can run by itself will."""
    fsm.move_locked(lines, "schedule", at=at, actor_id=actor_id)
    orders = {line.order_id: Order(pk=line.order_id, account_id=line.account_id) for line in lines}
    if not orders:
        return
    scene = Scene.of_orders(orders)
    settle(scene, {}, at=at, machine_now=at, actor_id=actor_id)
    events.record_many("order.woken", list(orders.values()), at=at, actor_id=actor_id)


def _moments(
    accounts: Mapping[int, clock.Clocked], machine_now: datetime
) -> dict[datetime, Collection[int]]:
    """Accounts by the moment that they live in."""
    found: dict[datetime, set[int]] = {}
    for key, account in accounts.items():
        found.setdefault(account.test_now or machine_now, set()).add(key)
    return dict(found)
