"""Grants by hand: two people, what is refused beside its field, and the money that comes in."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Wallet, WalletGrant, WalletLot, WalletMovement
from billing.payments.services import record_payment
from billing.wallets.services import granting
from o2b.errors import Refused
from o2b.fsm import law
from o2b.models import Event
from tests.billing.wallets.build import agrees, booked, granted, moved
from tests.factories import a_user
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db


def asked(world: World, **given: Any) -> WalletGrant:
    fields: dict[str, Any] = {"amount": "10", "source": "goodwill", "reason": "an outage"}
    fields |= {"asked_by_id": a_user().pk, "at": world.now, "account_id": world.account.pk}
    return granting.ask_grant(**fields | given)


def test_the_law_of_grants() -> None:
    assert law(WalletGrant) == {
        ("asked", "approve", "granted"),
        ("asked", "refuse", "refused"),
        ("asked", "withdraw", "withdrawn"),
    }


def test_nothing_moves_until_a_second_person_approves_and_then_once(world: World) -> None:
    clerk, chief = a_user(), a_user()
    grant = asked(world, asked_by_id=clerk.pk, ends_on=date(2026, 6, 1), priority=7)
    assert not Wallet.objects.exists()
    with pytest.raises(granting.OwnGrant):
        granting.approve_grant(grant_id=grant.pk, user_id=clerk.pk, at=world.now)
    granting.approve_grant(grant_id=grant.pk, user_id=chief.pk, at=world.now)
    with pytest.raises(granting.GrantNotOpen):
        granting.approve_grant(grant_id=grant.pk, user_id=chief.pk, at=world.now)
    lot = WalletLot.objects.get()
    assert (lot.left, lot.priority, lot.begins_on, lot.ends_on, lot.text, lot.source) == (
        Decimal(10),
        7,
        world.today,
        date(2026, 6, 1),
        "an outage",
        "goodwill",
    )
    assert booked(world.account) == {"prepaid": "-10.00", "revenue": "10.00"}
    agrees(world.account)
    told = Event.objects.filter(name__startswith="wallet").order_by("pk")
    assert list(told.values_list("name", "actor_id")) == [
        ("wallet_grant.asked", clerk.pk),
        ("wallet_grant.approved", chief.pk),
        ("wallet.filled", chief.pk),
    ]


def test_a_grant_is_refused_by_another_and_withdrawn_by_who_asked(world: World) -> None:
    clerk, chief = a_user(), a_user()
    one, other = asked(world, asked_by_id=clerk.pk), asked(world, asked_by_id=clerk.pk)
    with pytest.raises(granting.OwnGrant):
        granting.refuse_grant(grant_id=one.pk, user_id=clerk.pk, at=world.now)
    with pytest.raises(granting.OwnGrant):
        granting.withdraw_grant(grant_id=one.pk, user_id=chief.pk, at=world.now)
    granting.refuse_grant(grant_id=one.pk, user_id=chief.pk, at=world.now)
    granting.withdraw_grant(grant_id=other.pk, user_id=clerk.pk, at=world.now)
    states = WalletGrant.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["refused", "withdrawn"]
    assert not WalletMovement.objects.exists()


def test_a_grant_whose_last_day_is_over_is_not_approved(world: World) -> None:
    grant = asked(world.on("2026-01-10"), ends_on=date(2026, 1, 20))
    world.on("2026-01-20")
    with pytest.raises(granting.GrantNotOpen) as refused:
        granting.approve_grant(grant_id=grant.pk, user_id=a_user().pk, at=world.now)
    assert refused.value.field == "ends_on"
    assert not WalletLot.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "ten"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": "1e12"}, "amount"),
        ({"source": "order"}, "source"),
        ({"source": ""}, "source"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 251}, "reason"),
        ({"priority": -1}, "priority"),
        ({"priority": 1001}, "priority"),
        ({"ends_on": date(2025, 12, 31)}, "ends_on"),
        ({"ends_on": date(2026, 1, 1)}, "ends_on"),
        ({"ends_on": date(3000, 1, 1)}, "ends_on"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    world: World, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        asked(world, **given)
    assert refused.value.field == field
    assert not WalletGrant.objects.exists()
    assert not Event.objects.filter(name__startswith="wallet").exists()


def test_nobody_records_a_payment_by_the_method_of_wallets(world: World) -> None:
    with pytest.raises(Refused) as refused:
        record_payment(
            account_id=world.account.pk,
            amount="5",
            on=world.today,
            method="Wallet",
            reference="",
            at=world.now,
            actor_id=None,
        )
    assert refused.value.field == "method"


def test_an_account_has_one_wallet_however_often_it_is_granted(world: World) -> None:
    granted(world, "1")
    granted(world, "2")
    assert Wallet.objects.count() == 1
    assert [amount for _, _, amount in moved(world.account)] == ["1.00", "2.00"]
