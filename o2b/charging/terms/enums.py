"""The words that terms are written in: kinds, models, rhythms, and how the odd day is counted."""

from enum import StrEnum


class Kind(StrEnum):
    ONE_TIME = "one_time"
    RECURRING = "recurring"
    USAGE = "usage"


class Model(StrEnum):
    """How a quantity becomes an amount; formulas stand in `o2b.charging.models`."""

    FLAT = "flat"
    PER_UNIT = "per_unit"
    GRADUATED = "graduated"
    VOLUME = "volume"
    STAIRSTEP = "stairstep"
    PACKAGE = "package"
    PERCENTAGE = "percentage"
    GRADUATED_PERCENTAGE = "graduated_percentage"
    RATED = "rated"

    @property
    def has_tiers(self) -> bool:
        return self in _TIERED


_TIERED = frozenset({Model.GRADUATED, Model.VOLUME, Model.STAIRSTEP, Model.GRADUATED_PERCENTAGE})


class Timing(StrEnum):
    ADVANCE = "advance"
    ARREARS = "arrears"


class Alignment(StrEnum):
    """What a full period begins on: the start's own day, the account's bill day, the calendar.

    A calendar week begins on Monday; a calendar quarter in January, April, July or October.
    """

    ANNIVERSARY = "anniversary"
    BILL_DAY = "bill_day"
    CALENDAR = "calendar"


class Proration(StrEnum):
    """What a period costs that is served in part.

    day: its share by days, as the conventions count them. none: the whole price of what stands
    when service in it begins; a later change of quantity counts from the next period. full: the
    whole price of every unit that was there at any time.
    """

    DAY = "day"
    NONE = "none"
    FULL = "full"


class DayCount(StrEnum):
    """Which fraction of a full period some days are; `o2b.charging.daycount` has the formulas."""

    ACTUAL = "actual"
    CALENDAR_MONTHS = "calendar_months"
    ACTUAL_30 = "actual_30"
    THIRTY_360 = "thirty_360"
    FIXED_30 = "fixed_30"


class Started(StrEnum):
    """What a started block, package or increment costs: the whole, nothing, or its share."""

    WHOLE = "whole"
    NOTHING = "nothing"
    SHARE = "share"


class AdjustmentOrder(StrEnum):
    """Whether discounts come off before a minimum and maximum are held against the price."""

    DISCOUNT_FIRST = "discount_first"
    COMMITMENT_FIRST = "commitment_first"


class StartRule(StrEnum):
    ON_DELIVERY = "on_delivery"
    EACH_PART = "each_part"
    ON_DATE = "on_date"


class DiscountKind(StrEnum):
    PERCENT = "percent"
    AMOUNT = "amount"
