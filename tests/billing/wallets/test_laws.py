"""What Postgres keeps of wallets, whoever writes; and that nothing happens twice."""

import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.models import (
    Allocation,
    BillRun,
    Invoice,
    Payment,
    Shard,
    Wallet,
    WalletDraw,
    WalletLot,
    WalletMovement,
)
from billing.runs.services import approve_run, finalise_run, finalise_shard, finalising
from billing.wallets.services.granting import approve_grant, ask_grant
from billing.wallets.services.lapsing import lapse_due
from o2b.models import Outbox
from tests.billing.build import an_invoice
from tests.billing.wallets.build import agrees, granted, left, moved, paid_by_wallet
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

D = Decimal
Kind = WalletMovement.Kind


def movement(lot: WalletLot, kind: str, amount: str, **given: Any) -> WalletMovement:
    return WalletMovement.objects.create(
        wallet=lot.wallet,
        lot=lot,
        kind=kind,
        amount=D(amount),
        on=date(2026, 3, 1),
        at="2026-03-01T00:00Z",
        **given,
    )


@pytest.fixture
def lot(world: World) -> WalletLot:
    """Ten euros."""
    granted(world, "10")
    return WalletLot.objects.get()


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        act()


@pytest.mark.django_db
def test_a_lot_is_moved_by_movements_alone_and_never_below_zero(
    world: World, lot: WalletLot
) -> None:
    bill, other = (an_invoice("30", account=world.account) for _ in range(2))
    refused(lambda: WalletLot.objects.update(left=20))
    refused(lambda: WalletLot.objects.update(priority=1))
    refused(lambda: WalletLot.objects.all().delete())
    refused(lambda: movement(lot, Kind.DRAWN, "-10.01", invoice=bill))
    refused(lambda: movement(lot, Kind.DRAWN, "-5"))
    refused(lambda: movement(lot, Kind.DRAWN, "5", invoice=bill))
    refused(lambda: movement(lot, Kind.GRANTED, "1"))
    drawn = movement(lot, Kind.DRAWN, "-6", invoice=bill)
    refused(lambda: movement(lot, Kind.DRAWN, "-1", invoice=bill))
    refused(lambda: movement(lot, Kind.RETURNED, "1", invoice=other))
    refused(lambda: movement(lot, Kind.RETURNED, "6.01", invoice=other, undoes=drawn))
    movement(lot, Kind.RETURNED, "4", invoice=other, undoes=drawn)
    third = an_invoice("30", account=world.account)
    refused(lambda: movement(lot, Kind.RETURNED, "2.01", invoice=third, undoes=drawn))
    refused(lambda: drawn.delete())
    lot.refresh_from_db()
    assert lot.left == D(8)


@pytest.mark.django_db
def test_a_payment_below_zero_is_a_wallets_and_settles_what_it_may(world: World) -> None:
    def payment(amount: str, method: str = "wallet") -> Payment:
        return Payment.objects.create(
            account=world.account,
            legal_entity_id=world.account.legal_entity_id,
            currency="EUR",
            amount=D(amount),
            received_on=world.today,
            method=method,
        )

    def allocate(paid: Payment, bill: Invoice, amount: str) -> None:
        Allocation.objects.create(payment=paid, invoice=bill, amount=D(amount), at=world.now)

    note, bill = (
        an_invoice("-20", account=world.account),
        an_invoice("10", account=world.account),
    )
    refused(lambda: payment("-5", "card"))
    refused(lambda: allocate(payment("-5"), note, "-5.01"))
    refused(lambda: allocate(payment("-30"), note, "-20.01"))
    refused(lambda: allocate(payment("5"), note, "5"))
    allocate(payment("-20"), note, "-20")
    allocate(payment("-5"), bill, "-5")
    refused(lambda: allocate(payment("20"), bill, "15.01"))
    allocate(payment("20"), bill, "15")


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each of many threads gets that do something at the same moment."""
    barrier = threading.Barrier(len(acts))
    answers: list[object] = []

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            answers.append(act())
        except Exception as exc:
            answers.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def a_run_to_finalise(world: World) -> BillRun:
    """Usage of 30 euros, an approved run for it, and its shard not final yet."""
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world, "20")
    taken(an_event(item, "30", "2026-02-09T12:00:00Z"), now=world.now.isoformat())
    world.on("2026-03-01")
    run = world.bill(approve=False)
    approve_run(run_id=run.pk, user_id=world.approver.pk, at=world.now)
    Outbox.objects.all().delete()
    finalise_run(run_id=run.pk, at=world.now)
    Outbox.objects.all().delete()
    return run


@pytest.mark.django_db(transaction=True)
def test_finalisers_side_by_side_draw_once_while_money_comes_in(world: World) -> None:
    run = a_run_to_finalise(world)
    shard = Shard.objects.get(run=run)
    account, clerk = world.account.pk, a_user().pk
    chiefs = [a_user().pk for _ in range(3)]
    grant = ask_grant(
        account_id=account,
        amount="5",
        source="goodwill",
        reason="at once",
        asked_by_id=clerk,
        at=world.now,
    )
    answers = at_once(
        *[lambda: finalise_shard(shard_id=shard.pk, at=world.now)] * 4,
        *[lambda c=c: approve_grant(grant_id=grant.pk, user_id=c, at=world.now) for c in chiefs],
    )
    failed = [type(answer).__name__ for answer in answers if isinstance(answer, Exception)]
    assert failed == ["GrantNotOpen"] * 2
    bill = Invoice.objects.get()
    drawn = WalletDraw.objects.get()
    assert drawn.invoice == bill
    assert drawn.amount in (D(20), D(25))
    assert D(left(world.account)) == D(25) - drawn.amount
    agrees(world.account)


@pytest.mark.django_db(transaction=True)
def test_a_finaliser_that_dies_in_the_middle_leaves_nothing_and_the_next_does_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run_to_finalise(world)
    shard = Shard.objects.get(run=run)

    def dies(**_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(finalising, "discard_drafts", dies)  # all of the wallet is written by then
        with pytest.raises(KeyboardInterrupt):
            finalise_shard(shard_id=shard.pk, at=world.now)
    assert not WalletDraw.objects.exists()
    assert left(world.account) == "20.00"
    for _ in range(2):
        finalise_shard(shard_id=shard.pk, at=world.now)
    assert [amount for _, amount in paid_by_wallet(world.account)] == ["20.00"]
    agrees(world.account)


@pytest.mark.django_db(transaction=True)
def test_what_lapses_lapses_once(world: World) -> None:
    granted(world.on("2026-01-10"), "20", ends_on=date(2026, 2, 1))
    world.on("2026-02-01")
    assert sum(answer for answer in at_once(*[lambda: lapse_due(machine_now=world.now)] * 4)) == 1  # type: ignore[misc]
    assert [kind for _, kind, _ in moved(world.account)] == ["granted", "lapsed"]
    agrees(world.account)


@pytest.mark.django_db
def test_a_shard_without_wallets_is_asked_two_short_questions(world: World) -> None:
    """They hit indexes that hold wallets and what brings money alone."""
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    taken(an_event(item, "30", "2026-02-09T12:00:00Z"), now=world.now.isoformat())
    run = world.on("2026-03-01").bill(approve=False)
    approve_run(run_id=run.pk, user_id=world.approver.pk, at=world.now)
    finalise_run(run_id=run.pk, at=world.now)
    with CaptureQueriesContext(connection) as asked:
        finalise_shard(shard_id=Shard.objects.get(run=run).pk, at=world.now)
    about = [q["sql"] for q in asked if "brings_money" in q["sql"] or "wallet" in q["sql"]]
    assert len(about) == 2
    assert (world.balance(), Wallet.objects.count()) == ("30.00", 0)
