"""Usage on bills: totals of the period, late usage as a line of its own, every aggregation."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import ChargeState, InvoiceLine
from o2b.catalog.models import Meter
from o2b.taxes.services import close_tax_rate
from subscriptions.models import Act, Item
from tests.factories import a_product, a_tax_rate, a_user
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    by_meter,
    taken,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def used(world: World, *events: object) -> None:
    """Events that come now."""
    found = taken(*events, now=world.now.isoformat())  # type: ignore[arg-type]
    assert {answer.status for answer in found} == {"accepted"}, found


def lines(world: World) -> list[tuple[str, str, str, str]]:
    """Served from, quantity, amount and cause of each line of usage, in the order of billing."""
    rows = InvoiceLine.objects.filter(charge__terms_charge__kind="usage").order_by("pk")
    return [
        (f"{r.served_from}", f"{r.quantity.normalize():f}", f"{r.amount:.2f}", r.cause)
        for r in rows
    ]


def billed(world: World, on: str) -> None:
    run = world.on(on).bill(on)
    assert (run.state, world.parked()) == ("finalised", [])


def test_a_month_of_usage(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    used(
        world,
        an_event(item, "7", "2026-01-31T22:00:00Z"),
        an_event(item, "5", "2026-02-01T09:00:00Z"),
    )
    billed(world, "2026-02-10")
    assert lines(world) == [("2026-01-01", "7", "0.70", "period")]
    billed(world, "2026-03-01")
    assert lines(world)[1:] == [("2026-02-01", "5", "0.50", "period")]
    billed(world, "2026-03-01")
    assert len(lines(world)) == 2


def test_late_usage_is_its_own_line_with_its_month(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    used(world, an_event(item, "7", "2026-01-31T12:00:00Z"))
    billed(world, "2026-02-10")
    used(world, an_event(item, "3", "2026-01-15T12:00:00Z"))
    assert ChargeState.objects.get(charge__item=item).seen_usage == 1
    billed(world, "2026-02-11")
    assert lines(world)[1:] == [("2026-01-01", "10", "0.30", "late_usage")]
    billed(world, "2026-02-12")
    assert len(lines(world)) == 2
    billed(world, "2026-03-01")
    assert len(lines(world)) == 2
    used(world, an_event(item, "1", "2026-02-28T12:00:00Z"))
    billed(world, "2026-03-02")
    assert lines(world)[2:] == [("2026-02-01", "1", "0.10", "late_usage")]


def test_a_correction_gives_money_back(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first = an_event(item, "7", "2026-01-31T12:00:00Z")
    used(world, first)
    billed(world, "2026-02-10")
    gone = an_event("", id="gone", meter="", value="0", retracts=first.id)
    used(world, gone)
    billed(world, "2026-02-11")
    assert lines(world)[1:] == [("2026-01-01", "0", "-0.70", "late_usage")]
    assert world.invoices()[-1].kind == "credit_note"


def test_a_day_that_is_not_over_is_not_billed(world: World) -> None:
    """A run for a day to come would bill a period that somebody still uses."""
    a_meter()
    item = a_metered_service(world)
    world.on("2026-01-20")
    used(world, an_event(item, "7", "2026-01-20T10:00:00Z"))
    world.bill("2026-02-10")
    assert lines(world) == []
    used(world, an_event(item, "5", "2026-01-20T11:00:00Z"))
    billed(world, "2026-02-10")
    assert lines(world) == [("2026-01-01", "12", "1.20", "period")]


def test_usage_of_others_is_not_mixed_up(world: World) -> None:
    a_meter()
    one, other = a_metered_service(world), a_metered_service(world)
    used(
        world,
        an_event(one, "7", "2026-01-20T10:00:00Z"),
        an_event(other, "9", "2026-01-20T10:00:00Z"),
    )
    billed(world, "2026-02-10")
    assert sorted(amount for _, _, amount, _ in lines(world)) == ["0.70", "0.90"]


AGGREGATED = [
    ("sum", [("2", "05T10"), ("3", "20T10")], "5"),
    ("count", [("2", "05T10"), ("3", "20T10")], "2"),
    ("max", [("2", "05T10"), ("3", "20T10"), ("1", "21T10")], "3"),
    ("last", [("2", "20T10"), ("3", "05T10"), ("4", "20T09")], "2"),
    ("unique", [("2", "05T10"), ("3", "20T10"), ("2.0", "21T10")], "2"),
    # 6 until the 16th at noon, then 12: (0 × 0 + 6 × 15.5 + 12 × 15.5) ÷ 31.
    ("average", [("6", "01T00"), ("12", "16T12")], "9"),
    ("each", [("2", "05T10"), ("3", "20T10")], "5"),
]


@pytest.mark.parametrize(("aggregation", "values", "quantity"), AGGREGATED)
def test_every_aggregation(
    world: World, aggregation: str, values: list[tuple[str, str]], quantity: str
) -> None:
    a_meter(aggregation=aggregation)
    item = a_metered_service(world, by_meter(price="1"))
    for value, at in values:
        used(world, an_event(item, value, f"2026-01-{at}:00:00Z"))
    billed(world, "2026-02-10")
    assert [(q, amount) for _, q, amount, _ in lines(world)] == [(quantity, f"{quantity}.00")]


def test_dimensions_that_a_price_is_for(world: World) -> None:
    a_meter("calls", dimensions=[{"name": "zone"}])
    item = a_metered_service(
        world,
        by_meter("mobile", "0.20", details={"meter": "calls", "where": {"zone": ["mobile"]}}),
        by_meter("rest", "0.05", details={"meter": "calls", "where": {"zone": ["home", "near"]}}),
    )
    for zone, value in (("mobile", "10"), ("home", "20"), ("near", "2"), ("moon", "99")):
        used(
            world,
            an_event(item, value, "2026-01-05T10:00:00Z", meter="calls", properties={"zone": zone}),
        )
    billed(world, "2026-02-10")
    assert sorted((q, amount) for _, q, amount, _ in lines(world)) == [
        ("10", "2.00"),
        ("22", "1.10"),
    ]


def test_allowance_and_tiers_over_the_whole_period(world: World) -> None:
    a_meter()
    item = a_metered_service(
        world,
        by_meter(
            model="graduated",
            unit_price=Decimal(0),
            tiers=[
                {"up_to": "10", "unit_price": "1"},
                {"up_to": None, "unit_price": "0.5"},
            ],
            details={"allowance": {"units": "5"}},
        ),
    )
    for day in ("03", "09", "27"):
        used(world, an_event(item, "10", f"2026-01-{day}T10:00:00Z"))
    billed(world, "2026-02-10")
    # 30 − 5 included: 10 at 1 and 15 at 0.5.
    assert lines(world) == [("2026-01-01", "30", "17.50", "period")]


def test_who_pays_which_day_after_a_transfer(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    to = world.an_account()
    world.on("2026-02-10")
    told(world, item, Act.TRANSFER, on=date(2026, 2, 15), to_account_id=to.pk)
    world.on("2026-03-01")
    used(world, an_event(item, "10", "2026-02-14T10:00:00Z"))
    new = Item.objects.get(root=item)
    used(world, an_event(new, "20", "2026-02-15T10:00:00Z"))
    billed(world, "2026-03-01")
    rows = InvoiceLine.objects.filter(period_start="2026-02-01").order_by("account_id")
    assert {(row.account_id, f"{row.amount:.2f}") for row in rows} == {
        (item.account_id, "1.00"),
        (to.pk, "2.00"),
    }


def test_a_charge_whose_meter_nobody_made_bills_nothing(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[by_meter()])])
    assert not Meter.objects.exists()
    billed(world, "2026-02-10")
    assert lines(world) == []


def test_late_usage_bears_the_rate_of_its_bill(world: World) -> None:
    """The rate rises in March: what is added to February's usage, and taken off it, stays at 19."""
    old = a_tax_rate(percent="19")
    a_meter()
    item = a_metered_service(world)
    used(world, first := an_event(item, "1000", "2026-02-05T12:00:00Z"))
    billed(world, "2026-03-01")
    close_tax_rate(rate_id=old.pk, on=date(2026, 3, 5), today=date(2026, 3, 1))
    a_tax_rate(percent="20", valid_from=date(2026, 3, 5))
    world.on("2026-03-10")
    used(world, an_event(item, "500", "2026-02-06T12:00:00Z"))
    billed(world, "2026-03-10")
    used(world, an_event("", id="gone", meter="", value="0", retracts=first.id))
    used(world, an_event(item, "10", "2026-01-06T12:00:00Z"))
    billed(world, "2026-03-11")
    rows = InvoiceLine.objects.filter(charge__item=item).order_by("pk")
    assert [(f"{r.amount:.2f}", f"{r.tax_rate:f}"[:2], f"{r.tax:.2f}") for r in rows] == [
        ("100.00", "19", "19.00"),
        ("50.00", "19", "9.50"),
        ("1.00", "20", "0.20"),
        ("-100.00", "19", "-19.00"),
    ]


def test_pages_of_an_invoice_that_carries_usage(world: World, client: Any) -> None:
    """Rated calls, a percentage of each event, late usage: no price that a page cannot explain."""
    a_meter("calls", aggregation="each", unit="s", timed=True)
    a_meter("sales", aggregation="each", unit="EUR")
    call = [{"from_minute": 0, "connect_fee": "0", "slots": [[0, "0.10", 60, 60]]}]
    item = a_metered_service(
        world,
        by_meter("calls", "0", model="rated", details={"call": call}),
        by_meter("sales", "2", model="percentage", details={"event": {"fee": "0.05"}}),
    )
    used(world, an_event(item, "61", "2026-01-05T10:00:00Z", meter="calls"))
    used(world, an_event(item, "100", "2026-01-05T10:00:00Z", meter="sales"))
    billed(world, "2026-02-10")
    used(world, an_event(item, "59", "2026-01-05T10:05:00Z", meter="calls"))
    billed(world, "2026-02-11")
    assert sorted(lines(world)) == [
        ("2026-01-01", "100", "2.05", "period"),
        ("2026-01-01", "120", "0.10", "late_usage"),
        ("2026-01-01", "61", "0.20", "period"),
    ]
    client.force_login(a_user("finance"))
    for invoice in world.invoices():
        page = client.get(f"/billing/invoices/{invoice.pk}/")
        assert page.status_code == 200, invoice
        assert client.get(f"/api/v1/invoices/{invoice.pk}").status_code == 200
        assert client.get(f"/billing/invoices/{invoice.pk}/pdf/").status_code == 200
    assert "usage told after the bill of its month" in page.content.decode()


def test_usage_after_a_pause_in_the_month_is_billed(world: World) -> None:
    """A period that was billed in part and goes on is not left behind."""
    a_meter()
    item = a_metered_service(world, since="2026-02-01")
    world.on("2026-02-01")

    def use_until(day: int, first: int) -> None:
        for n in range(first, day):
            world.on(f"2026-02-{n:02}")
            used(world, an_event(item, "10", f"2026-02-{n:02}T10:00:00Z"))

    use_until(10, 1)
    world.on("2026-02-10")
    told(world, item, Act.SUSPEND, on=date(2026, 2, 10), billing="none")
    billed(world, "2026-02-12")
    world.on("2026-02-14")
    told(world, item, Act.RESUME, on=date(2026, 2, 14))
    use_until(15, 14)
    billed(world, "2026-02-15")
    use_until(29, 15)
    billed(world, "2026-03-01")
    billed(world, "2026-04-01")
    of_february = InvoiceLine.objects.filter(charge__item=item, period_start="2026-02-01")
    assert sum(line.amount for line in of_february) == Decimal(24)  # 9 and 15 days of 10 units


def test_a_run_for_an_earlier_day_takes_nothing_back(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    used(world, an_event(item, "7", "2026-01-20T12:00:00Z"))
    world.on("2026-02-27")
    used(world, an_event(item, "20", "2026-02-26T12:00:00Z"))
    billed(world, "2026-03-01")
    used(world, an_event(item, "3", "2026-01-25T12:00:00Z"))
    run = world.bill("2026-02-15")
    assert (run.state, world.parked()) == ("finalised", [])
    assert lines(world) == [
        ("2026-01-01", "7", "0.70", "period"),
        ("2026-02-01", "20", "2.00", "period"),
        ("2026-01-01", "10", "0.30", "late_usage"),
    ]


def test_quantities_beyond_a_billion_thousands_are_billed(world: World) -> None:
    a_meter("bytes", unit="B", most=Decimal(10) ** 15)
    item = a_metered_service(world, by_meter("bytes", "0.00000001"))
    used(world, an_event(item, "5000000000000", "2026-01-20T12:00:00Z", meter="bytes"))
    billed(world, "2026-02-10")
    assert [amount for _, _, amount, _ in lines(world)] == ["50000.00"]


def test_usage_in_an_unbilled_pause_waits_where_it_is_seen(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    told(world, item, Act.SUSPEND, on=date(2026, 2, 5), billing="none")
    (answer,) = taken(an_event(item, "1", "2026-02-07T12:00:00Z"), now=world.now.isoformat())
    assert (answer.status, answer.code) == ("pending", "unknown_subject")
