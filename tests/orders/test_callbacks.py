"""Answers that call back: signed, once, in time; all else is refused, noted, and never a 500."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from o2b import clock
from o2b.models import Event, TestClock
from orders import services
from orders.fallout.services import take_call_back
from orders.fulfilment import handlers
from orders.fulfilment.outcomes import Done, Waiting
from orders.gateways.provisioning import secret
from orders.gateways.signatures import HEADER, TOLERANCE, sign
from orders.models import Attempt, Evidence, OutsideSystem, Task, TaskCost, WaitsFor
from tests.orders.build import LATER, NOON, a_placed_order, advance, an_account, states, written
from tests.orders.fallen import a_server, asks

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(settings):
    """An order whose step was accepted by the outside, which will call back."""
    with a_server(async_seconds=600) as there:
        settings.O2B_PROVISIONING_URL = there.url
        placed = a_placed_order(tasks=asks("async_poll"))
        advance(placed)
    assert Task.objects.get().waits_for == "callback"
    return placed


def said(done: Task, **given: Any) -> dict[str, Any]:
    return {"task": done.pk, "status": "done", "version": 1, "serial": "SN-7"} | given


def call(task_id: int, answer: Any, **given: Any) -> Any:
    """A call-back as the outside sends it; `raw`, `header`, `key`, `moment`, `type` to spoil it."""
    raw = given.get("raw", json.dumps(answer).encode())
    moment = int(clock.now().timestamp()) + given.get("moment", 0)
    signed = sign(raw, secret=given.get("key", secret()), moment=moment)
    return Client(enforce_csrf_checks=True, raise_request_exception=True).generic(
        "POST",
        reverse("orders:callback", args=[task_id]),
        raw,
        content_type=given.get("type", "application/json"),
        headers={HEADER: given.get("header", signed)},
    )


def test_what_is_done_is_evidence_attempt_and_event(order):
    task: Any = Task.objects.get()
    answer = call(task.pk, said(task))
    assert (answer.status_code, answer.json()) == (
        200,
        {"task": task.pk, "result": "taken", "state": "done"},
    )
    assert states(order) == (["completed"], ["done"])
    assert Evidence.objects.get().serial == "SN-7"
    task.refresh_from_db()
    assert (task.waits_for, task.due_at, task.failure) == ("", None, "")
    assert task.response == {"callback": said(task)}
    assert task.request["product"] == order.lines.get().product_version.product.code
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["waiting", "done"]
    assert TaskCost.objects.count() == 1
    assert Event.objects.filter(name="task.done", subject_id=task.pk).count() == 1


def test_a_doubled_call_is_answered_and_does_nothing(order):
    task = Task.objects.get()
    call(task.pk, said(task))
    before = written()
    again = call(task.pk, said(task))
    assert (again.status_code, again.json()["result"]) == (200, "already")
    # A call that comes after the same answer to a poll is the same too; its order of names differs.
    same = call(task.pk, said(task, note="by another door"))
    assert (same.status_code, same.json()["result"]) == (200, "already")
    assert written() == before


def test_a_doubled_failure(order):
    task = Task.objects.get()
    told = {"task": task.pk, "status": "failed", "reason": "no free port"}
    assert call(task.pk, told).json() == {
        "task": task.pk,
        "result": "taken",
        "state": "fallout",
    }
    before = written()
    assert call(task.pk, told).json()["result"] == "already"
    assert written() == before
    task.refresh_from_db()
    assert (task.failure, task.failure_class) == ("refused: no free port", "refused")
    assert states(order) == (["fallout"], ["fallout"])


def test_another_result_than_was_taken_is_late(order):
    task = Task.objects.get()
    call(task.pk, said(task))
    other = call(task.pk, said(task, serial="SN-8"))
    assert (other.status_code, other.json()["code"]) == (409, "callback_late")
    assert Evidence.objects.get().serial == "SN-7"


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        ("refused", "fallout", "refused: so it is"),
        ("no_stock", "fallout", "refused: so it is"),
        ("overloaded", "ready", "called back: so it is"),
        ("timeout", "ready", "called back: so it is"),
    ],
)
def test_failures_by_class(order, kind, state, reason):
    task = Task.objects.get()
    told = {"task": task.pk, "status": "failed", "class": kind, "reason": "so it is"}
    assert call(task.pk, told).status_code == 200
    task.refresh_from_db()
    assert (task.state, task.failure_class, task.failure) == (state, kind, reason)
    assert state == "fallout" or task.due_at > LATER


def test_a_failure_that_passes_counts_for_the_circuit(order):
    task = Task.objects.get()
    call(task.pk, {"task": task.pk, "status": "failed", "class": "overloaded", "reason": "busy"})
    system = OutsideSystem.objects.get()
    assert (system.code, system.state, system.failures) == ("provisioning", "closed", 1)


def ignored() -> list[tuple[int, str]]:
    events = Event.objects.filter(name="task.callback_ignored").order_by("id")
    return [(event.subject_id, event.facts["reason"]) for event in events]


def test_a_call_for_a_cancelled_task(order):
    """A line that is given up sees through what runs outside: the answer still counts."""
    task, line = Task.objects.get(), order.lines.get()
    services.cancel_line(line_id=line.pk, at=LATER, reason="moved away")
    assert states(order) == (["cancelling"], ["running"])
    assert call(task.pk, said(task)).json()["state"] == "done"
    assert states(order) == (["cancelled"], ["done"])
    before = written()
    late = call(task.pk, said(task, serial="SN-8"))
    assert (late.status_code, late.json()["code"], late.json()["state"]) == (
        409,
        "callback_late",
        "done",
    )
    assert ignored() == [(task.pk, f"line {line} is cancelled")]
    assert written() == (*before[:4], before[4] + 1, before[5])


@pytest.mark.parametrize("state", ["blocked", "ready", "fallout", "cancelled"])
def test_a_call_that_nobody_waits_for(order, state):
    task = Task.objects.get()
    Task.objects.update(state=state, waits_for="")
    answer = call(task.pk, said(task))
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert ignored() == [(task.pk, f"the task is {state}, so nobody waits for an answer")]
    assert not Evidence.objects.exists()


def test_a_call_for_a_task_that_waits_for_something_else(order):
    task = Task.objects.get()
    Task.objects.update(waits_for=WaitsFor.DATE)
    assert call(task.pk, said(task)).status_code == 409
    assert ignored() == [(task.pk, "the task waits for date, not for an answer")]


FORGED = (
    {"key": "somebody else's"},
    {"header": ""},
    {"header": "x"},
    {"header": "t=1,v1="},
    {"header": "t=,v1=00"},
    {"header": "t=99999999999999999999,v1=00"},
    {"header": "v1=00,t=1" * 40},
    {"header": "t=1,v1=\u00e9"},
    {"moment": -TOLERANCE - 5},
    {"moment": TOLERANCE + 5},
)


@pytest.mark.parametrize("spoilt", FORGED)
def test_forged_and_expired_calls_write_nothing(order, spoilt):
    task, before = Task.objects.get(), written()
    answer = call(task.pk, said(task), **spoilt)
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["code"].startswith("signature_")
    assert written() == before
    assert states(order) == (["provisioning"], ["running"])


def test_a_moment_within_the_tolerance_and_a_changed_byte(order):
    task = Task.objects.get()
    raw = json.dumps(said(task)).encode()
    signed = sign(raw, secret=secret(), moment=int(clock.now().timestamp()))
    changed = raw.replace(b"SN-7", b"SN-8")
    assert call(task.pk, None, raw=changed, header=signed).status_code == 403
    assert call(task.pk, said(task), moment=TOLERANCE - 30).status_code == 200


def test_a_call_for_another_task(order):
    task = Task.objects.get()
    before = written()
    for other in (task.pk + 1, str(task.pk), None, True, [task.pk]):
        answer = call(task.pk, said(task, task=other))
        assert (answer.status_code, answer.json()["code"]) == (403, "signature_forged"), other
    assert written() == before


@pytest.mark.parametrize(
    ("spoilt", "status"),
    [
        ({"raw": b""}, 415),
        ({"raw": b" "}, 400),
        ({"raw": b"\xff\x00"}, 400),
        ({"raw": b"[]"}, 400),
        ({"raw": b'{"task": NaN}'}, 400),
        ({"raw": b"[" * 60_000}, 400),
        ({"raw": b" " * 65_537}, 413),
        ({"raw": b" " * 3_000_000}, 413),
        ({"type": "text/plain"}, 415),
        ({"type": "multipart/form-data; boundary=x"}, 415),
    ],
)
def test_junk(order, spoilt, status):
    task, before = Task.objects.get(), written()
    answer = call(task.pk, said(task), **spoilt)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert written() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "finished"},
        {"status": None},
        {"status": ["done"]},
        {"version": "1"},
        {"serial": "s" * 121},
        {"quantity": "-1"},
        {"status": "failed", "class": "weather"},
    ],
)
def test_genuine_nonsense_is_a_400(order, wrong):
    task, before = Task.objects.get(), written()
    answer = call(task.pk, said(task, **wrong))
    assert (answer.status_code, answer.json()["code"]) == (400, "callback_senseless")
    assert written() == before


def test_texts_that_no_database_keeps(order):
    """NUL and halves of characters are kept as the sign for what cannot be read."""
    task: Any = Task.objects.get()
    assert call(task.pk, said(task, note="a\0b\ud800", serial="SN-7")).status_code == 200
    task.refresh_from_db()
    assert task.response["callback"]["note"] == "a\ufffdb\ufffd"


def test_tasks_that_are_not_there(order):
    for key in (10**6, 10**30):
        answer = call(key, {"task": key, "status": "done"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), key
    assert Client().get(reverse("orders:callback", args=[1])).status_code == 405


def test_the_accounts_own_clock_tells_when_it_was_done(settings):
    told = TestClock.objects.create(name="long ago", now=NOON + timedelta(days=3))
    with a_server(async_seconds=600) as there:
        settings.O2B_PROVISIONING_URL = there.url
        order = a_placed_order(tasks=asks("async_poll"), account=an_account(test_clock=told))
        advance(order)
    task = Task.objects.get()
    call(task.pk, said(task))
    task.refresh_from_db()
    assert task.done_at == told.now


# beside a worker


def test_a_call_that_comes_while_a_worker_still_asks(settings):
    """The outside calls back before it has answered: the worker's own outcome is dropped then."""
    order = a_placed_order(tasks=asks())
    task = Task.objects.get()
    before: Any = handlers.find("http_provisioning")

    def called_back_meanwhile(job):
        assert connection.in_atomic_block  # the test's own; the worker holds none
        taken = take_call_back(task_id=job.task_id, answer=said(task), at_of=lambda _: LATER)
        assert (taken.state, taken.already) == ("done", False)
        return Waiting(WaitsFor.CALLBACK, poll_after=5)

    handlers.HANDLERS["http_provisioning"] = handlers.Handler(
        run=called_back_meanwhile, system="provisioning"
    )
    try:
        advance(order)
    finally:
        handlers.HANDLERS["http_provisioning"] = before
    assert states(order) == (["completed"], ["done"])
    task.refresh_from_db()
    assert (task.waits_for, task.leased_until) == ("", None)
    assert Evidence.objects.get().serial == "SN-7"
    assert Attempt.objects.count() == 1


def test_the_next_step_is_woken(settings):
    second = {**asks("ok")[0], "key": "second", "after": ["call"]}
    with a_server(async_seconds=600) as there:
        settings.O2B_PROVISIONING_URL = there.url
        order = a_placed_order(tasks=[*asks("async_poll"), second])
        advance(order)
        task = Task.objects.get(key="call")
        assert call(task.pk, said(task)).status_code == 200
        assert states(order) == (["provisioning"], ["done", "ready"])
        assert Event.objects.filter(name="order.woken", order_id=order.pk).count() == 1


# the rehearsal server really calls


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("behaviour", "statuses", "state"),
    [
        ("async", [200], "done"),
        ("double", [200, 200], "done"),
        ("async_fails", [200], "fallout"),
        ("forged", [403], "running"),
    ],
)
def test_the_rehearsal_server_calls_back(settings, live_server, behaviour, statuses, state):
    settings.O2B_PUBLIC_URL = live_server.url
    with a_server(async_seconds=0.3) as there:
        settings.O2B_PROVISIONING_URL = there.url
        settings.O2B_CALLBACK_SECRET = there.memory.secret
        order = a_placed_order(tasks=asks(behaviour))
        advance(order)
        waited = threading.Event()
        for _ in range(200):
            if len(there.memory.called_back) == len(statuses):
                break
            waited.wait(0.05)
        task = Task.objects.get()
        assert there.memory.called_back == [(str(task.pk), status) for status in statuses]
        assert (task.state, there.memory.done) == (state, [str(task.pk)])


def test_done_once_by_a_poll_and_called_back_after(order):
    """The poll saw it first; the call that comes later says the same."""
    task = Task.objects.get()
    scene_done = Done(version=1, serial="SN-7")
    before: Any = handlers.find("http_provisioning")
    handlers.HANDLERS["http_provisioning"] = handlers.Handler(run=lambda job: scene_done)
    try:
        advance(order, at=LATER + timedelta(seconds=60))
    finally:
        handlers.HANDLERS["http_provisioning"] = before
    assert states(order) == (["completed"], ["done"])
    assert call(task.pk, said(task)).json()["result"] == "already"
