"""What was used of a metered charge, as drafting and its check take it from totals by day."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from json import loads
from typing import NamedTuple

from o2b.charging import Aggregation, ChargeFacts, Event, Used
from o2b.periods import FOREVER
from subscriptions.usage.rules.parts import read_part

_STORED = Decimal("0.000001")  # what a line's quantity can hold

_read = lru_cache(maxsize=65_536)(read_part)


class UsageOf(NamedTuple):
    """What was used of a charge; `until` is today where its account lives: that day is not over.

    `seen` is the revision of the mark which says that usage of days that were over has come;
    `unseen`, that the last bill did not see it; `late`, that nothing else of the charge changed.
    """

    used: tuple[Used, ...] = ()
    aggregation: Aggregation = Aggregation.SUM
    until: date = FOREVER
    seen: int = 0
    unseen: bool = False
    late: bool = False


class Total(NamedTuple):
    """What a service used on a day in one part; `last_at` is told by the account's own clock."""

    day: date
    part: str
    quantity: Decimal
    events: int
    last_at: datetime


def used_of(total: Total, aggregation: Aggregation, where: str | None) -> Used | None:
    """A total as charging takes it; None where its dimensions do not count for this charge.

    `where` is the JSON {dimension: [values that count]} of the charge.
    """
    part = _read(total.part)
    if where is not None and not _counts(part.dimensions, where):
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
    return Used(total.day, total.quantity, (Event(value, at),) * total.events)


def with_usage(facts: ChargeFacts, usage: UsageOf) -> ChargeFacts:
    """The facts with what was used."""
    return facts._replace(usage=usage.used, aggregation=usage.aggregation, late=usage.late)


def stored_quantity(quantity: Decimal) -> Decimal:
    """Half up to the six decimals that a line keeps; what has fewer is left as it is.

    >>> stored_quantity(Decimal("0.0000005")), stored_quantity(Decimal("2.50"))
    (Decimal('0.000001'), Decimal('2.50'))
    """
    if int(quantity.as_tuple().exponent) >= -6:
        return quantity
    return quantity.quantize(_STORED, ROUND_HALF_UP)


@lru_cache(maxsize=1024)
def _wanted(where: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(values) for name, values in loads(where).items()}


def _counts(dimensions: Mapping[str, str], where: str) -> bool:
    return all(dimensions.get(name) in values for name, values in _wanted(where).items())
