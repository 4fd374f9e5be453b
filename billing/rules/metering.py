"""What was used of a metered charge, as drafting and its check take it from totals by day."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from o2b.charging import Aggregation, ChargeFacts, Used
from o2b.charging.facts import Prepaid
from o2b.periods import FOREVER

_STORED = Decimal("0.000001")  # what a line's quantity can hold


class PoolBroken(ValueError):
    """What a pool covers cannot be computed, so that nobody who draws from it can be billed."""


class UsageOf(NamedTuple):
    """What was used of a charge; `until` is today where its account lives: that day is not over.

    `seen` is the revision of the mark which says that usage of days that were over has come;
    `unseen`, that the last bill did not see it; `late`, that nothing else of a charge that was
    billed before changed.
    `again`: every period is rated again, for its item was ever changed or usage came late: of a
    changed item a period that goes on may have been billed in part. `prepaid` is what the pool
    covers that it draws from; None if it draws from none; `trouble` why that cannot be computed.
    """

    used: tuple[Used, ...] = ()
    aggregation: Aggregation = Aggregation.SUM
    until: date = FOREVER
    seen: int = 0
    unseen: bool = False
    late: bool = False
    again: bool = False
    prepaid: tuple[Prepaid, ...] | None = None
    trouble: str = ""


def with_usage(facts: ChargeFacts, usage: UsageOf) -> ChargeFacts:
    """The facts with what was used; PoolBroken where nobody can say what a pool covers of it."""
    if usage.trouble:
        raise PoolBroken(usage.trouble)
    return facts._replace(
        usage=usage.used,
        aggregation=usage.aggregation,
        late=usage.late,
        prepaid=usage.prepaid,
    )


def stored_quantity(quantity: Decimal) -> Decimal:
    """Half up to the six decimals that a line keeps; what has fewer is left as it is.

    >>> stored_quantity(Decimal("0.0000005")), stored_quantity(Decimal("2.50"))
    (Decimal('0.000001'), Decimal('2.50'))
    """
    if int(quantity.as_tuple().exponent) >= -6:
        return quantity
    return quantity.quantize(_STORED, ROUND_HALF_UP)
