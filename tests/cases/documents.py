"""Bills with coupons and minimums for real: services, coupons by two people, a run, its documents.

All cases share one world, which is rolled back. What is sold is owed once, on the first day of the
month, and billed when the month is over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from billing.adjustments.services.refusals import CouponNotOnOffer
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine
from o2b.catalog.models import ProductVersion
from o2b.charging import DiscountKind
from o2b.charging.allocation import Coupon
from o2b.customers.models import Account, LegalEntity
from o2b.money import minor_unit, sum_of
from tests.billing.adjustments.build import a_coupon, committed, has
from tests.billing.worlds import finalised, in_service
from tests.cases.adapter import words
from tests.cases.asking import Bill, Document
from tests.factories import a_product, a_tax_rate, an_account, an_entity, setup_fee

Sold = tuple[Account, list[ProductVersion]]
OVER = date(2026, 2, 1)
ZERO = Decimal(0)


def billed(bills: Mapping[str, Bill]) -> dict[str, Document]:
    """The document of each case."""
    an_entity()
    rates_of(
        percent
        for bill in bills.values()
        for percent in (bill.minimum_percent, *(line.percent for line in bill.lines))
    )
    sold = {case: _sold_twice(bill) for case, bill in bills.items()}
    for per in sorted({bill.per for bill in bills.values()}):
        LegalEntity.objects.update(conventions={"tax_rounding": per})
        own = [sold[case] for case, bill in bills.items() if bill.per == per]
        accounts = {one.pk for both in own for one, _ in both}
        run = finalised(OVER, account_ids=sorted(accounts))
        assert (run.tax_rounding, run.parked_accounts.count()) == (per, 0)
    return {case: _document(*own, full=_tax(full[0])) for case, (own, full) in sold.items()}


def is_billable(bill: Bill) -> bool:
    """Whether its amounts are some that a bill has: whole minor units, and none below zero."""
    amounts = [*(line.amount for line in bill.lines), bill.minimum or ZERO]
    unit = minor_unit(words.CURRENCY)
    return all(amount >= 0 and not amount % unit for amount in amounts)


def rates_of(percents: Iterable[Decimal]) -> None:
    """A rate for each of these percents, and one of nothing."""
    for percent in sorted({ZERO, *percents}):
        a_tax_rate(f"{percent:f}", rate_code(percent))


def rate_code(percent: Decimal) -> str:
    """The tax code of a price that bears so many percent."""
    return f"at-{percent.normalize():f}".replace(".", "-")


def _sold_twice(bill: Bill) -> tuple[Sold, Sold]:
    """As told, and the same without coupons; where there are none, once is enough."""
    sold = _sold(bill)
    return sold, (_sold(replace(bill, coupons=())) if bill.coupons else sold)


def _sold(bill: Bill) -> Sold:
    """An account with a service for each line, and whatever adjusts its bills."""
    account = an_account()
    products = [
        a_product(charges=[setup_fee(f"{line.amount:f}", tax_code=rate_code(line.percent))])
        for line in bill.lines
    ]
    in_service(products, account=account)
    for coupon in bill.coupons:
        grant(account, coupon, products)
    if bill.minimum is not None:
        committed(account, f"{bill.minimum:f}", tax_code=rate_code(bill.minimum_percent))
    return account, products


def grant(account: Account, told: Coupon, products: list[ProductVersion]) -> None:
    """A coupon by two people; one of another currency is refused."""
    percent = told.discount.kind is DiscountKind.PERCENT
    only = [] if told.lines is None else [products[n].product.code for n in sorted(told.lines)]
    coupon = a_coupon(
        f"{told.discount.value:f}",
        told.discount.kind.value,
        currency="" if percent else told.currency or account.currency,
        products=only,
    )
    try:
        has(account, coupon)
    except CouponNotOnOffer:
        assert coupon.currency != account.currency


def _document(account: Account, products: list[ProductVersion], *, full: Decimal) -> Document:
    bill = Invoice.objects.get(account=account)
    by_product = {
        line.charge.terms.product_version_id: line
        for line in InvoiceLine.objects.filter(invoice=bill).select_related("charge__terms")
    }
    lines = [by_product[product.pk] for product in products]
    rows = InvoiceAdjustment.objects.filter(invoice=bill)
    shares = [
        -sum_of(row.amount for row in rows if row.charge_id == line.charge_id) for line in lines
    ]
    missing = [row for row in rows if row.kind == "minimum"]
    left = [line.amount - share for line, share in zip(lines, shares, strict=True)]
    return Document(
        shares=shares,
        left=left,
        subtotal=sum_of(line.amount for line in lines),
        discount=sum_of(shares),
        net=bill.net,
        taxable=sum_of(rest for rest, line in zip(left, lines, strict=True) if line.tax_rate),
        tax=bill.tax,
        total=bill.total,
        true_up=sum_of(row.amount for row in missing),
        true_up_tax=sum_of(row.tax for row in missing),
        tax_on_full=full,
        line_taxes=[line.tax for line in lines],
        taxes=[
            line.tax + sum_of(row.tax for row in rows if row.charge_id == line.charge_id)
            for line in lines
        ],
    )


def _tax(account: Account) -> Decimal:
    return Invoice.objects.get(account=account).tax
