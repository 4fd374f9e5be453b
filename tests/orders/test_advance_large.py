"""Large orders are advanced part by part, many small ones as far as there is room."""

import pytest
from django.db import connection

from o2b.models import Outbox
from orders import services, tasks
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, TryAgain, Waiting
from orders.fulfilment.services import whole
from orders.fulfilment.services.scene import Scene
from orders.models import Task, WaitsFor
from tests.orders.build import (
    LATER,
    a_placed_order,
    a_product,
    advance,
    an_account,
    entered,
    states,
)

pytestmark = pytest.mark.django_db
TASK = "orders.advance_order"


def automatic(key, handler="probe", **given):
    return {"key": key, "name": key, "kind": "automatic", "handler": handler} | given


@pytest.fixture
def looked(monkeypatch):
    """Every order is large; how many lines each scene held is told, in order."""
    held, lock = [], Scene._lock.__func__

    def noting(cls, wanted):
        scene = lock(cls, wanted)
        held.append(len(scene.lines))
        return scene

    monkeypatch.setattr(Scene, "_lock", classmethod(noting))
    monkeypatch.setattr(whole, "FEW_LINES", 0)
    monkeypatch.setattr(whole, "A_PART", 2)
    return held


@pytest.fixture
def asked(monkeypatch):
    """Whom the outside was asked for, by line; it answers Done, or what the test puts there."""
    answers, seen = {}, []

    def ask(job):
        assert not connection.savepoint_ids
        seen.append((job.line_id, job.key))
        return answers.pop(job.line_id, Done())

    monkeypatch.setitem(handlers.HANDLERS, "probe", Handler(run=ask))
    return answers, seen


def test_each_call_looks_only_at_the_lines_that_are_asked_for(looked, asked):
    order = a_placed_order(tasks=[automatic("a"), automatic("b", after=["a"])], lines=7)
    owed = Outbox.objects.get(task=TASK, key=order.pk)
    assert whole.advance_order(order_id=order.pk, at_of=lambda _: LATER, owed=[owed.pk]) == 14
    assert states(order) == (["completed"] * 7, ["done"] * 14)
    lines = [line.pk for line in order.lines.order_by("pk")]
    assert sorted(asked[1]) == sorted((pk, key) for pk in lines for key in "ab")
    assert max(looked) <= 2 * whole.MOST_OUTSIDE
    assert looked[:4] == [2, 2, 2, 1]
    assert not Outbox.objects.filter(pk=owed.pk).exists()


def test_lines_that_wait_on_lines_of_another_part_go_on(looked, asked):
    """Those of the first part wait on the last line, which is asked for."""
    late = a_product(code="late", tasks=[automatic("x", "activation"), automatic("y")])
    plan = [
        automatic("a", "activation", after=["late/x"]),
        automatic("b", after=["a", "late/y"]),
    ]
    early = a_product(code="early", tasks=plan)
    order = entered(an_account(), early, early, early, late)
    assert advance(order) == 8
    assert states(order) == (["completed"] * 4, ["done"] * 8)
    assert [key for _, key in asked[1]] == ["y", "b", "b", "b"]


def test_what_is_tried_again_or_waits_holds_nobody_up(looked, asked):
    order = a_placed_order(tasks=[automatic("a")], lines=5)
    first, second, *_rest = order.lines.order_by("pk")
    asked[0].update(
        {first.pk: TryAgain("away"), second.pk: Waiting(WaitsFor.CALLBACK, poll_after=60)}
    )
    assert advance(order) == 5
    assert states(order)[1] == ["ready", "running", "done", "done", "done"]
    assert len(asked[1]) == 5
    assert not Outbox.objects.filter(task=TASK, key=order.pk, leased_until=None).count() > 1


def test_an_order_that_is_over_settles_what_is_owed(looked, asked):
    order = a_placed_order(tasks=[automatic("a")], lines=3)
    services.cancel_order(order_id=order.pk, at=LATER, reason="x")
    owed = list(Outbox.objects.filter(task=TASK, key=order.pk).values_list("pk", flat=True))
    assert whole.advance_order(order_id=order.pk, at_of=lambda _: LATER, owed=owed) == 0
    assert states(order)[0] == ["cancelled"] * 3
    assert not Outbox.objects.filter(pk__in=owed).exists()
    assert asked[1] == []


def test_only_so_many_tasks_are_looked_at_together(monkeypatch):
    orders = [a_placed_order(lines=lines) for lines in (3, 1, 2)]
    rows = Outbox.objects.filter(task=TASK)
    owed = {order.pk: [rows.get(key=order.pk).pk] for order in orders}
    monkeypatch.setattr(whole, "MOST_TASKS", 3)
    left = services.advance_together(owed=owed, at_of=lambda _: LATER)
    assert left == {orders[0].pk}
    assert [states(order)[1] for order in orders] == [["ready"] * 3, ["done"], ["done"] * 2]
    assert set(rows.values_list("key", flat=True)) == left


def test_a_message_about_a_large_order_does_it_and_hands_back_the_others(monkeypatch):
    large, other = a_placed_order(lines=3), a_placed_order(lines=4)
    monkeypatch.setattr(whole, "MOST_TASKS", 2)
    row = Outbox.objects.get(task=TASK, key=large.pk)
    tasks.advance_order(key=large.pk, outbox_id=row.pk)
    assert states(large) == (["completed"] * 3, ["done"] * 3)
    assert set(Task.objects.filter(order=other).values_list("state", flat=True)) == {"ready"}
    kept = Outbox.objects.get(task=TASK)
    assert (kept.key, kept.leased_until) == (other.pk, None)
