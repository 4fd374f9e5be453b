"""The provisioning system: one POST a task, with an idempotency key and hard limits."""

import json
import logging
import ssl
import time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import httpx
from django.conf import settings

from orders.fulfilment.outcomes import Done, Exchange, Failed, Job, Outcome, TryAgain

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
ALL_SECONDS = 15.0  # an answer that drips is no answer
LARGEST_ANSWER = 64 * 1024
LONGEST_REASON = 500
LONGEST_SERIAL = 120
# Every exchange is kept with its task; a log line for each is only noise.
logging.getLogger("httpx").setLevel(logging.WARNING)

COME_BACK = frozenset({408, 425, 429})


class Unusable(Exception):
    """The answer is nothing that can be believed."""


def provision(job: Job) -> Outcome:
    """Ask for the service to be set up; a key that was seen before is answered, not done again."""
    url = settings.O2B_PROVISIONING_URL
    if not url:
        return Failed("O2B_PROVISIONING_URL is not set, so there is nobody to ask")
    asked = _request(job)
    try:
        status, answer = _post(url, asked, key=str(job.task_id))
    except (httpx.HTTPError, httpx.InvalidURL, Unusable) as exc:
        reason = f"{type(exc).__name__}: {exc}"[:LONGEST_REASON]
        return TryAgain(reason, Exchange(asked, {"error": reason}))
    return _outcome(status, answer, Exchange(asked, {"status": status, "body": answer}))


def _request(job: Job) -> dict[str, Any]:
    return {
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
    }


def _post(url: str, body: dict[str, Any], *, key: str) -> tuple[int, Any]:
    """Status and answer (parsed if it is JSON, else the beginning of its text)."""
    give_up = time.monotonic() + ALL_SECONDS
    limits = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    with (
        httpx.Client(timeout=limits, verify=_trust(), trust_env=False) as client,
        client.stream("POST", url, json=body, headers={"Idempotency-Key": key}) as response,
    ):
        read = bytearray()
        for chunk in response.iter_bytes():
            read += chunk
            if len(read) > LARGEST_ANSWER:
                raise Unusable(f"the answer is longer than {LARGEST_ANSWER} bytes")
            if time.monotonic() > give_up:
                raise Unusable(f"the answer took longer than {ALL_SECONDS:.0f} s")
    text = read.decode(errors="replace").replace("\0", "�")
    try:
        return response.status_code, json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return response.status_code, text[:LONGEST_REASON]


def _outcome(status: int, answer: Any, exchange: Exchange) -> Outcome:
    if status in COME_BACK or status >= 500:
        return TryAgain(f"answered {status}: {_reason(answer)}", exchange)
    if not 200 <= status < 300:
        return Failed(f"refused ({status}): {_reason(answer)}", exchange)
    try:
        return _believed(answer, exchange)
    except Unusable as exc:
        return TryAgain(f"the answer makes no sense: {exc}", exchange)


def _believed(answer: Any, exchange: Exchange) -> Done:
    if not isinstance(answer, dict):
        raise Unusable("it is no JSON object")
    version, serial = answer.get("version"), answer.get("serial", "")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
        raise Unusable("its version is no whole number")
    if version is not None and not 0 < version < 32768:
        raise Unusable("no version has that number")
    if not isinstance(serial, str) or len(serial) > LONGEST_SERIAL or "\0" in serial:
        raise Unusable("its serial is no short text")
    return Done(version=version, serial=serial, quantity=_quantity(answer), exchange=exchange)


def _quantity(answer: dict[str, Any]) -> Decimal | None:
    if answer.get("quantity") is None:
        return None
    try:
        quantity = Decimal(str(answer["quantity"]))
        exact = 0 < quantity < 10**12 and quantity == quantity.quantize(Decimal("0.000001"))
    except InvalidOperation as exc:
        raise Unusable("its quantity is no number") from exc
    if not exact:
        raise Unusable("its quantity is no quantity")
    return quantity


def _reason(answer: Any) -> str:
    if isinstance(answer, dict):
        answer = answer.get("reason") or answer.get("detail") or answer
    return str(answer)[:LONGEST_REASON]


def _no_number(name: str) -> Any:
    """JSON as Postgres keeps it knows no NaN and no Infinity."""
    raise ValueError(name)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
