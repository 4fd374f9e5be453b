"""Verbs of tax rates: a new one from a day on, and the end of one."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from o2b.errors import Invalid, Refused
from o2b.taxes.models import TaxRate
from o2b.web.show import day_text


class RateInvalid(Invalid):
    code = "tax_rate_invalid"


class RateTaken(Refused):
    code = "tax_rate_taken"


class RateClosed(Refused):
    code = "tax_rate_closed"


@transaction.atomic
def set_tax_rate(
    *,
    country: str,
    percent: Decimal,
    valid_from: date,
    today: date,
    code: str = "",
    name: str = "",
) -> TaxRate:
    """A rate from a day on; the one that holds by then ends on that day.

    What has been valid is not rewritten: a rate that holds already ends today at the earliest.
    """
    rate = TaxRate(
        country=country.strip().upper(),
        code=code.strip(),
        name=name.strip(),
        percent=percent,
        valid_from=valid_from,
    )
    _check(rate)
    _lock(rate.country)
    own = TaxRate.objects.filter(country=rate.country, code=rate.code)
    later = own.filter(valid_until=None, valid_from__gte=valid_from).first()
    if later is not None:
        message = _("A rate begins on %(day)s already; close that one first.")
        raise RateTaken(message % {"day": day_text(later.valid_from)}, field="valid_from")
    # One that was given up before it began has held on no day.
    held = own.exclude(valid_until=F("valid_from")).filter(valid_until__gt=valid_from)
    ended = held.order_by("-valid_until").first()
    if ended is not None and ended.valid_until is not None:
        message = _("A rate holds until %(day)s; the next one begins then at the earliest.")
        raise RateTaken(message % {"day": day_text(ended.valid_until)}, field="valid_from")
    holds = own.filter(valid_until=None).first()
    if holds is not None:
        _end(holds, on=valid_from, today=today, field="valid_from")
    rate.save()
    return rate


@transaction.atomic
def close_tax_rate(*, rate_id: int, on: date, today: date) -> TaxRate:
    """Say the first day on which a rate does not hold any more; it is told once."""
    rate = TaxRate.objects.select_for_update().get(pk=rate_id)
    if rate.valid_until is not None:
        message = _("It holds until %(day)s; that is told once.")
        raise RateClosed(message % {"day": day_text(rate.valid_until)}, field="on")
    _end(rate, on=on, today=today, field="on")
    return rate


def _end(rate: TaxRate, *, on: date, today: date, field: str) -> None:
    if on < rate.valid_from:
        message = _("It begins on %(day)s; it cannot end before.")
        raise RateInvalid(message % {"day": day_text(rate.valid_from)}, field=field)
    if on < today:
        message = _("A rate that was valid is not rewritten; choose today or a later day.")
        raise RateInvalid(message, field=field)
    rate.valid_until = on
    rate.save(update_fields=["valid_until"])


def _check(rate: TaxRate) -> None:
    try:
        rate.clean_fields(exclude=["valid_until"])
    except ValidationError as faults:
        field, messages = next(iter(faults.message_dict.items()))
        raise RateInvalid(messages[0], field=field) from faults


def _lock(country: str) -> None:
    """Two that write rates of one country come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"taxes {country}"])
