"""Tasks in fallout and a provisioning system to talk to, for the tests of fallout."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from orders.fulfilment import handlers
from orders.fulfilment.outcomes import Exchange, Failed
from orders.gateways.rehearsal import Memory, RehearsalServer
from orders.models import FailureClass, Order
from tests.orders.build import HTTP, LATER, a_placed_order, advance

SECRET = "between us"


@contextmanager
def a_server(**given: Any) -> Iterator[RehearsalServer]:
    """A real server on a free port; nothing in it takes long."""
    quick = {"slow_seconds": 0.2, "hang_seconds": 5, "async_seconds": 0.1, "drip_seconds": 0.05}
    there = RehearsalServer(memory=Memory(secret=SECRET, **{**quick, **given}))
    thread = threading.Thread(target=there.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield there
    finally:
        there.stop()
        thread.join()


def asks(behaviour: str = "ok", **given: Any) -> list[dict[str, Any]]:
    """One step that asks the outside, which behaves like this."""
    parameters = {"behaviour": behaviour} | given.pop("parameters", {})
    return [{"key": "call", "name": "Set up", **HTTP, "parameters": parameters} | given]


def fell_out(
    *, says: str = "no port is free", kind: str = "refused", lines: int = 1, **given: Any
) -> Order:
    """An order each of whose lines has one task that fell out for this reason."""
    order = a_placed_order(tasks=given.pop("tasks", asks()), lines=lines, **given)
    with failing(says, kind):
        advance(order, at=LATER)
    return order


@contextmanager
def failing(says: str, kind: str = "refused") -> Iterator[None]:
    """Meanwhile provisioning answers nothing else, whatever it is asked."""
    before = handlers.find("http_provisioning")
    assert before is not None
    told = Exchange({"product": "x"}, {"status": 422, "body": {"reason": says}})
    failed = Failed(says, told, kind=FailureClass(kind))
    handlers.HANDLERS["http_provisioning"] = replace(before, run=lambda job: failed)
    try:
        yield
    finally:
        handlers.HANDLERS["http_provisioning"] = before
