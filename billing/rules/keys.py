"""A charge as one text, so that equal ones are found equal; and what it says, for drafting."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from billing.rules.sharing import read_sharing
from o2b.charging import Billed, ChargeFacts, CompiledCharge, Segment
from o2b.charging.facts import WHOLE
from o2b.periods import FOREVER, Period


def terms_charge_of(key: str) -> int:
    """Its id."""
    return int(key.partition("|")[0])


def facts_of(
    keys: Sequence[str], compiled: CompiledCharge, billed: tuple[Billed, ...] | None
) -> ChargeFacts:
    """What `key` says, as drafting wants it."""
    segments = []
    for key in keys:
        _, quantity, started, anchor, through, begins, ends, *more = key.split("|")
        if not begins:
            continue
        span = Period(date.fromisoformat(begins), date.fromisoformat(ends) if ends else FOREVER)
        there = next((Decimal(each[1:]) for each in more if each.startswith("=")), WHOLE)
        segments.append(Segment(span, Decimal(quantity), "on" not in more, there))
    facts = ChargeFacts(
        0,
        compiled,
        date.fromisoformat(started),
        int(anchor),
        tuple(segments),
        date.fromisoformat(through) if through else None,
        billed,
    )
    if more and more[-1].startswith("/"):
        return facts._replace(sharing=read_sharing(more[-1][1:]))
    return facts
