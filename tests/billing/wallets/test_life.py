"""The life of prepaid money: ordered, billed, used, given back, taken back, lapsed."""

from datetime import date
from decimal import Decimal

import pytest

from billing.invoices.selectors import with_standing
from billing.models import Invoice, Wallet, WalletLot
from billing.payments.selectors import account_balance, has_paid_a_bill
from billing.wallets.services.lapsing import lapse_due
from billing.wallets.services.setting import set_wallet
from o2b.catalog.models import ProductVersion
from o2b.models import Event
from subscriptions.models import Act, Item, ItemChange
from tests.billing.wallets.build import (
    agrees,
    booked,
    buy,
    credits,
    granted,
    left,
    moved,
    paid_by_wallet,
)
from tests.factories import a_product, a_tax_rate, monthly
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
MONTH = ["month", 1]


def used(world: World, *events: object) -> None:
    found = taken(*events, now=world.now.isoformat())  # type: ignore[arg-type]
    assert {answer.status for answer in found} == {"accepted"}, found


def open_amounts(world: World) -> list[tuple[str, str, str]]:
    """Total, open and status of each document."""
    rows = with_standing(Invoice.objects.filter(account=world.account), on=world.today)
    return [(f"{r.total:.2f}", f"{r.open_amount:.2f}", r.status) for r in rows.order_by("pk")]


def test_what_is_bought_bears_no_tax_and_is_no_revenue(world: World) -> None:
    a_tax_rate("19")
    buy(world.on("2026-01-10"), credits())
    world.on("2026-01-31").bill()

    (bill,) = world.invoices()
    assert (f"{bill.net:.2f}", f"{bill.tax:.2f}", f"{bill.total:.2f}") == ("50.00", "0.00", "50.00")
    assert moved(world.account) == [("2026-01-31", "granted", "50.00")]
    assert booked(world.account) == {"prepaid": "-50.00", "receivable": "50.00"}
    lot = WalletLot.objects.get()
    assert (lot.source, lot.begins_on, lot.ends_on, lot.invoice_id, lot.text) == (
        "order",
        date(2026, 1, 31),
        None,
        bill.pk,
        "Credits",
    )
    agrees(world.account)
    world.on("2026-02-28").bill()
    assert moved(world.account) == [("2026-01-31", "granted", "50.00")]


def test_usage_of_the_next_month_is_paid_with_its_tax_and_a_correction_gives_it_back(
    world: World,
) -> None:
    a_tax_rate("19")
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    buy(world.on("2026-01-10"), credits())
    world.on("2026-01-31").bill()
    first = an_event(item, "30", "2026-02-09T12:00:00Z")
    world.on("2026-02-10")
    used(world, first)
    world.on("2026-03-01").bill()

    # 30.00 and 19 % of it.
    assert paid_by_wallet(world.account) == [(world.invoices()[1].number, "35.70")]
    assert open_amounts(world) == [("50.00", "50.00", "overdue"), ("35.70", "0.00", "paid")]
    assert left(world.account) == "14.30"
    assert booked(world.account) == {
        "prepaid": "-14.30",
        "receivable": "50.00",
        "revenue": "-30.00",
        "tax": "-5.70",
    }

    world.on("2026-03-05")
    used(world, an_event("", id="gone", meter="", value="0", retracts=first.id))
    world.bill()
    assert open_amounts(world)[2:] == [("-35.70", "0.00", "credit")]
    assert moved(world.account)[1:] == [
        ("2026-03-01", "drawn", "-35.70"),
        ("2026-03-05", "returned", "35.70"),
    ]
    assert left(world.account) == "50.00"
    balance = account_balance(world.account)
    assert [f"{each.amount:.2f}" for each in (balance.owed, balance.open, balance.credit)] == [
        "50.00",
        "50.00",
        "0.00",
    ]
    assert booked(world.account) == {"prepaid": "-50.00", "receivable": "50.00"}
    agrees(world.account)
    assert list(
        Event.objects.filter(name__startswith="wallet.").order_by("pk").values_list("name", flat=1)
    ) == ["wallet.filled", "wallet.drawn", "wallet.given_back"]


def test_lots_are_drawn_by_priority_then_end_then_age(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    world.on("2026-02-10")
    granted(world, "10", reason="old")
    granted(world, "10", reason="late", ends_on=date(2026, 12, 1))
    granted(world, "10", reason="soon", ends_on=date(2026, 6, 1))
    granted(world, "10", reason="first", priority=1)
    used(world, an_event(item, "35", "2026-02-09T12:00:00Z"))
    world.on("2026-03-01").bill()
    rows = WalletLot.objects.order_by("pk").values_list("text", "left")
    assert {text: f"{amount:.0f}" for text, amount in rows} == {
        "old": "5",
        "late": "0",
        "soon": "0",
        "first": "0",
    }
    agrees(world.account)


def test_a_bill_that_a_gift_has_paid_says_nothing_of_the_customer(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world, "50")
    used(world, an_event(item, "30", "2026-02-09T12:00:00Z"))
    world.on("2026-03-01").bill()
    assert open_amounts(world) == [("30.00", "0.00", "paid")]
    assert not has_paid_a_bill(world.account, on=world.today)


def test_a_wallet_pays_usage_only_unless_it_is_set_to_pay_all(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("20.00")])])
    granted(world, "50")
    world.bill("2026-01-31")
    assert paid_by_wallet(world.account) == []
    wallet = Wallet.objects.get()
    set_wallet(wallet_id=wallet.pk, covers="all", usable="on_invoice", at=world.now, actor_id=None)
    buy(world, credits(), "10")
    world.on("2026-02-28").bill()
    # The month and the money on one document: the money that it brings is not paid by itself.
    assert [amount for _, amount in paid_by_wallet(world.account)] == ["20.00"]
    assert open_amounts(world)[-1] == ("25.00", "5.00", "open")
    agrees(world.account)


def test_money_may_wait_until_its_invoice_is_paid(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world.on("2026-01-01"), "1", reason="opens it")
    set_wallet(
        wallet_id=Wallet.objects.get().pk,
        covers="usage",
        usable="on_payment",
        at=world.now,
        actor_id=None,
    )
    buy(world.on("2026-01-10"), credits())
    world.on("2026-02-01").bill()
    world.on("2026-02-10")
    used(world, an_event(item, "30", "2026-02-09T12:00:00Z"))
    world.on("2026-03-01").bill()
    assert [amount for _, amount in paid_by_wallet(world.account)] == ["1.00"]
    world.pay(world.invoices()[0], "50.00")
    used(world, an_event(item, "7", "2026-02-10T12:00:00Z"))
    world.on("2026-03-02").bill()
    assert [amount for _, amount in paid_by_wallet(world.account)] == ["1.00", "7.00"]
    agrees(world.account)


def test_a_purchase_that_is_corrected_takes_back_what_is_not_drawn(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    credit = bought(world.on("2026-02-01"), credits())
    world.bill()
    used(world.on("2026-02-10"), an_event(item, "20", "2026-02-09T12:00:00Z"))
    world.on("2026-03-01").bill()
    assert left(world.account) == "30.00"
    corrected(world, credit, 90)
    world.on("2026-03-02").bill()
    assert world.bills()[-1][2] == "-5.00"
    assert moved(world.account)[-1] == ("2026-03-02", "taken", "-5.00")
    agrees(world.account)
    corrected(world, credit, 10)
    world.on("2026-03-03").bill()
    assert world.bills()[-1][2] == "-40.00"
    assert moved(world.account)[-1] == ("2026-03-03", "taken", "-25.00")
    assert left(world.account) == "0.00"
    # 15 of what is paid back were used already: the seller's loss.
    assert booked(world.account)["revenue"] == "-5.00"
    agrees(world.account)
    corrected(world, credit, 60)
    world.on("2026-03-04").bill()
    # 60 units are worth 30; the 20 that were drawn stayed in.
    assert moved(world.account)[-1] == ("2026-03-04", "granted", "10.00")
    agrees(world.account)


def corrected(world: World, item: Item, quantity: int) -> None:
    """So many were bought, whatever was told before."""
    before = ItemChange.objects.filter(item=item, act=Act.QUANTITY).order_by("pk").last()
    if before is not None:
        told(world, item, Act.WITHDRAW, withdraws=before.revision)
    told(world, item, Act.QUANTITY, on=date(2026, 2, 1), quantity=Decimal(quantity))


def bought(world: World, product: ProductVersion, quantity: str = "100") -> Item:
    order = buy(world, product, quantity)
    return Item.objects.get(subscription__order=order)


def test_a_bonus_is_less_revenue_and_what_is_paid_beyond_it_is_more(world: World) -> None:
    buy(world.on("2026-01-10"), credits("1.00", "1.10"))
    world.on("2026-01-31").bill()
    assert booked(world.account) == {
        "prepaid": "-110.00",
        "receivable": "100.00",
        "revenue": "10.00",
    }
    buy(world, credits("1.00", "0.90"))
    world.on("2026-02-28").bill()
    assert booked(world.account) == {"prepaid": "-200.00", "receivable": "200.00"}
    agrees(world.account)


def test_a_plan_brings_money_each_month_and_it_lapses_visibly(world: World) -> None:
    plan = credits("10.00", "10.00", kind="recurring", lasts=["month", 1])
    world.on("2026-01-01").sell(products=[plan])
    world.bill("2026-01-01")
    world.on("2026-01-31").live("2026-02-01")
    world.bill()
    assert moved(world.account) == [
        ("2026-01-01", "granted", "10.00"),
        ("2026-02-01", "lapsed", "-10.00"),
        ("2026-02-01", "granted", "10.00"),
    ]
    assert booked(world.account) == {
        "prepaid": "-10.00",
        "receivable": "20.00",
        "revenue": "-10.00",
    }
    world.live("2026-02-03")
    assert len(moved(world.account)) == 3
    agrees(world.account)


def test_money_for_a_month_pays_what_was_used_in_it_though_it_is_billed_after(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    world.on("2026-01-01").sell(products=[credits("10.00", "10.00", kind="recurring", lasts=MONTH)])
    world.bill("2026-01-01")
    used(world.on("2026-01-20"), an_event(item, "7", "2026-01-19T12:00:00Z"))
    world.on("2026-01-31").live("2026-02-01")
    assert left(world.account) == "10.00"
    used(world.on("2026-02-03"), an_event(item, "20", "2026-02-02T12:00:00Z"))
    world.bill()
    lapse_due(machine_now=world.now)
    assert moved(world.account) == [
        ("2026-01-01", "granted", "10.00"),
        ("2026-02-03", "granted", "10.00"),
        ("2026-02-03", "drawn", "-7.00"),
        ("2026-02-03", "lapsed", "-3.00"),
    ]
    world.on("2026-03-01").bill()
    assert moved(world.account)[-1] == ("2026-03-01", "drawn", "-10.00")
    agrees(world.account)


def test_money_given_back_to_a_lot_that_has_ended_lapses(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world.on("2026-02-01"), "30", ends_on=date(2026, 3, 3))
    first = an_event(item, "30", "2026-02-09T12:00:00Z")
    used(world.on("2026-02-10"), first)
    world.on("2026-03-01").bill()
    world.on("2026-03-05")
    used(world, an_event("", id="gone", meter="", value="0", retracts=first.id))
    world.bill()
    world.live("2026-03-06")
    # Usage of March, which began before the lot ended, could still be paid from it.
    assert left(world.account) == "30.00"
    world.on("2026-04-01").bill()
    world.live("2026-04-02")
    assert [(kind, amount) for _, kind, amount in moved(world.account)] == [
        ("granted", "30.00"),
        ("drawn", "-30.00"),
        ("returned", "30.00"),
        ("lapsed", "-30.00"),
    ]
    assert booked(world.account) == {}
    agrees(world.account)


def test_a_correction_on_an_invoice_is_given_back_and_the_rest_is_to_be_paid(world: World) -> None:
    """30 were paid from the wallet; the invoice of the fee bears their correction."""
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world.on("2026-02-01"), "20")
    first = an_event(item, "30", "2026-02-09T12:00:00Z")
    used(world.on("2026-02-10"), first)
    world.on("2026-03-01").bill()
    assert open_amounts(world) == [("30.00", "10.00", "open")]
    world.on("2026-03-05").sell(products=[a_product(charges=[monthly("100.00")])], start_on=None)
    used(world, an_event("", id="gone", meter="", value="0", retracts=first.id))
    world.on("2026-03-06").bill()
    last = world.invoices()[-1]
    given = Decimal("20.00")
    assert last.total > 0
    assert open_amounts(world)[-1][1] == f"{last.total + given:.2f}"
    assert left(world.account) == "20.00"
    agrees(world.account)
