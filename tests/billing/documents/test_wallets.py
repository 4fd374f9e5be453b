"""A wallet pays several documents of one run: never more than it holds, nor back more than paid."""

from decimal import Decimal

import pytest

from billing.models import Wallet
from billing.wallets.services.setting import set_wallet
from o2b.customers.models import Account
from subscriptions.models import Act, Item
from tests.billing.wallets.build import agrees, granted, left, moved, paid_by_wallet
from tests.factories import a_product, a_user, monthly
from tests.scenarios.world import World
from tests.subscriptions.serving import told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal


def split(world: World) -> None:
    Account.objects.filter(pk=world.account.pk).update(invoice_split="item")


def with_money(world: World, amount: str) -> None:
    granted(world, amount)
    wallet = Wallet.objects.get(account=world.account)
    told_ = {"covers": Wallet.Covers.ALL, "usable": wallet.usable}
    set_wallet(wallet_id=wallet.pk, at=world.now, actor_id=a_user().pk, **told_)


def test_the_first_document_takes_first_and_the_next_what_is_left(world: World) -> None:
    split(world.on("2026-01-01"))
    with_money(world, "25.00")
    for price in ("10.00", "20.00", "30.00"):
        world.sell(products=[a_product(charges=[monthly(price)])])
    run = world.bill()
    assert (run.state, world.parked()) == ("finalised", [])
    assert [amount for _, amount in paid_by_wallet(world.account)] == ["10.00", "15.00"]
    assert left(world.account) == "0.00"
    agrees(world.account)


def test_two_credit_notes_give_back_no_more_than_was_drawn(world: World) -> None:
    world.on("2026-01-01")
    with_money(world, "12.00")
    for price in ("5.00", "10.00"):
        world.sell(products=[a_product(charges=[monthly(price)])], quantity="2")
    world.bill()  # one document over 30.00, of which the wallet pays 12.00
    split(world.on("2026-01-02"))
    for item in Item.objects.order_by("pk"):
        told(world, item, Act.QUANTITY, quantity=D(1), on=world.today.replace(day=1))
    run = world.bill()
    assert (run.state, world.parked()) == ("finalised", [])
    assert [row[1:] for row in moved(world.account)] == [
        ("granted", "12.00"),
        ("drawn", "-12.00"),
        ("returned", "5.00"),
        ("returned", "7.00"),
    ]
    agrees(world.account)
