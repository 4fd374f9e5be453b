"""What was used of a charge: totals by day, and single events where the price needs them."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Aggregation(StrEnum):
    """How events become the quantity of a period. Sources: Lago and OpenMeter (billable metrics).

    sum: of their values. count: how many they are. max: the highest value. last: that of the latest
    event. unique: how many different values. average: over time, each value holding until the next
    event. each: none; every event is priced by itself.
    """

    SUM = "sum"
    COUNT = "count"
    MAX = "max"
    LAST = "last"
    UNIQUE = "unique"
    AVERAGE = "average"
    EACH = "each"


class Event(NamedTuple):
    """One event: its value (an amount of money, the seconds of a call) and its local moment."""

    value: Decimal
    at: datetime | None = None


class Used(NamedTuple):
    """The quantity used on a day; `events` only where the model asks for them one by one."""

    day: date
    quantity: Decimal
    events: tuple[Event, ...] = ()
