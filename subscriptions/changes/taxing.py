"""The tax of what a change brings to the bills: as runs tax it, every rate asked at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from o2b.charging import LineTerms
from o2b.charging.taxing import Taxable, tax_code_of, taxed
from o2b.customers.models import Account
from o2b.taxes.port import SellerRates
from subscriptions.rules.billing import BillLine

# The tax of each line; None where no tax is charged.
Taxes = tuple[Decimal, ...] | None


def codes_of(terms: Iterable[LineTerms]) -> set[str]:
    """Every tax code that a line under these Terms may bear."""
    return {tax_code_of(charge) for each in terms for charge in each.charges}


def accounts_billed(
    lines: Iterable[BillLine], known: Mapping[int, Account]
) -> Mapping[int, Account]:
    """The accounts of the lines; services come from others too, and are corrected there."""
    missing = {line.account for line in lines} - known.keys()
    return {**known, **Account.objects.in_bulk(missing)} if missing else known


def taxes_of_bill(
    lines: Sequence[BillLine],
    *,
    rates: SellerRates,
    on: date,
    accounts: Mapping[int, Account],
    fields: Sequence[str],
) -> Taxes:
    """The tax of the lines of a bill that is written on a day, each account's rounded for itself.

    `fields` name what each line comes from, where a rate is missing. Raises TaxUnknown.
    """
    found: dict[int, Decimal] = {}
    charged = False
    for account_id in {line.account for line in lines}:
        account = accounts[account_id]
        own = [i for i, line in enumerate(lines) if line.account == account_id]
        taxable = [_taxable(lines[i], rates, on, account, fields[i]) for i in own]
        taxes = taxed(taxable, currency=account.currency, per=rates.per)
        charged = charged or taxes is not None
        found |= zip(own, taxes or [Decimal(0)] * len(own), strict=True)
    return tuple(found[i] for i in range(len(lines))) if charged else None


def _taxable(line: BillLine, rates: SellerRates, on: date, account: Account, field: str) -> Taxable:
    if line.corrects is not None:
        return Taxable(line.amount, line.corrects.percent, line.corrects)
    percent = rates.percent(line.tax_code, on=on, exempt=account.tax_exempt, field=field)
    return Taxable(line.amount, percent)
