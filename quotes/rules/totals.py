"""What an offer comes to: once, each month, and on its first invoice; all by o2b.charging."""

from collections.abc import Callable, Sequence
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
from o2b.charging.tax import TaxRounding
from o2b.charging.taxing import Taxable, tax_code_of, taxed
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
class Part:
    """What one charge of a line costs once and each month, rounded, and its tax code."""

    tax_code: str
    one_time: Decimal
    monthly: Decimal


@dataclass(frozen=True, slots=True)
class LineTotals:
    """What one line costs once and each month, rounded; `first` is its part of the first bill.

    `parts` are its charges; `ref` of a line in `first` is the place of its charge in them.
    """

    one_time: Decimal
    monthly: Decimal
    first: tuple[DraftLine, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class TotalsTax:
    """The tax of an offer: of what is due once, of a month, of each line of the first bill."""

    one_time: Decimal
    monthly: Decimal
    first: tuple[tuple[Decimal, ...], ...]

    @property
    def first_invoice(self) -> Decimal:
        return sum((tax for taxes in self.first for tax in taxes), Decimal(0))


@dataclass(frozen=True, slots=True)
class Totals:
    """What the whole offer comes to, net; each figure is the sum of its lines' rounded ones.

    `tax` is None where the seller charges none, or nobody has asked yet.
    """

    currency: str
    one_time: Decimal
    monthly: Decimal
    first_invoice: Decimal
    starts_on: date
    first_invoice_on: date
    lines: tuple[LineTotals, ...]
    tax: TotalsTax | None = None

    @property
    def one_time_gross(self) -> Decimal:
        return self.one_time + (self.tax.one_time if self.tax else 0)

    @property
    def monthly_gross(self) -> Decimal:
        return self.monthly + (self.tax.monthly if self.tax else 0)

    @property
    def first_invoice_gross(self) -> Decimal:
        return self.first_invoice + (self.tax.first_invoice if self.tax else 0)

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
    parts = tuple(_part(charge, line.quantity, currency) for charge in charges)
    return LineTotals(
        one_time=sum((part.one_time for part in parts), nothing),
        monthly=sum((part.monthly for part in parts), nothing),
        first=tuple(draft(facts, until=bill_on)),
        parts=parts,
    )


def _part(charge: ChargeTerms, quantity: Decimal, currency: str) -> Part:
    once = price(charge, quantity) if charge.kind is Kind.ONE_TIME else Decimal(0)
    rounding = charge.conventions.rounding
    return Part(
        tax_code=tax_code_of(charge),
        one_time=quantise(once, currency, rounding),
        monthly=quantise(a_month(charge, quantity), currency, rounding),
    )


def taxes(
    sums: Totals, *, percent: Callable[[str, int], Decimal | None], per: TaxRounding
) -> TotalsTax | None:
    """The tax of an offer by the rate of each code; None where the seller charges none.

    `percent` is told the code and the index of the line. The first bill is rounded as bills are,
    the other figures charge by charge.
    """
    first = [
        Taxable(part.amount, percent(line.parts[part.ref].tax_code, i))
        for i, line in enumerate(sums.lines)
        for part in line.first
    ]
    of_first = taxed(first, currency=sums.currency, per=per)
    one_time = _amounts_tax(
        [[(p.tax_code, p.one_time) for p in x.parts] for x in sums.lines], sums, percent
    )
    monthly = _amounts_tax(
        [[(p.tax_code, p.monthly) for p in x.parts] for x in sums.lines], sums, percent
    )
    if of_first is None and one_time is None and monthly is None:
        return None
    rest = iter(of_first or [Decimal(0)] * len(first))
    return TotalsTax(
        one_time=one_time or Decimal(0),
        monthly=monthly or Decimal(0),
        first=tuple(tuple(next(rest) for _ in line.first) for line in sums.lines),
    )


def _amounts_tax(
    lines: Sequence[Sequence[tuple[str, Decimal]]],
    sums: Totals,
    percent: Callable[[str, int], Decimal | None],
) -> Decimal | None:
    found = taxed(
        [
            Taxable(amount, percent(code, i))
            for i, parts in enumerate(lines)
            for code, amount in parts
            if amount
        ],
        currency=sums.currency,
    )
    return None if found is None else sum(found, Decimal(0))
