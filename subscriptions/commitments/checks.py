"""What somebody wants agreed, as the rules can take it: every number in its limits."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from o2b.errors import Invalid
from quotes.inputs import FIRST_YEAR, LAST_YEAR
from subscriptions.changes.refusals import DayInvalid
from subscriptions.commitments import refusals as no
from subscriptions.models import LeavingFee, Renewal

MOST_MONTHS, MOST_NOTICE = 240, 3650
PLACES = 4
LARGEST_AMOUNT = Decimal(10) ** 12
LARGEST_UPLIFT = Decimal(100)

Number = Decimal | str | int


@dataclass(frozen=True, slots=True)
class Agreed:
    """The words of a commitment, checked; `months` is None where none are named."""

    months: int | None
    renewal: str
    uplift_percent: Decimal
    notice_days: int
    leaving_fee: str
    leaving_value: Decimal


def check_agreed(
    *,
    months: object,
    renewal: object,
    uplift_percent: object = 0,
    notice_days: object = 0,
    leaving_fee: object = LeavingFee.NONE,
    leaving_value: object = 0,
) -> Agreed:
    """The words, each refused with the field that is at fault."""
    return Agreed(
        months=check_months(months),
        renewal=check_renewal(renewal),
        uplift_percent=check_uplift(renewal, uplift_percent),
        notice_days=_whole(
            notice_days, 0, MOST_NOTICE, no.NoticeInvalid, "notice_days", _("Days of notice")
        ),
        leaving_fee=_fee_kind(leaving_fee),
        leaving_value=_fee_value(leaving_fee, leaving_value),
    )


def check_months(months: object) -> int:
    return _whole(months, 1, MOST_MONTHS, no.MonthsInvalid, "months", _("Months"))


def check_renewal(renewal: object) -> str:
    if not isinstance(renewal, str) or renewal not in Renewal.values:
        message = _("Say what comes when it ends: %(choices)s.")
        told = {"choices": ", ".join(Renewal.values)}
        raise no.RenewalInvalid(message % told, field="renewal")
    return str(renewal)


def check_uplift(renewal: object, percent: object) -> Decimal:
    """Above zero where it renews with an uplift, and none elsewhere."""
    told = _number(percent, LARGEST_UPLIFT, no.UpliftInvalid, "uplift_percent", _("The uplift"))
    if (renewal == Renewal.UPLIFT) != (told > 0):
        message = _(
            "An uplift above 0 percent belongs to renewals with an uplift, and to no other."
        )
        raise no.UpliftInvalid(message, field="uplift_percent")
    return told


def check_day(day: date | None, *, field: str) -> date:
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise DayInvalid(_("Name a day, for example 2026-03-15."), field=field)
    return day


def _fee_kind(kind: object) -> str:
    if not isinstance(kind, str) or kind not in LeavingFee.values:
        message = _("Say what leaving earlier costs: %(choices)s.")
        told = {"choices": ", ".join(LeavingFee.values)}
        raise no.LeavingFeeInvalid(message % told, field="leaving_fee")
    return str(kind)


def _fee_value(kind: object, value: object) -> Decimal:
    """A percentage or an amount, where the fee is one; else nothing."""
    largest = Decimal(100) if kind == LeavingFee.PERCENT else LARGEST_AMOUNT
    told = _number(value, largest, no.LeavingFeeInvalid, "leaving_value", _("The fee"))
    if (kind in (LeavingFee.PERCENT, LeavingFee.FIXED)) != (told > 0):
        message = _("A percentage or an amount above 0 belongs to a fee that is one.")
        raise no.LeavingFeeInvalid(message, field="leaving_value")
    return told


def _whole(
    value: object, least: int, most: int, refusal: type[Invalid], field: str, what: str
) -> int:
    if type(value) is not int or not least <= value <= most:
        message = _("%(what)s: a whole number from %(least)s to %(most)s.")
        told = {"what": what, "least": least, "most": most}
        raise refusal(message % told, field=field)
    return value


def _number(
    value: object, largest: Decimal, refusal: type[Invalid], field: str, what: str
) -> Decimal:
    message = _("%(what)s: a number from 0 to %(largest)s, with at most %(places)s decimals.")
    told = {"what": what, "largest": largest, "places": PLACES}
    refused = refusal(message % told, field=field)
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int):
        raise refused
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise refused from None
    if not number.is_finite() or not 0 <= number <= largest or round(number, PLACES) != number:
        raise refused
    return number
