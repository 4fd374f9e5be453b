"""Graduated prices of units that came and went during the period, each counted from its day."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.models.blocks import quotient
from o2b.charging.models.tiers import TierTable
from o2b.charging.terms import Tier
from o2b.money import EXACT
from o2b.periods import Period

_ZERO = Decimal(0)


class Added(NamedTuple):
    """Units that came on a day; below zero they went."""

    day: date
    units: Decimal


def graduated_prorated(
    tiers: Sequence[Tier],
    period: Period,
    carried_over: Decimal = _ZERO,
    events: Iterable[Added] = (),
) -> Decimal:
    """Σ over events: the tiers' prices from the level before to the level after × days left ÷ days.

    The day of the event counts. Full units choose the tiers; what goes is taken from the top.
    Units carried over stand for the whole period. Flat fees are not prorated: those of every tier
    the highest level reached (the first always; where nothing counted only that). The unit part
    is never below zero, and units that end below zero cost nothing. Exact but for one division.
    Source: Lago, prorated graduated charges (recurring metrics).
    """
    table = TierTable(tiers)
    days = period.days
    level = highest = weighted = counted = _ZERO
    arrived = [(carried_over, days)] if carried_over else []
    for day, units in sorted(events, key=lambda each: each[0]):
        if not period.start <= day < period.end:
            raise ValueError(f"{day} is not within {period}")
        arrived.append((units, (period.end - day).days))
    for units, days_left in arrived:
        after = EXACT.add(level, units)
        difference = table.between(max(level, _ZERO), max(after, _ZERO))
        weighted = EXACT.fma(difference, days_left, weighted)
        counted = EXACT.fma(units, days_left, counted)
        level, highest = after, max(highest, after)
    if level < 0:
        return _ZERO
    if not counted:
        return table.fees(_ZERO)
    return EXACT.add(quotient(max(weighted, _ZERO), days), table.fees(highest))
