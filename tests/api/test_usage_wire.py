"""Usage over a real socket: a body without a length, half a stream then silence, a client gone."""

import json
import os
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from knox.models import AuthToken

from subscriptions.models import Item, UsageEvent
from subscriptions.usage.services import recount_usage
from tests.browser.web import Web
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(queue_prefix: str) -> Iterator[Web]:
    os.environ["O2B_USAGE_SILENCE"] = "1"
    try:
        served = Web(queue_prefix=queue_prefix)
    finally:
        del os.environ["O2B_USAGE_SILENCE"]
    yield served
    served.stop()


def told(item: Item, n: int) -> bytes:
    event = {
        "id": f"e{n}",
        "source": "pbx",
        "meter": "minutes",
        "subject": item.number,
        "time": "2026-02-09T12:00:00Z",
        "value": 1,
    }
    return json.dumps(event).encode() + b"\n"


class Wire:
    """A connection that says what it likes."""

    def __init__(self, web: Web, token: str, *heads: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", web.port), timeout=20)
        lines = [
            "POST /api/v1/usage HTTP/1.1",
            "Host: localhost",
            f"Authorization: Token {token}",
            "Content-Type: application/x-ndjson",
            "Connection: close",
            *heads,
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def chunk(self, data: bytes) -> None:
        self.socket.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def answer(self) -> bytes:
        found = b""
        while piece := self.socket.recv(65_536):
            found += piece
        self.socket.close()
        return found


def test_bodies_on_the_wire(world: World, web: Web) -> None:
    a_meter()
    item = a_metered_service(world)
    token = AuthToken.objects.create(user=a_user("usage sender"), expiry=timedelta(hours=1))[1]

    whole = Wire(web, token, "Transfer-Encoding: chunked")
    for n in range(3):
        whole.chunk(told(item, n))
    whole.chunk(b"")
    found = whole.answer()
    assert found.startswith(b"HTTP/1.1 200")
    assert b'"accepted":3' in found

    silent = Wire(web, token, "Content-Length: 100000")
    silent.socket.sendall(told(item, 7) + told(item, 8)[:20])
    found = silent.answer()
    assert found.startswith(b"HTTP/1.1 408"), found[:300]
    assert b'"too_slow"' in found
    assert UsageEvent.objects.count() == 3  # its batch was not whole; it sends all of it again

    gone = Wire(web, token, "Content-Length: 100000")
    gone.socket.sendall(told(item, 9))
    gone.socket.close()

    again = Wire(web, token, f"Content-Length: {len(told(item, 7) + told(item, 8))}")
    again.socket.sendall(told(item, 7) + told(item, 8))
    assert b'"accepted":2' in again.answer()
    assert recount_usage(write=False).holds
