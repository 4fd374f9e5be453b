"""proration.day_count, calendar_months, fixed_30_day_month: which part of a period days are."""

from collections.abc import Mapping
from datetime import date

from o2b.charging import Alignment, Conventions, DayCount
from o2b.charging.changes import share
from o2b.charging.cycles import term_multiplier
from o2b.charging.daycount import calendar_months as months_of
from o2b.charging.daycount import ratio, rest_of_month
from o2b.money import rounded
from o2b.periods import Period, anchored_period
from tests.cases.adapter import words
from tests.cases.adapter.selling import net, served, terms
from tests.cases.asking import Asked, Charge, Drafts, Pure
from tests.cases.reading import CaseInput, Keys, Unknown

DAY_OF_MONTH = r"(?P<day>\d{1,2}) (?P<month>[A-Z][a-z]+)"
MONTHS: Mapping[str, str] = {
    "January": "01",
    "February": "02",
    "March": "03",
    "April": "04",
    "May": "05",
    "June": "06",
    "July": "07",
    "August": "08",
    "September": "09",
    "October": "10",
    "November": "11",
    "December": "12",
}
REST_OF_MONTH = {
    "remaining calendar days over 30": DayCount.ACTUAL_30,
    "remaining calendar days over the month length": DayCount.ACTUAL,
    "day of month, 30-day month": DayCount.THIRTY_360,
}
TERM = {"month": ("months", "default_term_months"), "day": ("days", "default_term_days")}
PLACES = 6  # of a multiplier where the case tells no scale (Salesforce)


def day_count(case: CaseInput) -> Asked:
    """The same days as one convention or another counts them, or a term over another."""
    given = case.given
    if given.has("precision"):
        length, default = given.word("precision", TERM)
        told = case.conventions
        places = told.integer("scale") if told.has("scale") else PLACES
        found = term_multiplier(given.integer(length), given.integer(default), places=places)
        return Pure(lambda: {"multiplier": found})
    if given.has("rule"):
        counts = given.word("rule", REST_OF_MONTH)
        rest, month = rest_of_month(_day(given))
        days_over_days = ratio(rest, full=month, interval=words.MONTH, day_count=counts)
        return Pure(lambda: {"ratio": str(days_over_days)})
    last_inside = given.word("period_end", words.PERIOD_END, False)
    days = words.span(given.day("start"), given.day("end"), last_inside=last_inside)
    _, month = rest_of_month(days.start)

    def counted(by: DayCount) -> str:
        return str(ratio(days, full=month, interval=words.MONTH, day_count=by))

    return Pure(
        lambda: {
            "actual": counted(DayCount.ACTUAL),
            "actual_days_over_30": counted(DayCount.ACTUAL_30),
            "strict_30_days": counted(DayCount.THIRTY_360),
        }
    )


def calendar_months(case: CaseInput) -> Asked:
    """Of each calendar month the days over its own length, summed."""
    case.conventions.word("day_count", words.DAY_COUNT, DayCount.CALENDAR_MONTHS)
    last_inside = words.inclusive(case)
    days = words.span(case.given.day("start"), case.given.day("end"), last_inside=last_inside)
    return Pure(lambda: {"months": months_of(days)})


def fixed_month(case: CaseInput) -> Asked:
    """Days of months that all have 30 days (or another fixed number)."""
    given = case.given
    rules = words.conventions(case, day_count=DayCount.FIXED_30)
    length = given.integer("fixed_month_days")
    if given.has("fragment"):
        return _fragment(case, length, rules)
    last_inside = words.inclusive(case)
    days = words.span(given.day("start"), given.day("end"), last_inside=last_inside)
    begins = given.maybe_date("period_start") or days.start
    full = Period(begins, words.MONTH.advance(begins, 1))
    found = ratio(
        days, full=full, interval=words.MONTH, day_count=rules.day_count, month_days=length
    )
    places = rules.fraction_places or 9
    return Pure(
        lambda: {"fraction": rounded(found.value, places), "billable_days": found.numerator}
    )


def _fragment(case: CaseInput, length: int, rules: Conventions) -> Asked:
    """The end of a period whose full one ends with it; drafted where a month has 30 days."""
    price = case.given.decimal("price")
    days = words.span_of(case, "fragment")
    full = anchored_period(days.start, words.MONTH, days.end, days.end.day)
    if length != 30:
        part = ratio(
            days, full=full, interval=words.MONTH, day_count=rules.day_count, month_days=length
        )
        return Pure(lambda: {"amount": share(price, *part, currency=words.CURRENCY)})
    promised = terms(unit_price=price, conventions=rules, alignment=Alignment.BILL_DAY)
    charge = Charge(promised, full.start, full.start.day, (served(days.start, days.end),))
    return Drafts((charge,), days.start, lambda found: {"amount": net(found[0])})


def _day(given: Keys) -> date:
    """A day without its year ("5 January"), a whole date, or a day of any month of 31 days."""
    if given.has("day"):
        return date(words.DAY_ONE.year, 1, given.integer("day"))
    if not isinstance(given.raw("date"), str) or given.raw("date")[:4].isdigit():
        return given.day("date")
    told = given.match("date", DAY_OF_MONTH)
    if told["month"] not in MONTHS:
        raise Unknown("given.date", given.raw("date"))
    number = f"{int(told['day']):02d}"
    return date.fromisoformat(f"{words.DAY_ONE.year}-{MONTHS[told['month']]}-{number}")
