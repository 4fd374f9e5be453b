"""What a handler is told and what it may answer; no Django, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Job:
    """One automatic task as its handler sees it; `task_id` is the key that makes it idempotent."""

    task_id: int
    key: str
    handler: str
    order_id: int
    line_id: int
    account_id: int
    product: str
    version: int
    quantity: Decimal
    characteristics: Mapping[str, Any]
    parameters: Mapping[str, Any]
    attempt: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked of the outside and what it answered, to be kept with the task."""

    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The step is taken; what is left unsaid was delivered as promised."""

    version: int | None = None
    quantity: Decimal | None = None
    serial: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    by_id: int | None = None
    exchange: Exchange = Exchange()


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Not now: the outside is away, slow or talks nonsense."""

    reason: str
    exchange: Exchange = Exchange()


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not work as it is asked; people must look at it."""

    reason: str
    exchange: Exchange = Exchange()


Outcome = Done | TryAgain | Failed
