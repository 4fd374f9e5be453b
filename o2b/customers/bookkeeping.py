"""How a seller numbers its documents and keeps its books: settings among its conventions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BY_YEAR, DIGITS = "numbers_by_year", "number_digits"
CREDIT_NOTES, DEFERS, OWN_CURRENCY = "credit_note_prefix", "defer_revenue", "own_currency_books"
SETTINGS = (BY_YEAR, DIGITS, CREDIT_NOTES, DEFERS, OWN_CURRENCY)
LONGEST_PREFIX = 12
FEWEST_DIGITS, USUAL_DIGITS, MOST_DIGITS = 4, 8, 12


class BookkeepingInvalid(ValueError):
    """A setting has a value that it cannot have; the text says which."""


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """A seller's settings; all off is how everybody does it.

    `numbers_by_year`: numbers begin anew with each year of the documents' date, which stands in
    them. `credit_note_prefix`: credit notes have numbers of their own. `defer_revenue`: what is
    billed beyond the month of its invoice is deferred and released month by month.
    `own_currency_books`: postings in other currencies are kept in the seller's currency too.
    """

    numbers_by_year: bool = False
    number_digits: int = USUAL_DIGITS
    credit_note_prefix: str = ""
    defer_revenue: bool = False
    own_currency_books: bool = False


def bookkeeping_of(conventions: Mapping[str, Any]) -> Bookkeeping:
    """The settings that conventions say; raises BookkeepingInvalid."""
    told = {name: conventions[name] for name in SETTINGS if name in conventions}
    for name in (BY_YEAR, DEFERS, OWN_CURRENCY):
        if not isinstance(told.get(name, False), bool):
            raise BookkeepingInvalid(f"{name}: true or false")
    digits = told.get(DIGITS, USUAL_DIGITS)
    if isinstance(digits, bool) or not isinstance(digits, int):
        raise BookkeepingInvalid(f"{DIGITS}: a number")
    if not FEWEST_DIGITS <= digits <= MOST_DIGITS:
        raise BookkeepingInvalid(f"{DIGITS}: {FEWEST_DIGITS} to {MOST_DIGITS}")
    prefix = told.get(CREDIT_NOTES, "")
    if not isinstance(prefix, str) or len(prefix) > LONGEST_PREFIX or not prefix.isprintable():
        raise BookkeepingInvalid(f"{CREDIT_NOTES}: at most {LONGEST_PREFIX} characters")
    return Bookkeeping(**told)


def series_prefix(prefix: str, year: int) -> str:
    """What stands before the number in a year's series: INV-2026-; 0 is no year.

    >>> series_prefix("INV-", 2026), series_prefix("{year}/", 2026), series_prefix("INV-", 0)
    ('INV-2026-', '2026/', 'INV-')
    """
    if not year:
        return prefix
    return prefix.replace("{year}", str(year)) if "{year}" in prefix else f"{prefix}{year}-"
