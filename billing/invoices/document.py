"""What an invoice says on paper: plain text, ready to be set, in the reader's language."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple, TypedDict, cast

from babel import Locale
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.invoices.adjusted import adjustments_of, groups_beside
from billing.invoices.prepaid import prepaid_rows, shown
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine
from billing.wallets.selectors import Paid
from o2b.catalog.resolution import charge_terms
from o2b.charging.draft import LATE, POOL
from o2b.charging.ramps import terms_on
from o2b.charging.terms import Model, plain
from o2b.money import Money, quantise, round_cash
from o2b.web.show import day_text, money_text, number_text


class Line(TypedDict):
    """One row of the table."""

    text: str
    note: str
    period: str
    quantity: str
    unit: str
    amount: str


class Group(TypedDict):
    """The rows of one item."""

    title: str
    note: str
    lines: list[Line]


class Document(TypedDict):
    """Everything that the page shows; the template adds nothing but its place."""

    lang: str
    title: str
    number: str
    issued: list[int]
    seller: list[str]
    customer: list[str]
    facts: list[list[str]]
    columns: list[str]
    groups: list[Group]
    sums: list[list[str]]
    total: list[str]
    prepaid: list[list[str]]
    pay: str
    bank: list[list[str]]
    page: str


def document_of(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    prepaid: Sequence[Paid] = (),
    adjustments: Sequence[InvoiceAdjustment] | None = None,
) -> Document:
    """The document of an issued invoice; `lines` with what `selectors.lines_of` brings along.

    `prepaid` is what wallets paid of it when it was issued; later payments are not shown. Its
    discounts and true-ups are looked up if they are not told.
    """
    if adjustments is None:
        adjustments = adjustments_of(invoice)
    left = invoice.total - sum((each.amount for each in prepaid), Decimal(0))
    seller, account = invoice.legal_entity, invoice.account
    title = _("Credit note") if invoice.is_credit_note else _("Invoice")
    return Document(
        lang=(get_language() or "en").partition("-")[0],
        title=title,
        number=invoice.number,
        issued=[invoice.issued_on.year, invoice.issued_on.month, invoice.issued_on.day],
        seller=[seller.name, *_lines(seller.address), _country(seller.country)],
        customer=[account.customer.name, *_other(account.name, account.customer.name)]
        + _lines(account.address),
        facts=_facts(invoice),
        columns=[_("Service"), _("Period"), _("Quantity"), _("Unit price"), _("Amount")],
        groups=groups_of(lines, invoice.currency, seller.shows_first_day_outside)
        + cast(list[Group], groups_beside(invoice, adjustments)),
        sums=_sums(invoice, [*lines, *adjustments]),
        total=[_("Total"), shown(invoice.total, invoice.currency)],
        prepaid=prepaid_rows(invoice, prepaid, left),
        pay=_pay(invoice, left, bool(prepaid)),
        bank=_bank(invoice),
        page=_("Page %(page)s of %(pages)s") % {"page": "{page}", "pages": "{pages}"},
    )


def _country(code: str) -> str:
    """'Germany' for DE, in the reader's language; a code that nobody knows stays as it is."""
    locale = Locale.parse(get_language() or "en", sep="-")
    return locale.territories.get(code, code)


def groups_of(
    lines: Iterable[InvoiceLine], currency: str, first_day_outside: bool = False
) -> list[Group]:
    """Lines by item, in the order in which they were billed."""
    found: list[Group] = []
    for item, rows in groupby(lines, key=lambda line: line.charge.item):
        name = item.product_version.product.name
        serial = [_("serial %(serial)s") % {"serial": item.serial}] if item.serial else []
        found.append(
            Group(
                title=name,
                note=" · ".join([str(item), *serial]),
                lines=[_line(row, name, currency, first_day_outside) for row in rows],
            )
        )
    return found


def _line(row: InvoiceLine, product: str, currency: str, first_day_outside: bool) -> Line:
    return Line(
        text=line_text(row, product),
        note=" · ".join(notes_of(row)),
        period=period_text(row, first_day_outside),
        quantity=number_text(row.quantity),
        unit=_unit(row, currency),
        amount=shown(row.amount, currency),
    )


def line_text(row: InvoiceLine, product: str) -> str:
    """The line's own text without the product that already heads its group."""
    text = row.text.removeprefix(product).strip(" :·,–-")
    return capfirst(text or row.charge.terms_charge.key.replace("_", " "))


def notes_of(row: InvoiceLine) -> list[str]:
    """Discounts of the Terms, and what sets this line apart from the usual."""
    currency = row.charge.currency
    notes = [_discount(each, currency) for each in row.charge.terms_charge.discounts]
    if row.cause == LATE:
        notes.append(_("usage told after the bill of its month"))
    elif row.cause == POOL:
        notes.append(_("what the pool covers changed after the bill of its month"))
    elif row.revision > 1:
        notes.append(_("correction %(n)s") % {"n": row.revision - 1})
    return notes


def _discount(discount: dict[str, str], currency: str) -> str:
    value = Decimal(discount["value"])
    size = abs(value)
    what = f"{plain(size)} %" if discount["kind"] == "percent" else money_text(size, currency)
    if value < 0:
        return _("plus %(what)s") % {"what": what}
    return _("less %(what)s") % {"what": what}


def period_text(row: InvoiceLine, first_day_outside: bool = False) -> str:
    """The days served, the last one included unless the seller's convention is the day after.

    A one-time charge has one day.
    """
    if not row.charge.terms_charge.interval_unit:
        return day_text(row.served_from)
    if first_day_outside:
        first, end = day_text(row.served_from), day_text(row.served_to)
        return _("from %(first)s until before %(end)s") % {"first": first, "end": end}
    last = row.served_to.toordinal() - 1
    return f"{day_text(row.served_from)} – {day_text(row.served_to.fromordinal(last))}"


def _unit(row: InvoiceLine, currency: str) -> str:
    """The list price of one unit on the first day served; what has no such price says how."""
    terms = charge_terms(row.charge.terms_charge, currency)
    terms = terms_on(terms, row.served_from, started_on=row.charge.started_on)
    text = money_text(Money(_short(terms.unit_price, currency), currency))
    match terms.model:
        case Model.PER_UNIT:
            return text
        case Model.FLAT:
            return _("%s flat") % text
        case Model.PACKAGE:
            size = number_text(terms.package_size or Decimal(1))
            return _("%(price)s per %(size)s") % {"price": text, "size": size}
        case Model.PERCENTAGE:
            return f"{plain(terms.unit_price)} %"
        case Model.RATED:
            return _("by call")
        case _:
            return _("by tier")


def _short(price: Decimal, currency: str) -> Decimal:
    """Without the zeros that the column adds, but never fewer decimals than the currency has."""
    rounded = quantise(price, currency)
    return rounded if rounded == price else Decimal(plain(price))


def _facts(invoice: Invoice) -> list[list[str]]:
    number = _("Credit note number") if invoice.is_credit_note else _("Invoice number")
    facts = [
        [number, invoice.number],
        [_("Date"), day_text(invoice.issued_on)],
        [_("Account"), invoice.account.reference],
    ]
    if not invoice.is_credit_note:
        facts.append([_("Due"), day_text(invoice.due_on)])
    return facts


def _sums(invoice: Invoice, lines: Sequence[InvoiceLine | InvoiceAdjustment]) -> list[list[str]]:
    """Net, and the tax of each rate."""
    sums = [[_("Net"), shown(invoice.net, invoice.currency)]]
    for each in taxes_of(lines):
        words = _("Tax %(rate)s %%") % {"rate": number_text(each.rate)}
        sums.append([words, shown(each.tax, invoice.currency)])
    return sums


class TaxOfRate(NamedTuple):
    """The net of all lines of one rate (in percent), and their tax."""

    rate: Decimal
    net: Decimal
    tax: Decimal


def taxes_of(lines: Iterable[InvoiceLine | InvoiceAdjustment]) -> list[TaxOfRate]:
    """The tax of each rate, the lowest first; lines without tax are none of these.

    A document's adjustments are lines of it, too.
    """
    found: dict[Decimal, TaxOfRate] = {}
    for line in lines:
        if line.tax or line.tax_rate:
            _, net, tax = found.get(line.tax_rate, (0, Decimal(0), Decimal(0)))
            found[line.tax_rate] = TaxOfRate(line.tax_rate, net + line.amount, tax + line.tax)
    return sorted(found.values())


def _pay(invoice: Invoice, left: Decimal, prepaid: bool) -> str:
    if invoice.is_credit_note and prepaid:
        return _("There is nothing to pay. The amount is credited to your prepaid credit.")
    if prepaid and left <= 0:
        return _("There is nothing to pay. Your prepaid credit has paid it.")
    if invoice.is_credit_note or left <= 0:
        return _("There is nothing to pay. The amount is credited to your account.")
    asked = _("Please pay %(amount)s by %(day)s and quote %(number)s.") % {
        "amount": shown(left, invoice.currency),
        "day": day_text(invoice.due_on),
        "number": invoice.number,
    }
    coin = invoice.legal_entity.smallest_coin
    if coin is None:
        return asked
    cash = shown(round_cash(left, coin), invoice.currency)
    return asked + " " + _("In cash it is %(amount)s.") % {"amount": cash}


def _bank(invoice: Invoice) -> list[list[str]]:
    seller = invoice.legal_entity
    iban = seller.iban.replace(" ", "")
    spaced = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
    rows = [
        [_("Payee"), seller.name],
        [_("IBAN"), spaced],
        [_("Reference"), invoice.number],
        [_("Tax number"), seller.tax_id],
    ]
    return [row for row in rows if row[1]]


def _lines(address: str) -> list[str]:
    return [line.strip() for line in address.splitlines() if line.strip()]


def _other(name: str, than: str) -> list[str]:
    return [name] if name != than else []
