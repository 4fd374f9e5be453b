"""The tax of a line, done again: by itself, as a correction, or with its whole invoice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from billing.explaining.rules.steps import rounded_told, tax_told
from o2b.charging import Step
from o2b.charging.tax import TaxRounding
from o2b.charging.taxing import Corrects, Taxable, taxes_of
from o2b.money import EXACT


class Earlier(NamedTuple):
    """What lines before it billed of a line's period and segment, and their tax."""

    net: Decimal
    tax: Decimal


class TaxTold(NamedTuple):
    """The tax of a line: `expected` and the steps to it; `per`: with what it was rounded.

    `corrects`: the rate and the tax so far are those of the bill that it corrects.
    """

    steps: tuple[Step, ...]
    expected: Decimal
    per: TaxRounding
    corrects: bool = False


def taxes_again(
    lines: Sequence[tuple[Decimal, Decimal, Earlier | None]],
    *,
    currency: str,
    per: TaxRounding,
) -> list[TaxTold]:
    """All lines of an invoice in their order: (net, percent, what it corrects) each.

    `Earlier` is said of a line that corrects a bill of its period, also where its own segment is
    new and nothing was billed of it.
    """
    taxable = [_taxable(*each) for each in lines]
    taxes = taxes_of(taxable, currency=currency, per=per)
    return [_told(each, tax, currency, per) for each, tax in zip(taxable, taxes, strict=True)]


def _taxable(net: Decimal, percent: Decimal, earlier: Earlier | None) -> Taxable:
    if earlier is None:
        return Taxable(net, percent)
    target = EXACT.add(earlier.net, net)
    return Taxable(net, percent, Corrects(percent, earlier.tax, target))


def _told(each: Taxable, tax: Decimal, currency: str, per: TaxRounding) -> TaxTold:
    percent, bill = each.percent or Decimal(0), each.corrects
    if bill is not None:
        whole = tax_told(bill.target, percent, currency)
        rest = f"{rounded_told(whole.result)} − {rounded_told(bill.taxed)}"
        steps = (whole, Step("billed before", rest, tax)) if bill.taxed else (whole,)
        return TaxTold(steps, tax, per, corrects=True)
    step = tax_told(each.amount, percent, currency)
    return TaxTold((step._replace(result=tax),), tax, per)
