"""Clocks are opened; blank accounts come under them and leave again, real ones never."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import InternalError, transaction

from billing.payments.services import record_payment
from o2b.clocks import services
from o2b.clocks.models import ClockStep
from o2b.customers.services import AccountClosed, close_account
from o2b.errors import Refused
from o2b.models import Event, TestClock
from orders.models import Order
from tests.factories import NOON, a_product, a_quote, a_sent_quote, a_user, an_account
from tests.o2b.clocks.build import a_clock, a_clocked_account, names, said, written
from tests.orders.build import entered

pytestmark = pytest.mark.django_db


def test_a_clock_is_opened():
    user = a_user()
    clock = services.open_clock(name="  A  year ", now=NOON, actor_id=user.pk)
    assert (clock.name, clock.now, clock.created_by) == ("A year", NOON, user)
    assert names(subject_type="o2b.testclock") == ["test_clock.opened"]


def test_the_database_itself_sets_no_clock_back():
    clock = a_clock()
    before = clock.now
    for earlier in (before - timedelta(seconds=1), before - timedelta(days=30)):
        clock.now = earlier
        with pytest.raises(InternalError, match="forward only"), transaction.atomic():
            clock.save()
        with pytest.raises(InternalError, match="forward only"), transaction.atomic():
            TestClock.objects.update(now=earlier)
    TestClock.objects.update(name="later", now=before)
    TestClock.objects.update(now=before + timedelta(days=1))
    clock.refresh_from_db()
    assert (clock.name, clock.now) == ("later", before + timedelta(days=1))


@pytest.mark.parametrize(
    ("name", "now", "code", "field"),
    [
        ("", NOON, "clock_invalid", "name"),
        (" \t", NOON, "clock_invalid", "name"),
        ("x" * 81, NOON, "clock_invalid", "name"),
        ("a\0b", NOON, "clock_invalid", "name"),
        ("taken", NOON, "clock_name_taken", "name"),
        ("early", datetime(1999, 12, 31, 23, tzinfo=UTC), "clock_invalid", "now"),
        ("late", datetime(2200, 1, 1, tzinfo=UTC), "clock_invalid", "now"),
    ],
)
def test_a_clock_that_cannot_be_opened(name, now, code, field):
    a_clock(name="taken")
    before = written()
    with pytest.raises(Refused) as refusal:
        services.open_clock(name=name, now=now)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert written() == before


def test_a_blank_account_comes_under_a_clock_and_leaves_it():
    clock, account, user = a_clock(), an_account(), a_user()
    a_quote(account=account)  # nobody has seen the draft
    given = said(account, clock_id=clock.pk, actor_id=user.pk)
    services.put_under(**given, confirm=f" {account.reference} ")
    account.refresh_from_db()
    assert account.test_now == clock.now
    services.take_off(**given)
    account.refresh_from_db()
    assert account.test_clock is None
    assert names(account_id=account.pk, name__contains="clock") == [
        "account.put_under_clock",
        "account.taken_off_clock",
    ]
    assert Event.objects.filter(name="account.put_under_clock", actor=user).count() == 1


@pytest.mark.parametrize("typed", ["", "yes", "A-", "a-1\0", "the same in words"])
def test_the_number_must_be_typed(typed):
    clock, account = a_clock(), an_account()
    before = written()
    with pytest.raises(services.ConfirmationWrong) as refusal:
        services.put_under(**said(account, clock_id=clock.pk), confirm=typed)
    assert refusal.value.field == "confirm"
    assert written() == before


def _sent(account):
    a_sent_quote(account=account)
    return ["1 quote was sent"]


def _entered(account):
    entered(account, a_product())
    entered(account, a_product())
    return ["2 orders were placed"]


def _paid(account):
    record_payment(
        account_id=account.pk,
        amount=Decimal("10.00"),
        on=NOON.date(),
        method="cash",
        reference="r",
        at=NOON,
        actor_id=a_user("finance").pk,
    )
    return ["1 payment was recorded"]


@pytest.mark.parametrize("happens", [_sent, _entered, _paid])
def test_a_real_account_never_comes_under_a_clock(happens):
    clock, account = a_clock(), an_account()
    reasons = happens(account)
    before = written()
    with pytest.raises(services.AccountIsReal) as refusal:
        services.put_under(**said(account, clock_id=clock.pk), confirm=account.reference)
    assert refusal.value.extra == {"reasons": reasons}
    assert refusal.value.message == f"{account} is a real account: {reasons[0]}."
    assert written() == before


@pytest.mark.parametrize("happens", [_sent, _entered, _paid])
def test_what_happened_under_a_clock_stays_there(happens):
    account = a_clocked_account()
    reasons = happens(account)
    before = written()
    with pytest.raises(services.AccountIsReal) as refusal:
        services.take_off(**said(account, clock_id=account.test_clock_id))
    assert refusal.value.extra == {"reasons": reasons}
    assert written() == before


def test_all_that_a_whole_life_leaves_is_told(world):
    world.on("2026-01-16").sell(price="31.00")
    world.on("2026-02-28").bill()
    assert [trace.text for trace in said(world.account)["traces_of"](world.account.pk)] == [
        "1 quote was sent",
        "1 order was placed",
        "1 item is or was in service",
        "1 invoice was written",
    ]


def test_one_clock_at_a_time():
    account, other = a_clocked_account(), a_clock()
    before = written()
    with pytest.raises(services.UnderAnotherClock):
        services.put_under(**said(account, clock_id=other.pk), confirm=account.reference)
    with pytest.raises(services.NotUnderClock):
        services.take_off(**said(account, clock_id=other.pk))
    assert written() == before


def test_a_closed_account_stays_outside():
    clock, account = a_clock(), an_account()
    close_account(account_id=account.pk, at=NOON)
    before = written()
    with pytest.raises(AccountClosed):
        services.put_under(**said(account, clock_id=clock.pk), confirm=account.reference)
    assert written() == before


@pytest.mark.parametrize(
    ("state", "refused"), [("running", services.ClockMoving), ("failed", services.ClockStepFailed)]
)
def test_nobody_comes_or_goes_while_it_moves(state, refused):
    account, other = a_clocked_account(), an_account()
    ClockStep.objects.create(
        clock=account.test_clock, begun_at=NOON, until=NOON + timedelta(days=9), state=state
    )
    before = written()
    with pytest.raises(refused):
        services.put_under(**said(other, clock_id=account.test_clock_id), confirm=other.reference)
    with pytest.raises(refused):
        services.take_off(**said(account, clock_id=account.test_clock_id))
    assert written() == before


def test_what_is_not_there():
    clock, account = a_clock(), an_account()
    with pytest.raises(TestClock.DoesNotExist):
        services.put_under(**said(account, clock_id=clock.pk + 999), confirm="x")
    with pytest.raises(account.DoesNotExist):
        services.put_under(**said(account, clock_id=clock.pk, account_id=2**60), confirm="x")
    assert Order.objects.count() == 0
