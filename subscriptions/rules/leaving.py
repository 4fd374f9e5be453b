"""What ending a service within its commitment costs, by the arithmetic that would bill it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from o2b.charging import Kind, LineTerms
from o2b.money import EXACT, ROUNDING, quantise
from o2b.periods import Period
from subscriptions.rules.billing import Grid, bill
from subscriptions.rules.timeline import Span

HUNDRED = Decimal(100)


class Fee(StrEnum):
    """What leaving costs. Sources: Chargebee, Zuora (early termination)."""

    NONE = "none"
    REMAINING = "remaining"
    PERCENT = "percent"
    FIXED = "fixed"


def leaving_fee(kind: str, value: Decimal, *, remaining: Decimal, currency: str) -> Decimal:
    """What is owed, rounded once; `value` is a percentage of what remains, or an amount.

    >>> leaving_fee("percent", Decimal("33.3333"), remaining=Decimal("100"), currency="EUR")
    Decimal('33.33')
    """
    match Fee(kind):
        case Fee.REMAINING:
            owed = remaining
        case Fee.PERCENT:
            owed = ROUNDING.divide(EXACT.multiply(remaining, value), HUNDRED)
        case Fee.FIXED:
            owed = value
        case _:
            owed = Decimal(0)
    return quantise(max(owed, Decimal(0)), currency)


def remaining(
    spans: Sequence[Span],
    *,
    grid: Grid,
    terms: Mapping[int, LineTerms],
    on: date,
    ends_on: date,
) -> Decimal:
    """All recurring charges from the day of leaving to the end of the commitment.

    It is what would be billed to that end less what is billed to the day, so that each share is
    rounded as runs round it; what is suspended and not billed costs nothing here either.
    """
    if on >= ends_on:
        return Decimal(0)
    to_end = _recurring(_clipped(spans, ends_on), grid, terms, ends_on)
    return to_end - _recurring(_clipped(spans, on), grid, terms, ends_on)


def _recurring(
    spans: Sequence[Span], grid: Grid, terms: Mapping[int, LineTerms], until: date
) -> Decimal:
    found = bill(spans, grid=grid, terms=terms, standing={}, until=until)
    amounts = (line.amount for line in found.lines if line.kind is Kind.RECURRING)
    return sum(amounts, Decimal(0))


def _clipped(spans: Sequence[Span], end: date) -> list[Span]:
    return [
        replace(span, period=Period(span.period.start, min(span.period.end, end)))
        for span in spans
        if span.period.start < end
    ]
