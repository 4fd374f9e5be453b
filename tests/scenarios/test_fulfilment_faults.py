"""Workers are killed and Redis is emptied while orders are fulfilled: all end right, nothing twice.

`make test-faults` runs the whole form (200 orders, 20 kills, Redis emptied twice), CI a short one.
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Count

from o2b import clock, events
from o2b.customers.models import Account
from o2b.models import Event, Outbox
from orders import services
from orders.gateways.rehearsal import Memory, RehearsalServer
from orders.models import Evidence, LicenceKey, Order, OrderLine, OutsideSystem, Task, TaskCost
from quotes.inputs import LineInput
from tests.factories import a_product, an_account
from tests.workers import Workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.workers]

WHOLE = os.environ.get("O2B_FAULTS") == "whole"
ORDERS, KILLS, EMPTIED = (200, 20, 2) if WHOLE else (24, 3, 1)
SEED = int(os.environ.get("O2B_SEED", "7"))
MOST_SECONDS = 900 if WHOLE else 240
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HTTP: dict[str, Any] = {"kind": "automatic", "handler": "http_provisioning"}
PLAN: list[dict[str, Any]] = [
    {"key": "reserve", **HTTP},
    {"key": "licence", "kind": "automatic", "handler": "licence_key"},
    {"key": "light", **HTTP, "parameters": {"behaviour": "flaky"}, "after": ["reserve"]},
    {"key": "done", "kind": "automatic", "handler": "activation", "after": ["light", "licence"]},
]


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[RehearsalServer]:
    """A provisioning system; the workers that start after it know of it."""
    there = RehearsalServer(memory=Memory())
    thread = threading.Thread(target=there.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("O2B_PROVISIONING_URL", there.url)
    yield there
    there.stop()
    thread.join()


def test_killed_workers_and_an_empty_redis_lose_nothing(
    outside: RehearsalServer, workers: Workers
) -> None:
    chance = random.Random(SEED)
    # A system that fails in every second call is not ill here: the circuit stays closed.
    OutsideSystem.objects.create(code="provisioning", name="Provisioning", threshold=10_000)
    account, product = an_account(), a_product(tasks=PLAN)
    for _ in range(ORDERS):
        _place(account, product.product.code)
    total = ORDERS * len(PLAN)
    # So many done tasks later, something dies: random points of the whole way.
    points = sorted(chance.sample(range(total // 20, total * 9 // 10), KILLS))
    empty_at = set(chance.sample(points, EMPTIED))
    killed = 0
    until = time.monotonic() + MOST_SECONDS
    while OrderLine.objects.exclude(state=OrderLine.State.COMPLETED).exists():
        assert time.monotonic() < until, _where_it_stands()
        if points and Task.objects.filter(state=Task.State.DONE).count() >= points[0]:
            _kill_one(workers, chance)
            killed += 1
            if points.pop(0) in empty_at:
                workers.empty_redis()
        _time_passes_for_the_dead(workers)
        time.sleep(0.05)
    assert killed == KILLS
    _all_is_right(outside, total)


def _place(account: Account, product: str) -> Order:
    lines = [LineInput(product=product, quantity="1")]
    told: dict[str, Any] = {"lines": lines, "actor_id": None, "channel": Order.Channel.REST}
    return services.enter_order(account_id=account.pk, at=clock.now(), **told)


def _kill_one(workers: Workers, chance: random.Random) -> None:
    """One of the living dies without a word; another takes its place."""
    alive = [n for n, process in enumerate(workers.processes) if process.poll() is None]
    workers.kill9(chance.choice(alive))
    workers.add()


def _time_passes_for_the_dead(workers: Workers) -> None:
    """Leases of dead workers run out, what nobody holds is sent again, and the clock comes by."""
    living = [f":{pid}" for pid in workers.pids]
    held = Task.objects.filter(state=Task.State.RUNNING).exclude(leased_until=None)
    dead = [pk for pk, who in held.values_list("pk", "worker") if not who.endswith(tuple(living))]
    Task.objects.filter(pk__in=dead).update(leased_until=LONG_AGO)
    stale = Outbox.objects.filter(recorded_at__lt=clock.now() - timedelta(seconds=5))
    stale.exclude(leased_until=None).update(leased_until=LONG_AGO)
    Task.objects.filter(state=Task.State.READY).exclude(due_at=None).update(due_at=LONG_AGO)
    events.sweep(older_than=timedelta(seconds=5))
    services.wake_due(machine_now=clock.now())


def _where_it_stands() -> dict[str, int]:
    return dict(Task.objects.order_by().values_list("state").annotate(Count("pk")))


def _all_is_right(outside: RehearsalServer, total: int) -> None:
    done = Task.objects.filter(state=Task.State.DONE)
    assert (done.count(), Task.objects.count()) == (total, total)
    assert Evidence.objects.values("task").distinct().count() == Evidence.objects.count() == total
    assert TaskCost.objects.values("task").distinct().count() == TaskCost.objects.count() == total
    told = Event.objects.filter(name="task.done")
    assert told.values("subject_id").distinct().count() == told.count() == total
    delivered = Event.objects.filter(name="order_line.completed")
    assert delivered.values("subject_id").distinct().count() == delivered.count() == ORDERS
    keys = LicenceKey.objects.exclude(task=None)
    assert keys.values("key").distinct().count() == keys.count() == ORDERS
    assert set(keys.values_list("task__key", "state")) == {("licence", "issued")}
    # Each call was done once out there, however often it was asked.
    asked_of = {
        str(pk) for pk in done.filter(handler="http_provisioning").values_list("pk", flat=True)
    }
    assert sorted(outside.memory.done) == sorted(asked_of)
