"""Orders through real Celery workers, undisturbed and with one that is killed in the middle."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from o2b import clock, events
from o2b.models import Outbox, TestClock
from orders import services
from orders.gateways.rehearsal import Memory, RehearsalServer
from orders.models import Attempt, Evidence, OrderLine, Task
from subscriptions.models import Item
from tests.factories import a_product, a_sent_quote, an_account
from tests.orders.build import HTTP, INSTALL, a_placed_order, a_worker, states

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(monkeypatch):
    """A provisioning server that the workers, started after it, know of."""
    there = RehearsalServer(memory=Memory(slow_seconds=1.5))
    thread = threading.Thread(target=there.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("O2B_PROVISIONING_URL", there.url)
    yield there
    there.stop()
    thread.join()


def completed():
    return not OrderLine.objects.exclude(state="completed").exists()


def test_orders_are_completed_by_workers(server, workers):
    orders = [a_placed_order(lines=2) for _ in range(6)]
    orders.append(a_placed_order(tasks=[{"key": "call", "name": "Set up", **HTTP}]))
    workers.wait_until(completed, seconds=30)
    pids = {
        int(worker.rpartition(":")[2]) for worker in Task.objects.values_list("worker", flat=True)
    }
    assert pids <= set(workers.pids)
    assert Evidence.objects.count() == 13


def test_a_person_and_a_machine(workers):
    order, user = a_placed_order(tasks=INSTALL), a_worker()
    task = services.claim_next(user_id=user.pk, at=clock.now())
    assert task is not None
    services.complete_task(
        task_id=task.pk, user_id=user.pk, at=clock.now(), version=1, serial="SN-1"
    )
    workers.wait_until(completed, seconds=30)
    assert states(order) == (["completed"], ["done", "done"])


def test_workers_live_by_the_accounts_test_clock(workers):
    """A row tells the time, so another process obeys it: the days are 2031's."""
    told = TestClock.objects.create(name="later", now=datetime(2031, 3, 5, 23, 30, tzinfo=UTC))
    account = an_account(test_clock=told, time_zone="Pacific/Auckland")
    quote = a_sent_quote(
        account=account, at=told.now, valid_until=date(2031, 4, 1), products=[a_product()]
    )
    services.place_order(quote_id=quote.pk, by="Dr. P. Hall", at=told.now)
    workers.wait_until(lambda: Item.objects.exists(), seconds=30)

    line = OrderLine.objects.get()
    assert (line.completed_at, line.delivered_on) == (told.now, date(2031, 3, 6))
    assert Item.objects.get().started_on == date(2031, 3, 6)


def test_kill_9_in_the_middle_is_mended_by_the_sweeper(server, workers):
    slow = [{"key": "call", "name": "Set up", **HTTP, "parameters": {"behaviour": "slow"}}]
    order = a_placed_order(tasks=slow)
    workers.wait_until(lambda: server.memory.asked, seconds=30)
    running = Task.objects.get()
    assert running.state == "running"
    victim = int(running.worker.rpartition(":")[2])
    workers.kill9([process.pid for process in workers.processes].index(victim))
    workers.empty_redis()
    # The leases run out: told, not waited for.
    past = clock.now() - timedelta(seconds=90)
    Task.objects.update(leased_until=past)
    Outbox.objects.update(leased_until=past, recorded_at=past)
    assert events.sweep() >= 1
    workers.wait_until(completed, seconds=30)
    task = Task.objects.get()
    assert task.attempts == 2
    assert task.worker != running.worker
    assert server.memory.asked == {str(task.pk): 2}
    assert server.memory.done == [str(task.pk)]
    assert states(order) == (["completed"], ["done"])


def test_killed_between_the_outside_call_and_the_commit(server, workers):
    """It was done out there and nobody wrote it down: the second asks with the same key."""
    late = [{"key": "call", "name": "Set up", **HTTP, "parameters": {"behaviour": "late"}}]
    order = a_placed_order(tasks=late)
    workers.wait_until(lambda: server.memory.done, seconds=30)
    running = Task.objects.get()
    assert (running.state, Evidence.objects.count()) == ("running", 0)
    victim = int(running.worker.rpartition(":")[2])
    workers.kill9([process.pid for process in workers.processes].index(victim))
    past = clock.now() - timedelta(seconds=90)
    Task.objects.update(leased_until=past)
    Outbox.objects.update(leased_until=past, recorded_at=past)
    assert events.sweep() >= 1
    workers.wait_until(completed, seconds=30)
    task = Task.objects.get()
    assert (task.attempts, task.worker != running.worker) == (2, True)
    tries = Attempt.objects.order_by("pk").values_list(
        "number", "outcome", "failure_class", "worker"
    )
    assert list(tries) == [(1, "again", "lost", running.worker), (2, "done", "", task.worker)]
    assert server.memory.asked == {str(task.pk): 2}
    assert server.memory.done == [str(task.pk)]
    assert Evidence.objects.get().serial == f"SN-{task.pk:08d}"
    assert states(order) == (["completed"], ["done"])
