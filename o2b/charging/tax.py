"""Tax on net amounts and inside gross ones, rounded per line, per rate or once per invoice."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import NamedTuple

from o2b.charging.allocation import Coupon, spread
from o2b.money import (
    EXACT,
    Exact,
    Rounding,
    minor_unit,
    minor_units,
    of_minor_units,
    quantise,
    sum_of,
    to_decimal,
)

_ZERO = Decimal(0)
_HUNDRED = 100


class TaxRounding(StrEnum):
    """What is added up before tax is rounded.

    line: each line by itself (Invoice Ninja, Wafeq before 2023-12). rate: all lines of one rate
    (Wafeq since). invoice: all lines (Lago).
    """

    LINE = "line"
    RATE = "rate"
    INVOICE = "invoice"


class Taxed(NamedTuple):
    """Net, tax, and both together, each a whole number of minor units."""

    net: Decimal
    tax: Decimal
    total: Decimal


class TaxLine(NamedTuple):
    """A line's amount, net or gross, and its rate in percent; 0 is exempt."""

    amount: Exact
    percent: Decimal


class TaxedLines(NamedTuple):
    """The tax of each line, of each rate in order of appearance, and of all."""

    line_taxes: tuple[Decimal, ...]
    rate_taxes: dict[Decimal, Decimal]
    net: Decimal
    tax: Decimal
    total: Decimal


def tax_on(
    net: Exact, percent: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP
) -> Decimal:
    """Tax to be added: round(net × percent ÷ 100)."""
    return quantise(to_decimal(_exclusive(net, percent)), currency, rounding)


def tax_in(
    gross: Exact, percent: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP
) -> Decimal:
    """Tax that a price includes: round(gross × percent ÷ (100 + percent))."""
    return quantise(to_decimal(_inclusive(gross, percent)), currency, rounding)


def add_tax(
    net: Exact, percent: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP
) -> Taxed:
    """Net and tax rounded apart, the tax from the unrounded net; the total is their sum.

    160.00 × 29/30 at 25 %: 154.67 and 38.67. Source: Lago, credit notes.
    """
    whole = quantise(to_decimal(net), currency, rounding)
    tax = tax_on(net, percent, currency, rounding)
    return Taxed(whole, tax, EXACT.add(whole, tax))


def take_tax(
    gross: Exact, percent: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP
) -> Taxed:
    """The tax inside a gross amount; the net is what is left of the rounded gross."""
    total = quantise(to_decimal(gross), currency, rounding)
    tax = tax_in(gross, percent, currency, rounding)
    return Taxed(EXACT.subtract(total, tax), tax, total)


def tax_lines(
    lines: Sequence[TaxLine],
    *,
    currency: str,
    per: TaxRounding = TaxRounding.LINE,
    inclusive: bool = False,
    rounding: Rounding = Rounding.HALF_UP,
) -> TaxedLines:
    """The tax of several lines; `per` says what is added up before it is rounded.

    `line_taxes` are rounded line by line whatever `per` is: with rate and invoice they are for
    show, and may differ from `tax` by some minor units; `share_taxes` gives such that add up.
    """
    of_line = _inclusive if inclusive else _exclusive
    exact = [of_line(line.amount, line.percent) for line in lines]
    rates: dict[Decimal, list[Fraction]] = {}
    for line, tax in zip(lines, exact, strict=True):
        rates.setdefault(line.percent, []).append(tax)
    line_taxes = tuple(_whole([tax], currency, rounding) for tax in exact)
    if per is TaxRounding.LINE:
        rate_taxes = {
            rate: sum_of(_whole([tax], currency, rounding) for tax in taxes)
            for rate, taxes in rates.items()
        }
        total_tax = sum_of(line_taxes)
    else:
        rate_taxes = {rate: _whole(taxes, currency, rounding) for rate, taxes in rates.items()}
        whole = _whole(exact, currency, rounding)
        total_tax = whole if per is TaxRounding.INVOICE else sum_of(rate_taxes.values())
    amount = _whole([Fraction(line.amount) for line in lines], currency, rounding)
    net = EXACT.subtract(amount, total_tax) if inclusive else amount
    return TaxedLines(line_taxes, rate_taxes, net, total_tax, EXACT.add(net, total_tax))


def share_taxes(
    lines: Sequence[TaxLine],
    *,
    currency: str,
    per: TaxRounding,
    rounding: Rounding = Rounding.HALF_UP,
) -> tuple[Decimal, ...]:
    """The tax of each net line in whole minor units, so that they add up to `tax_lines(...).tax`.

    By largest remainder, what is rounded together over its rates first and over the lines of each
    rate then: nothing is off by a whole minor unit; of equal remainders the earlier one gets it.
    """
    unit = Fraction(minor_unit(currency))
    exact = [_exclusive(line.amount, line.percent) / unit for line in lines]
    rates: dict[Decimal, list[int]] = {}
    for i, line in enumerate(lines):
        rates.setdefault(line.percent, []).append(i)

    def rounded(units: Sequence[Fraction]) -> int:
        tax = to_decimal(sum(units, Fraction(0)) * unit)
        return minor_units(tax, currency, rounding)

    if per is TaxRounding.LINE:
        whole = [rounded([each]) for each in exact]
    else:
        of_rates = [sum((exact[i] for i in members), Fraction(0)) for members in rates.values()]
        totals = [rounded([each]) for each in of_rates]
        if per is TaxRounding.INVOICE:
            totals = _by_remainder(of_rates, rounded(of_rates))
        whole = [0] * len(lines)
        for members, total in zip(rates.values(), totals, strict=True):
            parts = _by_remainder([exact[i] for i in members], total)
            for i, part in zip(members, parts, strict=True):
                whole[i] = part
    return tuple(of_minor_units(each, currency) for each in whole)


def _by_remainder(exact: Sequence[Fraction], total: int) -> list[int]:
    """Whole parts of a total that is less than one apart from the sum of what is exact."""
    whole = [floor(each) for each in exact]
    more = total - sum(whole)
    for i in sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))[:more]:
        whole[i] += 1
    return whole


class Split(NamedTuple):
    """A taxed amount in two: what is credited and what stays; they add up to the whole."""

    credit: Taxed
    left: Taxed


def split_tax(
    net: Decimal,
    percent: Decimal,
    credit_net: Decimal,
    currency: str,
    rounding: Rounding = Rounding.HALF_UP,
) -> Split:
    """Credit a part; the rest is the difference to the whole, not computed anew.

    726.86 of 769.00 at 20 %: 145.37 of 153.80 is credited, 8.43 stays. Source: Lago.
    """
    whole, credit = (add_tax(each, percent, currency, rounding) for each in (net, credit_net))
    rest = (EXACT.subtract(all_of, part) for all_of, part in zip(whole, credit, strict=True))
    return Split(credit, Taxed(*rest))


class InvoiceTotals(NamedTuple):
    """An invoice from its lines to what is due.

    subtotal − discount = net; net + tax = total; total − credits = due. `taxable` is the net of
    lines that have a rate above zero. `shares` are each line's part of the discount in whole
    minor units, `taxes` each line's tax.
    """

    subtotal: Decimal
    discount: Decimal
    net: Decimal
    taxable: Decimal
    tax: Decimal
    total: Decimal
    due: Decimal
    shares: tuple[Decimal, ...]
    taxes: tuple[Decimal, ...]
    credits: tuple[Decimal, ...]


def invoice_totals(
    lines: Sequence[TaxLine],
    *,
    currency: str,
    coupons: Sequence[Coupon] = (),
    coupons_before_tax: bool = True,
    credits: Sequence[Decimal] = (),
    per: TaxRounding = TaxRounding.INVOICE,
    rounding: Rounding = Rounding.HALF_UP,
) -> InvoiceTotals:
    """Net lines less coupons, plus tax, less credits in the order given, each down to zero.

    Coupons lower the taxed amount of each line pro rata to what is left of it; with
    `coupons_before_tax` off, tax is on the full lines and the coupon comes off the sum.
    Source: Lago (coupons before tax; credit notes, then prepaid credits, after it).
    """
    amounts = [to_decimal(line.amount) for line in lines]
    off = spread(amounts, coupons, currency=currency, rounding=rounding)
    left = [
        TaxLine(rest if coupons_before_tax else line.amount, line.percent)
        for line, rest in zip(lines, off.left, strict=True)
    ]
    taxed = tax_lines(left, currency=currency, per=per, rounding=rounding)
    subtotal = _whole([Fraction(amount) for amount in amounts], currency, rounding)
    net = EXACT.subtract(subtotal, off.discount)
    total = EXACT.add(net, taxed.tax)
    used, due = _pay(total, credits)
    return InvoiceTotals(
        subtotal=subtotal,
        discount=off.discount,
        net=net,
        taxable=_taxable(left, currency, rounding),
        tax=taxed.tax,
        total=total,
        due=due,
        shares=off.whole_shares(currency),
        taxes=taxed.line_taxes,
        credits=used,
    )


def _pay(total: Decimal, credits: Sequence[Decimal]) -> tuple[tuple[Decimal, ...], Decimal]:
    used: list[Decimal] = []
    for credit in credits:
        part = min(credit, max(total, _ZERO))
        total = EXACT.subtract(total, part)
        used.append(part)
    return tuple(used), total


def _taxable(lines: Sequence[TaxLine], currency: str, rounding: Rounding) -> Decimal:
    amounts = [Fraction(line.amount) for line in lines if line.percent]
    return _whole(amounts, currency, rounding)


def _exclusive(net: Exact, percent: Decimal) -> Fraction:
    return Fraction(net) * Fraction(percent) / _HUNDRED


def _inclusive(gross: Exact, percent: Decimal) -> Fraction:
    return Fraction(gross) * Fraction(percent) / (_HUNDRED + Fraction(percent))


def _whole(amounts: Sequence[Fraction], currency: str, rounding: Rounding) -> Decimal:
    """The sum, rounded once."""
    return quantise(to_decimal(sum(amounts, Fraction(0))), currency, rounding)
