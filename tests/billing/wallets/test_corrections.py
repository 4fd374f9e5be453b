"""What was paid from a wallet is corrected: by price, as a whole, in one run or in two."""

from datetime import date

import pytest

from billing.models import Wallet
from billing.payments.selectors import account_balance
from billing.wallets.services.lapsing import lapse_due
from billing.wallets.services.setting import set_wallet
from o2b.models import Event
from subscriptions.models import Act, Item
from tests.billing.wallets.build import agrees, booked, credits, granted, left, moved
from tests.billing.wallets.test_life import bought, corrected, open_amounts, used
from tests.factories import a_product, monthly, reprice
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter

pytestmark = pytest.mark.django_db
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def set_to(world: World, covers: str = "usage", usable: str = "on_invoice") -> None:
    (wallet,) = Wallet.objects.all()
    set_wallet(wallet_id=wallet.pk, covers=covers, usable=usable, at=world.now, actor_id=None)


def owed(world: World) -> str:
    """What the customer owes beside the wallet; below zero, what he is owed."""
    return f"{account_balance(world.account).owed.amount:.2f}"


def repriced(world: World, item: Item, price: str) -> None:
    reprice(item.product_version, charges=[by_meter(price=price)])
    told(world, item, Act.TERMS, on=JANUARY)


def test_a_usage_price_corrected_from_a_past_day_gives_back(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world, "500")
    used(world, an_event(item, "100", "2026-01-20T12:00:00Z"))
    world.on("2026-02-10").bill()
    assert left(world.account) == "400.00"
    repriced(world, item, "0.80")
    world.on("2026-02-11").bill()
    assert open_amounts(world)[1:] == [("-20.00", "0.00", "credit")]
    assert left(world.account) == "420.00"
    told(world, item, Act.WITHDRAW, withdraws=2)
    repriced(world, item, "0.70")
    world.on("2026-02-12").bill()
    assert left(world.account) == "430.00"
    assert owed(world) == "0.00"
    agrees(world.account)


def test_usage_of_another_month_is_not_given_back_by_it(world: World) -> None:
    """January was paid by the customer, February by the wallet; the price of January falls."""
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    used(world, an_event(item, "100", "2026-01-20T12:00:00Z"))
    world.on("2026-02-10").bill()
    granted(world, "500")
    used(world, an_event(item, "50", "2026-02-09T12:00:00Z"))
    world.on("2026-03-01").bill()
    repriced(world, item, "0.80")
    world.on("2026-03-02").bill()
    assert [amount for *_, amount in world.bills()[2:]] == ["-20.00", "-10.00"]
    assert left(world.account) == "460.00"
    agrees(world.account)


def drawn_30_of_50(world: World) -> tuple[Item, str]:
    """50 of money were bought and paid, 30 of it used."""
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    credit = bought(world.on("2026-02-01"), credits())
    world.bill()
    world.pay(world.invoices()[0], "50.00")
    first = an_event(item, "30", "2026-02-09T12:00:00Z")
    used(world.on("2026-02-10"), first)
    world.on("2026-03-01").bill()
    assert left(world.account) == "20.00"
    return credit, first.id


def take_back_usage(world: World, event: str) -> None:
    used(world, an_event("", id="gone", meter="", value="0", retracts=event))


def test_a_purchase_and_what_it_paid_are_taken_back_in_one_run(world: World) -> None:
    credit, event = drawn_30_of_50(world)
    told(world, credit, Act.END, on=FEBRUARY)
    take_back_usage(world.on("2026-03-05"), event)
    world.bill()
    assert moved(world.account)[2:] == [
        ("2026-03-05", "returned", "30.00"),
        ("2026-03-05", "taken", "-50.00"),
    ]
    assert (left(world.account), owed(world)) == ("0.00", "-50.00")
    assert booked(world.account) == {"bank": "50.00", "receivable": "-50.00"}
    agrees(world.account)


def test_a_purchase_and_then_what_it_paid_are_taken_back(world: World) -> None:
    credit, event = drawn_30_of_50(world)
    told(world, credit, Act.END, on=FEBRUARY)
    world.on("2026-03-02").bill()
    assert moved(world.account)[2:] == [("2026-03-02", "taken", "-20.00")]
    assert booked(world.account)["receivable"] == "-50.00"
    take_back_usage(world.on("2026-03-05"), event)
    world.bill()
    assert moved(world.account)[3:] == [
        ("2026-03-05", "returned", "30.00"),
        ("2026-03-05", "taken", "-30.00"),
    ]
    assert (left(world.account), owed(world)) == ("0.00", "-50.00")
    assert booked(world.account) == {"bank": "50.00", "receivable": "-50.00"}
    agrees(world.account)


def test_what_is_given_back_may_pay_on_the_same_day(world: World) -> None:
    """Nothing is owed for the purchase: what comes back stays."""
    _credit, event = drawn_30_of_50(world)
    take_back_usage(world.on("2026-03-05"), event)
    world.bill()
    assert moved(world.account)[2:] == [("2026-03-05", "returned", "30.00")]
    assert left(world.account) == "50.00"
    agrees(world.account)


@pytest.mark.parametrize(
    ("before", "after", "back"), [("all", "usage", "20"), ("usage", "all", "0")]
)
def test_what_a_wallet_covers_by_now_changes_nothing_of_what_it_paid(
    world: World, before: str, after: str, back: str
) -> None:
    """A fee of 20 and usage of 30 on one bill; the fee is credited."""
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world, "100")
    set_to(world, covers=before)
    used(world.on("2026-02-10"), an_event(item, "30", "2026-02-09T12:00:00Z"))
    fee = bought(world.on("2026-03-01"), a_product(charges=[monthly("20.00")]), "1")
    world.bill()
    paid = {"all": "50.00", "usage": "70.00"}[before]
    assert left(world.account) == paid
    set_to(world, covers=after)
    told(world, fee, Act.END, on=date(2026, 3, 1))
    world.on("2026-03-02").bill()
    assert world.bills()[-1][2] == "-20.00"
    assert left(world.account) == f"{float(paid) + float(back):.2f}"
    agrees(world.account)


def test_money_that_pays_all_waits_for_the_bill_in_arrears_of_its_days(world: World) -> None:
    fee = monthly("20.00") | {"timing": "arrears"}
    world.on("2026-01-01").sell(products=[a_product(charges=[fee])])
    granted(world, "50", ends_on=FEBRUARY)
    set_to(world, covers="all")
    world.on("2026-02-01")
    lapse_due(machine_now=world.now)
    assert left(world.account) == "50.00"
    world.on("2026-02-02").bill()
    lapse_due(machine_now=world.now)
    assert [row[1:] for row in moved(world.account)] == [
        ("granted", "50.00"),
        ("drawn", "-20.00"),
        ("lapsed", "-30.00"),
    ]
    agrees(world.account)


def test_money_of_a_plan_that_pays_all_waits_for_no_bill_of_itself(world: World) -> None:
    plan = credits("10.00", "10.00", kind="recurring", lasts=["month", 1])
    world.on("2026-01-01").sell(products=[plan])
    world.bill("2026-01-01")
    set_to(world, covers="all")
    world.on("2026-02-01")
    lapse_due(machine_now=world.now)
    assert left(world.account) == "0.00"


def test_a_purchase_that_was_partly_credited_is_usable_when_the_rest_is_paid(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    credit = bought(world.on("2026-02-01"), credits())
    world.bill()
    set_to(world, usable="on_payment")
    corrected(world, credit, 90)
    world.on("2026-02-02").bill()
    assert left(world.account) == "45.00"
    used(world.on("2026-02-10"), an_event(item, "7", "2026-02-09T12:00:00Z"))
    world.pay(world.invoices()[0], "44.99")
    world.on("2026-03-01").bill()
    assert left(world.account) == "45.00"
    world.pay(world.invoices()[0], "0.01")
    used(world.on("2026-03-10"), an_event(item, "5", "2026-03-09T12:00:00Z"))
    world.on("2026-04-01").bill()
    assert left(world.account) == "40.00"
    agrees(world.account)


def test_more_that_was_bought_and_taken_back_lets_nobody_pay_less(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    credit = bought(world.on("2026-02-01"), credits())
    world.bill()
    set_to(world, usable="on_payment")
    corrected(world, credit, 110)
    world.on("2026-02-02").bill()
    told(world, credit, Act.WITHDRAW, withdraws=2)
    world.on("2026-02-03").bill()
    assert [row[1] for row in moved(world.account)] == ["granted", "granted", "taken"]
    assert left(world.account) == "50.00"
    world.pay(world.invoices()[0], "45.00")
    used(world.on("2026-02-10"), an_event(item, "7", "2026-02-09T12:00:00Z"))
    world.on("2026-03-01").bill()
    assert left(world.account) == "50.00"
    assert not Event.objects.filter(name="wallet.drawn").exists()
