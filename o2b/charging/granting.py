"""What charges grant: the lots that come into a pool or a wallet with each period or order."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from o2b.charging.allowances import Part, included_units
from o2b.charging.facts import ChargeFacts
from o2b.charging.measuring import Measuring
from o2b.charging.pooling import Lot
from o2b.charging.rating import terms_of, walk_to
from o2b.charging.schedule import Schedule, schedule_of
from o2b.charging.terms import Allowance, Grant, Kind
from o2b.charging.usage import Aggregation
from o2b.money import EXACT
from o2b.periods import Period

_ZERO = Decimal(0)


def lots_of(ref: str, charge: ChargeFacts, *, on: date) -> list[Lot]:
    """What a charge granted up to a day, a lot for each full period or one for all.

    A recurring charge grants in each period that it serves, from the first day served until the
    period or service ends; units × quantity, prorated as an allowance is. What a larger quantity
    brings begins on its day. A one-time charge grants on its day.
    """
    terms = terms_of(charge)
    grant = terms.grant
    schedule = schedule_of(charge, terms)
    if grant is None or schedule is None or on < schedule.begins_on:
        return []
    if terms.kind is Kind.ONE_TIME:
        return [_once(ref, grant, schedule.begins_on, charge.segments[0].quantity)]
    by = Allowance(grant.units, prorated=grant.prorated, per_unit=grant.per_unit)
    usage = Measuring((), terms, Aggregation.SUM)
    goes_on = not charge.segments[-1].ends
    found: list[Lot] = []
    for full, pieces in walk_to(schedule, on).periods:
        each = usage.of(full, pieces)
        ends = each.served.end
        lives = _lives(grant, schedule, full, ends, goes_on=goes_on)
        for n, units in _layers(by, each.parts):
            begins = each.days[n].start
            if units > 0 and begins <= on:
                name = f"{ref}:{full.start}" + (f"+{n}" if n else "")
                found.append(Lot(name, units, begins, ends, grant.priority, grant.rollover, lives))
    return found


def _layers(by: Allowance, parts: Sequence[Part]) -> Iterator[tuple[int, Decimal]]:
    """The units that each larger quantity brings, by the place of its part; they add up to all."""
    if not by.per_unit:
        yield 0, included_units(by, parts)
        return
    reached = _ZERO
    for n, part in enumerate(parts):
        if part.quantity <= reached:
            continue
        layer = [
            Part(max(EXACT.subtract(min(each.quantity, part.quantity), reached), _ZERO), each.share)
            for each in parts[n:]
        ]
        yield n, included_units(by, layer)
        reached = part.quantity


def _lives(
    grant: Grant, schedule: Schedule, full: Period, ends: date, *, goes_on: bool
) -> tuple[date, ...]:
    """The days until which what rolls over goes on; nothing does where service ends."""
    served_on = ends == full.end and (full.end < schedule.ends_on or goes_on)
    if grant.rollover is None or not served_on:
        return ()
    lives: list[date] = []
    for _ in range(grant.rollover_periods):
        lives.append(schedule.period_on(lives[-1] if lives else ends).end)
    return tuple(lives)


def _once(ref: str, grant: Grant, begins: date, quantity: Decimal) -> Lot:
    units = EXACT.multiply(grant.units, quantity) if grant.per_unit else grant.units
    if grant.lasts is None:
        return Lot(ref, units, begins, priority=grant.priority)
    again = grant.rollover_periods if grant.rollover is not None else 0
    ends, *lives = (grant.lasts.advance(begins, n) for n in range(1, again + 2))
    return Lot(ref, units, begins, ends, grant.priority, grant.rollover, tuple(lives))
