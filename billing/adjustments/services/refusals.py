"""What is refused about coupons and minimums, and the checks that their services share."""

from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from o2b.errors import Invalid, Refused
from o2b.money import minor_unit, quantise

TOO_BIG = Decimal(10) ** 12
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
LONGEST_REASON = 250


class CouponInvalid(Invalid):
    code = "coupon_invalid"


class CouponExists(Refused):
    code = "coupon_exists"


class CouponNotOnOffer(Refused):
    """It is no published coupon, or of another currency."""

    code = "coupon_not_on_offer"


class AlreadyGranted(Refused):
    code = "coupon_already_granted"


class AlreadyEnded(Refused):
    code = "already_ended"


class GivenAlready(Refused):
    """What was given stays."""

    code = "given_already"


class MinimumInvalid(Invalid):
    code = "minimum_invalid"


def text_of(value: str, *, field: str, most: int, wanted: str, error: type[Invalid]) -> str:
    """Without what Postgres refuses and blanks that say nothing; neither empty nor too long."""
    text = " ".join(value.replace("\0", "").split())
    if not text:
        raise error(wanted, field=field)
    if len(text) > most:
        raise error(_("At most %(n)s characters.") % {"n": most}, field=field)
    return text


def reason_of(value: str, *, error: type[Invalid], field: str = "reason") -> str:
    """Why somebody does it."""
    wanted = _("Say why: somebody will ask one day.")
    return text_of(value, field=field, most=LONGEST_REASON, wanted=wanted, error=error)


def amount_of(value: Decimal | str, currency: str, *, field: str, error: type[Invalid]) -> Decimal:
    """More than zero, in whole minor units of its currency."""
    amount = number_of(value, field=field, error=error)
    if amount >= TOO_BIG:
        raise error(_("The amount is too large."), field=field)
    rounded = quantise(amount, currency)
    if rounded != amount:
        raise error(
            _("The smallest amount of %(currency)s is %(unit)s.")
            % {"currency": currency, "unit": f"{minor_unit(currency):f}"},
            field=field,
        )
    return rounded


def number_of(value: Decimal | str, *, field: str, error: type[Invalid]) -> Decimal:
    """More than zero."""
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise error(_("This is not an amount."), field=field) from None
    if not number.is_finite():
        raise error(_("This is not an amount."), field=field)
    if number <= 0:
        raise error(_("It must be more than zero."), field=field)
    return number


def day_of(value: date, *, field: str, error: type[Invalid]) -> date:
    """A day that a bill may have."""
    if not FIRST_DAY <= value <= LAST_DAY:
        raise error(_("This day is too far away."), field=field)
    return value
