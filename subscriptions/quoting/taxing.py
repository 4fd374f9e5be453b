"""The tax of what a quote of changes brings: every rate asked at once, for the first bill's day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2b.charging.taxing import Taxable, taxed
from o2b.customers.models import Account
from o2b.taxes.port import SellerRates, seller_rates
from subscriptions.changes.basis import Basis
from subscriptions.changes.taxing import Taxes, accounts_billed, codes_of, taxes_of_bill
from subscriptions.rules.billing import BillLine


@dataclass(frozen=True, slots=True)
class Taxer:
    """The rates that hold for an account on a day, for all codes that a quote speaks of."""

    account: Account
    on: date
    rates: SellerRates

    def bill(self, lines: Sequence[BillLine], fields: Sequence[str]) -> Taxes:
        """The tax of each line of one bill, rounded as the seller's bills are."""
        accounts = accounts_billed(lines, {self.account.pk: self.account})
        return taxes_of_bill(lines, rates=self.rates, on=self.on, accounts=accounts, fields=fields)

    def amounts(self, parts: Iterable[tuple[str, Decimal]], field: str) -> Decimal | None:
        """The tax of amounts by their codes, each rounded by itself; None where none is charged."""
        exempt = self.account.tax_exempt
        taxable = [
            Taxable(amount, self.rates.percent(code, on=self.on, exempt=exempt, field=field))
            for code, amount in parts
            if amount
        ]
        return total(taxed(taxable, currency=self.account.currency))


def taxer_for(account: Account, bases: Iterable[Basis], *, on: date) -> Taxer:
    """Ask once whatever the number of services."""
    codes = codes_of(terms for basis in bases for terms in basis.terms.values())
    return Taxer(account, on, seller_rates(account.legal_entity, codes=codes, on=[on]))


def total(taxes: Iterable[Decimal | None] | None) -> Decimal | None:
    """The sum of those that are; None where there is none."""
    known = [tax for tax in taxes or () if tax is not None]
    return sum(known, Decimal(0)) if known else None
