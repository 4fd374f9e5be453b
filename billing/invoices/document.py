"""What an invoice says on paper: plain text, ready to be set, in the reader's language."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypedDict, cast

from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.documents.shown import about_label
from billing.invoices.adjusted import groups_beside
from billing.invoices.correcting import Correction, apart
from billing.invoices.grouping import MANY_LINES, Together, details_of, how_of, together
from billing.invoices.layout import (
    Fits,
    Layout,
    broken_up,
    fit,
    foot_of,
    layout_of,
    notes_below,
    widths_of,
)
from billing.invoices.notes import correction_note, correction_title, notes_of
from billing.invoices.parties import customer_lines, seller_lines
from billing.invoices.parts import heading, sections_of
from billing.invoices.paying import bank_of, pay_of
from billing.invoices.prepaid import prepaid_rows, shown
from billing.invoices.sites import note_sites
from billing.invoices.sums import sums_of
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine, InvoicePart
from billing.wallets.selectors import Paid
from o2b.catalog.resolution import charge_terms
from o2b.charging.ramps import terms_on
from o2b.charging.terms import Model, plain
from o2b.customers.layouts import Grouping
from o2b.money import Money, quantise
from o2b.web.show import day_text, money_text, number_text


class Line(TypedDict):
    """One row of the table."""

    text: str
    note: str
    period: str
    quantity: str
    unit: str
    amount: str
    fits: int


class Group(TypedDict):
    """The rows under one heading, and what they come to where there are many."""

    title: str
    note: str
    sum: str
    lines: list[Line]
    fits: int


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
    notes: list[str]
    bank: list[list[str]]
    foot: list[str]
    widths: list[int]
    layout: Layout
    fits: Fits
    page: str


def document_of(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    prepaid: Sequence[Paid],
    adjustments: Sequence[InvoiceAdjustment],
    parts: Sequence[InvoicePart] = (),
    corrections: Sequence[Correction] = (),
) -> Document:
    """The document of an issued invoice; `lines` with what `selectors.lines_of` brings along.

    `prepaid` is what wallets paid of it when it was issued; later payments are not shown;
    `adjustments` its discounts and true-ups, `parts` what each account of a family comes to.
    What corrects an earlier document stands apart, after what is billed for the first time.
    """
    left = invoice.total - sum((each.amount for each in prepaid), Decimal(0))
    seller, account = invoice.legal_entity, invoice.account
    title = _("Credit note") if invoice.is_credit_note else _("Invoice")
    columns = [_("Service"), _("Period"), _("Quantity"), _("Unit price"), _("Amount")]
    how = how_of(invoice)
    if how == Grouping.SITE:
        note_sites(lines)  # once, whatever sections it has
    groups: list[Group] = []
    for part, own, given in sections_of(invoice, parts, lines, adjustments):
        groups += [cast(Group, heading(part, invoice.currency))] if part else []
        fresh, beside, corrected = apart(own, given, corrections)
        groups += groups_of(fresh, invoice.currency, seller.shows_first_day_outside, how)
        groups += cast(list[Group], groups_beside(invoice, beside))
        groups += [_corrected(each, invoice) for each in corrected]
    document = Document(
        lang=(get_language() or "en").partition("-")[0],
        title=title,
        number=invoice.number,
        issued=[invoice.issued_on.year, invoice.issued_on.month, invoice.issued_on.day],
        seller=seller_lines(seller),
        customer=customer_lines(account),
        facts=_facts(invoice),
        columns=columns,
        groups=groups,
        sums=sums_of(invoice, [*lines, *adjustments]),
        total=[_("Total"), shown(invoice.total, invoice.currency)],
        prepaid=prepaid_rows(invoice, prepaid, left),
        pay=pay_of(invoice, left, prepaid=bool(prepaid)),
        notes=notes_below(invoice),
        bank=bank_of(invoice, left),
        foot=foot_of(seller, f"{title} {invoice.number}"),
        widths=widths_of(columns, groups),
        layout=layout_of(seller),
        fits=Fits(head=0, parties=0, foot=0),
        page=_("Page %(page)s of %(pages)s") % {"page": "{page}", "pages": "{pages}"},
    )
    fit(document)
    return document


def groups_of(
    lines: Sequence[InvoiceLine], currency: str, first_day_outside: bool = False, how: str = ""
) -> list[Group]:
    """Lines under their headings, by item unless there are many or it is told otherwise."""
    merged = len(lines) > MANY_LINES
    return [
        Group(
            title=broken_up(part.title),
            note=broken_up(part.note),
            sum=shown(_net(part.lines), currency) if part.summed else "",
            lines=_rows(part, currency, first_day_outside, merged=merged),
            fits=0,
        )
        for part in together(lines, how)
    ]


def _corrected(each: Correction, invoice: Invoice) -> Group:
    """One net adjustment: what it corrects and why, its lines and discounts beneath it."""
    outside = invoice.legal_entity.shows_first_day_outside
    part = Together("", "", each.lines, summed=True)
    lines = _rows(part, invoice.currency, outside, merged=len(each.lines) > MANY_LINES)
    for beside in groups_beside(invoice, each.adjustments):
        lines += cast(list[Line], beside["lines"])
    return Group(
        title=broken_up(correction_title(each)),
        note=broken_up(correction_note(each)),
        sum=shown(each.net, invoice.currency),
        lines=lines,
        fits=0,
    )


def _net(lines: Iterable[InvoiceLine]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def _rows(part: Together, currency: str, outside: bool, *, merged: bool) -> list[Line]:
    """A row a line; of very many lines a row for those that say the same."""
    if not merged:
        return [_line(row, part, currency, outside) for row in part.lines]
    equal: dict[tuple[str, str, str, str], list[InvoiceLine]] = {}
    for row in part.lines:
        texts = _text(row, part), " · ".join(notes_of(row))
        key = (*texts, period_text(row, outside), _unit(row, currency))
        equal.setdefault(key, []).append(row)
    return [
        Line(
            text=text,
            note=note,
            period=period,
            quantity=number_text(sum((row.quantity for row in rows), Decimal(0))),
            unit=unit,
            amount=shown(_net(rows), currency),
            fits=0,
        )
        for (text, note, period, unit), rows in equal.items()
    ]


def _line(row: InvoiceLine, part: Together, currency: str, first_day_outside: bool) -> Line:
    item = [details_of(row)] if part.summed else []
    return Line(
        text=_text(row, part),
        note=broken_up(" · ".join([*item, *notes_of(row)])),
        period=period_text(row, first_day_outside),
        quantity=number_text(row.quantity),
        unit=_unit(row, currency),
        amount=shown(row.amount, currency),
        fits=0,
    )


def _text(row: InvoiceLine, part: Together) -> str:
    if part.product:
        return broken_up(line_text(row, part.product))
    product = row.charge.item.product_version.product.name
    return broken_up(f"{product}: {line_text(row, product)}")


def line_text(row: InvoiceLine, product: str) -> str:
    """The line's own text without the product that already heads its group."""
    text = row.text.removeprefix(product).strip(" :·,–-")
    return capfirst(text or row.charge.terms_charge.key.replace("_", " "))


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
    if invoice.about:
        facts.append([about_label(invoice), broken_up(invoice.about)])
    if invoice.reverses is not None:  # the law asks that it names what it takes back
        of = {"number": invoice.reverses.number, "day": day_text(invoice.reverses.issued_on)}
        facts.append([_("Takes back"), _("%(number)s of %(day)s") % of])
    return facts
