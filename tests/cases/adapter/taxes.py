"""tax.exclusive, inclusive, rounding, with_discount, and invoice.sum: from net to what is due."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from o2b.charging import ChargeTerms, DraftLine, price
from o2b.charging.allocation import Coupon, stack
from o2b.charging.tax import (
    TaxLine,
    TaxRounding,
    add_tax,
    invoice_totals,
    split_tax,
    take_tax,
    tax_lines,
)
from o2b.charging.terms import Discount, DiscountKind
from o2b.money import quantise, rounded, sum_of
from tests.cases.adapter import words
from tests.cases.adapter.selling import NOTHING, ONE, net, since_day_one, terms
from tests.cases.adapter.units import Units
from tests.cases.asking import (
    Answers,
    Asked,
    Bill,
    Credit,
    Document,
    Drafts,
    Ledger,
    MaybeBill,
    Pure,
    Standing,
)
from tests.cases.reading import CaseInput, Keys, Unknown, to_decimal
from tests.cases.subscribers import subscribers

REST = {"the rest is the difference, not a new calculation": True}
DECIMALS_DIRECTION = {"up": words.Rounding.UP, "down": words.Rounding.DOWN}
ORDER = {"coupon before tax; credit notes, then prepaid credits after tax": True}
RUNS = {
    "one month for all 7,043 subscribers, each at its MonthlyCharges": None,
    "first invoice of the tenure-1 subscribers": 1,
}
QUANTITY_TIMES_PRICE = r"(?P<quantity>\d+(?:\.\d+)?) [A-Za-z]+ x (?P<price>\d+(?:\.\d+)?)"


def exclusive(case: CaseInput) -> Asked:
    """Tax on a net amount that may have more decimals than the currency: rounded on the sum."""
    net, percent = case.given.decimal("net"), case.given.decimal("tax_percent")
    lines = [TaxLine(net, percent)]
    found = tax_lines(lines, currency=words.CURRENCY, per=TaxRounding.INVOICE)
    return Pure(
        lambda: {"total": found.total, "tax": found.tax, "net": found.net},
        _taxed(lines, Units(case), TaxRounding.INVOICE),
    )


def inclusive(case: CaseInput) -> Asked:
    """The tax inside gross prices, per line and on the total."""
    given = case.given
    percent = given.decimal("tax_percent")
    case.conventions.word("rounding", words.TAX_ROUNDING, TaxRounding.LINE)
    if given.has("tax_inclusive"):
        given.flag("tax_inclusive")
    if given.has("gross"):
        amount = _reduced(given, given.decimal("gross"))
        found = take_tax(amount, percent, words.CURRENCY)
        return Pure(lambda: {"total": found.total, "tax": found.tax, "net": found.net})
    lines = [TaxLine(each, percent) for each in given.decimals("lines")]
    per_line, on_total = (
        tax_lines(lines, currency=words.CURRENCY, per=per, inclusive=True)
        for per in (TaxRounding.LINE, TaxRounding.INVOICE)
    )
    return Pure(
        lambda: {
            "per_line_tax": per_line.line_taxes,
            "tax_total": per_line.tax,
            "tax": per_line.tax,
            "total": per_line.total,
            "if_taxed_on_total": on_total.tax,
        }
    )


def rounding(case: CaseInput) -> Asked:
    """What is added up before tax is rounded, and what is left when a part is credited."""
    given = case.given
    units = Units(case)
    if given.has("credit_net"):
        return _credited(case, units)
    if given.has("decimals"):
        direction = given.word("round", DECIMALS_DIRECTION)
        amount, places = given.decimal("amount"), given.integer("decimals")
        return Pure(lambda: {"amount": rounded(amount, places, direction)})
    per = case.conventions.word("rounding", words.TAX_ROUNDING, TaxRounding.LINE)
    if given.has("groups"):
        return _lines(units, given.each("groups"), TaxRounding.RATE)
    if given.has("lines"):
        return _lines(units, given.each("lines"), per)
    net = units.amount("net") if given.has("net") else _unit_price(given)
    percent = given.decimal("tax_percent")
    found = add_tax(net, percent, units.currency)
    return Pure(
        lambda: {
            "net": units.told(found.net),
            "tax": units.told(found.tax),
            "tax_total": units.told(found.tax),
            "total": units.told(found.total),
        },
        _taxed([TaxLine(net, percent)], units, per),
    )


def with_discount(case: CaseInput) -> Asked:
    """Discounts before tax; credits after it."""
    given = case.given
    case.conventions.word("discount", words.BEFORE_TAX, True)
    case.conventions.word("order", ORDER, True)
    case.conventions.word("rounding", words.TAX_ROUNDING, TaxRounding.INVOICE)
    if not given.has("tax_percent") and not given.has("fees"):
        raise Unknown("given without tax_percent")
    lines = _taxed_lines(given)
    discounted = frozenset(range(len(lines)))
    coupons = [Coupon(each, lines=discounted) for each in _discounts(given)]
    shipped = given.has("shipping_untaxed")
    if shipped:
        lines.append(TaxLine(given.decimal("shipping_untaxed"), NOTHING))
    before = given.flag("coupon_before_tax") if given.has("coupon_before_tax") else True
    credits = [given.decimal(key) for key in ("credit_note", "prepaid_credits") if given.has(key)]
    found = invoice_totals(
        lines,
        currency=words.CURRENCY,
        coupons=coupons,
        coupons_before_tax=before,
        credits=credits,
    )
    full = tax_lines(lines, currency=words.CURRENCY, per=TaxRounding.INVOICE)
    return Pure(
        lambda: {
            "subtotal": found.subtotal,
            "discount": found.discount,
            "net": found.taxable if shipped else found.net,
            "taxable": found.taxable,
            "tax": found.tax,
            "tax_total": found.tax,
            "taxes": list(found.taxes),
            "total": found.total,
            "due": found.due,
            "coupon_split": found.shares,
            "tax_if_on_full_price": full.tax,
        },
        None if credits or not before else _discounted(lines, coupons, shipped),
    )


def _discounted(lines: list[TaxLine], coupons: list[Coupon], shipped: bool) -> Bill:
    """The same as a bill; what is shipped has no tax and no discount."""

    def read(said: Document) -> Answers:
        return {
            "subtotal": said.subtotal,
            "discount": said.discount,
            "net": said.taxable if shipped else said.net,
            "taxable": said.taxable,
            "tax": said.tax,
            "tax_total": said.tax,
            "taxes": said.taxes,
            "total": said.total,
            "due": said.total,
            "coupon_split": said.shares,
            "tax_if_on_full_price": said.tax_on_full,
        }

    return Bill(lines, read, coupons)


def invoice_sum(case: CaseInput) -> Asked:
    """An invoice's lines, each an amount or a quantity times a price, rounded line by line."""
    given = case.given
    if given.has("run"):
        return _run(given)
    lines = [_line(each) for each in given.values("lines")]
    amounts = [quantise(price(promised, many), words.CURRENCY) for promised, many in lines]
    if any(amount.is_signed() for amount in amounts):
        return Pure(lambda: {"total": sum_of(amounts)})
    return Drafts(
        tuple(since_day_one(promised, many) for promised, many in lines),
        words.DAY_ONE,
        lambda found: {"total": net([line for lines in found for line in lines])},
        exact=lambda: {"total": sum_of(amounts)},
    )


def _run(given: Keys) -> Asked:
    """The first month of a telecom's subscribers: all of them, or those who came a month ago."""
    chosen = given.word("run", RUNS)
    told = [each for each in subscribers() if chosen is None or each.tenure == chosen]
    if not told:
        raise Unknown("given.run: the subscribers' file is not beside the repository")

    def read(found: Sequence[Sequence[DraftLine]]) -> dict[str, object]:
        pairs = zip(found, told, strict=True)
        return {
            "subscribers": len(found),
            "billed": net([line for lines in found for line in lines]),
            "total_equals_monthly": len([1 for lines, each in pairs if net(lines) == each.total]),
        }

    charges = [since_day_one(terms(unit_price=each.monthly)) for each in told]
    return Drafts(charges, words.DAY_ONE, read, base=True)


def _line(told: object) -> tuple[ChargeTerms, Decimal]:
    """ "10 GB x 0.11", or an amount: a price and how many."""
    parts = re.fullmatch(QUANTITY_TIMES_PRICE, told) if isinstance(told, str) else None
    if parts:
        return terms(unit_price=Decimal(parts["price"])), Decimal(parts["quantity"])
    try:
        return terms(unit_price=to_decimal(told)), ONE
    except (ValueError, TypeError, InvalidOperation) as error:
        raise Unknown("given.lines", told) from error


def _credited(case: CaseInput, units: Units) -> Asked:
    """A part is credited; what stays is the difference."""
    case.conventions.word("rounding", REST)
    net, part = units.amount("net"), units.amount("credit_net")
    percent = case.given.decimal("tax_percent")
    found = split_tax(net, percent, part, units.currency)

    def read(said: Standing) -> Answers:
        papers = [*said.bills, *said.notes]
        credits = said.notes
        return {
            "credit_tax": Credit(units.told(sum_of([each.tax for each in credits]))),
            "credit_total": Credit(units.told(sum_of([each.total for each in credits]))),
            "left_net": units.told(sum_of([each.net for each in papers])),
            "left_tax": units.told(sum_of([each.tax for each in papers])),
            "left_total": units.told(sum_of([each.total for each in papers])),
        }

    ledger = Ledger([TaxLine(net, percent)], read, corrections=[{1: found.left.net}])
    return Pure(
        lambda: {
            "credit_tax": units.told(found.credit.tax),
            "credit_total": units.told(found.credit.total),
            "left_net": units.told(found.left.net),
            "left_tax": units.told(found.left.tax),
            "left_total": units.told(found.left.total),
        },
        ledger=ledger if units.currency == words.CURRENCY else None,
    )


def _lines(units: Units, told: Sequence[Keys], per: TaxRounding) -> Asked:
    lines = [TaxLine(units.of(each.decimal("net")), each.decimal("tax")) for each in told]
    found = tax_lines(lines, currency=units.currency, per=per)
    return Pure(
        lambda: {
            "line_tax": units.told_all(found.line_taxes),
            "tax": units.told(found.tax),
            "tax_total": units.told(found.tax),
            "net": units.told(found.net),
            "total": units.told(found.total),
        },
        _taxed(lines, units, per),
    )


def _taxed(lines: Sequence[TaxLine], units: Units, per: TaxRounding) -> MaybeBill:
    """The same as a bill of a seller who rounds so; in his currency, and to its minor unit."""
    if units.currency != words.CURRENCY:
        return None
    amounts = [line.amount for line in lines]
    if any(
        not isinstance(each, Decimal) or each != quantise(each, words.CURRENCY) for each in amounts
    ):
        return None

    def read(said: Document) -> Answers:
        return {
            "line_tax": units.told_all(said.line_taxes),
            "tax": units.told(said.tax),
            "tax_total": units.told(said.tax),
            "net": units.told(said.net),
            "total": units.told(said.total),
        }

    return Bill(lines, read, per=per)


def _unit_price(given: Keys) -> Decimal:
    return price(terms(unit_price=given.decimal("unit_price")), given.decimal("quantity"))


def _reduced(given: Keys, amount: Decimal) -> Decimal:
    """A price less the discounts of its line, then of its invoice, each rounded as it is taken."""
    off = []
    for key in ("line_discount_percent", "invoice_discount_percent"):
        if given.has(key):
            off.append(Discount(DiscountKind.PERCENT, given.decimal(key)))
    if given.has("discount"):
        off.append(Discount(DiscountKind.AMOUNT, given.decimal("discount")))
    return stack(amount, off, currency=words.CURRENCY).left


def _taxed_lines(given: Keys) -> list[TaxLine]:
    """The lines of an invoice with the rate of each."""
    if given.has("fees"):
        return [TaxLine(each.decimal("amount"), each.decimal("tax")) for each in given.each("fees")]
    percent = given.decimal("tax_percent")
    if given.has("plan"):
        return [TaxLine(given.decimal(key), percent) for key in ("plan", "usage") if given.has(key)]
    if not given.has("lines"):
        return [TaxLine(given.decimal("net"), percent)]
    if all(isinstance(each, dict) for each in given.values("lines")):
        return [
            TaxLine(each.decimal("net"), percent if each.flag("taxable") else NOTHING)
            for each in given.each("lines")
        ]
    return [TaxLine(each, percent) for each in given.decimals("lines")]


def _discounts(given: Keys) -> list[Discount]:
    found = []
    if given.has("discount_percent"):
        found.append(Discount(DiscountKind.PERCENT, given.decimal("discount_percent")))
    for key in ("discount", "coupon"):
        if given.has(key):
            found.append(Discount(DiscountKind.AMOUNT, given.decimal(key)))
    return found
