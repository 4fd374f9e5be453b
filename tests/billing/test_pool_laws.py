"""Pools, and what happens to who fills them or draws from them: at once, late, changed, broken."""

import threading
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from billing.models import InvoiceLine
from o2b.customers.models import LegalEntity
from o2b.taxes.services import close_tax_rate
from orders.models import Order
from subscriptions import services
from subscriptions.models import Act, Item, Pool
from subscriptions.pools import incoming
from subscriptions.pools.selectors import pool_states
from subscriptions.pools.services import grant_units, share_pool
from tests.billing.test_pools import billed, lines, used
from tests.factories import a_product, a_tax_rate, a_user, monthly, reprice
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_plan, a_top_up, sold
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, an_event, by_meter

pytestmark = pytest.mark.django_db


def lots() -> list[tuple[Decimal, date, date]]:
    (state,) = pool_states([Pool.objects.get().pk])
    return [(lot.units, lot.begins, lot.ends) for lot in state.lots]


# Two at once.


def started_at_once(
    world: World, monkeypatch: Any, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> Item:
    """Two orders of one account are put into service by two workers; the item of the second."""
    a_meter()
    world.on("2026-01-01")
    real = services.start_items_of
    monkeypatch.setattr(services, "start_items_of", lambda **_: {})
    world.sell(products=[a_product(charges=first)])
    world.sell(products=[a_product(charges=second)])
    monkeypatch.setattr(services, "start_items_of", real)
    one, two = Order.objects.order_by("pk").values_list("pk", flat=True)
    started, faults = threading.Event(), []

    def quick() -> None:
        with transaction.atomic():
            real(order_ids=[one], at=world.now)
            started.set()
            time.sleep(1)

    def slow() -> None:
        started.wait(20)
        real(order_ids=[two], at=world.now)

    def alone(work: Callable[[], None]) -> threading.Thread:
        def go() -> None:
            try:
                work()
            except BaseException as fault:  # for the test to see
                faults.append(fault)
            finally:
                connection.close()

        return threading.Thread(target=go)

    workers = [alone(quick), alone(slow)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert faults == []
    world.settle()
    return Item.objects.get(order_line__order_id=two)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("both", [True, False], ids=["two plans", "a plan and who draws"])
def test_a_service_that_begins_beside_the_pool_draws_from_it(
    world: World, monkeypatch: Any, both: bool
) -> None:
    plan, drawer = a_plan("100"), by_meter()
    first, second = ([plan, drawer], [plan, drawer]) if both else ([plan], [drawer])
    item = started_at_once(world, monkeypatch, first, second)
    world.on("2026-02-10")
    used(world, an_event(item, "50", "2026-01-05T12:00:00Z"))
    billed(world, "2026-02-10")
    assert lines(item) == [("2026-01-01", "50", "0.00", "period")]


# Who fills it is changed.


def test_a_corrected_price_of_the_plan_takes_nothing_that_rolled_over(world: World) -> None:
    a_meter()
    plan = sold(world, a_plan("100", rollover="100"))
    item = a_drawer(world)
    world.on("2026-03-02")
    used(
        world,
        an_event(item, "40", "2026-01-20T12:00:00Z"),
        an_event(item, "150", "2026-02-09T12:00:00Z"),
    )
    billed(world, "2026-03-02")
    assert [amount for _, _, amount, _ in lines(item)] == ["0.00", "0.00"]
    reprice(plan.product_version, charges=[a_plan("100", rollover="100", price="19.00")])
    told(world, plan, Act.TERMS, on=date(2026, 2, 1))
    billed(world, "2026-03-03")
    assert len(lines(item)) == 2


def test_a_corrected_price_in_mid_month_brings_no_unit_twice(world: World) -> None:
    a_meter()
    plan = sold(world, a_plan("100"))
    item = a_drawer(world)
    world.on("2026-03-02")
    used(
        world,
        an_event(item, "75", "2026-02-09T12:00:00Z"),
        an_event(item, "75", "2026-02-20T12:00:00Z"),
    )
    billed(world, "2026-03-02")
    assert lines(item) == [("2026-02-01", "150", "5.00", "period")]
    reprice(plan.product_version, charges=[a_plan("100", price="19.00")])
    told(world, plan, Act.TERMS, on=date(2026, 2, 15))
    billed(world, "2026-03-03")
    assert len(lines(item)) == 1


def test_units_of_a_larger_quantity_cover_the_days_from_then_on(world: World) -> None:
    a_meter()
    plan = sold(world, a_plan("100"))
    item = a_drawer(world)
    world.on("2026-03-02")
    used(
        world,
        an_event(item, "150", "2026-02-09T12:00:00Z"),
        an_event(item, "150", "2026-02-20T12:00:00Z"),
    )
    billed(world, "2026-03-02")
    assert lines(item) == [("2026-02-01", "300", "20.00", "period")]
    told(world, plan, Act.QUANTITY, on=date(2026, 2, 15), quantity=Decimal(3))
    billed(world, "2026-03-03")
    assert lines(item)[1:] == [("2026-02-01", "300", "-15.00", "pool")]
    february = [lot for lot in lots() if lot[1].month == 2]
    assert february == [
        (Decimal(100), date(2026, 2, 1), date(2026, 3, 1)),
        (Decimal(200), date(2026, 2, 15), date(2026, 3, 1)),
    ]


def test_where_the_last_day_is_billed_a_change_brings_no_lot_of_one_day(world: World) -> None:
    a_meter()
    LegalEntity.objects.update(conventions={"last_day_billed": True})
    plan = sold(world, a_plan("100"))
    a_drawer(world)
    world.on("2026-02-10")
    reprice(plan.product_version, charges=[a_plan("120")])
    told(world, plan, Act.TERMS, on=date(2026, 2, 1))
    assert [lot for lot in lots() if lot[1] == date(2026, 2, 1)] == [
        (Decimal(120), date(2026, 2, 1), date(2026, 3, 1))
    ]


# Who draws is changed.


def test_a_value_below_zero_gives_units_back_to_who_was_billed_already(world: World) -> None:
    a_meter(least=Decimal(-1000))
    sold(world, a_top_up("100"))
    quarterly = sold(world, by_meter() | {"interval_count": 3})
    item = a_drawer(world)
    world.on("2026-01-20")
    used(
        world,
        an_event(quarterly, "100", "2026-01-10T12:00:00Z"),
        an_event(item, "50", "2026-01-15T12:00:00Z"),
    )
    billed(world, "2026-02-02")
    assert lines(item) == [("2026-01-01", "50", "5.00", "period")]
    used(world, an_event(quarterly, "-100", "2026-02-02T11:00:00Z"))
    billed(world, "2026-03-02")
    assert sum(Decimal(amount) for _, _, amount, _ in lines(item)) == 0


def test_a_named_service_draws_no_more_when_somebody_else_has_it(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    guest = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    heir = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    item = a_drawer(world, account=guest)
    pool = Pool.objects.get()
    share_pool(pool_id=pool.pk, service=item, at=world.now, by=a_user("order team").pk)
    world.on("2026-01-15")
    told(world, item, Act.TRANSFER, to_account_id=heir.pk)
    theirs = Item.objects.get(account=heir)
    world.on("2026-02-10")
    used(
        world,
        an_event(item, "10", "2026-01-10T12:00:00Z"),
        an_event(theirs, "20", "2026-01-20T12:00:00Z"),
    )
    billed(world, "2026-02-10")
    assert [amount for _, _, amount, _ in lines(item)] == ["0.00"]
    assert [amount for _, _, amount, _ in lines(theirs)] == ["2.00"]


def test_units_told_late_give_money_back_at_the_rate_of_its_bill(world: World) -> None:
    old = a_tax_rate(percent="19")
    a_meter()
    item = a_drawer(world)
    sold(world, a_top_up("10", price="0.00"))
    world.on("2026-02-10")
    used(world, an_event(item, "1010", "2026-01-20T12:00:00Z"))
    billed(world, "2026-02-10")
    close_tax_rate(rate_id=old.pk, on=date(2026, 2, 15), today=date(2026, 2, 10))
    a_tax_rate(percent="20", valid_from=date(2026, 2, 15))
    world.on("2026-02-20")
    grant_units(
        pool_id=Pool.objects.get().pk,
        units=Decimal(500),
        reason="an outage",
        begins_on=date(2026, 1, 1),
        at=world.now,
        by=a_user("finance").pk,
    )
    billed(world, "2026-02-20")
    rows = InvoiceLine.objects.filter(charge__item=item).order_by("pk")
    assert [(f"{r.amount:.2f}", f"{r.tax:.2f}") for r in rows] == [
        ("100.00", "19.00"),
        ("-50.00", "-9.50"),
    ]


# One that cannot be computed.


def test_a_pool_that_cannot_be_computed_parks_who_draws_from_it_and_nobody_else(
    world: World, monkeypatch: Any
) -> None:
    a_meter()
    sold(world, a_top_up("10"))
    item = a_drawer(world)
    other = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    sold(world, a_plan("10"), account=other)
    theirs = a_drawer(world, account=other)
    third = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    sold(world, monthly("9.00"), account=third)
    world.on("2026-02-10")
    used(
        world,
        an_event(item, "20", "2026-01-10T12:00:00Z"),
        an_event(theirs, "20", "2026-01-10T12:00:00Z"),
    )
    real = incoming.lots_of

    def broken(ref: str, charge: Any, *, on: date) -> Any:
        if charge.terms.kind == "one_time":
            raise OverflowError("date value out of range")
        return real(ref, charge, on=on)

    monkeypatch.setattr(incoming, "lots_of", broken)
    run = world.bill("2026-02-10")
    assert run.state == "finalised"
    assert world.parked() == [(world.account.pk, "error")]
    assert lines(theirs) == [("2026-01-01", "20", "1.00", "period")]
