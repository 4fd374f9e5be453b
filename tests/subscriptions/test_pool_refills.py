"""Automatic top-up: an order when little is left, one a fall, not oftener a month than told."""

import threading
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection

from o2b.models import Event
from o2b.people.models import Notice
from orders.models import Order, OrderLine
from subscriptions.models import Item, Pool, PoolRefill, PoolRefillOrder
from subscriptions.pools.selectors import PoolState, pool_states
from subscriptions.pools.services import RefillRefused, refilling, set_refill, stop_refill
from subscriptions.pools.tasks import refill_pools
from subscriptions.usage.services import take_usage
from tests.billing.pages import client_of, text_of
from tests.factories import a_product, a_user, monthly
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_plan, a_top_up, sold
from tests.subscriptions.usage.build import a_meter, an_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(world: World) -> Item:
    """A service that draws from a pool of 100 minutes a month; top-ups bring 50 each."""
    a_meter()
    sold(world, a_plan("100"))
    a_product(code="top-up", charges=[a_top_up("50")])
    item = a_drawer(world)
    world.on("2026-01-10")
    return item


def set_for(world: World, **given: Any) -> PoolRefill:
    asked = {"below": Decimal(20), "product": "top-up", "quantity": Decimal(2), "most_a_month": 2}
    return set_refill(
        pool_id=Pool.objects.get().pk, at=world.now, by=a_user("order team").pk, **asked | given
    )


def use(world: World, item: Item, units: str, day: str) -> None:
    take_usage([an_event(item, units, f"{day}T09:00:00Z")], at=world.now)


def left() -> Decimal:
    (state,) = pool_states([Pool.objects.get().pk])
    return state.drawing.left


def ordered() -> list[Order]:
    return list(Order.objects.filter(note__contains="top-up").order_by("pk"))


def test_it_orders_once_when_little_is_left(world: World, item: Item) -> None:
    refill = set_for(world)
    assert refill_pools() == 0
    use(world, item, "81", "2026-01-10")
    assert (left(), refill_pools()) == (19, 1)
    assert refill_pools() == 0, "its order is on its way"
    (order,) = ordered()
    line = order.lines.get()
    assert (line.product_version.product.code, line.quantity) == ("top-up", 2)
    assert (order.account, order.placed_by) == (world.account, refill.set_by)
    row = PoolRefillOrder.objects.get()
    assert (row.order, row.left, row.placed_on) == (order, 19, date(2026, 1, 10))
    event = Event.objects.get(name="pool.refilled")
    assert event.facts["order"] == order.pk
    assert Notice.objects.filter(
        key=f"pool-refill-{order.pk}", user=world.account.advocate
    ).exists()
    page = client_of("order team").get(Pool.objects.get().get_absolute_url())
    assert [each.standing for each in page.context["refill_orders"]] == ["scheduled"]
    assert order.number in text_of(page)
    world.settle()
    world.on("2026-01-11")
    assert left() == 119
    assert refill_pools() == 0
    use(world, item, "110", "2026-01-11")
    assert (left(), refill_pools()) == (9, 1), "it rose above the limit and fell again"


def test_not_oftener_a_month_than_told(world: World, item: Item) -> None:
    set_for(world, most_a_month=1)
    use(world, item, "90", "2026-01-10")
    assert refill_pools() == 1
    world.settle()
    world.on("2026-01-12")
    use(world, item, "105", "2026-01-12")
    assert (left(), refill_pools()) == (5, 0)
    world.on("2026-02-01")
    assert left() == 105, "the plan brings units of the month"
    assert refill_pools() == 0
    use(world, item, "100", "2026-02-01")
    assert refill_pools() == 1


def test_an_order_that_was_cancelled_is_not_placed_again(world: World, item: Item) -> None:
    set_for(world)
    use(world, item, "90", "2026-01-10")
    assert refill_pools() == 1
    OrderLine.objects.filter(order=ordered()[0]).update(state=OrderLine.State.CANCELLED)
    assert refill_pools() == 0
    set_for(world)
    assert refill_pools() == 1, "told anew it may order again"


def test_switched_off_it_orders_nothing(world: World, item: Item) -> None:
    set_for(world)
    stop_refill(pool_id=Pool.objects.get().pk, at=world.now, by=a_user("order team").pk)
    use(world, item, "90", "2026-01-10")
    assert refill_pools() == 0
    assert ordered() == []


def test_what_cannot_be_ordered_is_told_once_a_day(world: World, item: Item) -> None:
    refill = set_for(world)
    use(world, item, "90", "2026-01-10")
    world.account.state = "closed"
    world.account.save()
    assert (refill_pools(), refill_pools()) == (0, 0)
    refill.refresh_from_db()
    assert "closed" in refill.fault
    assert Event.objects.filter(name="pool.refill_failed").count() == 1
    assert Notice.objects.filter(key__startswith="pool-refill-failed").count() == 1
    world.account.state = "open"
    world.account.save()
    assert refill_pools() == 0, "tried again tomorrow"
    world.on("2026-01-11")
    assert refill_pools() == 1
    refill.refresh_from_db()
    assert refill.fault == ""


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"below": Decimal(0)}, "below"),
        ({"below": Decimal("0.0000001")}, "below"),
        ({"below": Decimal(10) ** 12}, "below"),
        ({"below": Decimal(101)}, "quantity"),
        ({"quantity": Decimal(0)}, "quantity"),
        ({"most_a_month": 0}, "most_a_month"),
        ({"most_a_month": 32}, "most_a_month"),
        ({"product": "nothing"}, "product"),
        ({"product": "plain"}, "product"),
        ({"product": "monthly"}, "product"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    world: World, item: Item, given: dict[str, Any], field: str
) -> None:
    a_product(
        code="plain",
        charges=[{"key": "fee", "kind": "one_time", "model": "per_unit", "unit_price": Decimal(1)}],
    )
    a_product(code="monthly", charges=[a_plan(), monthly("1.00")])
    with pytest.raises(RefillRefused) as refusal:
        set_for(world, **given)
    assert refusal.value.field == field
    assert not PoolRefill.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_place_one_order(world: World, item: Item) -> None:
    set_for(world)
    use(world, item, "90", "2026-01-10")
    start, placed = threading.Barrier(2), []

    def look() -> None:
        start.wait()
        try:
            placed.append(refill_pools())
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(placed) == [0, 1]
    assert len(ordered()) == 1


@pytest.mark.parametrize("how", ["left", "lost the permission"])
def test_nothing_is_ordered_in_the_name_of_somebody_who_may_not(
    world: World, item: Item, how: str
) -> None:
    refill = set_for(world)
    use(world, item, "90", "2026-01-10")
    who = refill.set_by
    who.is_active = how != "left"
    who.groups.set(who.groups.all() if how == "left" else [])
    who.save()
    assert (refill_pools(), ordered()) == (0, [])
    refill.refresh_from_db()
    assert str(who) in refill.fault
    world.on("2026-01-11")
    assert refill_pools() == 0
    told = Notice.objects.filter(key__startswith="pool-refill-failed")
    assert [each.user for each in told] == [world.account.advocate], "told once, not each day"
    set_for(world)
    assert refill_pools() == 1, "somebody else took it over"


def test_a_fault_is_told_again_of_the_next_fall(world: World, item: Item) -> None:
    set_for(world)
    use(world, item, "90", "2026-01-10")
    world.account.state = "closed"
    world.account.save()
    assert refill_pools() == 0
    world.on("2026-02-01")
    assert (left(), refill_pools()) == (100, 0)
    assert PoolRefill.objects.get().fault == ""
    use(world, item, "95", "2026-02-01")
    assert refill_pools() == 0
    assert Notice.objects.filter(key__startswith="pool-refill-failed").count() == 2


def test_a_test_clock_refills_on_its_days(world: World, item: Item) -> None:
    set_for(world, most_a_month=1)
    use(world, item, "90", "2026-01-10")
    world.live("2026-02-09")
    row = PoolRefillOrder.objects.get()
    assert (row.placed_on, row.left) == (date(2026, 1, 10), 10)
    assert left() == 200, "10 rolled over nowhere; 100 of the plan and 100 that were ordered"


@pytest.fixture
def other(world: World, item: Item) -> Pool:
    """A second pool that runs low as the first one does, of another account."""
    set_for(world)
    account = world.an_account(name="Beside")
    pool = Pool.objects.create(account=account, meter="minutes")
    asked = {"below": Decimal(20), "product": "top-up", "quantity": Decimal(1), "most_a_month": 2}
    set_refill(pool_id=pool.pk, at=world.now, by=a_user("order team").pk, **asked)
    use(world, item, "90", "2026-01-10")
    return pool


@pytest.mark.parametrize("fault", [RuntimeError("odd"), DatabaseError("deadlock")])
@pytest.mark.parametrize("reading", [True, False])
def test_a_pool_that_fails_does_not_keep_the_rest(
    world: World,
    item: Item,
    other: Pool,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    reading: bool,
) -> None:
    first = Pool.objects.order_by("pk")[0].pk

    def states(pool_ids: Collection[int]) -> list[PoolState]:
        if first in pool_ids:
            with connection.cursor() as cursor:  # what Postgres refuses ends its transaction
                cursor.execute("SELECT 1/0")
            raise fault
        return pool_states(pool_ids)

    def already(account_id: int) -> Collection[str]:
        if account_id == world.account.pk:
            raise fault
        return ()

    if reading:
        monkeypatch.setattr(refilling, "pool_states", states)
    assert refilling.refill_pools(already_of=already if not reading else lambda _pk: ()) == 1
    assert PoolRefillOrder.objects.get().refill.pool == other


def test_it_is_read_again_before_it_orders(
    world: World, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before the row was held may be over."""
    set_for(world)
    use(world, item, "90", "2026-01-10")
    read = pool_states([Pool.objects.get().pk])
    assert refill_pools() == 1
    world.settle()
    PoolRefillOrder.objects.update(settled=True)
    answers = [read]
    monkeypatch.setattr(
        refilling, "pool_states", lambda pks: answers.pop() if answers else pool_states(pks)
    )
    assert (left() > 20, refill_pools()) == (True, 0)
