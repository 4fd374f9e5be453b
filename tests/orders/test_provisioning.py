"""The HTTP handler against a real server: good answers, bad ones, none; the idempotent key."""

import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest

from orders.gateways import provisioning
from orders.gateways.rehearsal import Memory, RehearsalServer
from orders.models import Evidence, Task
from tests.orders.build import HTTP, LATER, a_placed_order, advance, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    there = RehearsalServer(memory=Memory(slow_seconds=0.2, hang_seconds=5))
    thread = threading.Thread(target=there.serve_forever, args=(0.05,))
    thread.start()
    settings.O2B_PROVISIONING_URL = there.url
    yield there
    there.stop()
    thread.join()


def asks(behaviour):
    return [{"key": "call", "name": "Set up", **HTTP, "parameters": {"behaviour": behaviour}}]


@pytest.mark.parametrize("behaviour", ["ok", "slow"])
def test_a_good_answer_is_evidence(server, behaviour):
    order = a_placed_order(tasks=asks(behaviour))
    advance(order)
    task: Any = Task.objects.get()
    assert states(order) == (["completed"], ["done"])
    assert Evidence.objects.get().serial == f"SN-{task.pk:08d}"
    assert task.request["product"] == order.lines.get().product_version.product.code
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
    ("behaviour", "state", "words"),
    [
        ("500", "ready", "answered 500: something broke"),
        ("garbage", "ready", "the answer makes no sense: it is no JSON object"),
        ("huge", "ready", "Unusable: the answer is longer than 65536 bytes"),
        ("hang", "ready", "ReadTimeout"),
        ("reject", "fallout", "is not available at this address"),
        ("unknown_version", "fallout", "version 999 was delivered"),
    ],
)
def test_bad_answers(server, monkeypatch, behaviour, state, words):
    monkeypatch.setattr(provisioning, "READ_SECONDS", 0.3)
    order = a_placed_order(tasks=asks(behaviour))
    advance(order)
    task = Task.objects.get()
    assert task.state == state
    assert words in task.failure
    assert not Evidence.objects.exists()


def test_nobody_answers(settings):
    settings.O2B_PROVISIONING_URL = "http://127.0.0.1:1/"
    order = a_placed_order(tasks=asks("ok"))
    advance(order)
    assert Task.objects.get().failure.startswith("ConnectError")
    settings.O2B_PROVISIONING_URL = ""
    other = a_placed_order(tasks=asks("ok"))
    advance(other)
    assert states(other) == (["fallout"], ["fallout"])


def test_one_key_is_done_once(server):
    order = a_placed_order(tasks=asks("ok"))
    task = Task.objects.get()
    body = {"product": "x", "version": 1}
    first = server.memory.answer(str(task.pk), body)
    assert server.memory.answer(str(task.pk), body | {"version": 1}) == first
    advance(order)
    assert server.memory.done == [str(task.pk)]
    assert states(order) == (["completed"], ["done"])


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
        {"quantity": "much"},
        {"quantity": "-1"},
        {"quantity": "NaN"},
        {"quantity": "0.0000001"},
        {"quantity": "1e13"},
    ],
)
def test_answers_that_cannot_be_believed(answer):
    outcome = provisioning._outcome(200, answer, provisioning.Exchange())
    assert type(outcome).__name__ == "TryAgain"


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
