"""A paid period and the day of a change within it, in dates, in days or in words."""

from datetime import date

from o2b.charging import Alignment
from o2b.periods import Period, calendar_period
from tests.cases.adapter import words
from tests.cases.adapter.grid import days_left, interval_like
from tests.cases.reading import CaseInput, Keys, Unknown

PART_OF = r"(?P<part>\d+(?:\.\d+)?) ?(?:/|of) ?(?P<whole>\d+(?:\.\d+)?)(?: days)?"


class Paid:
    """A paid period and the day of the change within it."""

    def __init__(self, period: Period, on: date) -> None:
        self.period, self.on = period, on
        self.interval = interval_like(period)


def paid_period(case: CaseInput) -> Paid:
    """The period that was paid and the day of the change, in dates, days or words."""
    given = case.given
    words.inclusive(case)
    if given.has("elapsed"):
        return _in_words(given, "elapsed")
    if given.has("remaining_days"):
        return of_days(given.integer("remaining_days"), given.integer("period_days"))
    on = given.day("change")
    for key in ("period_dates", "period"):
        if given.has(key) and isinstance(given.raw(key), list):
            if key == "period_dates":
                given.word("period", words.PERIOD, words.MONTH)
            return Paid(words.span_of(case, key), on)
    length = given.word("period", words.PERIOD, words.MONTH)
    if given.word("alignment", words.ALIGNMENT) is not Alignment.CALENDAR:
        raise Unknown("given.alignment", given.raw("alignment"))
    return Paid(calendar_period(on, length, on), on)


def left_of_period(given: Keys) -> Paid:
    """What is left of a period: "15/30", days of days, or words."""
    for key in ("added", "changed"):
        if given.has(key):
            return _in_words(given, key)
    if isinstance(given.raw("remaining_days"), str):
        told = given.match("remaining_days", PART_OF)
        return of_days(int(told["part"]), int(told["whole"]))
    return of_days(given.integer("remaining_days"), given.integer("period_days"))


def _in_words(given: Keys, key: str) -> Paid:
    period, left = given.word(key, words.ELAPSED)
    return Paid(period, left.start)


def of_days(left: int, of: int) -> Paid:
    return Paid(days_left(left, of), words.DAY_ONE)
