"""The words of the published cases, each with the one thing that it means to the engine."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from o2b.charging import (
    AdjustmentOrder,
    Alignment,
    Conventions,
    DayCount,
    DiscountKind,
    Started,
    Timing,
)
from o2b.charging.allowances import ChargeAt
from o2b.charging.tax import TaxRounding
from o2b.money import Rounding
from o2b.periods import Interval, Period, Unit
from tests.cases.reading import CaseInput, MaybeDate

CURRENCIES = {code: code for code in ("EUR", "USD", "JPY", "CHF", "KWD", "BHD")}
CURRENCY = "EUR"  # of cases that name none; two decimals
DAY_ONE = date(2026, 1, 1)  # of cases that name no day
MONTH = Interval(Unit.MONTH, 1)
DAYS_30 = Interval(Unit.DAY, 30)
WEEK = Interval(Unit.WEEK, 1)

# What the engine does anyway; the word is read and says nothing more.
BOUNDARIES = {
    "continuous (from of a tier = to of the one before)": True,
    "continuous, up_to inclusive": True,
}
FLAT_FEE = {
    "first tier also at quantity 0; others once reached": True,
    "tier flat price due once the tier is reached; first tier also at 0": True,
}
STARTED_BLOCK = {"started blocks are charged whole": Started.WHOLE}
STARTED_PACKAGE = {"charged whole": Started.WHOLE}
STARTED_INCREMENT = {"started increments are whole": Started.WHOLE}
CONNECT_FEE = {"once": True}
TIER_OF = {
    "all units at the tier the total falls in": True,
    "all units at the tier of the total": True,
}
BLOCK_MODE = {"TOP_TIER": "volume", "ALL_TIERS": "graduated"}
ROUND = {"up": Started.WHOLE, "down": Started.NOTHING, "none": Started.SHARE}

UNITS = {"minute": True, "MB": True}
CENTS = {"cents": True}

TIMING = {"in_advance": Timing.ADVANCE, "in_arrears": Timing.ARREARS}
ALIGNMENT = {
    "calendar": Alignment.CALENDAR,
    "calendar month": Alignment.CALENDAR,
    "calendar (Monday)": Alignment.CALENDAR,
    "anniversary": Alignment.ANNIVERSARY,
    "anniversary month": Alignment.ANNIVERSARY,
}
PERIOD = {
    "month": MONTH,
    "monthly": MONTH,
    "calendar month": MONTH,
    "week": WEEK,
    "30 days": DAYS_30,
    "daily": Interval(Unit.DAY, 1),
    "quarter": Interval(Unit.MONTH, 3),
    "quarterly": Interval(Unit.MONTH, 3),
    "year": Interval(Unit.YEAR, 1),
    "annual": Interval(Unit.YEAR, 1),
}

EXCLUSIVE, INCLUSIVE = "exclusive", "inclusive"
PERIOD_END = {EXCLUSIVE: False, INCLUSIVE: True}

DAY_COUNT = {
    "actual / days of the anchored period holding the fragment": DayCount.ACTUAL,
    "billable days / days of the period": DayCount.ACTUAL,
    "remaining / period (seconds; whole days here)": DayCount.ACTUAL,
    "days left incl. the event day / days of period": DayCount.ACTUAL,
    "actual days": DayCount.ACTUAL,
    "days in each calendar month / length of that month": DayCount.CALENDAR_MONTHS,
    "fixed 30": DayCount.FIXED_30,
    "fixed 30: 30 minus the days already elapsed": DayCount.FIXED_30,
    "30-day month": DayCount.FIXED_30,
}
ROUNDING = {
    "half_up": Rounding.HALF_UP,
    "half_up to cents": Rounding.HALF_UP,
    "half_up at the currency scale": Rounding.HALF_UP,
    "net and tax rounded separately, half_up, tax from the unrounded net": Rounding.HALF_UP,
}
TAX_ROUNDING = {
    "half_up per line": TaxRounding.LINE,
    "per line": TaxRounding.LINE,
    "once per tax rate group": TaxRounding.RATE,
    "half_up": TaxRounding.INVOICE,
}
BEFORE_TAX = {
    "before tax": True,
    "before tax, pro rata to fees": True,
    "before tax, pro rata over taxable and exempt lines": True,
}
PAYERS_ROUNDING = {"half_up; the customer pays the difference": True}
CHANGE_ORDER = {"credit of the old plan, debit of the new": True}
COUPON_ORDER = {"as applied; a percentage acts on what is left": True}
MAXIMUM_ORDER = {"percentage before the maximum": AdjustmentOrder.DISCOUNT_FIRST}
COUPON_TYPE = {"percent": DiscountKind.PERCENT, "fixed": DiscountKind.AMOUNT}
LARGEST_REMAINDER = {"largest remainder; the shares always add to the total": True}
WHOLE_CENTS = {"pro rata to the lines, whole cents; capped at the sum of the lines": True}

CHARGE_AT = {
    "end of window": ChargeAt.END,
    "end of window; a window without overage moves on by one month": ChargeAt.ROLLING,
}
# A month, the part of it that is left, and which share of it that is.
FRACTION = {
    "1/2": (
        Period(date(2025, 4, 1), date(2025, 5, 1)),
        Period(date(2025, 4, 16), date(2025, 5, 1)),
        Decimal("0.5"),
    ),
    "1/4": (
        Period(date(2025, 2, 1), date(2025, 3, 1)),
        Period(date(2025, 2, 22), date(2025, 3, 1)),
        Decimal("0.25"),
    ),
    "3/4": (
        Period(date(2025, 2, 1), date(2025, 3, 1)),
        Period(date(2025, 2, 8), date(2025, 3, 1)),
        Decimal("0.75"),
    ),
}
USAGE_GROUP = {"by usage record": True}

# Shares of a period in words, as periods of whole days: (all of it, what is left of it).
ELAPSED: Mapping[str, tuple[Period, Period]] = {
    "half the period": (
        Period(date(2025, 4, 1), date(2025, 5, 1)),
        Period(date(2025, 4, 16), date(2025, 5, 1)),
    ),
    "a quarter of the period": (
        Period(date(2025, 2, 1), date(2025, 3, 1)),
        Period(date(2025, 2, 8), date(2025, 3, 1)),
    ),
    "half-way through June": (
        Period(date(2025, 6, 1), date(2025, 7, 1)),
        Period(date(2025, 6, 16), date(2025, 7, 1)),
    ),
    "mid period": (
        Period(date(2025, 4, 1), date(2025, 5, 1)),
        Period(date(2025, 4, 16), date(2025, 5, 1)),
    ),
}


def read_tier_words(case: CaseInput) -> None:
    """What a case says about tiers, which the engine does in this one way."""
    case.conventions.word("tier_boundaries", BOUNDARIES, True)
    case.conventions.word("flat_fee", FLAT_FEE, True)
    case.conventions.word("tier", TIER_OF, True)


def conventions(case: CaseInput, **more: object) -> Conventions:
    """The conventions of a case about days; its `period_end` is read by `span`."""
    told = case.conventions
    places = {} if not told.has("scale") else {"fraction_places": told.integer("scale")}
    return Conventions(
        **{
            "day_count": told.word("day_count", DAY_COUNT, DayCount.ACTUAL),
            "rounding": told.word("rounding", ROUNDING, Rounding.HALF_UP),
            **places,
            **more,
        }
    )


def inclusive(case: CaseInput) -> bool:
    """Whether the last day that a period names is inside; told by the conventions."""
    return case.conventions.word("period_end", PERIOD_END, False)


def span(first: date, last: date, *, last_inside: bool) -> Period:
    """A period as a case writes it."""
    return Period.inclusive(first, last) if last_inside else Period(first, last)


def span_of(case: CaseInput, key: str) -> Period:
    """The period under a key, a list of two days."""
    first, last = case.given.days(key)
    return span(first, last, last_inside=inclusive(case))


def end_day(case: CaseInput, key: str) -> MaybeDate:
    """The first day outside, of a key that names the last day of service or that one itself."""
    told = case.given.maybe_date(key)
    if told is None:
        return None
    return span(told, told, last_inside=True).end if inclusive(case) else told
