"""Which full periods a charge has, when each is due, and which days of it were served."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.facts import WHOLE, ChargeFacts, Segment
from o2b.charging.ramps import free_until, step_days
from o2b.charging.terms import Alignment, ChargeTerms, Kind, Proration, Timing
from o2b.periods import FOREVER, Interval, Period, anchored_period, calendar_period

_DAY = timedelta(days=1)


class Piece(NamedTuple):
    """The part of a full period that one segment served at one price, numbered from 1."""

    segment: int
    period: Period
    quantity: Decimal
    delivered: Decimal = WHOLE


@dataclass(frozen=True, slots=True)
class Schedule:
    """The grid of one charge, from the first day to be paid to the end of service.

    `cuts` are the days on which the price steps and a new piece begins.
    """

    segments: tuple[Segment, ...]
    begins_on: date
    ends_on: date
    interval: Interval | None
    anchor: date
    anchor_day: int
    timing: Timing
    calendar: bool = False
    cuts: tuple[date, ...] = ()

    def period_on(self, day: date) -> Period:
        """The full period that contains a day; of a one-time charge its only day."""
        if self.interval is None:
            return Period(self.anchor, self.anchor + _DAY)
        if self.calendar:
            return calendar_period(day, self.interval, self.anchor)
        return anchored_period(day, self.interval, self.anchor, self.anchor_day)

    def due_on(self, full: Period, *, since: date) -> date:
        """In advance on its first day (none before `since`), in arrears when it or service ends."""
        if self.interval is None:
            return self.anchor
        if self.timing is Timing.ADVANCE:
            return max(full.start, since)
        return min(full.end, self.ends_on)

    def pieces(self, full: Period, *, since: date) -> tuple[Piece, ...]:
        """The served days of a full period, a piece for each segment and price, from `since` on."""
        if self.interval is None:
            only = self.segments[0]
            return (Piece(1, full, only.quantity, only.delivered),)
        found: list[Piece] = []
        start = max(full.start, since)
        for segment in self.segments:
            first, end = max(segment.period.start, start), min(segment.period.end, full.end)
            what = segment.quantity, segment.delivered
            for cut in self.cuts:
                if first < cut < end:
                    found.append(Piece(len(found) + 1, Period(first, cut), *what))
                    first = cut
            if first < end:
                found.append(Piece(len(found) + 1, Period(first, end), *what))
        return tuple(found)

    def next_served(self, day: date) -> date | None:
        """The first day of service on or after `day`; a one-time charge asks for no more."""
        if self.interval is None:
            return day
        for segment in self.segments:
            if segment.period.end > day:
                return max(segment.period.start, day)
        return None


class Walk(NamedTuple):
    """The periods to bill with their pieces, the first day after them, and the next due day."""

    periods: tuple[tuple[Period, tuple[Piece, ...]], ...]
    through: date | None
    next_due_on: date | None


def walk(schedule: Schedule, *, since: date, until: date, billed_to: date | None = None) -> Walk:
    """The full periods from `since` on that are due by `until`.

    Those up to the one that starts on `billed_to` were billed before: they stay in the sum, even
    when a run for an earlier day meets them.
    """
    periods: list[tuple[Period, tuple[Piece, ...]]] = []
    through = next_due_on = None
    floor = billed_to or date.min
    day = since
    while day < schedule.ends_on:
        full = schedule.period_on(day)
        if schedule.due_on(full, since=since) > until and full.start > floor:
            break
        pieces = schedule.pieces(full, since=since)
        if pieces:
            periods.append((full, pieces))
        day = full.end
        through = min(day, schedule.ends_on)
    served = schedule.next_served(day)
    if served is not None and served < schedule.ends_on:
        next_due_on = schedule.due_on(schedule.period_on(served), since=since)
    return Walk(tuple(periods), through, next_due_on)


def schedule_of(charge: ChargeFacts, terms: ChargeTerms) -> Schedule | None:
    """The schedule of a charge; None if nothing was ever in service, or no longer than its trial.

    An anniversary is anchored on the day of `started_on`, or of the trial's end if that moves the
    anchor; a bill day on the account's day. The first segment may begin later than `started_on`:
    a continued service keeps its grid.
    """
    started = charge.started_on
    first_paid = free_until(terms, started)
    segments = charge.segments
    if terms.conventions.last_day_billed:
        segments = _with_last_days(segments)
    segments = joined(each for each in segments if each.period.end > first_paid)
    if not segments:
        return None
    if terms.kind is Kind.ONE_TIME:
        begins, ends = started, started + _DAY
    else:
        begins, ends = max(segments[0].period.start, first_paid), segments[-1].period.end
    anchor = first_paid if terms.trial is not None and terms.trial.moves_anchor else started
    own_day = terms.alignment is Alignment.ANNIVERSARY
    by_day = terms.proration is Proration.DAY and terms.kind is Kind.RECURRING
    return Schedule(
        segments=segments,
        begins_on=begins,
        ends_on=ends,
        interval=terms.interval,
        anchor=anchor,
        anchor_day=anchor.day if own_day else charge.anchor_day,
        timing=terms.timing,
        calendar=terms.alignment is Alignment.CALENDAR,
        cuts=step_days(terms, started) if by_day else (),
    )


def joined(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Neighbours of one quantity, of which as much is delivered, are one: what changed beside it
    makes no piece of a bill.

    >>> from o2b.periods import Period as P
    >>> one, two = P(date(2026, 1, 1), date(2026, 2, 1)), P(date(2026, 2, 1), date(2026, 3, 1))
    >>> [str(s.period) for s in joined([Segment(one, Decimal(3)), Segment(two, Decimal(3))])]
    ['[2026-01-01, 2026-03-01)']
    """
    found: list[Segment] = []
    for each in segments:
        last = found[-1] if found else None
        if last and last.period.end == each.period.start and _what(last) == _what(each):
            days = Period(last.period.start, each.period.end)
            found[-1] = Segment(days, each.quantity, delivered=each.delivered)
        else:
            found.append(each)
    return tuple(found)


def _what(segment: Segment) -> tuple[Decimal, Decimal]:
    return segment.quantity, segment.delivered


def _with_last_days(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The day on which service ends is served too, unless it goes on, here or elsewhere."""
    goes_on = {each.period.start for each in segments}
    return tuple(
        each
        if each.period.end == FOREVER or not each.ends or each.period.end in goes_on
        else each._replace(period=Period(each.period.start, each.period.end + _DAY))
        for each in segments
    )
