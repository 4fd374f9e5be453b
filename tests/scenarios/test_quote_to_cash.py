"""The whole thread, from the quote to the paid invoice, told with a movable calendar."""

import pytest

from o2b.errors import Refused
from o2b.models import Event, Outbox
from orders.acceptance.services import place_order
from tests.factories import INSTALL, a_product, monthly, reprice, setup_fee

pytestmark = pytest.mark.django_db


def test_quote_to_cash(world):
    """A month in advance from the day of delivery, prorated to the bill day, then paid."""
    world.on("2026-01-16").sell(price="31.00")

    world.bill("2026-01-31")
    world.live("2026-02-28").bill()

    assert world.bills() == [
        ("2026-01-16", "2026-02-01", "16.00"),
        ("2026-02-01", "2026-03-01", "31.00"),
    ]
    first, second = world.invoices()
    assert second.serial == first.serial + 1

    world.pay(first, "16.00")
    world.pay(second, "10.00")

    assert world.balance() == "21.00"
    assert not Outbox.objects.exists()
    assert [
        name
        for name in Event.objects.order_by("recorded_at", "pk").values_list("name", flat=True)
        if name.startswith(("quote.", "order.", "order_line.", "subscription.", "payment.rec"))
    ] == [
        "quote.drafted",
        "quote.sent",
        "quote.accepted",
        "order.placed",
        "order_line.scheduled",
        "order_line.began",
        "order_line.delivered",
        "order_line.completed",
        "order.promised",
        "subscription.started",
        "subscription.items_started",
        "payment.received",
        "payment.received",
    ]


def test_a_run_run_twice_bills_once(world):
    world.on("2026-01-01").sell()
    world.bill("2026-01-31")

    again = world.bill("2026-01-31")

    assert world.bills() == [("2026-01-01", "2026-02-01", "49.90")]
    assert again.state == "finalised"
    assert again.invoices.count() == 0


def test_a_late_run_catches_up_and_an_early_one_waits(world):
    world.on("2026-01-01").sell(price="10.00")

    world.bill("2025-12-31")
    assert world.bills() == []

    world.bill("2026-03-31")
    assert world.bills() == [
        ("2026-01-01", "2026-02-01", "10.00"),
        ("2026-02-01", "2026-03-01", "10.00"),
        ("2026-03-01", "2026-04-01", "10.00"),
    ]


def test_the_anchor_day_survives_february(world):
    world.account = world.an_account(bill_day=31)
    world.on("2026-01-31").sell(price="30.00")

    world.bill("2026-04-30")

    assert world.bills() == [
        ("2026-01-31", "2026-02-28", "30.00"),
        ("2026-02-28", "2026-03-31", "30.00"),
        ("2026-03-31", "2026-04-30", "30.00"),
        ("2026-04-30", "2026-05-31", "30.00"),
    ]


def test_once_in_arrears_and_by_the_year(world):
    product = a_product(
        charges=[
            setup_fee("99.00"),
            monthly("40.00", key="support", timing="arrears", alignment="anniversary"),
            monthly("120.00", key="domain", interval_unit="year", alignment="anniversary"),
        ]
    )
    world.on("2026-01-10").sell(products=[product])

    world.bill("2026-01-31")
    world.bill("2026-02-28")
    world.bill("2026-03-31")

    assert world.bills() == [
        ("2026-01-10", "2027-01-10", "120.00"),
        ("2026-01-10", "2026-01-11", "99.00"),
        ("2026-01-10", "2026-02-10", "40.00"),
        ("2026-02-10", "2026-03-10", "40.00"),
    ]


def test_billing_starts_when_a_person_has_delivered(world):
    """Ordered on the 3rd, installed on the 20th: the days before are nobody's to pay."""
    product = a_product(charges=[monthly("31.00")], tasks=INSTALL)
    world.on("2026-01-03").sell(products=[product])
    world.bill("2026-01-31")
    assert (world.line_states(), world.bills()) == (["scheduled"], [])

    world.on("2026-01-20").deliver_by_hand()
    world.bill("2026-01-31")

    assert world.line_states() == ["completed"]
    assert world.bills() == [("2026-01-20", "2026-02-01", "12.00")]


def test_what_was_not_promised_cannot_be_delivered(world):
    product = a_product(tasks=INSTALL)
    world.on("2026-01-03").sell(products=[product])

    with pytest.raises(Refused) as refusal:
        world.deliver_by_hand(version="2")

    assert refusal.value.field == "version"
    assert world.line_states() in (["scheduled"], ["provisioning"])


def test_a_published_price_never_moves_what_was_sold(world):
    """(MONEY) the quote is open, then the book changes: order and bill keep the quoted price."""
    product = a_product(charges=[monthly("10.00")])
    sent = world.on("2026-01-01").quote(products=[product])
    reprice(product, charges=[monthly("99.00")])

    place_order(quote_id=sent.pk, by="Dr. P. Hall", at=world.now)
    world.settle()
    world.bill("2026-01-31")

    assert world.bills() == [("2026-01-01", "2026-02-01", "10.00")]
    assert world.quote(products=[product]).monthly_total == 99
