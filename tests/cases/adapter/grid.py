"""The full periods of a case: their length, what they begin on, when they are due."""

from datetime import date
from decimal import Decimal
from typing import Any

from o2b.charging import Alignment, ChargeTerms, Segment, Timing
from o2b.charging.cycles import cycles, number_of_cycles
from o2b.periods import (
    FOREVER,
    Interval,
    Period,
    Unit,
    anchored_period,
    calendar_period,
    periods_from,
)
from tests.cases.adapter import words
from tests.cases.adapter.selling import served, terms
from tests.cases.asking import Charge
from tests.cases.reading import CaseInput, Unknown

# What a paid period may be a whole one of.
USUAL = (
    words.MONTH,
    Interval(Unit.MONTH, 3),
    Interval(Unit.MONTH, 6),
    Interval(Unit.YEAR, 1),
    words.WEEK,
)


class Grid:
    """Reads start, length, alignment, timing, end and target day of a case, once."""

    def __init__(self, case: CaseInput, *, start: Any = None) -> None:
        given = case.given
        self.start: date = start or given.day("start")
        self.interval = interval_of(case)
        self.alignment = given.word("alignment", words.ALIGNMENT, Alignment.ANNIVERSARY)
        self.anchor_day = self.start.day
        if given.flag("follow_calendar_months"):
            self.alignment = Alignment.CALENDAR
        for key in ("billing_cycle_day", "anchor_day"):
            if given.has(key):
                self.anchor_day = given.integer(key)
                self.alignment = Alignment.BILL_DAY
        self.timing = given.word("timing", words.TIMING, Timing.ADVANCE)
        self.last_inside = words.inclusive(case)
        self.end = words.end_day(case, "end") or FOREVER
        self.until = given.maybe_date("target_date")
        self.conventions = words.conventions(case)

    @property
    def calendar(self) -> bool:
        return self.alignment is Alignment.CALENDAR

    def terms(self, price: Decimal, **more: Any) -> ChargeTerms:
        """A charge of this grid."""
        return terms(
            **{
                "unit_price": price,
                "interval": self.interval,
                "alignment": self.alignment,
                "timing": self.timing,
                "conventions": self.conventions,
                **more,
            }
        )

    def charge(self, promised: ChargeTerms, *segments: Segment, **more: Any) -> Charge:
        """A charge in service from the start, to the end if there is one."""
        return Charge(
            promised,
            self.start,
            self.anchor_day,
            segments or (served(self.start, self.end),),
            **more,
        )

    def full_period(self, day: date) -> Period:
        """The full period that a day lies in."""
        if self.calendar:
            return calendar_period(day, self.interval, self.start)
        return anchored_period(day, self.interval, self.start, self.anchor_day)

    def first_due(self, day: date) -> date:
        """When the period that a day lies in is billed: at once, or in arrears when it ends."""
        return self.full_period(day).end if self.timing is Timing.ARREARS else day

    def periods(self, count: int) -> list[Period]:
        """The first periods, fewer where service ends before."""
        found = periods_from(
            self.start,
            self.interval,
            anchor_day=self.anchor_day,
            calendar=self.calendar,
            end=self.end,
        )
        return [period for _, period in zip(range(count), found, strict=False)]

    def due(self) -> list[Period]:
        """The periods that are due by the target day."""
        return [each.period for each in cycles(self.start, self.interval, **self._due())]

    def number(self) -> Decimal:
        """How many full periods are due by the target day, parts as fractions."""
        if self.until is None and self.end == FOREVER:
            raise Unknown("given without target_date and end")
        return number_of_cycles(self.start, self.interval, **self._due())

    def shown(self, period: Period) -> list[date]:
        """A period as the case writes it."""
        return [period.start, period.last if self.last_inside else period.end]

    def _due(self) -> dict[str, Any]:
        return {
            "anchor_day": self.anchor_day,
            "calendar": self.calendar,
            "end": self.end,
            "until": self.until,
            "timing": self.timing,
            "conventions": self.conventions,
        }


def interval_of(case: CaseInput) -> Interval:
    """The length of a full period: so many months, or a word; a month where none is told."""
    given = case.given
    if given.has("period_months"):
        return Interval(Unit.MONTH, given.integer("period_months"))
    return given.word("period", words.PERIOD, words.MONTH)


def interval_like(period: Period) -> Interval:
    """The interval that a whole period is one of: months where they fit, else its days."""
    for interval in USUAL:
        if interval.advance(period.start, 1) == period.end:
            return interval
    return Interval(Unit.DAY, period.days)


def days_left(remaining: int, of: int) -> Period:
    """A period of so many days of which, from DAY_ONE on, some remain."""
    end = Interval(Unit.DAY, remaining).advance(words.DAY_ONE, 1)
    return anchored_period(words.DAY_ONE, Interval(Unit.DAY, of), end, end.day)
