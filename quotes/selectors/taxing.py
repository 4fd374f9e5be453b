"""The tax of offers: of a month, of what is due once, of the first bill; asked all at once."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from o2b.customers.models import Account
from o2b.taxes.port import Rates, TaxUnknown, ask_rates
from o2b.taxes.rules import TaxAsked
from quotes.rules.totals import Totals, taxes


def with_tax(account: Account, sums: Totals) -> Totals:
    """The same with its tax, at the rates of the first bill's day.

    Raises TaxUnknown beside the line whose product has a code without a rate.
    """
    return with_tax_each([(account, sums)])[0]


def with_tax_if_known(account: Account, sums: Totals) -> Totals:
    """The same for an offer that stands already: it stays net where a rate is missing."""
    try:
        return with_tax(account, sums)
    except TaxUnknown:
        return sums


def with_tax_each(offers: Sequence[tuple[Account, Totals]]) -> list[Totals]:
    """The same for many offers, each of them with one question to the port in all."""
    rates = ask_rates(
        _question(account, sums, part.tax_code)
        for account, sums in offers
        for line in sums.lines
        for part in line.parts
    )
    return [_taxed(account, sums, rates) for account, sums in offers]


def _taxed(account: Account, sums: Totals, rates: Rates) -> Totals:
    def percent(code: str, i: int) -> Decimal | None:
        return rates.percent(_question(account, sums, code), field=f"lines[{i}].product")

    per = account.legal_entity.tax_rounding
    return replace(sums, tax=taxes(sums, percent=percent, per=per)) if sums.lines else sums


def _question(account: Account, sums: Totals, code: str) -> TaxAsked:
    country = account.legal_entity.country
    return TaxAsked(country, code, sums.first_invoice_on, account.tax_exempt)
