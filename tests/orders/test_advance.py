"""Advancing an order: what runs by itself runs, in the order of its plan; promises are kept."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.models import Outbox, TestClock
from orders import services, tasks
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, TryAgain
from orders.models import Attempt, Evidence, FailureClass, LicenceKey, OrderLine, Task
from orders.rules.backoff import MOST_ATTEMPTS
from tests.orders.build import (
    ACTIVATE,
    LATER,
    NOON,
    a_placed_order,
    a_worker,
    advance,
    an_account,
    by_hand,
    happened,
    states,
)

pytestmark = pytest.mark.django_db

DIAMOND: list[dict[str, Any]] = [
    {"key": "a", "kind": "automatic", "handler": "activation"},
    {"key": "b", "kind": "automatic", "handler": "licence_key", "after": ["a"]},
    {"key": "c", "kind": "automatic", "handler": "activation", "after": ["a"]},
    {"key": "d", "kind": "automatic", "handler": "activation", "after": ["b", "c"]},
]


def outside(key="call", **given):
    return {"key": key, "name": key, "kind": "automatic", "handler": "probe"} | given


@pytest.fixture
def probe(monkeypatch):
    """A handler that asks the outside; it answers what the test puts into the list, then Done."""
    answers: list[Any] = []
    seen: list[Any] = []

    def handler(job):
        assert not connection.savepoint_ids  # no transaction is open but the test's own
        seen.append(job)
        return answers.pop(0) if answers else Done()

    monkeypatch.setitem(handlers.HANDLERS, "probe", Handler(run=handler))
    return answers, seen


def test_the_reaction_completes_the_order_and_owes_nothing():
    order = a_placed_order(lines=2)
    owed = Outbox.objects.get(task="orders.advance_order", key=order.pk)
    tasks.advance_order(key=order.pk, outbox_id=owed.pk)
    assert states(order) == (["completed"] * 2, ["done"] * 2)
    assert not Outbox.objects.filter(pk=owed.pk).exists()
    assert all(":" in task.worker for task in Task.objects.all())
    tasks.advance_order(key=order.pk, outbox_id=owed.pk)
    assert Evidence.objects.count() == 2


def test_evidence_and_days_of_a_completed_line():
    order = a_placed_order(account=an_account(time_zone="Asia/Tokyo"))
    assert advance(order, at=datetime(2026, 2, 1, 20, tzinfo=UTC)) == 1
    line, evidence = order.lines.get(), Evidence.objects.get()
    assert line.delivered_on == date(2026, 2, 2)
    assert (line.began_at, line.delivered_at, line.completed_at) == (
        (datetime(2026, 2, 1, 20, tzinfo=UTC),) * 3
    )
    assert (evidence.product_version, evidence.quantity) == (line.product_version, Decimal(1))
    assert (evidence.at, evidence.by, evidence.task.worker) == (line.began_at, None, "test:1")


def test_the_accounts_test_clock_is_obeyed():
    then = datetime(2027, 5, 5, 12, tzinfo=UTC)
    account = an_account(test_clock=TestClock.objects.create(name="t", now=then))
    order = a_placed_order(account=account)
    services.advance_order(order_id=order.pk, worker="w")
    assert order.lines.get().delivered_on == date(2027, 5, 5)


def test_a_plan_runs_in_its_order():
    order = a_placed_order(tasks=DIAMOND)
    waits = Task.objects.order_by("pk").values_list("key", "waiting_on", "state")
    assert list(waits) == [
        ("a", 0, "ready"),
        ("b", 1, "blocked"),
        ("c", 1, "blocked"),
        ("d", 2, "blocked"),
    ]
    assert advance(order) == 4
    assert states(order) == (["completed"], ["done"] * 4)
    assert list(Task.objects.values_list("waiting_on", flat=True)) == [0] * 4
    # Evidence can never be deleted, so it knows a key by its end only.
    key = LicenceKey.objects.get().key
    assert [len(part) for part in key.split("-")] == [5] * 5
    assert Evidence.objects.get(task__key="b").serial == f"…{key[-5:]}"
    assert happened(order)[2:] == [
        "order_line.began",
        "task.done",
        "task.ready",
        "task.ready",
        "task.done",
        "task.done",
        "task.ready",
        "task.done",
        "order_line.delivered",
        "order_line.completed",
    ]


def test_what_waits_for_people_stops_there_and_goes_on_after_them():
    plan = [by_hand(), {**DIAMOND[0], "after": ["install"]}]
    order = a_placed_order(tasks=plan)
    assert advance(order) == 0
    assert states(order) == (["scheduled"], ["ready", "blocked"])


def test_queries_do_not_grow_with_lines():
    counts = []
    for lines in (1, 9):
        order = a_placed_order(lines=lines)
        owed = Outbox.objects.get(task="orders.advance_order", key=order.pk)
        with CaptureQueriesContext(connection) as asked:
            tasks.advance_order(key=order.pk, outbox_id=owed.pk)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 27


def test_the_outside_is_asked_with_the_task_as_key(probe):
    _, seen = probe
    order = a_placed_order(tasks=[outside(parameters={"speed": 5})])
    advance(order)
    job, line = seen[0], order.lines.get()
    assert (job.task_id, job.line_id, job.attempt) == (Task.objects.get().pk, line.pk, 1)
    assert (job.product, job.version) == (line.product_version.product.code, 1)
    assert job.parameters == {"speed": 5}


def test_try_again_waits_longer_each_time_then_falls_out(probe):
    answers, seen = probe
    answers += [TryAgain("away", kind=FailureClass.UNREACHABLE)] * 6
    order = a_placed_order(tasks=[outside()])
    now, waits = LATER, []
    for _ in range(5):
        assert advance(order, at=now) == 1
        task: Any = Task.objects.get()
        assert (task.state, task.failure, task.leased_until) == ("ready", "away", None)
        waits.append((task.due_at - now).total_seconds())
        assert advance(order, at=task.due_at - timedelta(seconds=1)) == 0
        now = task.due_at
    assert waits == [2, 4, 8, 16, 32]
    advance(order, at=now)
    line = order.lines.get()
    assert states(order) == (["fallout"], ["fallout"])
    assert (line.reason, line.paused_from) == ("call: away", "provisioning")
    assert [job.attempt for job in seen] == [1, 2, 3, 4, 5, 6]


def test_a_refusal_falls_out_at_once(probe):
    answers, _ = probe
    answers.append(Failed("no such street"))
    order = a_placed_order(tasks=[outside()], lines=2)
    advance(order)
    assert states(order) == (["fallout", "completed"], ["fallout", "done"])
    assert order.lines.get(position=1).reason == "call: no such street"


@pytest.mark.parametrize(
    ("answer", "task", "reason"),
    [
        (Done(version=9), "fallout", "version 9 was delivered"),
        (Done(quantity=Decimal(2)), "done", "quantity: promised 1.000000, found 2"),
    ],
)
def test_evidence_that_is_not_the_promise_falls_out(probe, answer, task, reason):
    probe[0].append(answer)
    order = a_placed_order(tasks=[outside()])
    advance(order)
    line = order.lines.get()
    assert states(order) == (["fallout"], [task])
    assert reason in line.reason
    assert line.delivered_on is None


def test_another_version_is_refused_by_the_promise_and_can_be_mended(probe):
    probe[0].append(Done(version=2, serial="OLD"))
    order = a_placed_order(tasks=[outside(), *ACTIVATE])
    line = order.lines.get()
    product = line.product_version.product
    product.versions.create(number=2)
    advance(order)
    assert states(order) == (["fallout"], ["done", "done"])
    line.refresh_from_db()
    assert line.reason == "version: promised 1, found 2"
    assert happened(order)[-1] == "evidence.refused"
    user = an_account().advocate
    call = Task.objects.get(key="call")
    told: dict[str, Any] = {"task_id": call.pk, "user_id": user.pk, "at": LATER}
    services.correct_evidence(**told, version=1, serial="NEW")
    assert states(order) == (["completed"], ["done", "done"])
    shown = Evidence.objects.filter(task=call)
    assert list(shown.values_list("product_version__number", "serial")) == [
        (2, "OLD"),
        (1, "NEW"),
    ]


def test_a_handler_that_breaks_or_is_unknown(monkeypatch):
    def broken(job):
        raise ZeroDivisionError("by zero")

    monkeypatch.setitem(handlers.HANDLERS, "broken", Handler(run=broken))
    order = a_placed_order(tasks=[outside(handler="broken"), outside("b", handler="nobody")])
    advance(order)
    first, second = Task.objects.order_by("pk")
    assert (first.state, first.failure) == ("ready", "ZeroDivisionError: by zero")
    assert (second.state, second.failure) == ("fallout", "no handler is called 'nobody'")


class Killed(BaseException):
    """The worker process dies."""


def test_after_a_kill_the_next_message_goes_on(monkeypatch, probe):
    def dies(job):
        raise Killed

    monkeypatch.setitem(handlers.HANDLERS, "dies", Handler(run=dies))
    order = a_placed_order(tasks=[outside("first"), outside("second", handler="dies")])
    owed = Outbox.objects.get(task="orders.advance_order", key=order.pk)
    with pytest.raises(Killed):
        services.advance_order(
            order_id=order.pk, at_of=lambda _: NOON, worker="dead:1", owed=[owed.pk]
        )
    assert states(order) == (["provisioning"], ["running", "running"])
    assert Outbox.objects.filter(pk=owed.pk).exists()
    monkeypatch.setitem(handlers.HANDLERS, "dies", Handler(run=lambda job: Done()))
    assert advance(order, at=NOON + timedelta(seconds=59)) == 0
    assert services.wake_due(machine_now=NOON + timedelta(seconds=59)) == 0
    Outbox.objects.filter(pk=owed.pk).delete()
    assert services.wake_due(machine_now=NOON + timedelta(seconds=61)) == 1
    assert services.wake_due(machine_now=NOON + timedelta(seconds=61)) == 0
    assert advance(order, at=NOON + timedelta(seconds=61), worker="alive:2") == 2
    assert states(order) == (["completed"], ["done", "done"])
    assert set(Task.objects.values_list("attempts", "worker")) == {(2, "alive:2")}
    tries = Attempt.objects.order_by("task", "pk")
    told = tries.values_list("number", "worker", "outcome", "failure_class", "reason", "at")
    past = NOON + timedelta(seconds=61)
    both = [
        (1, "dead:1", "again", "lost", "its worker died", past),
        (2, "alive:2", "done", "", "", past),
    ]
    assert list(told) == both + both


def test_the_result_of_a_worker_that_lost_its_task_counts_for_nothing(monkeypatch):
    order = a_placed_order(tasks=[outside(handler="slow")])

    def slow(job):
        Task.objects.update(worker="other:2")
        return Done(serial="LATE")

    monkeypatch.setitem(handlers.HANDLERS, "slow", Handler(run=slow))
    advance(order)
    assert states(order) == (["provisioning"], ["running"])
    assert not Evidence.objects.exists()


def test_a_task_that_kills_every_worker_falls_out(probe):
    order = a_placed_order(tasks=[outside()])
    task = Task.objects.get()
    task.run(at=NOON)
    task.attempts, task.leased_until = MOST_ATTEMPTS, NOON
    task.save()
    advance(order)
    assert states(order) == (["fallout"], ["fallout"])
    assert [(t.outcome, t.failure_class) for t in Attempt.objects.order_by("pk")] == [
        ("again", "lost"),
        ("failed", "lost"),
    ]
    assert OrderLine.objects.get().reason == "call: every worker that tried it died"


def test_many_outside_tasks_of_one_order_all_run(probe):
    order = a_placed_order(tasks=[outside()], lines=8)
    assert advance(order) == 8
    assert states(order) == (["completed"] * 8, ["done"] * 8)


def test_wake_due_asks_for_what_is_due_only(probe):
    probe[0].append(TryAgain("away"))
    order = a_placed_order(tasks=[outside()])
    a_placed_order(tasks=[by_hand()])
    advance(order, at=LATER)
    Outbox.objects.all().delete()
    assert services.wake_due(machine_now=LATER + timedelta(seconds=1)) == 0
    assert services.wake_due(machine_now=LATER + timedelta(seconds=2)) == 1
    assert list(Outbox.objects.values_list("task", "key")) == [("orders.advance_order", order.pk)]


@pytest.mark.parametrize("days", [-30, 30])
def test_what_nobody_told_of_is_found_under_a_test_clock_too(days):
    """When it became ready says the account's clock, which the machine's tells nothing about."""
    told = TestClock.objects.create(name="elsewhere", now=LATER + timedelta(days=days))
    order = a_placed_order(account=an_account(test_clock=told))
    Task.objects.update(ready_at=told.now)
    Outbox.objects.all().delete()
    assert services.wake_due(machine_now=LATER) == 1
    assert list(Outbox.objects.values_list("task", "key")) == [("orders.advance_order", order.pk)]


def test_how_much_of_a_line_is_delivered_goes_by_weight():
    order = a_placed_order(
        tasks=[
            by_hand(key="dig", weight=3),
            by_hand(key="join", weight=1, after=["dig"]),
        ]
    )
    user, days = a_worker(), [LATER, LATER + timedelta(days=2)]
    for key, at in zip(("dig", "join"), days, strict=True):
        task = Task.objects.get(key=key)
        services.claim_task(task_id=task.pk, user_id=user.pk, at=at)
        services.complete_task(task_id=task.pk, user_id=user.pk, at=at)
        if key == "dig":
            assert order.lines.get().delivered_fraction == Decimal("0.75")
    line = order.lines.get()
    assert (line.state, line.delivered_fraction) == ("completed", 1)
    parts = line.delivered_parts.order_by("pk").values_list("fraction", "on", "at", "task__key")
    assert list(parts) == [
        (Decimal("0.75"), date(2026, 2, 1), days[0], "dig"),
        (Decimal(1), date(2026, 2, 3), days[1], "join"),
    ]


def test_nothing_to_advance():
    assert services.advance_order(order_id=10**9, worker="w") == 0
