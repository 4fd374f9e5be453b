"""Workers are killed and Redis is emptied while orders are fulfilled: all end right, nothing twice.

Each order asks the outside three times (once it calls back later) and is given a key of a pool;
some are given up on the way, and what was done for them is undone. `make test-faults` runs the
whole form (200 orders, 20 kills, Redis emptied twice), CI a short one.
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count

from o2b import clock, events
from o2b.customers.models import Account
from o2b.models import Event, Outbox
from orders import services
from orders.gateways.rehearsal import Memory, RehearsalServer
from orders.models import (
    Evidence,
    LicenceKey,
    LicencePool,
    Order,
    OrderLine,
    OutsideSystem,
    Task,
    TaskCost,
)
from orders.steering.services import OrderNotReady
from quotes.inputs import LineInput
from tests.factories import a_product, an_account
from tests.workers import Workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.workers]

WHOLE = os.environ.get("O2B_FAULTS") == "whole"
ORDERS, KILLS, EMPTIED, CANCELS = (220, 20, 2, 10) if WHOLE else (24, 3, 1, 2)
ON_THEIR_WAY = 1000 if WHOLE else 60  # open tasks when Redis is emptied first
SEED = int(os.environ.get("O2B_SEED", "7"))
MOST_SECONDS = 900 if WHOLE else 240
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HTTP: dict[str, Any] = {"kind": "automatic", "handler": "http_provisioning"}
BY_ITSELF: dict[str, Any] = {"kind": "automatic", "handler": "activation"}
SECRET = "of the faults"
PLAN: list[dict[str, Any]] = [
    {
        "key": "reserve",
        **HTTP,
        "compensation": {"name": "Release", **HTTP, "parameters": {"action": "remove"}},
    },
    {**BY_ITSELF, "key": "licence", "handler": "licence_key", "parameters": {"pool": "office"}},
    {"key": "light", **HTTP, "parameters": {"behaviour": "flaky"}, "after": ["reserve"]},
    {"key": "port", **HTTP, "parameters": {"behaviour": "async"}, "after": ["reserve"]},
    {**BY_ITSELF, "key": "test", "after": ["light", "port"]},
    {**BY_ITSELF, "key": "done", "after": ["test", "licence"]},
]


OVER = (OrderLine.State.COMPLETED, OrderLine.State.CANCELLED)
ON_THE_WAY = [
    *(Task.State.BLOCKED, Task.State.READY, Task.State.RUNNING),
    *(Task.State.FAILED, Task.State.FALLOUT),
]


@pytest.fixture
def outside(
    monkeypatch: pytest.MonkeyPatch, live_server: Any, settings: Any
) -> Iterator[RehearsalServer]:
    """A provisioning system that calls back; the workers that start after it know of it."""
    there = RehearsalServer(memory=Memory(secret=SECRET, async_seconds=0.5))
    settings.O2B_CALLBACK_SECRET = SECRET
    monkeypatch.setenv("O2B_CALLBACK_SECRET", SECRET)
    monkeypatch.setenv("O2B_PUBLIC_URL", live_server.url)
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
    pool = LicencePool.objects.create(code="office", name="Office")
    LicenceKey.objects.bulk_create(
        LicenceKey(pool=pool, key=f"OFFICE-{n:05}") for n in range(ORDERS)
    )
    account, product = an_account(), a_product(tasks=PLAN)
    with transaction.atomic():  # all at once: no worker begins before the last is placed
        for _ in range(ORDERS):
            _place(account, product.product.code)
    total = ORDERS * len(PLAN)
    # So many done tasks later, something dies: random points of the whole way, the first one early.
    points = sorted(chance.sample(range(total // 20, total * 4 // 5), KILLS))
    points[0] = 1
    empty_at = {points[0], *chance.sample(points[1:], EMPTIED - 1)}
    on_their_way: list[int] = []
    killed = cancelled = 0
    until = time.monotonic() + MOST_SECONDS
    while _is_left_to_do():
        assert time.monotonic() < until, _where_it_stands()
        if points and Task.objects.filter(state=Task.State.DONE).count() >= points[0]:
            _kill_one(workers, chance)
            killed += 1
            if points.pop(0) in empty_at:
                on_their_way.append(Task.objects.filter(state__in=ON_THE_WAY).count())
                workers.empty_redis()
            if cancelled < CANCELS:
                cancelled += _give_one_up()
        _time_passes_for_the_dead(workers)
        time.sleep(0.05)
    assert killed == KILLS
    assert len(on_their_way) == EMPTIED
    assert 0 < cancelled <= CANCELS
    _all_is_right(outside, ORDERS - cancelled)
    _what_was_given_up_is_undone(outside, cancelled)
    assert on_their_way[0] >= ON_THEIR_WAY


def _is_left_to_do() -> bool:
    """Lines are on their way, or what their end brings is owed: keys are revoked after it."""
    return OrderLine.objects.exclude(state__in=OVER).exists() or Outbox.objects.exists()


def _place(account: Account, product: str) -> Order:
    lines = [LineInput(product=product, quantity="1")]
    told: dict[str, Any] = {"lines": lines, "actor_id": None, "channel": Order.Channel.REST}
    return services.enter_order(account_id=account.pk, at=clock.now(), **told)


def _give_one_up() -> int:
    """Cancel an order of which something is done outside already; how many were."""
    begun = Task.objects.filter(
        key="reserve", state=Task.State.DONE, line__state=OrderLine.State.PROVISIONING
    )
    found = begun.order_by("-pk").first()
    if found is None:
        return 0
    try:
        told = services.cancel_order(order_id=found.order_id, at=clock.now(), reason="moved away")
    except OrderNotReady:  # the workers were quicker
        return 0
    return sum(result.done for result in told)


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


def _all_is_right(outside: RehearsalServer, orders: int) -> None:
    """So many orders are delivered; of all that was done, each was done and written once."""
    whole = Task.objects.filter(line__state=OrderLine.State.COMPLETED)
    assert set(whole.values_list("state", flat=True)) == {Task.State.DONE}
    assert whole.count() == orders * len(PLAN)
    done = Task.objects.filter(state__in=[Task.State.DONE, Task.State.COMPENSATED])
    total = done.count()
    assert Evidence.objects.values("task").distinct().count() == Evidence.objects.count() == total
    assert TaskCost.objects.values("task").distinct().count() == TaskCost.objects.count() == total
    told = Event.objects.filter(name="task.done")
    assert told.values("subject_id").distinct().count() == told.count() == total
    delivered = Event.objects.filter(name="order_line.completed")
    assert delivered.values("subject_id").distinct().count() == delivered.count() == orders
    keys = LicenceKey.objects.exclude(task=None)
    assert keys.values("task").distinct().count() == keys.count()
    kept = keys.filter(line__state=OrderLine.State.COMPLETED)
    assert set(kept.values_list("task__key", "state")) == {("licence", "issued")}
    assert kept.count() == orders
    # Each call was done once out there, however often it was asked.
    out_there = [*outside.memory.done, *outside.memory.removed]
    assert len(out_there) == len(set(out_there))
    asked_of = done.filter(handler="http_provisioning").values_list("pk", flat=True)
    assert {str(pk) for pk in asked_of} <= set(out_there)
    ports = {str(pk) for pk in done.filter(key="port").values_list("pk", flat=True)}
    assert ports & {key for key, status in outside.memory.called_back if status == 200}


def _what_was_given_up_is_undone(outside: RehearsalServer, orders: int) -> None:
    """Of cancelled orders nothing that can be undone is left outside, nor a key in use."""
    left = Task.objects.filter(line__state=OrderLine.State.CANCELLED)
    assert left.values("order").distinct().count() == orders
    reserved = left.filter(key="reserve", pk__in=map(int, outside.memory.done))
    assert reserved.count() >= orders
    assert set(reserved.values_list("state", flat=True)) == {Task.State.COMPENSATED}
    undoing = {str(pk) for pk in left.exclude(compensates=None).values_list("pk", flat=True)}
    assert undoing == set(outside.memory.removed)
    assert len(undoing) == reserved.count()
    assert not LicenceKey.objects.filter(line__in=left.values("line"), state="issued").exists()
