"""The HTTP handler against a real server: good answers, bad ones, none; the idempotent key."""

import gzip
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from o2b.models import Event, Outbox
from orders.fallout.services import edit_and_retry
from orders.fulfilment.outcomes import Job
from orders.gateways import provisioning
from orders.gateways.answers import Unusable
from orders.models import Attempt, Evidence, Order, Task
from orders.rules.backoff import MOST_ATTEMPTS
from orders.services import wake_due
from tests.orders.build import LATER, a_placed_order, advance, states
from tests.orders.fallen import a_server, asks

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    with a_server() as there:
        settings.O2B_PROVISIONING_URL = there.url
        yield there


@pytest.mark.parametrize("behaviour", ["ok", "slow"])
def test_a_good_answer_is_evidence(server, behaviour):
    order = a_placed_order(tasks=asks(behaviour))
    advance(order)
    task: Any = Task.objects.get()
    assert states(order) == (["completed"], ["done"])
    assert Evidence.objects.get().serial == f"SN-{task.pk:08d}"
    assert task.request["product"] == order.lines.get().product_version.product.code
    assert task.request["callback"] == f"http://localhost:8000/orders/callbacks/{task.pk}/"
    assert task.response["status"] == 200
    assert server.memory.done == [str(task.pk)]


def test_500_and_then_ok(server):
    order = a_placed_order(tasks=asks("flaky"))
    advance(order)
    task: Any = Task.objects.get()
    assert (task.state, task.failure) == ("ready", "answered 500: not yet")
    assert task.due_at == LATER + timedelta(seconds=2)
    advance(order, at=task.due_at)
    assert states(order) == (["completed"], ["done"])
    task.refresh_from_db()
    assert (task.failure, task.attempts, task.response["status"]) == ("", 2, 200)
    assert server.memory.asked == {str(task.pk): 2}


@pytest.mark.parametrize(
    ("behaviour", "state", "kind", "words", "wait"),
    [
        ("500", "ready", "server_error", "answered 500: something broke", 2),
        ("garbage", "ready", "garbage", "the answer makes no sense: it is no JSON object", 5),
        ("bad_json", "ready", "garbage", "the answer makes no sense: it is no JSON object", 5),
        ("huge", "ready", "garbage", "Unusable: the answer is longer than 65536 bytes", 5),
        ("hang", "ready", "timeout", "ReadTimeout", 5),
        ("drip", "ready", "timeout", "ReadTimeout", 5),
        ("drip_head", "ready", "timeout", "ReadTimeout", 5),
        ("reset", "ready", "garbage", "RemoteProtocolError: Server disconnected", 5),
        ("reject", "fallout", "refused", "is not available at this address", None),
        ("redirect", "fallout", "set_up", "answered 302", None),
        ("unknown_version", "fallout", "garbage", "version 999 was delivered", None),
    ],
)
def test_bad_answers(server, monkeypatch, behaviour, state, kind, words, wait):
    monkeypatch.setattr(provisioning, "READ_SECONDS", 0.3)
    monkeypatch.setattr(provisioning, "ALL_SECONDS", 0.8)
    order = a_placed_order(tasks=asks(behaviour))
    advance(order)
    task = Task.objects.get()
    assert (task.state, task.failure_class) == (state, kind)
    assert words in task.failure
    assert task.due_at == (LATER + timedelta(seconds=wait) if wait else None)
    tried = Attempt.objects.get()
    assert (tried.outcome, tried.failure_class) == ("again" if wait else "failed", kind)
    assert not Evidence.objects.exists()


@pytest.mark.parametrize(
    ("url", "state", "kind", "words"),
    [
        ("http://127.0.0.1:1/", "ready", "unreachable", "ConnectError"),
        ("http://nobody.invalid/", "ready", "unreachable", "ConnectError"),
        ("ftp://127.0.0.1/", "fallout", "set_up", "the address cannot be asked"),
        ("http://", "fallout", "set_up", "the address cannot be asked"),
        ("", "fallout", "set_up", "O2B_PROVISIONING_URL is not set"),
    ],
)
def test_nobody_answers(settings, url, state, kind, words):
    settings.O2B_PROVISIONING_URL = url
    advance(a_placed_order(tasks=asks()))
    task = Task.objects.get()
    assert (task.state, task.failure_class) == (state, kind)
    assert task.failure.startswith(words)


def test_it_succeeds_after_the_time_out_and_is_done_once(server, monkeypatch):
    """The first attempt gives up; the next asks with the same key and is told what was done."""
    server.memory.slow_seconds = 1.5
    monkeypatch.setattr(provisioning, "READ_SECONDS", 0.3)
    order = a_placed_order(tasks=asks("late"))
    advance(order)
    task = Task.objects.get()
    assert (task.state, task.failure_class) == ("ready", "timeout")
    assert server.memory.done == [str(task.pk)]
    advance(order, at=LATER + timedelta(seconds=5))
    assert states(order) == (["completed"], ["done"])
    assert server.memory.asked == {str(task.pk): 2}
    assert server.memory.done == [str(task.pk)]
    assert Evidence.objects.get().serial == f"SN-{task.pk:08d}"


def test_one_key_is_done_once(server):
    order = a_placed_order(tasks=asks())
    advance(order)
    task: Any = Task.objects.get()
    key = str(task.pk)
    assert server.memory.answer(key, task.request) == (200, task.response["body"])
    other = server.memory.answer(key, task.request | {"version": 2})
    assert other == (409, {"reason": f"{key} was done already, as it was asked before"})
    assert server.memory.done == [key]
    assert states(order) == (["completed"], ["done"])


def edited(task, **parameters):
    """Somebody asks differently, and it is tried again."""
    edit_and_retry(task_id=task.pk, parameters=parameters, at=LATER)
    advance(Order.objects.get(pk=task.order_id))
    task.refresh_from_db()


def test_what_was_refused_is_asked_anew_under_another_key(server):
    """An outside that keeps its answers by key would refuse the edited request for ever."""
    a_placed_order(tasks=asks("reject"))
    task: Any = Task.objects.get()
    advance(task.order)
    task.refresh_from_db()
    assert (task.state, task.failure_class) == ("fallout", "refused")
    edited(task, behaviour="reject", speed=2)
    edited(task, behaviour="ok")
    assert task.state == "done"
    keys = [str(task.pk), f"{task.pk}-2", f"{task.pk}-3"]
    assert server.memory.asked == dict.fromkeys(keys, 1)
    assert server.memory.done == [keys[2]]
    assert Evidence.objects.get().serial == f"SN-{keys[2]:0>8}"
    told = Event.objects.filter(name="task.edited").values_list("facts__anew", flat=True)
    assert list(told) == [True, True]


def test_what_may_have_been_done_keeps_its_key(server, monkeypatch):
    """It was done after we gave up: asked differently it must not be done a second time."""
    server.memory.slow_seconds = 1.5
    monkeypatch.setattr(provisioning, "READ_SECONDS", 0.3)
    order = a_placed_order(tasks=asks("late"))
    task: Any = Task.objects.get()
    Task.objects.update(attempts=MOST_ATTEMPTS - 1)  # its last try follows
    advance(order)
    task.refresh_from_db()
    assert (task.state, task.failure_class) == ("fallout", "timeout")
    edited(task, behaviour="ok")
    assert (task.state, task.response["status"]) == ("fallout", 409)
    assert task.failure == f"refused (409): {task.pk} was done already, as it was asked before"
    assert server.memory.done == [str(task.pk)]


def test_an_edit_that_changes_nothing_keeps_the_key(server):
    a_placed_order(tasks=asks("reject"))
    task = Task.objects.get()
    advance(task.order)
    edited(task, behaviour="reject")
    assert server.memory.asked == {str(task.pk): 2}


@pytest.mark.parametrize("behaviour", ["async", "async_poll"])
def test_what_is_accepted_under_another_key(server, behaviour):
    """It calls back about the task, and is polled by its own key."""
    a_placed_order(tasks=asks("reject"))
    task: Any = Task.objects.get()
    advance(task.order)
    edited(task, behaviour=behaviour)
    assert (task.state, task.waits_for) == ("running", "callback")
    assert task.request["poll"].endswith(f"status/{task.pk}-2")


def test_packed_answers_are_not_unpacked(monkeypatch):
    """A small answer that unpacks to a large one is read as the few bytes that it is."""
    bomb = gzip.compress(b"x" * 1_000_000)
    assert len(bomb) < provisioning.LARGEST_ANSWER
    outcome = provisioning._outcome(a_job(), 200, bomb.decode(errors="replace"), {})
    assert type(outcome).__name__ == "TryAgain"


# polling


def polled(order, seconds):
    """The clock says that a poll is due."""
    Outbox.objects.all().delete()
    moment = LATER + timedelta(seconds=seconds)
    assert wake_due(machine_now=moment) == 1
    advance(order, at=moment)


def test_accepted_now_and_polled_until_it_is_done(server):
    order = a_placed_order(tasks=asks("async_poll", parameters={"poll_every": 7}))
    server.memory.async_seconds = 600
    advance(order)
    task: Any = Task.objects.get()
    assert (task.state, task.waits_for, task.leased_until) == ("running", "callback", None)
    assert task.due_at == LATER + timedelta(seconds=7)
    assert task.request["poll"] == f"{server.url}status/{task.pk}"
    polled(order, 7)
    task.refresh_from_db()
    assert (task.state, task.failure) == ("running", "still at it")
    assert task.due_at == LATER + timedelta(seconds=14)
    server.memory.ready_at[str(task.pk)] = 0
    polled(order, 14)
    assert states(order) == (["completed"], ["done"])
    task.refresh_from_db()
    assert (task.attempts, task.waits_for) == (1, "")
    assert server.memory.asked == {str(task.pk): 1}
    assert server.memory.polled == {str(task.pk): 2}
    # A poll that finds no answer yet is no attempt of its own: days of waiting leave no rows.
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["waiting", "done"]


def test_polling_gives_up_and_a_retry_begins_anew(server, monkeypatch):
    tasks = asks("async_poll", parameters={"poll_every": 5, "give_up_after": 10})
    order = a_placed_order(tasks=tasks)
    server.memory.async_seconds = 600
    accepted = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(provisioning, "_now", lambda: accepted)
    advance(order)
    asked: Any = Task.objects.get().request
    assert asked["accepted_at"] == accepted.isoformat()
    monkeypatch.setattr(provisioning, "_now", lambda: accepted + timedelta(minutes=9, seconds=59))
    polled(order, 5)
    assert Task.objects.get().state == "running"
    monkeypatch.setattr(provisioning, "_now", lambda: accepted + timedelta(minutes=10))
    polled(order, 10)
    task = Task.objects.get()
    assert (task.state, task.failure_class) == ("fallout", "timeout")
    assert task.failure == "no answer within 10 minutes after it was accepted"
    assert "accepted_at" not in task.request


def test_a_poll_that_fails_is_tried_again_and_still_gives_up_in_time(server, settings):
    order = a_placed_order(tasks=asks("async_poll"))
    server.memory.async_seconds = 600
    advance(order)
    before: Any = Task.objects.get().request
    settings.O2B_PROVISIONING_URL = "http://127.0.0.1:1/"
    polled(order, 30)
    task: Any = Task.objects.get()
    assert (task.state, task.failure_class) == ("ready", "garbage")  # it belongs to another house
    assert task.request["accepted_at"] == before["accepted_at"]


def a_job(**given: Any) -> Job:
    job = Job(1, "call", "http_provisioning", 1, 1, 1, "x", 1, Decimal(1), {}, {}, 1, LATER)
    return replace(job, **given)


@pytest.mark.parametrize(
    "poll",
    [
        "http://127.0.0.1:1/x",
        "https://here/x",
        "//other/x",
        "http://me@here/x",
        7,
        "x\n",
        "x" * 2001,
    ],
)
def test_addresses_of_others_are_never_asked(settings, poll):
    settings.O2B_PROVISIONING_URL = "http://here/set-up"
    with pytest.raises(Unusable):
        provisioning._ours(poll)
    outcome = provisioning._outcome(a_job(), 202, {"status": "accepted", "poll": poll}, {})
    assert (type(outcome).__name__, outcome.kind) == ("TryAgain", "garbage")


def test_addresses_of_the_same_system(settings):
    settings.O2B_PROVISIONING_URL = "http://here/v1/set-up"
    assert provisioning._ours("/status/7") == "http://here/status/7"
    assert provisioning._ours("status/7?full=1") == "http://here/v1/status/7?full=1"
    assert provisioning._ours("http://here/x") == "http://here/x"


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"version": "1"},
        {"version": True},
        {"version": 0},
        {"version": 10**9},
        {"serial": 7},
        {"serial": "s" * 121},
        {"serial": "\0"},
        {"serial": "\ud800"},
        {"quantity": "much"},
        {"quantity": "-1"},
        {"quantity": "NaN"},
        {"quantity": "0.0000001"},
        {"quantity": "1e13"},
        {"status": "failed", "class": "mine"},
        {"status": "failed", "class": ["refused"]},
    ],
)
def test_answers_that_cannot_be_believed(answer):
    outcome = provisioning._outcome(a_job(), 200, answer, {})
    assert (type(outcome).__name__, outcome.kind) == ("TryAgain", "garbage")


def test_what_is_removed_again_names_what_it_undoes(server):
    asked = provisioning.request_of(a_job(undoes=5, parameters={"action": "remove"}))
    assert (asked["undoes"], "undoes" in provisioning.request_of(a_job())) == (5, False)
    first = server.memory.answer("9", asked)
    assert (first, server.memory.answer("9", asked)) == ((200, {"status": "done"}), first)
    assert (server.memory.removed, server.memory.done) == (["9"], [])


@pytest.mark.parametrize(
    ("parameters", "faults"),
    [
        ({}, 0),
        ({"poll_every": 5, "give_up_after": "=characteristics.minutes", "any": "thing"}, 0),
        ({"poll_every": 4}, 1),
        ({"poll_every": True, "give_up_after": "soon"}, 2),
        ({"give_up_after": 10**9}, 1),
    ],
)
def test_faults_of_parameters(parameters, faults):
    assert len(provisioning.faults_of(parameters)) == faults


def test_the_server_as_a_command():
    command = [sys.executable, "manage.py", "provisioning_server", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert str(process.stdout and process.stdout.readline()).startswith(
            "provisioning server on http://127.0.0.1:"
        )
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_port_that_cannot_be_had(server):
    port = str(server.server_port)
    command = [sys.executable, "manage.py", "provisioning_server", "--port", port]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert f"port {port} cannot be used" in ran.stderr
