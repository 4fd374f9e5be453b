"""Currencies as of a day: which of those that ever were are somebody's money still."""

from datetime import date
from functools import lru_cache

from babel.core import get_global

from o2b.money import is_currency


def is_tender(code: str, on: date) -> bool:
    """Whether it is a currency, and not retired everywhere before a day, by Unicode CLDR.

    >>> is_tender("EUR", date(2026, 1, 31)), is_tender("DEM", date(2026, 1, 31))
    (True, False)
    """
    return is_currency(code) and on <= _last_days().get(code, date.max)


@lru_cache(maxsize=1)
def _last_days() -> dict[str, date]:
    """Of currencies that no territory has any more: the last day that one had it."""
    found: dict[str, date] = {}
    for rows in get_global("territory_currencies").values():
        for code, _start, end, _tender in rows:
            last = date(*end) if end else date.max
            found[code] = max(found.get(code, date.min), last)
    return {code: last for code, last in found.items() if last < date.max}
