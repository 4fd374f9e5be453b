"""How amounts, days, moments and states are written, in the reader's language."""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale

from o2b.web.states import label_of, tone_of

NOTHING = "—"


def reader_locale() -> Locale:
    """Babel's locale of the active language; plain English means day before month."""
    return _locale(get_language() or "en")


@lru_cache(maxsize=32)
def _locale(language: str) -> Locale:
    return Locale.parse("en_GB" if language == "en" else to_locale(language))


def money_text(amount: Any, currency: str = "") -> str:
    """'€1,310.00'; takes Money, or a Decimal with its currency; never rounds a finer price away."""
    if amount is None or amount == "":
        return NOTHING
    if hasattr(amount, "currency"):
        amount, currency = amount.amount, amount.currency
    if isinstance(amount, float):
        raise TypeError("money is never a float")
    # By its digits: 1.5 and 1.50 are equal, and are not shown alike.
    return _money(str(Decimal(amount)), currency, get_language() or "en")


@lru_cache(maxsize=8192)
def _money(digits: str, currency: str, language: str) -> str:
    value, locale = Decimal(digits), _locale(language)
    if not currency:
        return format_decimal(value, "#,##0.00########", locale=locale)
    return format_currency(value, currency, locale=locale, decimal_quantization=False)


def number_text(value: Any) -> str:
    """'29,202'; up to nine decimals, no trailing zeros."""
    if value is None or value == "":
        return NOTHING
    return format_decimal(value, "#,##0.#########", locale=reader_locale())


def rate_text(value: Any) -> str:
    """'0.8412', '0,8412': what a unit of another currency is worth, to its last decimal."""
    if value is None or value == "":
        return NOTHING
    return format_decimal(value, "#,##0.0#########", locale=reader_locale())


def day_text(value: date | None) -> str:
    """'4 Nov 2026'."""
    if not value:
        return NOTHING
    if isinstance(value, datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return _day(value, get_language() or "en")


@lru_cache(maxsize=8192)
def _day(value: date, language: str) -> str:
    return format_date(value, "medium", locale=_locale(language))


def moment_text(value: datetime | None) -> str:
    """'4 Nov 2026, 16:20', in the active time zone."""
    if not value:
        return NOTHING
    at = timezone.localtime(value) if timezone.is_aware(value) else value
    locale = reader_locale()
    day = format_date(at, "medium", locale=locale)
    return f"{day}, {format_datetime(at, 'HH:mm', locale=locale)}"


def badge_html(state: Any, label: Any = None, tone: str = "") -> SafeString:
    """A state as a coloured pill; colour and words come from the life cycles unless told."""
    if state is None or state == "":
        return SafeString(NOTHING)
    return format_html(
        '<span class="badge {}">{}</span>', tone or tone_of(state), label or label_of(state)
    )
