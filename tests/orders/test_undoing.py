"""Lines that are given up: what may have been done is seen through, and undone in reverse order."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.catalog.models import Contract
from orders import services
from orders.fallout import services as fallout
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, TryAgain, Waiting
from orders.fulfilment.services import refusals as no
from orders.models import (
    Approval,
    FailureClass,
    Order,
    OrderLine,
    Queue,
    QueueMember,
    Task,
    TaskCost,
    WaitsFor,
)
from orders.work.services.approvals import ask_skip
from tests.orders.build import (
    LATER,
    a_placed_order,
    a_product,
    a_worker,
    advance,
    an_account,
    by_hand,
    entered,
    states,
    written,
)

pytestmark = pytest.mark.django_db

UNDO: dict[str, Any] = {"name": "Take it back", "kind": "manual", "queue": "field"}
WHY: dict[str, Any] = {"at": LATER, "reason": "changed their mind"}


def outside(key: str = "call", *after: str, **given: Any) -> dict[str, Any]:
    """A step that asks the outside and that people can undo."""
    step = {"key": key, "name": key, "kind": "automatic", "handler": "probe", "after": list(after)}
    return step | {"compensation": UNDO} | given


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the outside answers next; then it is done."""
    said: list[Any] = []
    probe = Handler(run=lambda job: said.pop(0) if said else Done(), system="probe")
    monkeypatch.setitem(handlers.HANDLERS, "probe", probe)
    return said


def timed_out(answers: list[Any], *steps: dict[str, Any]) -> tuple[Order, Task]:
    """An order whose first task fell out because the outside was not heard of in time."""
    order = a_placed_order(tasks=steps or [outside()])
    answers.append(Failed("no answer", kind=FailureClass.TIMEOUT))
    advance(order)
    task = Task.objects.order_by("pk")[0]
    assert (task.state, task.failure_class) == ("fallout", "timeout")
    return order, task


def named(order: Order, *keys: str) -> list[str]:
    """The states of these tasks, by key."""
    found = dict(Task.objects.filter(order=order).values_list("key", "state"))
    return [found[key] for key in keys]


def finish(order: Order, key: str, user: Any) -> None:
    task = Task.objects.get(order=order, key=key)
    services.claim_task(task_id=task.pk, user_id=user.pk, at=LATER)
    services.complete_task(task_id=task.pk, user_id=user.pk, at=LATER)


# what may have been done


def cancel_then_retry(task: Task) -> None:
    services.cancel_line(line_id=task.line_id, **WHY)
    services.retry_task(task_id=task.pk, at=LATER)


def retry_then_cancel(task: Task) -> None:
    services.retry_task(task_id=task.pk, at=LATER)
    services.cancel_line(line_id=task.line_id, **WHY)


@pytest.mark.parametrize("way", [cancel_then_retry, retry_then_cancel])
def test_what_may_have_been_done_is_asked_again_and_then_undone(
    answers: list[Any], way: Callable[[Task], None]
):
    order, task = timed_out(answers)
    way(task)
    assert states(order) == (["cancelling"], ["ready"])
    advance(order)
    assert states(order) == (["cancelling"], ["compensating", "ready"])
    finish(order, "undo-call", a_worker())
    assert states(order) == (["cancelled"], ["compensated", "done"])


def test_many_tried_again_together_are_seen_through_too(answers: list[Any]):
    order, task = timed_out(answers)
    services.cancel_line(line_id=task.line_id, **WHY)
    assert fallout.retry_together(task_ids=[task.pk], at_of=lambda _: LATER) == 1
    assert states(order) == (["cancelling"], ["ready"])


def test_who_looked_and_found_it_done_completes_it_by_hand(answers: list[Any]):
    order, task = timed_out(answers)
    services.cancel_line(line_id=task.line_id, **WHY)
    user = a_worker()
    fallout.take_by_hand(task_id=task.pk, user_id=user.pk, at=LATER)
    assert states(order) == (["cancelling"], ["claimed"])
    before = written()
    with pytest.raises(no.LineNotReady):
        ask_skip(task_id=task.pk, user_id=user.pk, reason="gone", at=LATER)
    assert (written(), Approval.objects.count()) == (before, 0)
    services.complete_task(task_id=task.pk, user_id=user.pk, at=LATER)
    assert states(order) == (["cancelling"], ["compensating", "ready"])


def test_who_looked_and_did_not_find_it_says_so_and_nothing_is_undone(answers: list[Any]):
    order, task = timed_out(answers)
    services.cancel_line(line_id=task.line_id, **WHY)
    user = a_worker()
    fallout.take_by_hand(task_id=task.pk, user_id=user.pk, at=LATER)
    services.fail_task(task_id=task.pk, user_id=user.pk, reason="not there", at=LATER)
    assert states(order) == (["cancelled"], ["cancelled"])


def test_what_was_refused_for_certain_is_dropped(answers: list[Any]):
    order = a_placed_order(tasks=[outside()])
    answers.append(Failed("no such street"))
    advance(order)
    services.cancel_line(line_id=order.lines.get().pk, **WHY)
    assert states(order) == (["cancelled"], ["cancelled"])


# what is waited for in vain


def two(first: list[Any], second: Callable[[str], list[Any]]) -> Order:
    """An order of two products; the steps of the second may name the first one's code."""
    one = a_product(tasks=first)
    other = a_product(tasks=second(one.product.code))
    return entered(an_account(), one, other)


def test_a_line_past_its_return_falls_out_when_what_it_waits_for_is_cancelled():
    order = two(
        [by_hand(key="cable")],
        lambda code: [
            by_hand(key="dig", point_of_no_return=True),
            by_hand(key="join", after=["dig", f"{code}/cable"]),
        ],
    )
    finish(order, "dig", a_worker())
    services.cancel_order(order_id=order.pk, **WHY)
    assert states(order) == (["cancelled", "fallout"], ["cancelled", "done", "blocked"])
    reason = order.lines.get(position=2).reason
    assert reason == "Join waits on “Cable” of line 1, which was cancelled."


def test_a_line_falls_out_when_what_was_seen_through_fails_in_the_end(answers: list[Any]):
    order = two([outside("call")], lambda code: [by_hand(key="join", after=[f"{code}/call"])])
    answers.append(Waiting(WaitsFor.CALLBACK, poll_after=10))
    advance(order)
    services.cancel_line(line_id=order.lines.get(position=1).pk, **WHY)
    assert states(order) == (["cancelling", "scheduled"], ["running", "blocked"])
    answers.append(Failed("no such street"))
    advance(order, at=LATER + timedelta(minutes=1))
    assert states(order) == (["cancelled", "fallout"], ["cancelled", "blocked"])


# in reverse order


def built_upon() -> Order:
    """Line 2 built upon what line 1 did; neither is complete."""
    return two(
        [outside("a"), by_hand(key="rest1")],
        lambda code: [outside("b", f"{code}/a"), by_hand(key="rest2")],
    )


def test_what_other_lines_built_upon_it_is_undone_before(answers: list[Any]):
    order, user = built_upon(), a_worker()
    advance(order)
    services.cancel_order(order_id=order.pk, **WHY)
    assert named(order, "undo-a", "undo-b") == ["blocked", "ready"]
    finish(order, "undo-b", user)
    advance(order)
    assert named(order, "undo-a", "b") == ["ready", "compensated"]
    finish(order, "undo-a", user)
    assert set(order.lines.values_list("state", flat=True)) == {"cancelled"}


def test_what_is_still_seen_through_is_undone_before_too(answers: list[Any]):
    """Line 2 still runs outside when both are given up: line 1 waits for what comes of it."""
    order = built_upon()
    answers += [Done(), Waiting(WaitsFor.CALLBACK, poll_after=10)]
    advance(order)
    services.cancel_order(order_id=order.pk, **WHY)
    assert named(order, "a", "b", "undo-a") == ["compensating", "running", "blocked"]
    advance(order, at=LATER + timedelta(minutes=1))
    assert named(order, "b", "undo-a", "undo-b") == ["compensating", "blocked", "ready"]
    finish(order, "undo-b", a_worker())
    advance(order)
    assert named(order, "undo-a") == ["ready"]


def test_what_never_was_done_upon_it_is_not_waited_for(answers: list[Any]):
    order = built_upon()
    answers += [Done(), Waiting(WaitsFor.CALLBACK, poll_after=10)]
    advance(order)
    services.cancel_order(order_id=order.pk, **WHY)
    answers.append(Failed("no such street"))
    advance(order, at=LATER + timedelta(minutes=1))
    assert named(order, "b", "undo-a") == ["cancelled", "ready"]


def test_lines_given_up_one_after_the_other_are_undone_in_reverse_too(answers: list[Any]):
    order, user = built_upon(), a_worker()
    advance(order)
    for position in (2, 1):
        services.cancel_line(line_id=order.lines.get(position=position).pk, **WHY)
    assert named(order, "undo-a", "undo-b") == ["blocked", "ready"]
    finish(order, "undo-b", user)
    advance(order)
    assert named(order, "undo-a") == ["ready"]


def test_behind_what_nothing_undoes_those_behind_it_count(answers: list[Any]):
    order = two(
        [outside("a"), by_hand(key="rest1")],
        lambda code: [
            outside("m", f"{code}/a", compensation=None),
            outside("b", "m"),
            by_hand(key="rest2"),
        ],
    )
    advance(order)
    services.cancel_order(order_id=order.pk, **WHY)
    assert named(order, "m", "undo-a", "undo-b") == ["done", "blocked", "ready"]


# what a compensation is


def test_a_queue_that_nobody_set_up_is_there_for_what_undoes():
    undo = UNDO | {"queue": "tear-down"}
    order = a_placed_order(tasks=[by_hand(compensation=undo), by_hand(key="rest")])
    queue = Queue.objects.get(code="tear-down")
    assert queue.name == "Tear down"
    user = a_worker()
    QueueMember.objects.create(queue=queue, user=user)
    finish(order, "install", user)
    services.cancel_line(line_id=order.lines.get().pk, **WHY)
    assert Task.objects.get(key="undo-install").queue == queue
    finish(order, "undo-install", user)
    assert order.lines.get().state == "cancelled"


def test_a_queue_of_a_plan_that_was_laid_before_is_set_up_too():
    order = a_placed_order(tasks=[by_hand(compensation=UNDO), by_hand(key="rest")])
    Task.objects.filter(key="install").update(compensation=UNDO | {"queue": "tear-down"})
    finish(order, "install", a_worker())
    services.cancel_line(line_id=order.lines.get().pk, **WHY)
    queue = Task.objects.get(key="undo-install").queue
    assert queue is not None
    assert queue.code == "tear-down"


def test_what_undoing_costs_is_kept(answers: list[Any]):
    undo = UNDO | {"rate": "60", "minutes": 30, "vendor": 50, "equipment": "7.50"}
    order = a_placed_order(tasks=[outside(compensation=undo), by_hand(key="rest")])
    advance(order)
    services.cancel_line(line_id=order.lines.get().pk, **WHY)
    made = Task.objects.get(key="undo-call")
    assert made.costing == {"rate": "60", "vendor": "50", "equipment": "7.50"}
    assert made.planned_cost == Decimal("87.50")
    finish(order, "undo-call", a_worker())
    costs = TaskCost.objects.filter(task=made).order_by("kind").values_list("kind", "amount")
    assert list(costs) == [
        ("equipment", Decimal("7.50")),
        ("labour", Decimal(30)),
        ("purchase", Decimal(50)),
    ]


@pytest.mark.parametrize(
    ("undo", "system"),
    [
        ({"kind": "automatic", "handler": "probe"}, "olt-7"),
        ({"kind": "automatic", "handler": "http_provisioning"}, "provisioning"),
        ({"kind": "automatic", "handler": "activation"}, ""),
        (UNDO, ""),
    ],
)
def test_what_undoes_asks_the_system_that_did_it(
    answers: list[Any], undo: dict[str, Any], system: str
):
    order = a_placed_order(tasks=[outside(system="olt-7", compensation=undo), by_hand(key="rest")])
    advance(order)
    services.cancel_line(line_id=order.lines.get().pk, **WHY)
    made = Task.objects.get(key="undo-call")
    assert (made.system, made.kind) == (system, undo["kind"])


def test_the_longest_name_still_fits(answers: list[Any]):
    step = outside(name="n" * 200, compensation={"kind": "manual", "queue": "field"})
    order = a_placed_order(tasks=[step, by_hand(key="rest")])
    advance(order)
    services.cancel_line(line_id=order.lines.get().pk, **WHY)
    assert Task.objects.get(key="undo-call").name == "Undo: " + "n" * 194


def test_queries_do_not_grow_with_what_is_undone(answers: list[Any]):
    def count(lines: int) -> int:
        order = a_placed_order(lines=lines, tasks=[outside(), by_hand(key="rest")])
        advance(order)
        with CaptureQueriesContext(connection) as queries:
            services.cancel_order(order_id=order.pk, **WHY)
        assert named(order, "undo-call") == ["ready"]
        return len(queries)

    assert count(6) == count(1)


def test_queries_do_not_grow_with_lines_of_a_contract():
    """Whether its fixed discount goes back is asked once, with the contract locked."""

    def cancelled(lines: int) -> list[str]:
        order = a_placed_order(lines=lines, tasks=[by_hand()])
        contract = Contract.objects.create(
            account=order.account, code="frame", valid_from=LATER.date()
        )
        order.lines.update(contract=contract, quote_line=None)
        with CaptureQueriesContext(connection) as queries:
            services.cancel_order(order_id=order.pk, **WHY)
        return [query["sql"] for query in queries]

    few, many = cancelled(1), cancelled(5)
    assert len(few) == len(many)
    locks = [sql for sql in many if "FOR NO KEY UPDATE" in sql and "catalog_contract" in sql]
    assert len(locks) == 1
    assert OrderLine.objects.exclude(state="cancelled").count() == 0


def test_a_try_that_may_have_been_done_is_seen_through_though_it_waits_to_be_tried(
    answers: list[Any],
):
    order = a_placed_order(tasks=[outside()])
    answers.append(TryAgain("away", kind=FailureClass.TIMEOUT))
    advance(order)
    services.cancel_line(line_id=order.lines.get().pk, **WHY)
    assert states(order) == (["cancelling"], ["ready"])
    advance(order, at=LATER + timedelta(minutes=5))
    assert states(order) == (["cancelling"], ["compensating", "ready"])
