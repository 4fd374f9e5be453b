"""A period that was paid whole is not paid again by who goes on: another price, another account."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Charge, InvoiceLine
from o2b.asks import ask
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item
from tests.billing.again import lines_again
from tests.factories import a_product, monthly, reprice
from tests.scenarios.world import World
from tests.subscriptions.serving import told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
SIXTEENTH = date(2026, 1, 16)
WHOLE = pytest.mark.parametrize("proration", ["none", "full"])


def rows(account: Any) -> list[tuple[str, str]]:
    """Served from and amount of each line, in the order of billing."""
    found = InvoiceLine.objects.filter(account_id=account.pk).order_by("pk")
    return [(f"{line.served_from:%m-%d}", f"{line.amount:.2f}") for line in found]


def billed(world: World, day: str) -> None:
    run = world.on(day).bill(day)
    assert (run.state, world.parked()) == ("finalised", [])


def in_service(world: World, quantity: str = "1", **price: Any) -> Any:
    """31.00 a unit and month from 1 January, billed for January."""
    product = a_product(charges=[monthly("31.00", **price)])
    world.on("2026-01-01").sell(products=[product], quantity=quantity)
    billed(world, "2026-01-01")
    return product


def dearer(world: World, product: Any, on: date = SIXTEENTH, **price: Any) -> None:
    reprice(product, charges=[monthly("32.00", **price)])
    told(world, Item.objects.get(root=None), Act.TERMS, on=on)


@WHOLE
@pytest.mark.parametrize("early", [True, False])
def test_another_price_counts_from_the_next_period(
    world: World, proration: str, early: bool
) -> None:
    product = in_service(world, proration=proration)
    dearer(world.on("2026-01-10"), product, proration=proration)
    billed(world, "2026-01-11" if early else "2026-01-20")
    billed(world, "2026-02-01")
    assert rows(world.account) == [("01-01", "31.00"), ("02-01", "32.00")]


@WHOLE
def test_in_arrears_too(world: World, proration: str) -> None:
    product = in_service(world, proration=proration, timing="arrears")
    dearer(world.on("2026-01-20"), product, proration=proration, timing="arrears")
    billed(world, "2026-01-20")
    billed(world, "2026-02-01")
    billed(world, "2026-03-01")
    assert rows(world.account) == [("01-01", "31.00"), ("02-01", "32.00")]


@WHOLE
def test_another_account_pays_from_the_next_period(world: World, proration: str) -> None:
    in_service(world, proration=proration)
    other = world.an_account()
    told(
        world.on("2026-01-16"),
        Item.objects.get(),
        Act.TRANSFER,
        on=SIXTEENTH,
        to_account_id=other.pk,
    )
    billed(world, "2026-01-16")
    billed(world, "2026-02-01")
    assert rows(world.account) == [("01-01", "31.00")]
    assert rows(other) == [("02-01", "31.00")]


@WHOLE
def test_a_price_corrected_from_the_first_day_is_that_of_the_period(
    world: World, proration: str
) -> None:
    product = in_service(world, proration=proration)
    dearer(world.on("2026-01-20"), product, date(2026, 1, 1), proration=proration)
    billed(world, "2026-01-20")
    assert rows(world.account)[1:] == [("01-01", "-31.00"), ("01-01", "32.00")]


def test_by_the_day_it_goes_on_with_a_month_that_was_paid_whole(world: World) -> None:
    product = in_service(world, proration="none")
    dearer(world.on("2026-01-16"), product)
    billed(world, "2026-01-16")
    billed(world, "2026-02-01")
    assert rows(world.account) == [("01-01", "31.00"), ("02-01", "32.00")]


def test_what_is_paid_by_the_day_is_not_paid_whole(world: World) -> None:
    product = in_service(world)
    dearer(world.on("2026-01-16"), product, proration="none")
    billed(world, "2026-01-16")
    assert rows(world.account)[1:] == [("01-01", "-16.00"), ("01-16", "32.00")]


def test_more_units_are_paid_whole_at_the_price_they_came_at(world: World) -> None:
    """Full: two units are paid; of the five that are there later three cost a month of 32.00."""
    product = in_service(world, "2", proration="full")
    dearer(world.on("2026-01-16"), product, proration="full")
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 20), quantity=Decimal(5))
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 25), quantity=Decimal(3))
    billed(world, "2026-01-26")
    assert rows(world.account)[1:] == [("01-20", "96.00")]
    billed(world, "2026-02-01")
    assert rows(world.account)[2:] == [("02-01", "96.00")]


@WHOLE
@pytest.mark.parametrize("early", [True, False])
def test_more_units_by_the_day_cost_their_days(world: World, proration: str, early: bool) -> None:
    """Two are paid whole; of five from the 20th on three cost 12 days, of four the other six."""
    product = in_service(world, "2", proration=proration)
    dearer(world.on("2026-01-16"), product)
    if early:
        billed(world, "2026-01-17")
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 20), quantity=Decimal(5))
    if early:
        billed(world, "2026-01-21")
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 26), quantity=Decimal(1))
    billed(world, "2026-01-26")
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for start, amount in rows(world.account):
        sums[start] += Decimal(amount)
    assert {k: v for k, v in sums.items() if v} == {
        "01-01": Decimal("62.00"),
        "01-20": Decimal("18.58"),
    }
    billed(world, "2026-02-01")
    assert rows(world.account)[-1] == ("02-01", "32.00")


def test_days_by_the_day_between_are_not_paid_whole(world: World) -> None:
    """Whole, by the day with three more units, by the day again: these are paid on."""
    product = in_service(world, "2", proration="none")
    dearer(world.on("2026-01-11"), product, date(2026, 1, 11))
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 11), quantity=Decimal(5))
    reprice(product, charges=[monthly("33.00")])
    told(world, Item.objects.get(), Act.TERMS, on=date(2026, 1, 21))
    world.on("2026-01-21")
    billed(world, "2026-01-21")
    assert rows(world.account)[1:] == [("01-11", "30.97"), ("01-21", "35.13")]


def back(world: World, product: Any, on: date, **price: Any) -> None:
    """The first price again, and so the same Terms and the same charge."""
    reprice(product, charges=[monthly("31.00", **price)])
    told(world, Item.objects.get(root=None), Act.TERMS, on=on)
    assert Charge.objects.count() == 2


@pytest.mark.parametrize("early", [True, False])
def test_what_another_price_had_on_top_is_not_paid_again_by_the_first(
    world: World, early: bool
) -> None:
    """Full: two at 31.00, three more at 32.00 from the 11th, six from the 21st under the first."""
    product = in_service(world, "2", proration="full")
    dearer(world.on("2026-01-11"), product, date(2026, 1, 11), proration="full")
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 11), quantity=Decimal(5))
    if early:
        billed(world, "2026-01-12")
    back(world.on("2026-01-21"), product, date(2026, 1, 21), proration="full")
    billed(world, "2026-01-21")
    assert rows(world.account) == [("01-01", "62.00"), ("01-11", "96.00")]
    told(world.on("2026-01-26"), Item.objects.get(), Act.QUANTITY, quantity=Decimal(6))
    billed(world, "2026-01-26")
    assert rows(world.account)[2:] == [("01-26", "31.00")]


@WHOLE
def test_days_that_another_price_paid_whole_are_not_paid_by_the_day_again(
    world: World, proration: str
) -> None:
    """By the day until the 11th, then a month whole; by the day again only what is on top."""
    product = in_service(world, "2")
    dearer(world.on("2026-01-11"), product, date(2026, 1, 11), proration=proration)
    billed(world, "2026-01-11")
    back(world.on("2026-01-21"), product, date(2026, 1, 21))
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 26), quantity=Decimal(3))
    billed(world, "2026-01-26")
    assert rows(world.account)[1:] == [("01-01", "-42.00"), ("01-11", "64.00"), ("01-26", "6.00")]
    billed(world, "2026-02-01")
    assert rows(world.account)[4:] == [("02-01", "93.00")]


def test_fewer_by_the_day_say_that_they_bring_none_back(world: World) -> None:
    """Five by the day, then one, after two that were paid whole: the words of a step are true."""
    product = in_service(world, "2", proration="none")
    dearer(world.on("2026-01-16"), product)
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 16), quantity=Decimal(5))
    billed(world, "2026-01-16")
    told(world.on("2026-01-20"), Item.objects.get(), Act.QUANTITY, quantity=Decimal(1))
    told(world.on("2026-01-24"), Item.objects.get(), Act.QUANTITY, quantity=Decimal(4))
    billed(world, "2026-01-24")
    last = next(each for each in lines_again() if f"{each.line.served_from:%d}" == "24")
    words = [step.arithmetic for step in last.again.steps if step.label == "paid already"]
    assert words == ["160 − 64", "max(32 − 64, 0)", "128 − 64"]


@WHOLE
def test_the_preview_says_so(world: World, proration: str) -> None:
    product = in_service(world, proration=proration)
    world.on("2026-01-16")
    reprice(product, charges=[monthly("32.00", proration=proration)])
    wish = Wish(item_id=Item.objects.get().pk, act=Act.TERMS, on=SIXTEENTH, when=When.ON)
    preview = preview_changes(
        account_id=world.account.pk,
        wishes=[wish],
        at=world.now,
        billed=lambda items: ask("billed_so_far", items),
    ).services[0]
    assert preview.because == ()
    assert (str(preview.next_on), f"{preview.next_total:.2f}") == ("2026-02-01", "32.00")


def test_a_holding_fee_is_a_price_of_its_own(world: World) -> None:
    in_service(world, proration="none")
    fee = a_product(code="hold", charges=[monthly("6.20")])
    told(
        world.on("2026-01-16"),
        Item.objects.get(),
        Act.SUSPEND,
        on=SIXTEENTH,
        billing="fee",
        fee_product=fee.product.code,
    )
    billed(world, "2026-01-16")
    assert rows(world.account)[1:] == [("01-16", "3.20")]
