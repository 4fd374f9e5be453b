"""Which lines a revision goes on from: its own charge's, or those of the price it took over."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from billing.explaining.rules.taxes import Earlier
from o2b.money import sum_of

MOST_CHARGES = 8  # of one measure that are tried in every combination


class BilledLine(NamedTuple):
    """A line of a period and segment that was billed before another."""

    charge_id: int
    net: Decimal
    tax: Decimal


def earlier_of(
    own: Sequence[BilledLine], others: Iterable[BilledLine], *, told: Decimal | None
) -> Earlier:
    """The sum of the earlier revisions; `told` is what the line says that it was.

    A usage charge of a corrected price goes on from lines of the charges that it took over from
    (`o2b.charging.succeeding`): those among `others` whose sum is what was told. If there are no
    such, its own.
    """
    alone = _sum(own)
    if told is None or alone.net == told:
        return alone
    by_charge: dict[int, list[BilledLine]] = {}
    for line in others:
        by_charge.setdefault(line.charge_id, []).append(line)
    for chosen in _choices(by_charge):
        found = _sum([*own, *chosen])
        if found.net == told:
            return found
    return alone


def _choices(by_charge: Mapping[int, list[BilledLine]]) -> Iterable[list[BilledLine]]:
    """All of them first, then fewer."""
    groups = list(by_charge.values())
    yield [line for group in groups for line in group]
    if len(groups) <= MOST_CHARGES:
        for size in range(len(groups) - 1, 0, -1):
            for some in combinations(groups, size):
                yield [line for group in some for line in group]


def _sum(lines: Sequence[BilledLine]) -> Earlier:
    return Earlier(sum_of(line.net for line in lines), sum_of(line.tax for line in lines))
