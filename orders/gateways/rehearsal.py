"""A provisioning system to rehearse with: idempotent by key, and as bad as it is told to be."""

import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BEHAVIOURS = (
    "ok",
    "slow",
    "hang",
    "500",
    "flaky",
    "reject",
    "garbage",
    "huge",
    "wrong_version",
    "unknown_version",
)
SLOW_SECONDS = 2.0
HANG_SECONDS = 30.0
LARGEST_REQUEST = 256 * 1024


@dataclass
class Memory:
    """What the server was asked and what it did; tests and the demo's page look at it."""

    fail_rate: float = 0.0
    slow_seconds: float = SLOW_SECONDS
    hang_seconds: float = HANG_SECONDS
    asked: dict[str, int] = field(default_factory=dict)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, key: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and answer; one key is done once, however often it is asked."""
        with self.lock:
            self.asked[key] = tries = self.asked.get(key, 0) + 1
        if self.fail_rate and random.random() < self.fail_rate:
            return 503, {"reason": "overloaded"}
        behaviour = _behaviour(body)
        if behaviour == "slow":
            self.stopping.wait(self.slow_seconds)
        if behaviour == "hang":
            self.stopping.wait(self.hang_seconds)
        status, answer = _plain_answer(behaviour, tries, body, key)
        if status != 200:
            return status, answer
        with self.lock:
            if key not in self.answers:
                self.answers[key] = (status, answer)
                self.done.append(key)
            return self.answers[key]


def _behaviour(body: dict[str, Any]) -> str:
    for place in ("characteristics", "parameters"):
        told = body.get(place)
        if isinstance(told, dict) and told.get("behaviour") in BEHAVIOURS:
            return str(told["behaviour"])
    return "ok"


def _plain_answer(behaviour: str, tries: int, body: dict[str, Any], key: str) -> tuple[int, Any]:
    match behaviour:
        case "500":
            return 500, {"reason": "something broke"}
        case "flaky" if tries == 1:
            return 500, {"reason": "not yet"}
        case "reject":
            return 422, {"reason": f"{body.get('product')} is not available at this address"}
        case "garbage":
            return 200, "<html>It works!</html>"
        case "huge":
            return 200, "x" * 1_000_000
    version = body.get("version")
    if behaviour == "wrong_version":
        version = 1 if version != 1 else 2
    if behaviour == "unknown_version":
        version = 999
    return 200, {"status": "done", "version": version, "serial": f"SN-{int(key):08d}"}


class Door(BaseHTTPRequestHandler):
    """POST one task; GET tells what was done."""

    protocol_version = "HTTP/1.1"
    server: "RehearsalServer"

    def do_POST(self) -> None:
        key = self.headers.get("Idempotency-Key", "")
        try:
            length = min(int(self.headers.get("Content-Length", "0")), LARGEST_REQUEST)
            body = json.loads(self.rfile.read(length))
        except ValueError:
            body = None
        if not key.isdigit() or not isinstance(body, dict):
            self._say(400, {"reason": "a JSON object and an Idempotency-Key are wanted"})
            return
        self._say(*self.server.memory.answer(key, body))

    def do_GET(self) -> None:
        memory = self.server.memory
        self._say(200, {"asked": sum(memory.asked.values()), "done": len(memory.done)})

    def _say(self, status: int, answer: Any) -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        payload = text.encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        except OSError:  # who asked has gone away
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Say nothing: the task keeps request and answer."""


class RehearsalServer(ThreadingHTTPServer):
    """The server and its memory; `port` 0 takes a free one."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int = 0, *, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()
        self.started = time.monotonic()
        super().__init__(("127.0.0.1", port), Door)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up in the middle is no news here."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def stop(self) -> None:
        self.memory.stopping.set()
        self.shutdown()
        self.server_close()
