"""Days are lived by real worker processes, one of which is killed in the middle of one."""

from datetime import timedelta

import pytest

from o2b import clock, events
from o2b.clocks import services
from o2b.clocks.models import ClockStep
from o2b.models import Event, Outbox, TestClock
from orders.models import OrderLine
from subscriptions.models import Item
from tests.factories import NOON, a_product
from tests.o2b.clocks.build import a_clocked_account
from tests.orders.build import entered

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
DAYS = 40


def days_done() -> int:
    return ClockStep.objects.get().days_done


def test_killed_in_the_middle_it_goes_on_and_nothing_is_late_or_twice(workers):
    account = a_clocked_account()
    wanted = [(NOON + timedelta(days=n)) for n in range(1, DAYS + 1, 3)]
    product = a_product()
    for day in wanted:
        entered(account, product, work_from=day.date())
    services.ask_step(clock_id=account.test_clock_id, days=DAYS)
    workers.wait_until(lambda: days_done() >= 5)
    for index in range(len(workers.processes)):
        workers.kill9(index)
    workers.empty_redis()
    step = ClockStep.objects.get()
    assert step.is_running
    assert step.days_done < DAYS
    workers.add()
    workers.add()
    # The leases run out: told, not waited for.
    past = clock.now() - timedelta(seconds=90)
    Outbox.objects.update(leased_until=past, recorded_at=past)
    events.sweep()
    workers.wait_until(lambda: not ClockStep.objects.get().is_running, seconds=120)
    step = ClockStep.objects.get()
    assert (step.state, step.error, step.days_done) == ("done", "", DAYS)
    assert TestClock.objects.get().now == NOON + timedelta(days=DAYS)
    lines = OrderLine.objects.order_by("pk").values_list("completed_at", flat=True)
    assert list(lines) == wanted
    assert Item.objects.count() == len(wanted)
    happened = Event.objects.filter(account_id=account.pk, name="order_line.completed")
    assert happened.count() == len(wanted)
    assert not Outbox.objects.filter(account_id=account.pk).exists()


def test_two_clocks_live_their_days_by_turns(workers):
    accounts = [a_clocked_account(), a_clocked_account()]
    for account in accounts:
        services.ask_step(clock_id=account.test_clock_id, days=DAYS)
    workers.wait_until(lambda: not ClockStep.objects.filter(state="running").exists(), seconds=120)
    assert [(step.state, step.days_done) for step in ClockStep.objects.all()] == [
        ("done", DAYS),
        ("done", DAYS),
    ]
    assert not Outbox.objects.exclude(last_error="").exists()
    first, second = Event.objects.filter(name="test_clock.step_done").order_by("id")
    begun = ClockStep.objects.order_by("pk").values_list("asked_at", flat=True)
    both = second.recorded_at - max(begun)
    assert first.recorded_at - max(begun) > both / 2  # neither waited for the other's end
