"""A provisioning system to rehearse with: idempotent by key, and as bad as it is told to be."""

import json
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from orders.gateways.signatures import HEADER, sign

# Told by a parameter or characteristic "behaviour".
BEHAVIOURS = (
    "ok",
    "slow",
    "hang",
    "late",
    "500",
    "flaky",
    "reject",
    "garbage",
    "bad_json",
    "huge",
    "drip",
    "drip_head",
    "reset",
    "redirect",
    "wrong_version",
    "unknown_version",
    "async",
    "async_poll",
    "async_fails",
    "double",
    "forged",
)
ASYNC = frozenset({"async", "async_poll", "async_fails", "double", "forged"})
CALLS_BACK = {"async": 1, "async_fails": 1, "double": 2, "forged": 1}
SLOW_SECONDS = 2.0
HANG_SECONDS = 30.0
ASYNC_SECONDS = 2.0
DRIP_SECONDS = 0.5
HUGE = 10_000_000
LARGEST_REQUEST = 256 * 1024
KEY = re.compile(r"[0-9]+(-[0-9]+)?")


@dataclass
class Memory:
    """What the server was asked and what it did; tests and the demo's page look at it."""

    fail_rate: float = 0.0
    slow_seconds: float = SLOW_SECONDS
    hang_seconds: float = HANG_SECONDS
    async_seconds: float = ASYNC_SECONDS
    drip_seconds: float = DRIP_SECONDS
    secret: str = ""
    asked: dict[str, int] = field(default_factory=dict)
    polled: dict[str, int] = field(default_factory=dict)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    ready_at: dict[str, float] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    called_back: list[tuple[str, int]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, key: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and answer; one key is done once, however often it is asked, and as at first."""
        with self.lock:
            self.asked[key] = tries = self.asked.get(key, 0) + 1
        if self.fail_rate and random.random() < self.fail_rate:
            return 503, {"reason": "overloaded"}
        behaviour = behaviour_of(body)
        if behaviour == "slow":
            self.stopping.wait(self.slow_seconds)
        if behaviour == "hang":
            self.stopping.wait(self.hang_seconds)
        status, answer = _plain_answer(behaviour, tries, body, key)
        if status != 200:
            return status, answer
        if self.bodies.setdefault(key, body) != body:
            return 409, {"reason": f"{key} was done already, as it was asked before"}
        said, is_new = self._do(key, answer, body)
        if behaviour == "late" and is_new:  # it is done, but who asked has given up
            self.stopping.wait(self.slow_seconds)
        if behaviour in ASYNC:
            return self._accept(key, behaviour, body)
        return said

    def _do(self, key: str, answer: Any, body: dict[str, Any]) -> tuple[tuple[int, Any], bool]:
        """Once a key; the same answer ever after."""
        with self.lock:
            is_new = key not in self.answers
            if is_new:
                self.answers[key] = (200, answer)
                (self.removed if _removes(body) else self.done).append(key)
            return self.answers[key], is_new

    def _accept(self, key: str, behaviour: str, body: dict[str, Any]) -> tuple[int, Any]:
        """202 now; the rest by call-back, and for who asks how far it is."""
        with self.lock:
            is_new = key not in self.ready_at
            if is_new:
                self.ready_at[key] = time.monotonic() + self.async_seconds
        if is_new and behaviour in CALLS_BACK:
            told = (key, behaviour, str(body.get("callback", "")))
            threading.Thread(target=self._call_back, args=told, daemon=True).start()
        return 202, {"status": "accepted", "poll": f"status/{key}"}

    def state(self, key: str) -> tuple[int, Any]:
        """How far something is that was accepted."""
        with self.lock:
            self.polled[key] = self.polled.get(key, 0) + 1
            if key not in self.ready_at:
                return 404, {"reason": "nobody asked for that"}
            if time.monotonic() < self.ready_at[key]:
                return 200, {"status": "accepted", "reason": "still at it"}
            return self.answers[key]

    def _call_back(self, key: str, behaviour: str, url: str) -> None:
        self.stopping.wait(self.async_seconds)
        task = int(key.partition("-")[0])
        answer = {"task": task, **self.answers[key][1]}
        if behaviour == "async_fails":
            answer = {"task": task, "status": "failed", "reason": "no free port"}
        secret = "somebody else's" if behaviour == "forged" else self.secret
        for _ in range(CALLS_BACK[behaviour]):
            self.called_back.append((key, call_back(url, answer, secret=secret)))


def call_back(url: str, answer: dict[str, Any], *, secret: str, moment: int | None = None) -> int:
    """Call back as an outside system does, signed; the status of the answer, 0 for none."""
    body = json.dumps(answer).encode()
    signed = sign(body, secret=secret, moment=int(time.time()) if moment is None else moment)
    told = {"Content-Type": "application/json", HEADER: signed}
    try:
        return httpx.post(url, content=body, headers=told, timeout=5, trust_env=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0


def behaviour_of(body: dict[str, Any]) -> str:
    for place in ("characteristics", "parameters"):
        told = body.get(place)
        if isinstance(told, dict) and told.get("behaviour") in BEHAVIOURS:
            return str(told["behaviour"])
    return "ok"


def _removes(body: dict[str, Any]) -> bool:
    told = body.get("parameters")
    return isinstance(told, dict) and told.get("action") == "remove"


def _plain_answer(behaviour: str, tries: int, body: dict[str, Any], key: str) -> tuple[int, Any]:
    bad: dict[str, tuple[int, Any]] = {
        "500": (500, {"reason": "something broke"}),
        "reject": (422, {"reason": f"{body.get('product')} is not available at this address"}),
        "garbage": (200, "<html>It works!</html>"),
        "bad_json": (200, '{"status": "done", "version": NaN}'),
    }
    if behaviour == "flaky" and tries == 1:
        return 500, {"reason": "not yet"}
    if behaviour == "huge":
        return 200, "x" * HUGE
    if behaviour in bad:
        return bad[behaviour]
    if _removes(body):
        return 200, {"status": "done"}
    version = body.get("version")
    said = {"wrong_version": 1 if version != 1 else 2, "unknown_version": 999}
    return 200, {
        "status": "done",
        "version": said.get(behaviour, version),
        "serial": f"SN-{key:0>8}",
    }


class Door(BaseHTTPRequestHandler):
    """POST one task; GET /status/<key> tells how far it is, GET anything else what was done."""

    protocol_version = "HTTP/1.1"
    server: "RehearsalServer"

    def do_POST(self) -> None:
        key = self.headers.get("Idempotency-Key", "")
        try:
            length = min(int(self.headers.get("Content-Length", "0")), LARGEST_REQUEST)
            body = json.loads(self.rfile.read(length))
        except ValueError:
            body = None
        if not KEY.fullmatch(key) or not isinstance(body, dict):
            self._say(400, {"reason": "a JSON object and an Idempotency-Key are wanted"})
            return
        rude: dict[str, Callable[[], None]] = {
            "drip": lambda: self._drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
            "drip_head": lambda: self._drip(b"HTTP/1.1 200 OK\r\n"),
            "reset": self._reset,
            "redirect": self._redirect,
        }
        status, answer = self.server.memory.answer(key, body)
        rude.get(behaviour_of(body), lambda: self._say(status, answer))()

    def do_GET(self) -> None:
        memory = self.server.memory
        place, _, key = self.path.strip("/").rpartition("/")
        if place == "status":
            self._say(*memory.state(key))
            return
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

    def _drip(self, begun: bytes) -> None:
        """A beginning, and then a byte now and then, for ever."""
        self.close_connection = True
        memory = self.server.memory
        try:
            self.wfile.write(begun)
            while not memory.stopping.wait(memory.drip_seconds):
                self.wfile.write(b"x")
        except OSError:
            return

    def _reset(self) -> None:
        """Hang up without a word."""
        self.close_connection = True
        self.connection.close()

    def _redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

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
