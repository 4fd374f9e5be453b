"""Prepaid money in a family: a wallet pays for its own account, and is filled by its own lines."""

from decimal import Decimal

import pytest
from django.db.models import Sum

from billing.models import Allocation, Invoice, Posting, Wallet
from billing.runs.services import approve_run, reverse_run
from o2b.customers.models import Account
from tests.billing.families.worlds import documents, tied
from tests.billing.test_reversal import reversed_
from tests.billing.wallets.build import buy, credits, granted, left, moved
from tests.scenarios.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def payer_and_member(world: World) -> tuple[Account, Account]:
    payer = world.sell(price="10.00").account
    member = world.sell(price="20.00", account=world.an_account()).account
    return payer, tied(member, payer)


def test_a_wallet_pays_for_its_own_account_alone(world: World) -> None:
    payer, member = payer_and_member(world)
    granted(world, "100.00", payer)
    granted(world, "100.00", member)
    Wallet.objects.update(covers="all")
    world.on("2026-01-31").bill()
    assert documents(payer) == [("30.00", "0.00", "30.00")]
    assert (left(payer), left(member)) == ("90.00", "100.00")
    assert Allocation.objects.aggregate(sum=Sum("amount"))["sum"] == 10
    reversed_(Invoice.objects.get(), at=world.now)
    assert (left(payer), left(member)) == ("100.00", "100.00")


def test_money_that_a_member_buys_is_on_the_bill_and_in_his_own_wallet(world: World) -> None:
    payer, member = payer_and_member(world)
    buy(world, credits("1.00", "1.00"), "50", account=member)
    buy(world, credits("1.00", "1.00"), "5", account=payer)
    world.on("2026-01-31").bill()
    assert documents(payer) == [("85.00", "0.00", "85.00")]
    assert [move[1:] for move in moved(member)] == [("granted", "50.00")]
    assert [move[1:] for move in moved(payer)] == [("granted", "5.00")]
    booked = dict(
        Posting.objects.filter(debit="receivable")
        .order_by()
        .values_list("credit")
        .annotate(Sum("amount"))
    )
    assert booked == {"revenue": Decimal(30), "prepaid": Decimal(55)}
    reversed_(Invoice.objects.get(), at=world.now)
    assert (left(payer), left(member)) == ("0.00", "0.00")


def test_money_of_a_member_is_taken_back_whatever_shard_his_number_lies_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = world.sell(price="1.00", account=world.an_account()).account
    payer, member = payer_and_member(world)
    assert payer.pk < other.pk < member.pk
    buy(world, credits("1.00", "1.00"), "50", account=member)
    run = world.on("2026-01-31").bill()
    assert left(member) == "50.00"
    monkeypatch.setattr("billing.runs.services.opening.MOST_ACCOUNTS", 1)
    reversal = reverse_run(
        run_id=run.pk, reason="Wrong.", opened_by_id=world.opener.pk, at=world.now
    )
    world.settle()
    approve_run(run_id=reversal.pk, user_id=world.approver.pk, at=world.now)
    world.settle()
    assert reversal.shards.count() == 2
    assert left(member) == "0.00"
