"""revrec: what is paid in advance is earned by the day, month by month, as the journal has it."""

from datetime import date

from o2b.charging.tax import TaxLine
from o2b.money import sum_of
from o2b.periods import Period
from tests.cases.adapter import words
from tests.cases.adapter.selling import NOTHING
from tests.cases.asking import Asked, First, Ledger
from tests.cases.reading import CaseInput

BY_DAY = {"by day": True, "exact days": True}
THE_AMOUNT = {"always the amount": True}
ROUNDING = {"half_up": True}
# "08-20 .. 12-19 (122 days)", both inside: the months hang on no year.
YEARLESS = r"(?P<first>\d\d-\d\d) \.\. (?P<last>\d\d-\d\d)(?: \(\d+ days\))?"
ANY_YEAR = "2023"


def schedule(case: CaseInput) -> Asked:
    """Equal parts of the days served; other methods than by the day the journal does not have."""
    given = case.given
    given.word("method", BY_DAY)
    case.conventions.word("sum", THE_AMOUNT, True)
    case.conventions.word("rounding", ROUNDING, True)
    return Ledger(
        [TaxLine(given.decimal("amount"), NOTHING)],
        lambda said: {
            "schedule": said.revenue,
            "schedule_first_three": First(said.revenue),
            "sum": sum_of(said.revenue),
        },
        served=_days(case),
    )


def _days(case: CaseInput) -> Period:
    given = case.given
    last_inside = words.inclusive(case)
    if given.has("service_from"):
        return Period(given.moment("service_from").date(), given.moment("service_to").date())
    if isinstance(given.raw("service"), str):
        told = given.match("service", YEARLESS)
        first, last = (date.fromisoformat(f"{ANY_YEAR}-{told[key]}") for key in ("first", "last"))
        return Period.inclusive(first, last)
    return words.span(*given.days("service"), last_inside=last_inside)
