"""What was taken under the id of an event, and whether the event says the same."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from subscriptions.usage.rules.judging import LONGEST_TEXT, REPLACES, RETRACTS, USED
from subscriptions.usage.rules.told import Told


class Known(NamedTuple):
    """An event that was taken; `corrects` is the id of the one that it replaces or retracts."""

    kind: int
    meter: str
    subject: str
    at: datetime
    value: Decimal
    corrects: str


def may_be_known(told: Told) -> bool:
    """Whether an event of such a name can have been taken at all."""
    return all(
        0 < len(text) <= LONGEST_TEXT and text.isprintable() for text in (told.source, told.id)
    )


def differs(told: Told, known: Known | None) -> bool:
    """Whether it says something else than what was taken; what is gone differs from nothing."""
    if known is None:
        return False
    kind = RETRACTS if told.retracts else REPLACES if told.replaces else USED
    if (kind, told.retracts or told.replaces) != (known.kind, known.corrects):
        return True
    if kind == RETRACTS:
        return False
    said = told.meter, told.subject, told.time
    return said != (known.meter, known.subject, known.at) or not _same(told.value, known.value)


def _same(told: Decimal | None, known: Decimal) -> bool:
    """An event without a value is one; NaN is no value."""
    if told is None:
        return known == 1
    return told.is_finite() and told == known
