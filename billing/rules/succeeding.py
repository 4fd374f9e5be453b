"""Who answers for what was billed when the price of a measure was corrected from a past day.

Another price is another charge. What was billed for a period of which the old one has no day left
counts as billed of the one that serves it now, so that the correction is one net line.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from o2b.charging import Billed
from o2b.money import EXACT

History = dict[int, tuple[Billed, ...]]


class Days(NamedTuple):
    """Days of a charge, the `end` outside; not `goes_on`: the service ends with them."""

    start: date
    end: date
    goes_on: bool = True

    def touches(self, billed: Billed) -> bool:
        """Whether one of them lies in a period, or may: a last day may be billed too."""
        end = self.end if self.goes_on else self.end + timedelta(days=1)
        return self.start < billed.period_end and billed.period_start < end


class Successor(NamedTuple):
    """A charge of a measure with its days; all of a measure stand on one grid of periods."""

    charge_id: int
    days: tuple[Days, ...]


def succeeded(
    measures: Iterable[Sequence[Successor]], history: Mapping[int, tuple[Billed, ...]]
) -> History:
    """The history in which each billed period belongs to a charge that serves it.

    It is a partition: whatever is told of the days later, each line counts for one charge. A period
    that nobody serves stays with who was billed.
    """
    found: History = dict(history)
    for measure in measures:
        found |= _of_measure(measure, history)
    return found


def _of_measure(measure: Sequence[Successor], history: Mapping[int, tuple[Billed, ...]]) -> History:
    own: dict[int, list[Billed]] = {each.charge_id: [] for each in measure}
    for each in sorted(measure):
        for billed in history.get(each.charge_id, ()):
            own[_holder(each, billed, measure)].append(billed)
    return {charge_id: _summed(rows) for charge_id, rows in own.items()}


def _holder(charge: Successor, billed: Billed, measure: Sequence[Successor]) -> int:
    first = {
        each.charge_id: min(days.start for days in each.days if days.touches(billed))
        for each in measure
        if any(days.touches(billed) for days in each.days)
    }
    if charge.charge_id in first or not first:
        return charge.charge_id
    return min(first, key=lambda charge_id: (first[charge_id], charge_id))


def _summed(rows: Iterable[Billed]) -> tuple[Billed, ...]:
    """One of each period and segment, at the rate of the oldest charge."""
    found: dict[tuple[date, int], Billed] = {}
    for row in rows:
        key = (row.period_start, row.segment)
        known = found.get(key)
        found[key] = (
            row
            if known is None
            else known._replace(
                revision=max(known.revision, row.revision),
                amount=EXACT.add(known.amount, row.amount),
                period_end=max(known.period_end, row.period_end),
                percent=row.percent if known.undone else known.percent,
                tax=EXACT.add(known.tax, row.tax),
                undone=known.undone and row.undone,
            )
        )
    return tuple(found[key] for key in sorted(found))
