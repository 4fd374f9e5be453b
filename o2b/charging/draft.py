"""Bill by difference: what should have been billed up to a day, minus what has been billed."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from o2b.charging import memory
from o2b.charging.begun import carried
from o2b.charging.differing import (
    CHANGE,
    LATE,
    ONE_TIME,
    PERIOD,
    POOL,
    REVERSAL,
    Differ,
    Rest,
)
from o2b.charging.facts import (
    WHOLE,
    ChargeFacts,
    CompiledCharge,
    DraftLine,
    Mark,
    Segment,
    compile_charge,
)
from o2b.charging.rating import RatedPeriod, rate_usage
from o2b.charging.schedule import Schedule, Walk, schedule_of, walk
from o2b.charging.terms import ChargeTerms, Kind
from o2b.periods import FOREVER, Period

__all__ = [
    "CHANGE",
    "LATE",
    "ONE_TIME",
    "PERIOD",
    "POOL",
    "REVERSAL",
    "draft",
    "draft_and_mark",
    "first_due_on",
    "mark",
]

_USAGE = ChargeFacts._fields.index("usage")  # what comes before it tells all of the periods

_ZERO = Decimal(0)


class _Outcome(NamedTuple):
    lines: tuple[Rest, ...]
    mark: Mark


def draft(charges: Iterable[ChargeFacts], *, until: date) -> list[DraftLine]:
    """Every line still to bill up to `until`, charge by charge, oldest period first.

    Billed are advance periods that start, and arrears periods that end, on or before `until`.
    """
    lines: list[DraftLine] = []
    for charge in charges:
        for rest in _outcome(charge, until).lines:
            lines.append(DraftLine(charge.ref, *rest))
    return lines


def mark(charge: ChargeFacts, *, until: date) -> Mark:
    """How the charge stands once the draft for `until` is billed."""
    return _outcome(charge, until).mark


def draft_and_mark(charge: ChargeFacts, *, until: date) -> tuple[list[DraftLine], Mark]:
    """Both answers at the price of one: what a bill run calls."""
    found = _outcome(charge, until)
    ref = charge.ref
    return [DraftLine(ref, *rest) for rest in found.lines], found.mark


def first_due_on(
    terms: ChargeTerms | CompiledCharge,
    *,
    started_on: date,
    anchor_day: int,
    ends_on: date = FOREVER,
) -> date | None:
    """The first day on which a new charge bills something."""
    segment = Segment(Period(started_on, ends_on), _ZERO)
    charge = ChargeFacts(0, terms, started_on, anchor_day, (segment,), None)
    return _outcome(charge, date.min).mark.next_due_on


def _outcome(charge: ChargeFacts, until: date) -> _Outcome:
    """Look the common case up by value: one open segment, nothing changed, nothing metered."""
    _, terms, started_on, anchor_day, segments, through, billed = charge[:7]
    compiled = terms if isinstance(terms, CompiledCharge) else compile_charge(terms)
    if compiled.metered or charge.sharing is not None:
        return _compute(charge, compiled, until)
    if charge.begun or billed is not None or len(segments) != 1 or not _is_common(segments[0]):
        return _changed(charge, compiled, until)
    begins = segments[0].period.start
    if begins < started_on:
        begins = started_on
    key = (
        compiled,
        segments[0].quantity,
        through,
        # Where service began matters until it has been billed, or if the grid hangs on it.
        begins if through is None or begins > through else None,
        started_on.day if compiled.anniversary else anchor_day,
        None if compiled.rootless else started_on,
        until,
    )
    found = memory.outcomes.get(key)
    if found is None:
        grid_key = (compiled.grid, *key[1:])
        walked = memory.walks.get(grid_key)
        if walked is None:
            walked = _walk_of(charge, schedule_of(charge, compiled.terms), until)
            memory.keep(memory.walks, grid_key, walked)
        found = _difference(charge, compiled.terms, walked)
        memory.keep(memory.outcomes, key, found)
    return found


def _is_common(segment: Segment) -> bool:
    return segment.period.end == FOREVER and segment.delivered == WHOLE


def _changed(charge: ChargeFacts, compiled: CompiledCharge, until: date) -> _Outcome:
    """Services that were changed alike, on equal days and after equal bills, are billed alike."""
    key = (compiled, *charge[2:], until)
    found = memory.changes.get(key)
    if found is None:
        walked = _walk_of(charge, schedule_of(charge, compiled.terms), until)
        found = _difference(charge, compiled.terms, walked)
        memory.keep(memory.changes, key, found)
    return found


def _compute(charge: ChargeFacts, compiled: CompiledCharge, until: date) -> _Outcome:
    """What is each charge's own: of usage, and of a part that one of several payers has.

    Whoever asks of the same usage again, all else being equal, is told what was found.
    """
    terms, usage = compiled.terms, charge.usage
    key = (compiled, *charge[2:_USAGE], *charge[_USAGE + 1 :], until)
    found = memory.take_rated(usage, key) if usage else None
    if found is not None:
        outcome: _Outcome = found
        return outcome
    schedule, walked = _scheduled(charge, compiled, until)
    rated: list[RatedPeriod] = []
    if schedule is not None and terms.kind is Kind.USAGE:
        rated = rate_usage(charge, terms, schedule, walked)
        walked = _until_over(schedule, walked, until)._replace(periods=())
    outcome = _difference(charge, terms, walked, rated)
    if usage:
        memory.keep_rated(usage, key, outcome)
    return outcome


def _scheduled(
    charge: ChargeFacts, compiled: CompiledCharge, until: date
) -> tuple[Schedule | None, Walk]:
    """The periods of a charge; those of others are equal, whatever was used in them."""
    key = (compiled, *charge[2:_USAGE], until)
    found = memory.schedules.get(key)
    if found is None:
        schedule = schedule_of(charge, compiled.terms)
        found = schedule, _walk_of(charge, schedule, until)
        memory.keep(memory.schedules, key, found)
    return found


def _until_over(schedule: Schedule, walked: Walk, until: date) -> Walk:
    """The mark of usage stops before a period that goes on, though some of it was billed before.

    What is used on its other days is told by nobody as late: it is looked at when it is over.
    """
    for full, _ in walked.periods:
        due_on = schedule.due_on(full, since=schedule.begins_on)
        if due_on > until:
            return walked._replace(through=full.start, next_due_on=due_on)
    return walked


def _walk_of(charge: ChargeFacts, schedule: Schedule | None, until: date) -> Walk:
    """All periods of a changed charge, else those that are not billed yet."""
    if schedule is None:
        return Walk((), None, None)
    since = schedule.begins_on
    if charge.billed is None and charge.billed_through is not None:
        since = max(since, charge.billed_through)
    stands = {each.period_start for each in charge.billed or () if each.segment and not each.undone}
    starts = sorted(stands, reverse=True)
    # What was billed on another grid (the start has moved) is taken back, not continued.
    billed_to = next((each for each in starts if schedule.period_on(each).start == each), None)
    if charge.begun and charge.billed_through is not None:
        last = schedule.period_on(charge.billed_through - timedelta(days=1))
        # What goes on with a period that was paid whole was billed it even if it has no line.
        if carried(charge.begun, start=last.start, end=last.end) is not None:
            billed_to = max(billed_to or last.start, last.start)
    return walk(schedule, since=since, until=until, billed_to=billed_to)


def _difference(
    charge: ChargeFacts, terms: ChargeTerms, walked: Walk, rated: Iterable[RatedPeriod] = ()
) -> _Outcome:
    differ = Differ(charge, terms)
    for full, pieces in walked.periods:
        differ.add(full, pieces)
    for each in rated:
        differ.add_usage(each)
    through = walked.through
    if through is None and charge.billed is None:
        through = charge.billed_through
    return _Outcome(tuple(differ.lines()), Mark(through, walked.next_due_on))
