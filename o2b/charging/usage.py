"""What was used of a charge: totals by day, and single events where the price needs them."""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


class Event(NamedTuple):
    """One event: its value (an amount of money, the seconds of a call) and its local moment."""

    value: Decimal
    at: datetime | None = None


class Used(NamedTuple):
    """The quantity used on a day; `events` only where the model asks for them one by one."""

    day: date
    quantity: Decimal
    events: tuple[Event, ...] = ()
