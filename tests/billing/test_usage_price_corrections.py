"""A usage price is corrected from a past day: what was billed is rated again, as one net line."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import InvoiceLine
from o2b.taxes.services import close_tax_rate
from subscriptions.models import Act, Item
from tests.billing.test_usage import billed, lines, used
from tests.factories import a_tax_rate, reprice
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def two_months(world: World, *charges: dict[str, Any]) -> Item:
    """1000 units in January and 2000 in February, both billed; it is 2 March."""
    a_meter()
    item = a_metered_service(world, *charges)
    used(world, an_event(item, "1000", "2026-01-20T12:00:00Z"))
    billed(world, "2026-02-10")
    used(world, an_event(item, "2000", "2026-02-09T12:00:00Z"))
    billed(world, "2026-03-02")
    return item


def corrected(world: World, item: Item, price: str, since: date = JANUARY) -> None:
    """A version of the book with the right price, and the order that lets it hold since then."""
    corrected_to(world, item, by_meter(price=price), since=since)


def corrected_to(world: World, item: Item, *charges: dict[str, Any], since: date = JANUARY) -> None:
    reprice(item.product_version, charges=charges)
    told(world, item, Act.TERMS, on=since)


def test_a_correction_is_one_net_line_a_period(world: World) -> None:
    item = two_months(world)
    corrected(world, item, "0.08")
    billed(world, "2026-03-03")
    assert lines(world)[2:] == [
        ("2026-01-01", "1000", "-20.00", "change"),
        ("2026-02-01", "2000", "-40.00", "change"),
    ]
    assert world.invoices()[-1].kind == "credit_note"
    billed(world, "2026-03-03")
    used(world, an_event(item, "10", "2026-03-01T12:00:00Z"))
    billed(world, "2026-04-01")
    billed(world, "2026-05-01")
    assert lines(world)[4:] == [("2026-03-01", "10", "0.80", "period")]


def test_only_the_months_since_the_day(world: World) -> None:
    item = two_months(world)
    corrected(world, item, "0.08", since=FEBRUARY)
    billed(world, "2026-03-03")
    assert lines(world)[2:] == [("2026-02-01", "2000", "-40.00", "change")]


def test_corrected_again_and_taken_back(world: World) -> None:
    """Whichever charge answers for a month, the sum is what it should cost by then."""
    item = two_months(world)
    corrected(world, item, "0.08")
    billed(world, "2026-03-03")
    told(world, item, Act.WITHDRAW, withdraws=2)
    corrected(world, item, "0.07")
    billed(world, "2026-03-04")
    assert lines(world)[4:] == [
        ("2026-01-01", "1000", "-10.00", "change"),
        ("2026-02-01", "2000", "-20.00", "change"),
    ]
    told(world, item, Act.WITHDRAW, withdraws=4)
    billed(world, "2026-03-05")
    assert lines(world)[6:] == [
        ("2026-01-01", "1000", "30.00", "change"),
        ("2026-02-01", "2000", "60.00", "change"),
    ]
    billed(world, "2026-03-20")
    assert len(lines(world)) == 8
    told(world, item, Act.TERMS, on=JANUARY)  # the price of 0.07 again
    billed(world, "2026-03-21")
    assert [amount for _, _, amount, _ in lines(world)[8:]] == ["-30.00", "-60.00"]


def test_from_the_middle_of_a_month_each_price_has_its_days(world: World) -> None:
    item = two_months(world)
    used(world, an_event(item, "500", "2026-02-20T12:00:00Z"))
    billed(world, "2026-03-03")
    corrected(world, item, "0.08", since=date(2026, 2, 15))
    billed(world, "2026-03-04")
    assert lines(world)[3:] == [
        ("2026-02-01", "2000", "-50.00", "change"),
        ("2026-02-15", "500", "40.00", "change"),
    ]
    billed(world, "2026-03-05")
    assert len(lines(world)) == 5


def test_late_usage_after_a_correction_and_with_it(world: World) -> None:
    item = two_months(world)
    used(world, an_event(item, "100", "2026-01-21T12:00:00Z"))
    corrected(world, item, "0.08")
    billed(world, "2026-03-03")
    assert lines(world)[2:] == [
        ("2026-01-01", "1100", "-12.00", "change"),
        ("2026-02-01", "2000", "-40.00", "change"),
    ]
    used(world, an_event(item, "50", "2026-01-22T12:00:00Z"))
    billed(world, "2026-03-04")
    assert lines(world)[4:] == [("2026-01-01", "1150", "4.00", "late_usage")]


def test_late_usage_before_a_correction_is_not_its_cause(world: World) -> None:
    item = two_months(world)
    used(world, an_event(item, "100", "2026-01-21T12:00:00Z"))
    billed(world, "2026-03-03")
    corrected(world, item, "0.08")
    billed(world, "2026-03-04")
    assert {cause for *_, cause in lines(world)[3:]} == {"change"}


def test_tiers_and_allowance_are_those_of_the_corrected_price(world: World) -> None:
    item = two_months(world)
    tiers = [{"up_to": "500", "unit_price": "0.10"}, {"up_to": None, "unit_price": "0.05"}]
    details = {"allowance": {"units": "100"}}
    charge = by_meter(price="0", model="graduated", tiers=tiers, details=details)
    corrected_to(world, item, charge)
    billed(world, "2026-03-03")
    # 900 above the allowance: 500 × 0.10 + 400 × 0.05; 1900: 50 + 70.
    assert lines(world)[2:] == [
        ("2026-01-01", "1000", "-30.00", "change"),
        ("2026-02-01", "2000", "-80.00", "change"),
    ]


def test_a_correction_bears_the_rate_of_the_bill_that_it_corrects(world: World) -> None:
    old = a_tax_rate(percent="19")
    item = two_months(world)
    close_tax_rate(rate_id=old.pk, on=date(2026, 3, 3), today=date(2026, 3, 2))
    a_tax_rate(percent="20", valid_from=date(2026, 3, 3))
    corrected(world.on("2026-03-05"), item, "0.08")
    billed(world, "2026-03-05")
    rows = InvoiceLine.objects.order_by("pk")[2:]
    assert [(row.amount, row.tax_rate, row.tax) for row in rows] == [
        (Decimal("-20.00"), 19, Decimal("-3.80")),
        (Decimal("-40.00"), 19, Decimal("-7.60")),
    ]


@pytest.mark.parametrize("early", [True, False])
def test_from_the_middle_of_a_month_both_parts_bear_the_rate_of_its_bill(
    world: World, early: bool
) -> None:
    """March was billed to nobody: it bears the rate of its day, under whatever price."""
    old = a_tax_rate(percent="19")
    item = two_months(world)
    used(world, an_event(item, "500", "2026-02-20T12:00:00Z"))
    billed(world, "2026-03-02")
    close_tax_rate(rate_id=old.pk, on=date(2026, 3, 3), today=date(2026, 3, 2))
    a_tax_rate(percent="20", valid_from=date(2026, 3, 3))
    corrected(world.on("2026-03-05"), item, "0.08", since=date(2026, 2, 15))
    used(world, an_event(item, "100", "2026-03-04T12:00:00Z"))
    if early:
        billed(world, "2026-03-05")
    billed(world, "2026-04-02")
    rows = InvoiceLine.objects.order_by("pk")[3:]
    assert [(row.cause, row.amount, row.tax_rate, row.tax) for row in rows] == [
        ("change", Decimal("-50.00"), 19, Decimal("-9.50")),
        ("change", Decimal("40.00"), 19, Decimal("7.60")),
        ("period", Decimal("8.00"), 20, Decimal("1.60")),
    ]


def test_a_price_of_another_measure_is_charged_beside_the_credit(world: World) -> None:
    """What is taxed or counted otherwise is another thing, not another price of it."""
    item = two_months(world)
    corrected_to(world, item, by_meter(price="0.08", interval_unit="month", interval_count=2))
    billed(world, "2026-03-03")
    assert lines(world)[2:] == [
        ("2026-01-01", "0", "-100.00", "change"),
        ("2026-02-01", "0", "-200.00", "change"),
        ("2026-01-01", "3000", "240.00", "period"),
    ]


def test_a_service_that_ended_keeps_its_bills(world: World) -> None:
    item = two_months(world)
    told(world, item, Act.END, on=date(2026, 3, 2))
    corrected(world, item, "0.08")
    billed(world, "2026-03-03")
    assert lines(world)[2:] == [
        ("2026-01-01", "1000", "-20.00", "change"),
        ("2026-02-01", "2000", "-40.00", "change"),
    ]
