"""A recurring price is corrected from a past day, at the tax rate of the bill it corrects."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import InvoiceLine
from o2b.asks import ask
from o2b.taxes.services import close_tax_rate
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item
from tests.factories import a_product, a_tax_rate, monthly, reprice
from tests.scenarios.world import World
from tests.subscriptions.serving import told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
JANUARY, TENTH = date(2026, 1, 1), date(2026, 1, 10)
Row = tuple[str, str, str, str]


def rows() -> list[Row]:
    """Served from, amount, rate and tax of each line, in the order of billing."""
    return [
        (f"{r.served_from:%m-%d}", f"{r.amount:.2f}", f"{r.tax_rate:.0f}", f"{r.tax:.2f}")
        for r in InvoiceLine.objects.order_by("pk")
    ]


def billed(world: World, day: str) -> None:
    run = world.on(day).bill(day)
    assert (run.state, world.parked()) == ("finalised", [])


def january(world: World, **price: Any) -> Any:
    """31.00 for January, billed at 19 %; from 10 January on the rate is 25 %."""
    old = a_tax_rate(percent="19")
    product = a_product(charges=[monthly("31.00", **price)])
    world.on("2026-01-01").sell(products=[product])
    billed(world, "2026-02-01" if price else "2026-01-01")
    close_tax_rate(rate_id=old.pk, on=TENTH, today=date(2026, 1, 9))
    a_tax_rate(percent="25", valid_from=TENTH)
    return product


def corrected(world: World, product: Any, price: str, on: date, **more: Any) -> None:
    reprice(product, charges=[monthly(price, **more)])
    told(world, Item.objects.get(), Act.TERMS, on=on)


def test_a_corrected_price_bears_the_rate_of_the_bill(world: World) -> None:
    product = january(world)
    corrected(world.on("2026-01-20"), product, "31.10", JANUARY)
    billed(world, "2026-01-20")
    assert rows()[1:] == [("01-01", "-31.00", "19", "-5.89"), ("01-01", "31.10", "19", "5.91")]
    billed(world, "2026-02-01")
    assert rows()[3:] == [("02-01", "31.10", "25", "7.78")]


def test_from_the_middle_of_the_month_too(world: World) -> None:
    product = january(world)
    corrected(world.on("2026-01-20"), product, "62.00", date(2026, 1, 16))
    billed(world, "2026-01-20")
    assert rows()[1:] == [("01-01", "-16.00", "19", "-3.04"), ("01-16", "32.00", "19", "6.08")]


def test_corrected_again_and_taken_back(world: World) -> None:
    product = january(world)
    corrected(world.on("2026-01-20"), product, "31.10", JANUARY)
    billed(world, "2026-01-20")
    told(world, Item.objects.get(), Act.WITHDRAW, withdraws=2)
    corrected(world, product, "31.20", JANUARY)
    billed(world, "2026-01-21")
    told(world, Item.objects.get(), Act.WITHDRAW, withdraws=4)
    billed(world, "2026-01-22")
    found = InvoiceLine.objects.order_by("pk")
    assert {line.tax_rate for line in found} == {19}
    assert sum(line.amount for line in found) == Decimal("31.00")
    assert sum(line.tax for line in found) == Decimal("5.89")


def test_of_days_that_nobody_was_billed_for_the_rate_is_that_of_their_bill(world: World) -> None:
    """In arrears the old price is billed when it ends, the new one when the month is over."""
    old = a_tax_rate(percent="19")
    product = a_product(charges=[monthly("31.00", timing="arrears")])
    world.on("2026-01-01").sell(products=[product])
    corrected(world.on("2026-01-12"), product, "62.00", TENTH, timing="arrears")
    billed(world, "2026-01-12")
    close_tax_rate(rate_id=old.pk, on=date(2026, 1, 15), today=date(2026, 1, 14))
    a_tax_rate(percent="25", valid_from=date(2026, 1, 15))
    told(
        world.on("2026-01-20"),
        Item.objects.get(),
        Act.QUANTITY,
        on=date(2026, 2, 5),
        quantity=Decimal(2),
    )
    billed(world, "2026-01-20")
    billed(world, "2026-02-01")
    assert rows() == [("01-01", "9.00", "19", "1.71"), ("01-10", "44.00", "25", "11.00")]


def test_in_arrears_a_month_that_was_billed_keeps_its_rate(world: World) -> None:
    product = january(world, timing="arrears")
    corrected(world.on("2026-02-05"), product, "62.00", TENTH, timing="arrears")
    billed(world, "2026-02-05")
    assert {rate for _, _, rate, _ in rows()} == {"19"}
    assert [amount for _, amount, _, _ in rows()] == ["31.00", "-22.00", "44.00"]


def test_the_preview_tells_the_same_tax(world: World) -> None:
    product = january(world)
    world.on("2026-01-20")
    reprice(product, charges=[monthly("62.00")])
    wish = Wish(item_id=Item.objects.get().pk, act=Act.TERMS, on=date(2026, 1, 16), when=When.ON)
    preview = preview_changes(
        account_id=world.account.pk,
        wishes=[wish],
        at=world.now,
        billed=lambda items: ask("billed_so_far", items),
    ).services[0]
    assert preview.because_taxes is not None
    shown = [
        (f"{line.amount:.2f}", f"{tax:.2f}")
        for line, tax in zip(preview.because, preview.because_taxes, strict=True)
    ]
    told(world, Item.objects.get(), Act.TERMS, on=date(2026, 1, 16))
    billed(world, "2026-01-20")
    assert sorted(shown) == sorted((amount, tax) for _, amount, _, tax in rows()[1:])
    assert sorted(shown) == [("-16.00", "-3.04"), ("32.00", "6.08")]
