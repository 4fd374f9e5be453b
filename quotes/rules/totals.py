"""What an offer comes to: once, each month, and on its first invoice; all by o2b.charging."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2b.charging import (
    ChargeFacts,
    ChargeTerms,
    DraftLine,
    Interval,
    Kind,
    LineTerms,
    Segment,
    draft,
    price,
)
from o2b.money import EXACT, ROUNDING, quantise
from o2b.periods import FOREVER, Period, Unit, anchored_period

MONTH = Interval(Unit.MONTH)
MONTHS_A_YEAR = Decimal(12)
DAYS_A_YEAR = Decimal(365)

LARGEST = Decimal(10) ** 15  # the first amount that no invoice can hold


@dataclass(frozen=True, slots=True)
class Priced:
    """One line as offered: its Terms and how many of it."""

    terms: LineTerms
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class LineTotals:
    """What one line costs once and each month, rounded; `first` is its part of the first bill."""

    one_time: Decimal
    monthly: Decimal
    first: tuple[DraftLine, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """What the whole offer comes to; each figure is the sum of its lines' rounded ones."""

    currency: str
    one_time: Decimal
    monthly: Decimal
    first_invoice: Decimal
    starts_on: date
    first_invoice_on: date
    lines: tuple[LineTotals, ...]

    @property
    def too_large(self) -> bool:
        return max(abs(self.one_time), abs(self.monthly), abs(self.first_invoice)) >= LARGEST


def totals(lines: Sequence[Priced], *, currency: str, starts_on: date, anchor_day: int) -> Totals:
    """Sum the lines up as if all of them began on one day."""
    bill_on = first_bill_on(starts_on=starts_on, anchor_day=anchor_day)
    each = tuple(_line(line, currency, starts_on, anchor_day, bill_on) for line in lines)
    nothing = quantise(Decimal(0), currency)
    return Totals(
        currency=currency,
        one_time=sum((line.one_time for line in each), nothing),
        monthly=sum((line.monthly for line in each), nothing),
        first_invoice=sum((part.amount for line in each for part in line.first), nothing),
        starts_on=starts_on,
        first_invoice_on=bill_on,
        lines=each,
    )


def first_bill_on(*, starts_on: date, anchor_day: int) -> date:
    """The account's first bill day on or after the start."""
    around = anchored_period(starts_on, MONTH, starts_on, anchor_day)
    return starts_on if around.start == starts_on else around.end


def a_month(charge: ChargeTerms, quantity: Decimal) -> Decimal:
    """A recurring charge's price spread evenly over its months, not yet rounded; else nothing."""
    if charge.kind is not Kind.RECURRING or charge.interval is None:
        return Decimal(0)
    full = price(charge, quantity)
    if months := charge.interval.months:
        return ROUNDING.divide(full, Decimal(months))
    days = charge.interval.days
    return ROUNDING.divide(EXACT.multiply(full, DAYS_A_YEAR), MONTHS_A_YEAR * days)


def _line(
    line: Priced, currency: str, starts_on: date, anchor_day: int, bill_on: date
) -> LineTotals:
    nothing = quantise(Decimal(0), currency)
    charges = line.terms.charges
    segment = Segment(Period(starts_on, FOREVER), line.quantity)
    facts = [
        ChargeFacts(n, charge, starts_on, anchor_day, (segment,), None)
        for n, charge in enumerate(charges)
    ]
    return LineTotals(
        one_time=sum(
            (
                quantise(price(charge, line.quantity), currency, charge.conventions.rounding)
                for charge in charges
                if charge.kind is Kind.ONE_TIME
            ),
            nothing,
        ),
        monthly=sum(
            (
                quantise(a_month(charge, line.quantity), currency, charge.conventions.rounding)
                for charge in charges
            ),
            nothing,
        ),
        first=tuple(draft(facts, until=bill_on)),
    )
