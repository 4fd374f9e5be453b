"""Worker processes for the time of one command: those that answer already, or some of its own."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery import current_app

from o2b.servers import ServerTrouble
from o2b.servers.crew import Crew

READY_SECONDS = 60
QUEUES = "fulfilment,billing,default"


def answering() -> int:
    """How many worker processes answer now; 0 when the broker is away."""
    try:
        return len(current_app.control.ping(timeout=1.0) or [])
    except OSError:
        return 0


@contextmanager
def workforce(count: int) -> Iterator[int]:
    """See to it that workers are there; yields how many, and stops those that it started."""
    if present := answering():
        yield present
        return
    crew = Crew(dict(os.environ))
    try:
        for n in range(count):
            node = f"command{os.getpid()}-{n + 1}"
            crew.start_worker(f"worker {n + 1}", node=node, queues=QUEUES)
        until = time.monotonic() + READY_SECONDS
        while answering() < count:
            crew.check()
            if time.monotonic() > until:
                raise ServerTrouble("the worker processes do not answer; their words stand above.")
        yield count
    finally:
        crew.stop()
