"""A rehearsal drafts and checks any future month, stands in nobody's way, and is thrown away."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import (
    BillRun,
    Breach,
    Charge,
    ChargeState,
    DraftInvoice,
    DraftLine,
    Invoice,
    ParkedAccount,
    Variance,
)
from billing.runs.services import (
    RunNotReady,
    approve_run,
    ask_retry,
    cancel_run,
    open_run,
    set_aside,
)
from billing.runs.services.rehearsing import discard_old
from o2b import events
from o2b.models import Event, Outbox
from tests.billing.control.worlds import an_account_with, equation, net_of, rules, variances
from tests.billing.worlds import AT, FEBRUARY, bills, by_hand, drafted, finalised
from tests.factories import a_user, an_entity

pytestmark = pytest.mark.django_db


def rehearsed(on: date = FEBRUARY) -> BillRun:
    run = open_run(
        legal_entity_id=an_entity().pk, on=on, opened_by_id=a_user().pk, at=AT, kind="rehearsal"
    )
    events.drain()
    run.refresh_from_db()
    return run


def test_a_future_month_is_rehearsed_and_nothing_is_marked() -> None:
    account = an_account_with("10.00")
    finalised()
    standing = list(ChargeState.objects.values())
    run = rehearsed()
    assert run.state == BillRun.State.REHEARSED
    assert equation(run) == (1, 1, 0, 0, 1, 0)
    assert (net_of(run), variances(run)) == (10, {account.pk: ("10.00", "10.00", "")})
    assert list(ChargeState.objects.values()) == standing
    finalised(FEBRUARY)
    assert len(bills(account)) == 2


def test_it_stands_in_nobodys_way_and_nobody_in_its_way() -> None:
    an_account_with("10.00")
    first, real, second = rehearsed(), drafted(), rehearsed()
    assert (first.state, real.state, second.state) == ("rehearsed", "to_approve", "rehearsed")


def test_it_is_never_approved_not_even_in_sql() -> None:
    account = an_account_with("10.00")
    run = rehearsed()
    with pytest.raises(RunNotReady), transaction.atomic():
        approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    with pytest.raises(RunNotReady), transaction.atomic():
        set_aside(run_id=run.pk, account_ids=[account.pk], reason="?", by=a_user().pk, at=AT)
    for change in ("state = 'approved'", "approved_at = now()", "kind = 'bills'"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE billing_billrun SET {change} WHERE id = %s", [run.pk])
    assert not Invoice.objects.exists()


def test_what_it_finds_is_told_to_nobody() -> None:
    account = an_account_with("10.00")
    charge = Charge.objects.get()
    by_hand(
        "UPDATE catalog_termscharge SET unit_price = 11 WHERE id = %s", [charge.terms_charge_id]
    )
    run = rehearsed()
    assert ParkedAccount.objects.get(run=run).account == account
    assert not Breach.objects.exists()
    assert not Event.objects.filter(name="account.parked").exists()
    by_hand(
        "UPDATE catalog_termscharge SET unit_price = 10 WHERE id = %s", [charge.terms_charge_id]
    )
    ask_retry(run_id=run.pk, at=AT)
    events.drain()
    assert equation(run) == (1, 1, 0, 0, 1, 0)


def test_it_is_thrown_away_by_hand_or_by_itself() -> None:
    an_account_with("10.00")
    finalised()
    rules(rehearsal_days=3)
    first, second = rehearsed(), rehearsed()
    cancel_run(run_id=first.pk, at=AT)
    second.refresh_from_db()
    assert second.drafted_at is not None
    assert discard_old(at=second.drafted_at + timedelta(days=3, seconds=-1)) == 0
    assert discard_old(at=second.drafted_at + timedelta(days=3)) == 1
    assert discard_old(at=second.drafted_at + timedelta(days=9)) == 0
    for model in (DraftInvoice, DraftLine):
        assert not model.objects.exists()
    assert not Variance.objects.filter(run__in=[first, second]).exists()
    assert not Outbox.objects.exists()
