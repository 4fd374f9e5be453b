"""Bill by difference: what should have been billed up to a day, minus what has been billed."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2b.charging import memory
from o2b.charging.basis import Basis, UsageBasis
from o2b.charging.facts import (
    WHOLE,
    ChargeFacts,
    CompiledCharge,
    DraftLine,
    Mark,
    Segment,
    compile_charge,
)
from o2b.charging.proration import delivered_of, targets
from o2b.charging.ramps import terms_on
from o2b.charging.rating import RatedPeriod, rate_usage
from o2b.charging.schedule import Piece, Schedule, Walk, schedule_of, walk
from o2b.charging.sharing import Of, Part, dealt
from o2b.charging.terms import ChargeTerms, Kind
from o2b.money import EXACT, quantise
from o2b.periods import FOREVER, Period

PERIOD, ONE_TIME, CHANGE, LATE, POOL = "period", "one_time", "change", "late_usage", "pool"
REVERSAL = "reversal"  # of lines that mirror others; drafting never gives it

_USAGE = ChargeFacts._fields.index("usage")  # what comes before it tells all of the periods

_ZERO = Decimal(0)

# A DraftLine without its ref: what charges of equal terms and dates have in common.
_Rest = tuple[str, Period, Period, int, int, Decimal, Decimal, Decimal, str, Basis | None]


class _Outcome(NamedTuple):
    lines: tuple[_Rest, ...]
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
    if billed is not None or len(segments) != 1 or not _is_common(segments[0]):
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
    """What is each charge's own: of usage, and of a part that one of several payers has."""
    terms = compiled.terms
    schedule, walked = _scheduled(charge, compiled, until)
    rated: list[RatedPeriod] = []
    if schedule is not None and terms.kind is Kind.USAGE:
        rated = rate_usage(charge, terms, schedule, walked)
        walked = _until_over(schedule, walked, until)._replace(periods=())
    return _difference(charge, terms, walked, rated)


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
    stands = {each.period_start for each in charge.billed or () if not each.undone}
    starts = sorted(stands, reverse=True)
    # What was billed on another grid (the start has moved) is taken back, not continued.
    billed_to = next((each for each in starts if schedule.period_on(each).start == each), None)
    return walk(schedule, since=since, until=until, billed_to=billed_to)


def _difference(
    charge: ChargeFacts, terms: ChargeTerms, walked: Walk, rated: Iterable[RatedPeriod] = ()
) -> _Outcome:
    differ = _Differ(charge, terms)
    for full, pieces in walked.periods:
        differ.add(full, pieces)
    for each in rated:
        differ.add_usage(each)
    through = walked.through
    if through is None and charge.billed is None:
        through = charge.billed_through
    return _Outcome(tuple(differ.lines()), Mark(through, walked.next_due_on))


class _Differ:
    """Targets against what was billed, for each full period and segment."""

    def __init__(self, charge: ChargeFacts, terms: ChargeTerms) -> None:
        billed = charge.billed or ()
        self.terms = terms
        self.started_on = charge.started_on
        self.left = {(each.period_start, each.segment): each for each in billed}
        self.known = {each.period_start for each in billed if not each.undone}
        self.full_periods: dict[date, Period] = {}
        self.cause = ONE_TIME if terms.kind is Kind.ONE_TIME else PERIOD
        self.late_to = charge.billed_through if charge.late else None
        self.late = charge.late
        self.late_cause = LATE if charge.prepaid is None else POOL
        self.sharing = charge.sharing
        self.found: list[_Rest] = []

    def add(self, full: Period, pieces: tuple[Piece, ...]) -> None:
        """Bill what each piece should cost less what it has been billed."""
        in_force = None
        if self.terms.ramp:
            started_on = self.started_on
            in_force = [
                terms_on(self.terms, each.period.start, started_on=started_on) for each in pieces
            ]
        shares = [(each.quantity, each.period) for each in pieces]
        delivered = delivered_of(each.delivered for each in pieces)
        amounts = targets(self.terms, shares, full=full, in_force=in_force, delivered=delivered)
        own = dealt(self._part(pieces[0].period.start), amounts, self.terms.currency)
        for n, (piece, (target, of)) in enumerate(zip(pieces, own, strict=True), start=1):
            self._add(full, piece, target, shares[:n], delivered[:n], of=of)

    def _part(self, day: date) -> Part | None:
        """The payer's part of a period is that of the first day which is billed of it."""
        return None if self.sharing is None else self.sharing.on(day)

    def add_usage(self, rated: RatedPeriod) -> None:
        """A period of usage is one piece; one that costs nothing and saw nothing has no line.

        The mark moves over it all the same, and usage that is told later is billed as late if the
        charge says so (a period that had no line too), else as a change of the charge. Of one that
        draws from a pool the usage of others may be what was told later.
        """
        full = rated.full
        seen = full.start in self.known and (full.start, 1) in self.left
        if rated.amount or rated.quantity or seen:
            passed = self.late_to is not None and full.end <= self.late_to
            cause = self.late_cause if self.late and (seen or passed) else ""
            piece = Piece(1, rated.served, rated.quantity)
            part = self._part(rated.served.start)
            ((amount, of),) = dealt(part, [rated.amount], self.terms.currency)
            self._add(full, piece, amount, rated.shares, (), cause, rated.basis, of)

    def _add(
        self,
        full: Period,
        piece: Piece,
        target: Decimal,
        shares: Sequence[tuple[Decimal, Period]],
        delivered: tuple[Decimal, ...],
        cause: str = "",
        usage: UsageBasis | None = None,
        of: Of | None = None,
    ) -> None:
        """One piece; who has no part of it and was billed none gets no line."""
        self.full_periods[full.start] = full
        segment, period, quantity, _ = piece
        if delivered:
            quantity = EXACT.multiply(quantity, delivered[-1])
        cause = cause or (CHANGE if full.start in self.known else self.cause)
        before = self.left.pop((full.start, segment), None)
        if before is None and of is not None and not of.part.percent:
            return
        revision, amount = 1, target
        if before is not None:
            revision, amount = before.revision + 1, EXACT.subtract(target, before.amount)
            if not amount:
                return
        key, basis = self.terms.key, None
        if segment > 1 or before is not None or usage is not None or of is not None or delivered:
            part, whole = of or (None, None)
            told = before.amount if before else None
            basis = Basis(tuple(shares), told, usage, part, whole, delivered)
        self.found.append(
            (key, period, full, segment, revision, quantity, amount, target, cause, basis)
        )

    def lines(self) -> list[_Rest]:
        """All lines by period and segment; what was billed and is no more gets target 0."""
        key, nothing = self.terms.key, quantise(_ZERO, self.terms.currency)
        for gone in self.left.values():
            if not gone.amount:
                continue
            billed = Period(gone.period_start, gone.period_end)
            full = self.full_periods.get(gone.period_start, billed)
            amount, revision = EXACT.subtract(nothing, gone.amount), gone.revision + 1
            basis = Basis((), gone.amount)
            self.found.append(
                (key, billed, full, gone.segment, revision, _ZERO, amount, nothing, CHANGE, basis)
            )
        if self.left:
            self.found.sort(key=lambda line: (line[2].start, line[3]))
        return self.found
