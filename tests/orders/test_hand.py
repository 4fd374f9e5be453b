"""Work by hand: who may claim, what evidence is taken, what a line allows."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.errors import Refused
from o2b.models import Outbox
from orders import services
from orders.models import Evidence, OrderLine, Queue, Task
from tests.orders.build import (
    ACTIVATE,
    INSTALL,
    LATER,
    a_placed_order,
    a_user,
    a_worker,
    advance,
    by_hand,
    happened,
    states,
    written,
)
from tests.orders.test_acceptance import at_once

pytestmark = pytest.mark.django_db


def claimed(*wants, **given):
    """A claimed task of a fresh order: (order, task, user)."""
    order, user = a_placed_order(tasks=[by_hand(*wants, **given)]), a_worker()
    task = Task.objects.get(order=order)
    services.claim_task(task_id=task.pk, user_id=user.pk, at=LATER)
    return order, task, user


def complete(task, user, **said):
    return services.complete_task(task_id=task.pk, user_id=user.pk, at=LATER, **said)


def test_the_whole_way():
    order, user = a_placed_order(tasks=INSTALL), a_worker()
    task = services.claim_next(user_id=user.pk, at=LATER)
    assert task is not None
    assert (task.state, task.claimed_by, task.claimed_at) == ("claimed", user, LATER)
    complete(task, user, version="v1", serial=" SN-7 ", data={"port": "3"})
    evidence = Evidence.objects.get()
    assert (evidence.serial, evidence.by, evidence.data) == ("SN-7", user, {"port": "3"})
    assert evidence.product_version == order.lines.get().product_version
    assert states(order) == (["provisioning"], ["done", "ready"])
    woken = Outbox.objects.filter(event_name="order.woken", task="orders.advance_order")
    assert list(woken.values_list("key", flat=True)) == [order.pk]
    advance(order)
    assert states(order) == (["completed"], ["done", "done"])


@pytest.mark.parametrize("verb", ["claim", "assign"])
def test_who_takes_a_task_locks_its_line_before_it(verb):
    """Everybody else does: in a transaction around it the other order would be a deadlock."""
    order, user = a_placed_order(tasks=[by_hand()]), a_worker()
    told = {"task_id": order.tasks.get().pk, "user_id": user.pk, "at": LATER}
    with CaptureQueriesContext(connection) as queries:
        if verb == "claim":
            services.claim_task(**told)
        else:
            services.assign_task(**told, to_id=user.pk)
    locks = [sql for q in queries if "UPDATE OF" in (sql := q["sql"]) or sql.endswith("UPDATE")]
    tables = [sql.partition(" FROM ")[2].split('"')[1] for sql in locks]
    assert tables[:2] == ["orders_orderline", "orders_task"]
    assert "FOR NO KEY UPDATE" in locks[0]
    assert "FOR NO KEY UPDATE" in locks[1]
    assert order.lines.get().began_at == LATER


def test_the_last_task_by_hand_completes_the_line():
    order, task, user = claimed()
    complete(task, user)
    assert states(order) == (["completed"], ["done"])
    assert Evidence.objects.get().quantity == Decimal(1)
    assert "order.woken" not in happened(order)


BAD_EVIDENCE = [
    (["version"], {}, "version", "evidence_missing"),
    (["serial"], {"serial": "  "}, "serial", "evidence_missing"),
    (["quantity"], {}, "quantity", "evidence_missing"),
    (["port"], {"data": {}}, "port", "evidence_missing"),
    ([], {"version": 2}, "version", "evidence_wrong"),
    ([], {"version": "two"}, "version", "evidence_wrong"),
    ([], {"quantity": "2"}, "quantity", "evidence_wrong"),
    ([], {"quantity": "0"}, "quantity", "quantity_invalid"),
    ([], {"quantity": "1e30"}, "quantity", "quantity_invalid"),
    ([], {"serial": "x" * 121}, "serial", "evidence_wrong"),
    ([], {"serial": "x\0"}, "serial", "evidence_wrong"),
    ([], {"data": {"port": "x\0"}}, "port", "evidence_wrong"),
]


@pytest.mark.parametrize(("wants", "said", "field", "code"), BAD_EVIDENCE)
def test_bad_evidence_is_refused_by_field(wants, said, field, code):
    order, task, user = claimed(*wants)
    before = written()
    with pytest.raises(Refused) as refused:
        complete(task, user, **said)
    assert (refused.value.field, refused.value.code, refused.value.status) == (field, code, 422)
    assert written() == before
    assert states(order) == (["provisioning"], ["claimed"])


def test_another_version_names_both():
    _, task, user = claimed("version")
    with pytest.raises(Refused, match="Version 1 was promised, not 2"):
        complete(task, user, version="2")


def test_only_members_and_administrators_claim():
    order = a_placed_order(tasks=[by_hand()])
    task, other = Task.objects.get(), a_worker("elsewhere")
    before = written()
    for user in (other, a_user("order team")):
        with pytest.raises(Refused) as refused:
            services.claim_task(task_id=task.pk, user_id=user.pk, at=LATER)
        assert (refused.value.code, refused.value.status) == ("not_in_queue", 403)
        assert services.claim_next(user_id=user.pk, at=LATER) is None
    assert written() == before
    boss = a_user("administrator")
    assert services.claim_next(user_id=boss.pk, at=LATER) == task
    assert states(order) == (["provisioning"], ["claimed"])


def test_refusals_of_state():
    order, task, user = claimed()
    other = a_worker()
    machine = Task.objects.get(order=a_placed_order(tasks=ACTIVATE))
    before = written()

    def refused(code, act, **said):
        with pytest.raises(Refused) as no:
            act(at=LATER, **said)
        assert no.value.code == code

    mine, theirs = (
        {"task_id": task.pk, "user_id": user.pk},
        {"task_id": task.pk, "user_id": other.pk},
    )
    refused("task_not_ready", services.claim_task, **theirs)
    refused("task_not_yours", services.release_task, **theirs)
    refused("task_not_yours", services.complete_task, **theirs)
    refused("task_not_yours", services.fail_task, reason="x", **theirs)
    refused("reason_missing", services.fail_task, reason=" ", **mine)
    refused("task_not_ready", services.retry_task, task_id=task.pk)
    refused("task_not_ready", services.claim_task, task_id=machine.pk, user_id=user.pk)
    refused("task_not_ready", services.correct_evidence, **mine)
    assert written() == before
    services.hold_line(line_id=task.line_id, at=LATER, reason="wait")
    refused("line_not_ready", services.complete_task, **mine)
    assert states(order) == (["held"], ["claimed"])


def test_release_puts_it_back():
    order, task, user = claimed()
    services.release_task(task_id=task.pk, user_id=user.pk, at=LATER)
    task.refresh_from_db()
    assert (task.state, task.claimed_by, task.claimed_at) == ("ready", None, None)
    assert services.claim_next(user_id=a_worker().pk, at=LATER) == task
    assert states(order)[1] == ["claimed"]


def test_failing_and_retrying():
    order, task, user = claimed()
    services.fail_task(task_id=task.pk, user_id=user.pk, reason="nobody home", at=LATER)
    line = order.lines.get()
    assert (states(order), line.reason) == ((["fallout"], ["fallout"]), "Install: nobody home")
    services.retry_task(task_id=task.pk, at=LATER, user_id=user.pk)
    task.refresh_from_db()
    line.refresh_from_db()
    assert (states(order), line.reason, line.paused_from) == ((["provisioning"], ["ready"]), "", "")
    assert (task.failure, task.claimed_by, task.attempts) == ("", None, 0)


def test_a_line_mends_when_nothing_of_it_is_broken():
    order = a_placed_order(tasks=[by_hand(key="a"), by_hand(key="b")])
    user = a_worker()
    for task in Task.objects.order_by("pk"):
        services.claim_task(task_id=task.pk, user_id=user.pk, at=LATER)
    for task in Task.objects.order_by("pk"):
        services.fail_task(task_id=task.pk, user_id=user.pk, reason="no", at=LATER)
    first, second = Task.objects.order_by("pk")
    services.retry_task(task_id=first.pk, at=LATER)
    assert states(order) == (["fallout"], ["ready", "fallout"])
    services.retry_task(task_id=second.pk, at=LATER)
    assert states(order) == (["provisioning"], ["ready", "ready"])


def test_the_queue_skips_lines_that_stand_still():
    first = a_placed_order(tasks=[by_hand()])
    second = a_placed_order(tasks=[by_hand()])
    services.hold_line(line_id=first.lines.get().pk, at=LATER, reason="wait")
    user = a_worker()
    assert services.claim_next(user_id=user.pk, at=LATER) == second.tasks.get()
    assert services.claim_next(user_id=user.pk, at=LATER) is None
    with pytest.raises(Refused, match="stands still"):
        services.claim_task(task_id=first.tasks.get().pk, user_id=user.pk, at=LATER)
    other = Queue.objects.create(code="other", name="Other")
    assert services.claim_next(user_id=user.pk, at=LATER, queue_id=other.pk) is None


@pytest.mark.django_db(transaction=True)
def test_eight_who_claim_at_once_get_eight_tasks():
    a_placed_order(tasks=[by_hand()], lines=8)
    user = a_worker()
    got = at_once(8, lambda: services.claim_next(user_id=user.pk, at=LATER))
    assert len({task.pk for task in got}) == 8
    assert services.claim_next(user_id=user.pk, at=LATER) is None


# lines


def test_hold_and_resume_go_back_to_where_it_stood():
    order = a_placed_order(tasks=[*ACTIVATE, by_hand(after=["activate"])])
    line = order.lines.get()
    services.hold_line(line_id=line.pk, at=LATER, reason="credit check")
    assert advance(order) == 0
    assert states(order) == (["held"], ["ready", "blocked"])
    services.resume_line(line_id=line.pk, at=LATER)
    assert states(order)[0] == ["scheduled"]
    advance(order)
    services.hold_line(line_id=line.pk, at=LATER, reason="again")
    services.resume_line(line_id=line.pk, at=LATER)
    assert states(order) == (["provisioning"], ["done", "ready"])
    owed = Outbox.objects.filter(event_name="order_line.resumed", task="orders.advance_order")
    assert owed.count() == 2


def test_cancelling_a_line_cancels_its_tasks():
    order, _task, _user = claimed()
    services.cancel_line(line_id=order.lines.get().pk, at=LATER, reason="changed their mind")
    line = order.lines.get()
    assert states(order) == (["cancelled"], ["cancelled"])
    assert (line.reason, line.closed_at) == ("changed their mind", LATER)
    assert happened(order)[-3:] == [
        "order_line.cancelling",
        "task.cancelled",
        "order_line.cancelled",
    ]


def test_lines_refuse_what_their_law_forbids():
    begun = a_placed_order(tasks=[{**ACTIVATE[0], "point_of_no_return": True}, by_hand()])
    advance(begun)
    whole = a_placed_order()
    advance(whole)
    fresh = a_placed_order()
    keys = {o: OrderLine.objects.get(order=o).pk for o in (begun, whole, fresh)}
    cases: list[tuple[Any, Any, dict[str, Any], str]] = [
        (services.cancel_line, begun, {"reason": "x"}, "line_under_way"),
        (services.cancel_line, whole, {"reason": "x"}, "line_not_ready"),
        (services.cancel_line, fresh, {"reason": ""}, "reason_missing"),
        (services.hold_line, whole, {"reason": "x"}, "line_not_ready"),
        (services.hold_line, fresh, {"reason": "x" * 2001}, "reason_missing"),
        (services.resume_line, fresh, {}, "line_not_ready"),
    ]
    before = written()
    for act, order, said, code in cases:
        with pytest.raises(Refused) as refused:
            act(line_id=keys[order], at=LATER + timedelta(days=1), **said)
        assert refused.value.code == code
    with pytest.raises(OrderLine.DoesNotExist):
        services.cancel_line(line_id=10**9, at=LATER, reason="x")
    with pytest.raises(Task.DoesNotExist):
        services.retry_task(task_id=10**9, at=LATER)
    assert written() == before
