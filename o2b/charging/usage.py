"""What was used of a charge: totals by day, and single events where the price needs them."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from o2b.charging.decks import DeckRate, NoRate


class Aggregation(StrEnum):
    """How events become the quantity of a period; `o2b.charging.aggregating` has the formulas.

    sum: of their values. count: how many they are. max: the highest value. last: that of the latest
    event. unique: how many different values. average: over time, each value holding until the next
    event. each: their sum, and models that price events (percentage, rated) see every one of them.
    Sources: Lago (billable metrics) and OpenMeter (meters).
    """

    SUM = "sum"
    COUNT = "count"
    MAX = "max"
    LAST = "last"
    UNIQUE = "unique"
    AVERAGE = "average"
    EACH = "each"


EventValues = tuple[Decimal, datetime | None, "DeckRate | NoRate | None", Decimal]


class Event(NamedTuple):
    """One event: its value (money, the seconds of a call, a level) and its local moment.

    `rate`: where a deck prices calls, what it says of the called number. `covered` are the billed
    seconds of a call that are prepaid.
    """

    value: Decimal
    at: datetime | None = None
    rate: DeckRate | NoRate | None = None
    covered: Decimal = Decimal(0)


# An Event of its four values, for those who make a million: less than half of the time.
event_of: Callable[[EventValues], Event] = partial(tuple.__new__, Event)  # type: ignore[arg-type]


class Used(NamedTuple):
    """What was used on a day; there may be several rows of one, in any order.

    `quantity` is what the rows of a day add up to (sum, each), how many events they hold (count),
    the highest (max) or the last value (last, average). `events` stand where the model asks for
    them one by one, and for last and average where the time of the day matters: a row without
    them is one event at the beginning of its day. `values` are the different values of unique.
    """

    day: date
    quantity: Decimal
    events: tuple[Event, ...] = ()
    values: tuple[str, ...] = ()
