"""What a handler is told and what it may answer; no database, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from o2b.asks import Standing
from orders.models.words import FailureClass, WaitsFor


@dataclass(frozen=True, slots=True)
class Job:
    """One automatic task as its handler sees it; what bears one `idempotency_key` is done once.

    `edits` counts how often it was asked differently after a definite refusal. `is_poll` says that
    the task waits for an answer already and is only asked how far it is. `standing` is there for
    handlers that declare `wants_standing`.
    """

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
    name: str = ""
    currency: str = ""
    undoes: int | None = None
    is_poll: bool = False
    request: Mapping[str, Any] | None = None
    standing: Standing | None = None
    edits: int = 0

    @property
    def idempotency_key(self) -> str:
        """What the outside knows it by; another one once what was refused is asked differently."""
        return f"{self.task_id}-{self.edits + 1}" if self.edits else str(self.task_id)


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
    serials: tuple[str, ...] = ()
    # The last of several parts, whose evidence is there already: `quantity` is what was left.
    is_part: bool = False
    # Minutes that a person worked; what it cost beside them as (kind, amount, note).
    minutes: int | None = None
    costs: tuple[tuple[str, Decimal, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """It has begun and ends later: by a call-back, a person, a day; polled if `poll_after` is told.

    `until` is a moment of the account's clock, `poll_after` seconds of the machine's.
    """

    on: WaitsFor
    until: datetime | None = None
    poll_after: int | None = None
    reason: str = ""
    exchange: Exchange = Exchange()


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Not now: the outside is away, slow or talks nonsense."""

    reason: str
    exchange: Exchange = Exchange()
    kind: FailureClass = FailureClass.BROKEN


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not work as it is asked; people must look at it."""

    reason: str
    exchange: Exchange = Exchange()
    kind: FailureClass = FailureClass.REFUSED


Outcome = Done | Waiting | TryAgain | Failed
