"""How far a promise is in danger: the forecast against the day, the worst of many."""

from collections.abc import Iterable
from datetime import datetime

GREEN, AMBER, RED = "green", "amber", "red"
WORSE = (GREEN, AMBER, RED)
EATEN_PERCENT = 80  # of the slack that there was when the day was promised


def of_promise(
    *, forecast_at: datetime, promise_ends_at: datetime, when_promised: datetime | None
) -> str:
    """Red when the forecast misses the promised day, amber when it has eaten most of the slack.

    The slack is what lay between the forecast and the end of the day when it was promised.
    """
    if forecast_at >= promise_ends_at:
        return RED
    if when_promised is None or when_promised >= promise_ends_at:
        return GREEN
    slack, eaten = promise_ends_at - when_promised, forecast_at - when_promised
    return AMBER if eaten * 100 > slack * EATEN_PERCENT else GREEN


def worst(levels: Iterable[str]) -> str:
    """The worst of some levels; of none, green."""
    return max(levels, key=WORSE.index, default=GREEN)
