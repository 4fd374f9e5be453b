"""Both sides in turns over HTTP: the same kind of batches, to the product and to the yardstick."""

import json
import os
import random
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import md5
from http.client import HTTPConnection
from typing import Any, NamedTuple

import msgspec
from django.core.management.base import CommandError
from knox.models import AuthToken

from billing.desk.usagebench.cpu import Spent, spent
from billing.desk.usagebench.world import METERS, SOURCE
from o2b.people.services import ensure_service_user
from o2b.servers.crew import Crew
from subscriptions.models import Item
from subscriptions.usage.services import recount_usage

PROCESSES, CLIENTS, ROUNDS = 2, 2, 4
DUPLICATES, LATE = 0.10, 0.05
OURS, BARE = "/api/v1/usage", "/bare"
READY_SECONDS = 60


class Answer(msgspec.Struct):
    """What the client looks at; it runs on the same machine."""

    accepted: int


_ANSWER = msgspec.json.Decoder(Answer)


class Side(NamedTuple):
    """What a number of batches took, and what was answered."""

    seconds: float = 0.0
    events: int = 0
    accepted: int = 0
    cpu: Spent = Spent()

    def plus(self, other: "Side") -> "Side":
        return Side(
            self.seconds + other.seconds,
            self.events + other.events,
            self.accepted + other.accepted,
            self.cpu.plus(other.cpu),
        )


class Web(NamedTuple):
    """The server that both sides stand on."""

    port: int
    token: str
    pid: int


def measure(*, keys: int, batches: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """For each (events a batch, batches): both rates and their ratio; totals are checked by SQL."""
    subjects = [
        f"S-{subscription}.{pk}"
        for pk, subscription in Item.objects.order_by("pk").values_list("pk", "subscription_id")
    ]
    user = ensure_service_user(username="bench")
    user.is_superuser = True
    user.save()
    token = AuthToken.objects.create(user=user, expiry=timedelta(days=1))[1]
    crew = Crew(os.environ)
    port = _free_port()
    try:
        crew.start(
            "web",
            *(
                "-m",
                "gunicorn",
                "billing.desk.usagebench.serving:application",
                "--workers",
                f"{PROCESSES}",
            ),
            *("--threads", "2", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"),
        )
        _await(port)
        web = Web(port, token, crew.pids[0])
        told = {f"{size}": _compare(web, subjects, keys, size, n) for size, n in batches}
    finally:
        crew.stop()
    found = recount_usage(write=False)
    if found.differences:
        raise CommandError(f"{len(found.differences)} totals are not what the events say.")
    return {"batches": told, "events": found.events, "totals_differ": 0}


def _compare(web: Web, subjects: Sequence[str], keys: int, size: int, count: int) -> dict[str, Any]:
    chance = random.Random(size)
    sums = {OURS: Side(), BARE: Side()}
    for turn in range(ROUNDS + 1):
        for path in (OURS, BARE):
            many = max(count // ROUNDS, CLIENTS)
            bodies = [_body(chance, subjects, keys, size) for _ in range(many)]
            side = _run(web, path, bodies, size)
            if turn:  # the first round warms both up
                sums[path] = sums[path].plus(side)
    ours, bare = (side.events / side.seconds for side in sums.values())
    cpu = {path: side.cpu.each(side.events) for path, side in sums.items()}
    return {
        "events_per_s": round(ours),
        "bare_events_per_s": round(bare),
        "ratio_to_bare": round(ours / bare, 2),
        "cpu_us_per_event": cpu[OURS],
        "bare_cpu_us_per_event": cpu[BARE],
        "cpu_ratio_to_bare": round(cpu[BARE]["sum"] / cpu[OURS]["sum"], 2),
        "accepted": sums[OURS].accepted,
        "bare_accepted": sums[BARE].accepted,
    }


def _body(chance: random.Random, subjects: Sequence[str], keys: int, size: int) -> bytes:
    """A batch: a tenth are keys of long ago, a twentieth is late by weeks."""
    now = datetime.now(UTC)
    meters = tuple(METERS)
    events = []
    for _ in range(size):
        old = chance.random() < DUPLICATES
        late = chance.random() < LATE
        ago = timedelta(days=chance.randrange(20, 300)) if late else timedelta()
        at = now - ago - timedelta(seconds=chance.randrange(3600))
        key = md5(b"%d" % chance.randint(1, keys)).hexdigest() if old else secrets.token_hex(16)
        meter = chance.choice(meters)
        events.append(
            {
                "id": key,
                "source": SOURCE,
                "meter": meter,
                "subject": chance.choice(subjects),
                "time": at.isoformat(),
                "value": chance.randrange(1, 5000) / 100,
                "unit": meter,
            }
        )
    return json.dumps(events).encode()


def _run(web: Web, path: str, bodies: Sequence[bytes], size: int) -> Side:
    shares = [bodies[n::CLIENTS] for n in range(CLIENTS)]
    before, began = spent(web.pid), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        taken = sum(pool.map(lambda share: sum(_send(web, path, share)), shares))
    seconds = time.perf_counter() - began
    return Side(seconds, len(bodies) * size, taken, spent(web.pid).since(before))


def _send(web: Web, path: str, bodies: Sequence[bytes]) -> Iterator[int]:
    there = HTTPConnection("127.0.0.1", web.port)
    head = {"Content-Type": "application/json", "Authorization": f"Token {web.token}"}
    for body in bodies:
        there.request("POST", path, body, head)
        answer = there.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise CommandError(f"{path} answered {answer.status}: {content[:300]!r}")
        yield _ANSWER.decode(content).accepted
    there.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            there = HTTPConnection("127.0.0.1", port)
            there.request("GET", "/bare-is-up")
            there.getresponse().read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise CommandError("gunicorn does not answer.")
