"""What is asked of a tax engine, and which of dated rates holds on a day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class TaxAsked(NamedTuple):
    """Which rate holds in the seller's country for a tax code (blank: standard) on a day."""

    country: str
    code: str
    on: date
    exempt: bool = False


class Dated(NamedTuple):
    """A rate and its days; without an end it holds on."""

    country: str
    code: str
    percent: Decimal
    valid_from: date
    valid_until: date | None


_ZERO = Decimal(0)


def answers(asked: Iterable[TaxAsked], rates: Iterable[Dated]) -> dict[TaxAsked, Decimal | None]:
    """Percent of each question; None where a country has no rates, or none yet: it charges no tax.

    What a country with rates has none for is left out. Who is exempt pays 0 there, whatever code.
    A rate that was given up before it began is as if it never was.
    """
    by_code: dict[tuple[str, str], list[Dated]] = {}
    begins: dict[str, date] = {}
    for rate in rates:
        if rate.valid_until != rate.valid_from:
            by_code.setdefault((rate.country, rate.code), []).append(rate)
            first = begins.setdefault(rate.country, rate.valid_from)
            begins[rate.country] = min(first, rate.valid_from)
    found: dict[TaxAsked, Decimal | None] = {}
    for each in asked:
        if each.country not in begins or each.on < begins[each.country]:
            found[each] = None
        elif each.exempt:
            found[each] = _ZERO
        else:
            own = by_code.get((each.country, each.code), ())
            holds = [rate.percent for rate in own if _holds(rate, each.on)]
            if holds:
                found[each] = holds[0]
    return found


def _holds(rate: Dated, on: date) -> bool:
    return rate.valid_from <= on and (rate.valid_until is None or on < rate.valid_until)
