"""What settings of sellers and accounts may say; refused with a message beside the field."""

from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from o2b.charging.tax import TaxRounding
from o2b.charging.terms import TermsInvalid, conventions_of
from o2b.customers.bookkeeping import SETTINGS, BookkeepingInvalid, bookkeeping_of
from o2b.customers.carrying import SETTINGS as CARRYING
from o2b.customers.carrying import CarryingInvalid, carrying_of
from o2b.money import is_currency

# How amounts and periods are shown and taxed, beside how they are counted.
SHOWN_CONVENTIONS = ("period_end", "cash_rounding", "tax_rounding", *SETTINGS, *CARRYING)
EXCLUSIVE, INCLUSIVE = "exclusive", "inclusive"


def validate_currency(code: str) -> None:
    """Refuse what ISO 4217 does not know."""
    if not is_currency(code):
        raise ValidationError(_("%(code)s is no ISO 4217 currency."), params={"code": code})


def validate_time_zone(name: str) -> None:
    """Refuse what the time zone database does not know."""
    if name not in available_timezones():
        raise ValidationError(_("%(name)s is no time zone."), params={"name": name})


def validate_conventions(said: Any) -> None:
    """Refuse a setting that nobody knows, and a value that it cannot have."""
    if not isinstance(said, dict):
        raise ValidationError(_("Conventions are settings with values."))
    counted = {name: value for name, value in said.items() if name not in SHOWN_CONVENTIONS}
    try:
        conventions_of(counted)
        step = Decimal(str(said.get("cash_rounding", 1)))
    except TermsInvalid as fault:
        raise ValidationError(str(fault)) from fault
    except InvalidOperation as exc:
        raise ValidationError(_("Cash is rounded to an amount, such as 0.05.")) from exc
    if not step.is_finite() or not 0 < step <= 1000:
        raise ValidationError(_("Cash is rounded to an amount, such as 0.05."))
    if said.get("period_end", INCLUSIVE) not in (EXCLUSIVE, INCLUSIVE):
        raise ValidationError(_("The end of a period is shown exclusive or inclusive."))
    if said.get("tax_rounding", TaxRounding.LINE) not in list(TaxRounding):
        raise ValidationError(_("Tax is rounded per line, rate or invoice."))
    try:
        bookkeeping_of(said)
        carrying_of(said)
    except (BookkeepingInvalid, CarryingInvalid) as fault:
        raise ValidationError(str(fault)) from fault
