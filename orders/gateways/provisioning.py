"""The provisioning system: one POST a task, with an idempotency key and hard limits.

It answers at once, or 202 and calls back, signed; until then it is asked how far it is.
"""

import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import httpx
from django.conf import settings
from django.utils.crypto import salted_hmac

from orders.fulfilment.outcomes import Exchange, Failed, Job, Outcome, TryAgain, Waiting
from orders.gateways.answers import (
    LONGEST_REASON,
    Unusable,
    believed,
    kept,
    no_number,
    reason_of,
    said_failed,
)
from orders.gateways.deadline import transport
from orders.models.words import FailureClass, WaitsFor

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
ALL_SECONDS = 15.0  # an answer that drips is no answer
LARGEST_ANSWER = 64 * 1024
LONGEST_ADDRESS = 2000
POLL_SECONDS = 30
MINUTES = 24 * 60
# How often and how long a plan may let us ask.
POLLS = (5, 24 * 60 * 60)
PATIENCE = (1, 60 * 24 * 60)
# Every exchange is kept with its task; a log line for each is only noise.
logging.getLogger("httpx").setLevel(logging.WARNING)

COME_BACK = frozenset({408, 425, 429})
NOT_SET_UP = frozenset({401, 403, 405, 407})
BROKEN = frozenset({500, 501, 502})  # any other that comes back is overloaded


def provision(job: Job) -> Outcome:
    """Ask for the service to be set up; a key that was seen before is answered, not done again."""
    url = settings.O2B_PROVISIONING_URL
    if not url:
        reason = "O2B_PROVISIONING_URL is not set, so there is nobody to ask"
        return Failed(reason, kind=FailureClass.SET_UP)
    asked = request_of(job)
    if job.is_poll and _is_too_late(job):
        waited = minutes_of(job.parameters, "give_up_after", MINUTES, PATIENCE)
        reason = f"no answer within {waited} minutes after it was accepted"
        return Failed(reason, Exchange(asked), kind=FailureClass.TIMEOUT)
    known = asked | _marks(job)
    try:
        poll = _poll_address(job)
        status, answer = _ask(poll or url, None if poll else asked, key=job.idempotency_key)
        said = _outcome(job, status, answer, asked)
        return replace(said, exchange=_exchange(said, known))
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as exc:
        reason = f"the address cannot be asked: {exc}"[:LONGEST_REASON]
        return Failed(reason, Exchange(asked, {"error": reason}), kind=FailureClass.SET_UP)
    except (httpx.HTTPError, Unusable) as exc:
        reason = f"{type(exc).__name__}: {exc}"[:LONGEST_REASON]
        return TryAgain(reason, Exchange(known, {"error": reason}), kind=_kind(exc))


def secret() -> str:
    """What outside systems sign their call-backs with; derived where none is set."""
    if settings.O2B_CALLBACK_SECRET:
        return str(settings.O2B_CALLBACK_SECRET)
    return salted_hmac("orders.callbacks", "provisioning", algorithm="sha256").hexdigest()


def request_of(job: Job) -> dict[str, Any]:
    """The body of a request; it says where to call back, and what it undoes."""
    asked: dict[str, Any] = {
        "task": job.task_id,
        "step": job.key,
        "order": job.order_id,
        "line": job.line_id,
        "account": job.account_id,
        "product": job.product,
        "version": job.version,
        "quantity": f"{job.quantity.normalize():f}",
        "characteristics": dict(job.characteristics),
        "parameters": dict(job.parameters),
        "callback": f"{settings.O2B_PUBLIC_URL}/orders/callbacks/{job.task_id}/",
    }
    return asked | ({"undoes": job.undoes} if job.undoes else {})


def _ask(url: str, body: dict[str, Any] | None, *, key: str) -> tuple[int, Any]:
    """Status and answer (parsed if it is JSON, else the beginning of its text)."""
    until = time.monotonic() + ALL_SECONDS
    limits = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    told = {"Idempotency-Key": key, "Accept-Encoding": "identity"}
    read = bytearray()
    with (
        httpx.Client(timeout=limits, transport=transport(until=until, trust=_trust())) as client,
        client.stream("GET" if body is None else "POST", url, json=body, headers=told) as response,
    ):
        for chunk in response.iter_raw():
            read += chunk
            if len(read) > LARGEST_ANSWER:
                raise Unusable(f"the answer is longer than {LARGEST_ANSWER} bytes")
    text = read.decode(errors="replace")
    try:
        return response.status_code, kept(json.loads(text, parse_constant=no_number))
    except (ValueError, RecursionError):
        return response.status_code, kept(text[:LONGEST_REASON])


def _outcome(job: Job, status: int, answer: Any, asked: dict[str, Any]) -> Outcome:
    exchange = Exchange(asked, {"status": status, "body": answer})
    if status in COME_BACK or status >= 500:
        kind = FailureClass.SERVER_ERROR if status in BROKEN else FailureClass.OVERLOADED
        return TryAgain(f"answered {status}: {reason_of(answer)}", exchange, kind=kind)
    if 300 <= status < 400 or status in NOT_SET_UP:
        reason = f"answered {status}: {reason_of(answer)}"
        return Failed(reason, exchange, kind=FailureClass.SET_UP)
    if not 200 <= status < 300:
        return Failed(f"refused ({status}): {reason_of(answer)}", exchange)
    try:
        return _believed(job, status, answer, exchange)
    except Unusable as exc:
        reason = f"the answer makes no sense: {exc}"
        return TryAgain(reason, exchange, kind=FailureClass.GARBAGE)


def _believed(job: Job, status: int, answer: Any, exchange: Exchange) -> Outcome:
    said = answer.get("status") if isinstance(answer, dict) else None
    if said == "accepted" or (status == 202 and said is None):
        return _waiting(job, answer if isinstance(answer, dict) else {}, exchange)
    if said == "failed":
        return said_failed(answer, exchange)
    return believed(answer, exchange)


def _waiting(job: Job, answer: dict[str, Any], exchange: Exchange) -> Waiting:
    """It calls back; until then it is asked again, at its own address if it names one of its."""
    marks = {"accepted_at": _now().isoformat()} | _marks(job)
    if poll := answer.get("poll") or marks.get("poll"):
        marks["poll"] = _ours(poll)
    every = minutes_of(job.parameters, "poll_every", POLL_SECONDS, POLLS)
    kept_request = {**(exchange.request or {}), **marks}
    return Waiting(
        WaitsFor.CALLBACK,
        poll_after=every,
        reason=reason_of(answer)[:200] if answer.get("reason") else "",
        exchange=replace(exchange, request=kept_request),
    )


def _ours(poll: Any) -> str:
    """An address of the same system: nobody lets us ask another one."""
    if not isinstance(poll, str) or not poll.isprintable() or len(poll) > LONGEST_ADDRESS:
        raise Unusable("its address to poll is none")
    base = httpx.URL(settings.O2B_PROVISIONING_URL)
    try:
        url = base.join(poll)
    except (httpx.InvalidURL, ValueError) as exc:
        raise Unusable("its address to poll is none") from exc
    if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port) or url.userinfo:
        raise Unusable("its address to poll belongs to another system")
    return str(url)


def _poll_address(job: Job) -> str:
    """Where to ask how far it is; empty: by the same request again, under the same key."""
    poll = _before(job).get("poll") if job.is_poll else None
    return _ours(poll) if poll else ""


def _is_too_late(job: Job) -> bool:
    """Whether it was accepted too long ago, by the machine's clock: the outside has no other."""
    try:
        since = datetime.fromisoformat(str(_before(job).get("accepted_at")))
    except ValueError:
        return False
    waited = minutes_of(job.parameters, "give_up_after", MINUTES, PATIENCE)
    return _now() >= since + timedelta(minutes=waited)


def _before(job: Job) -> Mapping[str, Any]:
    """What is kept of the request that was accepted; a person's retry begins anew."""
    return (job.request or {}) if job.is_poll or job.attempt > 1 else {}


def _marks(job: Job) -> dict[str, Any]:
    """Since when it is accepted and where to ask; it stays true while it is tried again."""
    return {name: said for name, said in _before(job).items() if name in ("accepted_at", "poll")}


def _exchange(said: Outcome, known: dict[str, Any]) -> Exchange:
    again = isinstance(said, TryAgain)
    return Exchange(known, said.exchange.response) if again else said.exchange


def minutes_of(
    parameters: Mapping[str, Any], name: str, usual: int, limits: tuple[int, int]
) -> int:
    """A whole number of a plan's parameters, within its limits."""
    said = parameters.get(name)
    if isinstance(said, bool) or not isinstance(said, int):
        return usual
    return min(max(said, limits[0]), limits[1])


def faults_of(parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with a plan's parameters; an expression is only known later."""
    return [
        f"{name} is a whole number from {least} to {most}"
        for name, (least, most) in (("poll_every", POLLS), ("give_up_after", PATIENCE))
        if name in parameters and not _fits(parameters[name], least, most)
    ]


def _fits(said: Any, least: int, most: int) -> bool:
    if isinstance(said, str):
        return said.startswith("=")
    return isinstance(said, int) and not isinstance(said, bool) and least <= said <= most


def _kind(exc: Exception) -> FailureClass:
    if isinstance(exc, httpx.TimeoutException):
        return FailureClass.TIMEOUT
    if isinstance(exc, Unusable | httpx.RemoteProtocolError | httpx.DecodingError):
        return FailureClass.GARBAGE
    return FailureClass.UNREACHABLE


def _now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
