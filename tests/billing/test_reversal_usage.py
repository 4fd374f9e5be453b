"""Reversals of usage, of other prices for it, and of what wallets bought and paid."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import Invoice, WalletMovement
from billing.payments.selectors import account_balance
from subscriptions.models import Act, Item
from tests.billing.test_reversal import reversed_
from tests.billing.test_usage import billed, lines, used
from tests.billing.wallets.build import agrees, booked, credits, granted, left
from tests.billing.wallets.test_life import bought
from tests.factories import a_tax_rate, reprice
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def last(world: World) -> Invoice:
    return world.invoices()[-1]


def take_back(world: World, invoice: Invoice) -> Invoice:
    return reversed_(invoice, at=world.now)


def test_usage_is_billed_again_with_what_came_late(world: World) -> None:
    a_tax_rate("19")
    a_meter()
    item = a_metered_service(world)
    used(world, an_event(item, "7", "2026-01-31T12:00:00Z"))
    billed(world, "2026-02-10")
    take_back(world, last(world))
    used(world, an_event(item, "3", "2026-01-15T12:00:00Z"))
    billed(world, "2026-02-11")
    assert lines(world) == [
        ("2026-01-01", "7", "0.70", "period"),
        ("2026-01-01", "7", "-0.70", "reversal"),
        ("2026-01-01", "10", "1.00", "period"),
    ]
    used(world, an_event(item, "5", "2026-01-16T12:00:00Z"))
    billed(world, "2026-02-12")
    assert lines(world)[3:] == [("2026-01-01", "15", "0.50", "late_usage")]
    billed(world, "2026-03-01")
    billed(world, "2026-03-01")
    assert len(lines(world)) == 4


def test_two_months_of_usage_where_the_first_is_taken_back(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(details={"allowance": {"units": "5"}}))
    used(world, an_event(item, "7", "2026-01-31T12:00:00Z"))
    billed(world, "2026-02-10")
    january = last(world)
    used(world, an_event(item, "9", "2026-02-09T12:00:00Z"))
    billed(world, "2026-03-01")
    take_back(world, january)
    billed(world, "2026-03-02")
    assert [line[2] for line in lines(world)] == ["0.20", "0.40", "-0.20", "0.20"]
    used(world, an_event(item, "6", "2026-03-01T12:00:00Z"))
    billed(world, "2026-04-01")
    assert lines(world)[4:] == [("2026-03-01", "6", "0.10", "period")]


def test_usage_of_another_price_is_billed_by_who_answers_for_it(world: World) -> None:
    """The old price was billed, the new one took it over; then the old bill is taken back."""
    a_meter()
    item = a_metered_service(world)
    used(world, an_event(item, "1000", "2026-01-20T12:00:00Z"))
    billed(world, "2026-02-10")
    january = last(world)
    reprice(item.product_version, charges=[by_meter(price="0.08")])
    told(world, item, Act.TERMS, on=date(2026, 1, 1))
    billed(world, "2026-02-11")
    take_back(world, january)
    billed(world, "2026-02-12")
    amounts = [Decimal(line[2]) for line in lines(world)]
    assert amounts == [Decimal(100), Decimal(-20), Decimal(-100), Decimal(100)]
    billed(world, "2026-02-13")
    take_back(world, last(world))
    billed(world, "2026-02-14")
    assert sum(Decimal(line[2]) for line in lines(world)) == 80


def test_a_wallet_gets_back_what_it_paid_and_pays_again(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world, "60")
    used(world, an_event(item, "100", "2026-01-20T12:00:00Z"))
    world.on("2026-02-10").bill()
    world.pay(last(world), "40.00")
    assert left(world.account) == "0.00"
    take_back(world, last(world))
    assert left(world.account) == "60.00"
    stands = account_balance(world.account)
    assert (stands.owed.amount, stands.open.amount, stands.credit.amount) == (-40, 0, 40)
    agrees(world.account)
    world.on("2026-02-11").bill()
    assert left(world.account) == "0.00"
    stands = account_balance(world.account)
    assert (stands.owed.amount, stands.open.amount, stands.credit.amount) == (0, 40, 40)
    agrees(world.account)


def test_a_purchase_that_is_taken_back_takes_its_money(world: World) -> None:
    bought(world.on("2026-02-01"), credits())
    world.bill()
    assert left(world.account) == "50.00"
    take_back(world, last(world))
    assert left(world.account) == "0.00"
    assert booked(world.account) == {}
    agrees(world.account)
    world.on("2026-02-02").bill()
    assert left(world.account) == "50.00"
    kinds = WalletMovement.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["granted", "taken", "granted"]
    agrees(world.account)
    assert Item.objects.count() == 1
