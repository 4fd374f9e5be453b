"""The example of docs/handlers.md, run as it stands there: number plates from a registry."""

from collections.abc import Mapping
from typing import Any

import httpx

from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Exchange, Failed, Job, Outcome, TryAgain
from orders.models.words import FailureClass

SECONDS = 5.0


def faults(parameters: Mapping[str, Any]) -> list[str]:
    """What a plan may not say; an expression ("=…") is looked at when it is laid."""
    district = parameters.get("district")
    return [] if isinstance(district, str) and district.strip() else ["district: a text"]


def reserve(job: Job) -> Outcome:
    """Ask for a plate; the task's key makes the registry answer a second time what it did once."""
    if wrong := faults(job.parameters):
        return Failed("; ".join(wrong), kind=FailureClass.SET_UP)
    asked = {"district": job.parameters["district"], "line": job.line_id}
    try:
        answer = httpx.post(
            "http://registry.example/plates",
            json=asked,
            headers={"Idempotency-Key": f"task-{job.idempotency_key}"},
            timeout=SECONDS,
        )
        said = answer.json()
    except httpx.TimeoutException as exc:
        return TryAgain(f"no answer: {exc}", Exchange(asked), FailureClass.TIMEOUT)
    except (httpx.HTTPError, ValueError) as exc:
        return TryAgain(f"no answer: {exc}", Exchange(asked), FailureClass.UNREACHABLE)
    exchange = Exchange(asked, {"status": answer.status_code, "body": said})
    if answer.status_code >= 500:
        return TryAgain("the registry is broken", exchange, FailureClass.SERVER_ERROR)
    if answer.status_code >= 400 or "plate" not in said:
        return Failed("the registry refuses it", exchange, FailureClass.REFUSED)
    return Done(serial=str(said["plate"])[:120], exchange=exchange)


NUMBER_PLATE = Handler(run=reserve, system="registry", faults=faults)
