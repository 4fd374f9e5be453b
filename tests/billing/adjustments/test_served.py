"""Minimums and coupons go by the days of service: rest of a month, earlier runs, other clocks."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.adjustments.services.granting import end_grant
from billing.adjustments.services.minimums import end_minimum
from billing.adjustments.services.refusals import GivenAlready
from billing.models import InvoiceAdjustment
from o2b.customers.models import Account
from subscriptions.models import Act, Item
from tests.billing.adjustments.build import a_coupon, committed, documents, given_to, has
from tests.billing.test_usage import billed, used
from tests.factories import a_product, monthly, reprice
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal


def nets(world: World) -> list[str]:
    assert world.parked() == []
    return [net for net, *_ in documents(world.account)]


def test_the_rest_of_a_month_counts_for_the_minimum_of_these_days(world: World) -> None:
    world.on("2026-01-15").sell(products=[a_product(charges=[monthly("200.00")])])
    committed(world.account, "100.00", "2026-01-15")
    world.bill()
    world.on("2026-02-01").bill()
    assert nets(world) == ["109.68", "200.00"]
    assert given_to(world.account) == []


def test_usage_of_the_rest_of_a_month_counts_for_the_minimum(world: World) -> None:
    a_meter()
    item = a_metered_service(world, since="2026-01-15")
    committed(world.account, "100.00", "2026-01-15")
    used(world.on("2026-02-01"), an_event(item, "500", "2026-01-20T12:00:00Z"))
    world.on("2026-02-02").bill()
    # 17 of 31 days: 54.84, of which 50.00 were used.
    assert nets(world) == ["54.84"]
    assert [row[2] for row in given_to(world.account)] == ["4.84"]


def test_what_was_in_service_before_counts_with_its_days_from_then_on(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("62.00")])])
    has(world.account, a_coupon("50"))
    world.bill()
    committed(world.account, "100.00", "2026-01-15")
    world.on("2026-02-01").bill()
    # 54.84 of 17 days, of which 17 / 31 of 31.00 were billed.
    assert given_to(world.account)[1:] == [
        ("2026-02-01", "1", "-31.00", "0.00"),
        ("2026-01-15", "1", "37.84", "0.00"),
    ]
    assert world.parked() == []


def test_more_of_it_from_a_day_on_counts_from_then_on(world: World) -> None:
    """31.00 for the month is 14.00 before the minimum; three of it are 51.00 since."""
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("31.00")])])
    world.bill()
    told(world.on("2026-01-20"), Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 15),
         quantity=D(3))  # fmt: skip
    committed(world.account, "100.00", "2026-01-15")
    world.on("2026-02-01").bill()
    assert [row[2] for row in given_to(world.account)] == ["3.84"]
    assert world.parked() == []


def test_months_count_for_the_quarter_that_their_service_begins_in(world: World) -> None:
    world.on("2026-01-15").sell(products=[a_product(charges=[monthly("200.00")])])
    committed(world.account, "500.00", "2026-01-15", months=3, counted="start")
    world.bill()
    for month in ("02", "03", "04"):
        world.on(f"2026-{month}-15").bill()
    # 15 January to 15 April: 109.68 and what begins in February, March and April.
    assert given_to(world.account) == []
    assert nets(world) == ["109.68", "200.00", "200.00", "200.00"]


def test_the_first_month_of_a_coupon_has_the_rest_of_the_month(world: World) -> None:
    world.on("2026-01-15").sell(products=[a_product(charges=[monthly("62.00")])])
    has(world.account, a_coupon("50", periods=1), "2026-01-15")
    world.bill()
    world.on("2026-02-01").bill()
    world.on("2026-03-01").bill()
    # February begins in the month of the coupon, too: until before 15 February.
    assert nets(world) == ["17.00", "31.00", "62.00"]


def test_a_coupon_is_not_for_a_month_that_another_price_continues(world: World) -> None:
    product = a_product(charges=[monthly("31.00")])
    world.on("2026-01-01").sell(products=[product])
    world.bill()
    has(world.account, a_coupon("50"), "2026-01-10")
    reprice(product, charges=[monthly("62.00")])
    told(world.on("2026-01-16"), Item.objects.get(), Act.TERMS, on=date(2026, 1, 16))
    world.bill()
    assert given_to(world.account) == []
    world.on("2026-02-01").bill()
    assert [row[:3] for row in given_to(world.account)] == [("2026-02-01", "1", "-31.00")]
    assert world.parked() == []


@pytest.mark.parametrize("late", [True, False])
def test_a_corrected_price_of_usage_has_its_discount_whatever_came_first(
    world: World, late: bool
) -> None:
    a_meter()
    item = a_metered_service(world)
    has(world.account, a_coupon("10"))
    used(world, an_event(item, "1000", "2026-01-20T12:00:00Z"))
    if late:
        billed(world, "2026-02-10")
    reprice(item.product_version, charges=[by_meter(price="0.08")])
    told(world, item, Act.TERMS, on=date(2026, 1, 1))
    billed(world, "2026-02-11")
    assert nets(world) == (["90.00", "-18.00"] if late else ["72.00"])


def test_a_run_for_an_earlier_day_leaves_what_is_over_by_a_later_one(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("62.00")])])
    committed(world.account, "100.00")
    world.bill()
    world.on("2026-02-01").bill()
    world.bill("2026-01-31")
    world.bill("2026-02-01")
    assert nets(world) == ["62.00", "100.00"]
    assert [row[2] for row in given_to(world.account)] == ["38.00"]


def test_a_true_up_of_days_that_do_not_count_any_more_goes_by_any_run(world: World) -> None:
    held = committed(world.account, "100.00")
    world.on("2026-03-01").bill()
    from_february = date(2026, 2, 1)
    end_minimum(minimum_id=held.pk, on=from_february, reason="over", by=None, at=world.now)
    world.bill("2026-01-31")
    assert nets(world) == ["200.00", "-100.00"]


def test_a_true_up_waits_for_the_usage_of_its_last_day(world: World) -> None:
    a_meter()
    Account.objects.filter(pk=world.account.pk).update(time_zone="America/Los_Angeles")
    world.account.refresh_from_db()
    item = a_metered_service(world)
    committed(world.account, "100.00")
    used(world.on("2026-01-25"), an_event(item, "800", "2026-01-20T12:00:00Z"))
    world.clock.now = datetime(2026, 2, 1, 1, tzinfo=UTC)  # 31 January where it lives
    world.clock.save()
    world.bill("2026-02-01")
    assert nets(world) == []
    world.on("2026-02-02").bill()
    assert nets(world) == ["100.00"]
    assert InvoiceAdjustment.objects.get().amount == 20


def test_what_a_coupon_gave_for_the_rest_of_a_month_stays(world: World) -> None:
    world.on("2026-01-15").sell(products=[a_product(charges=[monthly("62.00")])])
    grant = has(world.account, a_coupon("50"), "2026-01-01")
    world.bill()
    asked = {"grant_id": grant.pk, "reason": "over", "by": None, "at": world.now}
    with pytest.raises(GivenAlready):
        end_grant(on=date(2026, 1, 15), **asked)
    assert end_grant(**asked).ends_on == date(2026, 1, 16)
    world.on("2026-02-01").bill()
    assert nets(world) == ["17.00", "62.00"]
