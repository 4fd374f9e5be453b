"""What becomes of a service on the day of its renewal, and when the term after it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from o2b.periods import FOREVER, add_months
from subscriptions.rules.timeline import Span


class What(StrEnum):
    """RENEW it on the day; it WAITs while suspended; it is OVER; or it ends LATER all the same."""

    RENEW = "renew"
    WAIT = "wait"
    OVER = "over"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, and the day that it is about."""

    what: What
    on: date


def verdict(spans: Sequence[Span], *, due_on: date, today: date, ends: bool) -> Verdict:
    """What to do today with a service whose term ends on a day; `ends` if it ends with it.

    A suspended one is renewed from the day on which it is in use again, so that what it waited
    is not taken off its next term.
    """
    end = spans[-1].period.end if spans else due_on
    if end <= due_on or end <= today:
        return Verdict(What.OVER, end)
    if end != FOREVER:
        return Verdict(What.LATER, end)
    if ends:
        return Verdict(What.RENEW, due_on)
    day = first_in_use(spans, due_on)
    if day is None or day > today:
        return Verdict(What.WAIT, due_on)
    return Verdict(What.RENEW, day)


def first_in_use(spans: Sequence[Span], day: date) -> date | None:
    """The first day on or after a day on which the service is in use."""
    found = (max(s.period.start, day) for s in spans if s.in_use and s.period.end > day)
    return next(found, None)


def term_after(start: date, *, months: int, anchor_day: int, due_on: date) -> tuple[date, int]:
    """The first day after the next term, and the day of the month that terms go by from then.

    A term that begins late, after a suspension, goes by its own day.

    >>> term_after(date(2026, 2, 28), months=1, anchor_day=31, due_on=date(2026, 2, 28))
    (datetime.date(2026, 3, 31), 31)
    """
    anchor = anchor_day if start == due_on else start.day
    return add_months(start, months, anchor), anchor
