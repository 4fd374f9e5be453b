"""Who answers for what was billed when a price was corrected from a past day, and at which rate.

Another price is another charge. What was billed of a measure for a period of which the old one has
no day left counts as billed of the one that serves it now, so that the correction is one net line.
What recurs is given back and charged, each under its own Terms, at the rate of tax of the one bill.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.facts import Billed
from o2b.charging.taxing import tax_code_of
from o2b.charging.terms import ChargeTerms
from o2b.money import EXACT

_ZERO = Decimal(0)

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
    """A charge with its days; all of a measure stand on one grid of periods and one tax code."""

    charge_id: int
    days: tuple[Days, ...]


def alike(charge: ChargeTerms) -> Hashable:
    """What recurring charges of a service have in common that bear one rate of tax for a period."""
    return (
        *(charge.key, charge.currency, charge.interval, charge.timing, charge.alignment),
        *(charge.trial, tax_code_of(charge), charge.revenue_rule),
    )


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


def with_rates(
    measures: Iterable[Sequence[Successor]], history: Mapping[int, tuple[Billed, ...]]
) -> History:
    """The history in which each charge knows the rate of a period that another was billed for.

    Told is a row of segment 0 that bills nothing, and only where those bills reached days that are
    the charge's own now: what nobody was billed for is no correction.
    """
    found: History = dict(history)
    for measure in measures:
        for each in measure:
            told = _rates_for(each, measure, history)
            if told:
                found[each.charge_id] = (*told, *found.get(each.charge_id, ()))
    return found


def _rates_for(
    charge: Successor, measure: Sequence[Successor], history: Mapping[int, tuple[Billed, ...]]
) -> tuple[Billed, ...]:
    known = {row.period_start for row in history.get(charge.charge_id, ()) if not row.undone}
    found: dict[date, Billed] = {}
    for other in sorted(measure):
        for row in history.get(other.charge_id, ()):
            if row.undone or row.period_start in known or not _reached(charge, row):
                continue
            found.setdefault(row.period_start, row)
    return tuple(_rate_of(found[day]) for day in sorted(found))


def _reached(charge: Successor, billed: Billed) -> bool:
    served_to = billed.served_to or billed.period_end
    return any(
        days.start < served_to and billed.period_start < days.end
        for days in charge.days
        if days.touches(billed)
    )


def _rate_of(billed: Billed) -> Billed:
    return Billed(billed.period_start, 0, 0, _ZERO, billed.period_end, billed.percent)


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
                served_to=_later(known.served_to, row.served_to),
            )
        )
    return tuple(found[key] for key in sorted(found))


def _later(one: date | None, other: date | None) -> date | None:
    return max(one, other) if one and other else one or other
