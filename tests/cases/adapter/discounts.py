"""discount.percent, fixed, stacking, allocation: coupons off an amount and off several lines."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Union

from o2b.charging.allocation import Coupon, allocate_discount, spread, stack
from o2b.charging.tax import InvoiceTotals, TaxLine, TaxRounding, invoice_totals
from o2b.charging.terms import Discount, DiscountKind
from o2b.money import sum_of
from tests.cases.adapter import words
from tests.cases.adapter.selling import NOTHING
from tests.cases.adapter.units import Units
from tests.cases.asking import Answers, Asked, Bill, Document, MaybeBill, Pure
from tests.cases.reading import CaseInput, Keys

# Which fees a coupon is for: (subscription or any, metrics or any).
APPLIES_TO = {
    "all": (None, None),
    "subscription 1": (1, None),
    "subscription 2": (2, None),
    "metrics 1 and 2 of subscription 1": (1, (1, 2)),
}
FEE_ORDER = {"as listed; each spread over what is left": True}
Totals = Union[InvoiceTotals, Document]  # noqa: UP007 - the adapter has no operators
ONCE_PER_INVOICE = r"tax rounded once per invoice(?:; the sum of the rounded line taxes is \d+)?"


def allocation(case: CaseInput) -> Asked:
    """One fixed discount over lines, in whole minor units."""
    units = Units(case)
    case.conventions.word("method", words.WHOLE_CENTS, True)
    lines = units.amounts("lines")
    found = allocate_discount(units.amount("discount"), lines, units.currency)
    bill = _bill(
        units,
        lines,
        [Coupon(_amount_off(units.amount("discount")))],
        lambda said: {
            "shares": units.told_all(said.shares),
            "net_lines": units.told_all(said.left),
        },
    )
    return Pure(
        lambda: {"shares": units.told_all(found.shares), "net_lines": units.told_all(found.left)},
        bill,
    )


def fixed(case: CaseInput) -> Asked:
    """Fixed coupons; one in another currency is ignored."""
    given = case.given
    case.conventions.word("order", words.COUPON_ORDER, True)
    if given.has("fees"):
        return _over_fees(case)
    if given.has("coupon"):
        currency = given.raw("amount_currency") if given.has("amount_currency") else words.CURRENCY
        other = given.raw("coupon_currency") if given.has("coupon_currency") else currency
        coupon = Coupon(_amount_off(given.decimal("coupon")), other)
        amount = given.decimal("amount")
        found = stack(amount, [coupon], currency=currency)
        return Pure(
            lambda: {
                "discount": found.discount,
                "coupon_applied": found.discount,
                "total": found.left,
            },
            _bill(
                Units(case),
                [amount],
                [coupon],
                lambda said: {
                    "discount": said.discount,
                    "coupon_applied": said.discount,
                    "total": said.net,
                },
            ),
        )
    return _stacked(case)


def percent(case: CaseInput) -> Asked:
    """Percentages of an amount, or of each line, each rounded by itself or on the sum."""
    given = case.given
    if not given.has("lines"):
        return _stacked(case)
    units = Units(case)
    rounding = words.conventions(case).rounding
    off = Discount(DiscountKind.PERCENT, given.decimal("discount_percent"))
    lines = units.amounts("lines")

    def taken(amount: Decimal) -> Decimal:
        return stack(amount, [off], currency=units.currency, rounding=rounding).discount

    return Pure(
        lambda: {
            "per_line": units.told_all(map(taken, lines)),
            "discount": units.told(sum_of(map(taken, lines))),
            "on_total": units.told(taken(sum_of(lines))),
        }
    )


def stacking(case: CaseInput) -> Asked:
    """Several coupons, one after the other."""
    return _over_fees_of_subscriptions(case) if case.given.has("fees") else _stacked(case)


def _stacked(case: CaseInput) -> Asked:
    """Coupons as applied, one after the other, each rounded when it is taken."""
    case.conventions.word("order", words.COUPON_ORDER, True)
    rounding = words.conventions(case).rounding
    units = Units(case)
    amount = units.amount("amount")
    coupons = _coupons(case, units)
    found = stack(amount, coupons, currency=units.currency, rounding=rounding)
    return Pure(
        lambda: {"discount": units.told(found.discount), "total": units.told(found.left)},
        _bill(
            units,
            [amount],
            [Coupon(each) for each in coupons],
            lambda said: {"discount": units.told(said.discount), "total": units.told(said.net)},
        ),
    )


def _bill(
    units: Units,
    lines: Sequence[Decimal],
    coupons: Sequence[Coupon],
    read: Callable[[Document], Answers],
) -> MaybeBill:
    """The same as a bill without tax."""
    return _of_lines(units, [TaxLine(each, NOTHING) for each in lines], read, coupons)


def _of_lines(
    units: Units,
    lines: Sequence[TaxLine],
    read: Callable[[Document], Answers],
    coupons: Sequence[Coupon],
) -> MaybeBill:
    """A bill in the currency of the book, whose tax is rounded once; none of another currency."""
    return Bill(lines, read, coupons) if units.currency == words.CURRENCY else None


def _over_fees(case: CaseInput) -> Asked:
    """Coupons over fees that are taxed alike: before tax, pro rata."""
    units = Units(case)
    rate = case.given.maybe_decimal("tax_percent") or NOTHING
    if case.given.has("coupon"):
        coupons = [Coupon(_amount_off(units.amount("coupon")))]
    else:
        coupons = [Coupon(each) for each in _coupons(case, units)]
    lines = [TaxLine(each, rate) for each in units.amounts("fees")]
    found = invoice_totals(lines, currency=units.currency, coupons=coupons)

    def told(of: Totals) -> Answers:
        return {
            "discount": units.told(of.discount),
            "coupon_applied": units.told(of.discount),
            "tax": units.told(of.tax),
            "total": units.told(of.total),
        }

    return Pure(lambda: told(found), _of_lines(units, lines, told, coupons))


def _over_fees_of_subscriptions(case: CaseInput) -> Asked:
    """Coupons that are for some of the fees only, then tax once for the invoice."""
    given = case.given
    given.word("order", FEE_ORDER)
    if case.conventions.has("rounding"):
        case.conventions.match("rounding", ONCE_PER_INVOICE)
    units = Units(case)
    fees = given.each("fees")
    places = [(each.integer("subscription"), each.integer("metric")) for each in fees]
    lines = [
        TaxLine(units.of(each.decimal("amount")), each.decimal("tax_percent")) for each in fees
    ]
    coupons, values = [], []
    for each in given.each("coupons"):
        subscription, metrics = each.word("applies_to", APPLIES_TO)
        mine = frozenset(
            n
            for n, place in enumerate(places)
            if subscription in (None, place[0]) and (metrics is None or place[1] in metrics)
        )
        value = each.decimal("amount")
        values.append(value)
        coupons.append(Coupon(_amount_off(units.of(value)), lines=mine))
    # In whole cents the shares would be rounded once more: these are shares of cents as they are.
    cents = spread(
        [each.decimal("amount") for each in fees],
        [
            replace(each, discount=_amount_off(value))
            for each, value in zip(coupons, values, strict=True)
        ],
        currency=units.currency,
    )
    found = invoice_totals(lines, currency=units.currency, coupons=coupons, per=TaxRounding.INVOICE)

    def told(of: Totals) -> Answers:
        return {
            "fees_total": units.told(of.subtotal),
            "coupons_total": units.told(of.discount),
            "coupon_shares_rounded_5": cents.rounded_shares(5),
            "tax_total": units.told(of.tax),
            "total": units.told(of.total),
        }

    return Pure(lambda: told(found), _of_lines(units, lines, told, coupons))


def _coupons(case: CaseInput, units: Units) -> list[Discount]:
    """Coupons with their kind; bare amounts are fixed ones."""
    if case.given.has("discount_percent"):
        return [Discount(DiscountKind.PERCENT, case.given.decimal("discount_percent"))]
    told = case.given.values("coupons")
    if all(isinstance(each, str) for each in told):
        return [_amount_off(each) for each in units.amounts("coupons")]
    return [coupon(each, units) for each in case.given.each("coupons")]


def coupon(told: Keys, units: Units) -> Discount:
    """A coupon of a kind; a percentage has no unit."""
    kind = told.word("type", words.COUPON_TYPE)
    value = told.decimal("value")
    return Discount(kind, value if kind is DiscountKind.PERCENT else units.of(value))


def _amount_off(amount: Decimal) -> Discount:
    return Discount(DiscountKind.AMOUNT, amount)
