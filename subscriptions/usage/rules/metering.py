"""Totals by day as charging takes them: what bill runs and pages of usage are computed from."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from json import loads
from typing import NamedTuple

from o2b.charging import Aggregation, DeckRate, Event, NoRate, Used
from subscriptions.usage.rules.parts import read_part

# The rate of a called number (none if none was said) on a day, by the deck of a charge.
RateOf = Callable[[str, date], DeckRate | NoRate]

_read = lru_cache(maxsize=65_536)(read_part)


class Total(NamedTuple):
    """What a service used on a day in one part.

    `last_at` is told by the account's own clock, where the last value is asked for.
    """

    day: date
    part: str
    quantity: Decimal
    events: int
    last_at: datetime | None


class ByDeck(NamedTuple):
    """Whose calls are rated by a deck: the dimension that is the called number, and its rate."""

    number: str
    rate: RateOf


def used_of(
    total: Total, aggregation: Aggregation, where: str | None, by_deck: ByDeck | None = None
) -> Used | None:
    """A total as charging takes it; None where its dimensions do not count for this charge.

    `where` is the JSON {dimension: [values that count]} of the charge.
    """
    part = _read(total.part)
    if where is not None and not is_for(part.dimensions, where):
        return None
    value = part.value
    if value is None:
        if aggregation is Aggregation.LAST:
            return Used(total.day, total.quantity, (Event(total.quantity, total.last_at),))
        return Used(total.day, total.quantity)
    if aggregation is Aggregation.UNIQUE:
        return Used(total.day, Decimal(total.events), values=(f"{value:f}",))
    at = datetime.combine(total.day, part.at) if part.at else None
    if aggregation is Aggregation.AVERAGE:
        return Used(total.day, value, (Event(value, at),))
    rate = None
    if by_deck is not None:
        rate = by_deck.rate(part.dimensions.get(by_deck.number, ""), total.day)
    return Used(total.day, total.quantity, (Event(value, at, rate),) * total.events)


@lru_cache(maxsize=1024)
def _wanted(where: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(values) for name, values in loads(where).items()}


def is_for(dimensions: Mapping[str, str], where: str) -> bool:
    """Whether what an event says is among the values that count for a charge."""
    return all(dimensions.get(name) in values for name, values in _wanted(where).items())
