"""Usage details of an invoice as CSV: by line, day and part, with units that add up to the line.

Columns are the same in every language, numbers and days as machines read them. `kind` tells rows
apart: `use` is what was used on a day; `later` what came after this bill and is on another one
(taken off, so that `use` and `later` add up to the quantity of their line); `line` is the line as
billed, `coupon` a discount and `minimum` a true-up, and all of these three add up to the invoice's
net. `account` is whose row it is, on documents of families a member's. `list_amount` is the price
of a day's use by itself, before what is included, discounts and bounds; empty where a day has no
price of its own (tiers, packages).
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from io import StringIO

from billing.invoices.grouping import MANY_LINES
from billing.invoices.metered import LineUsage, Portion, is_usage, units_of
from billing.invoices.parts import references_of
from billing.models import Invoice, InvoiceAdjustment, InvoiceLine, InvoicePart
from o2b.charging import ChargeTerms, DeckRate, Event, Model, NoRate, list_price
from o2b.charging.terms import plain
from o2b.money import EXACT, quantise
from o2b.web.csv import safe

COLUMNS = (
    *("invoice", "kind", "line", "service", "item", "serial", "charge"),
    *("from", "to", "day", "details", "events", "units", "unit", "list_amount", "amount"),
    *("currency", "account"),
)
BOM = "\ufeff"  # by which spreadsheets know the letters
_ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)


def details_csv(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    usage: Mapping[int, LineUsage],
    adjustments: Sequence[InvoiceAdjustment] = (),
    parts: Sequence[InvoicePart] = (),
) -> bytes | None:
    """The file; None where the document says it all: nothing was metered, and no row is summed."""
    if len(lines) <= MANY_LINES and not any(is_usage(line) for line in lines):
        return None
    text = StringIO()
    write = csv.writer(text).writerow
    write(COLUMNS)
    whose = references_of(invoice, parts)
    for line in lines:
        for row in _rows(invoice, line, usage.get(line.pk)):
            row["account"] = whose[line.account_id]
            write([safe(row.get(name)) for name in COLUMNS])
    for each in adjustments:
        told = _adjusted(invoice, each) | {"account": whose[each.account_id]}
        write([safe(told.get(name)) for name in COLUMNS])
    return (BOM + text.getvalue()).encode()


Row = dict[str, object]


def _rows(invoice: Invoice, line: InvoiceLine, usage: LineUsage | None) -> Iterator[Row]:
    item, terms = line.charge.item, line.charge.terms_charge
    head: Row = {
        "invoice": invoice.number,
        "line": line.position,
        "service": item.product_version.product.name,
        "item": str(item),
        "serial": item.serial,
        "charge": terms.key,
        "unit": usage.unit if usage else "",
        "currency": invoice.currency,
    }
    if usage is not None:
        for portion in usage.portions:
            yield head | _use(portion, usage)
        units = units_of(usage)
        if units is not None and units != line.quantity:
            yield head | {"kind": "later", "units": _plain(line.quantity - units)}
    yield head | {
        "kind": "line",
        "from": line.served_from,
        "to": line.served_to - ONE_DAY,
        "units": _plain(line.quantity),
        "amount": quantise(line.amount, invoice.currency),
    }


def _adjusted(invoice: Invoice, row: InvoiceAdjustment) -> Row:
    return {
        "invoice": invoice.number,
        "kind": row.kind,
        "item": str(row.charge.item) if row.charge else "",
        "from": row.period_start,
        "to": row.period_end - ONE_DAY,
        "details": row.text,
        "amount": quantise(row.amount, invoice.currency),
        "currency": invoice.currency,
    }


def _use(portion: Portion, usage: LineUsage) -> Row:
    amount = _amount(portion, usage.terms)
    return {
        "kind": "use",
        "day": portion.used.day,
        "details": _details(portion),
        "events": portion.events,
        "units": _plain(portion.used.quantity),
        "list_amount": None if amount is None else _plain(amount),
    }


def _details(portion: Portion) -> str:
    """What is told of the use beside its size: 'to=4930…; zone=eu; 14:03; Germany mobile'."""
    told = [f"{name}={value}" for name, value in sorted(portion.part.dimensions.items())]
    if portion.part.at is not None:
        told.append(portion.part.at.isoformat())
    for event in portion.used.events[:1]:
        if isinstance(event.rate, DeckRate):
            told.append(event.rate.destination)
    return "; ".join(told)


def _amount(portion: Portion, terms: ChargeTerms) -> Decimal | None:
    """The price of this use by itself, exact; None where it has none."""
    if terms.model is Model.PER_UNIT:
        return EXACT.multiply(terms.unit_price, portion.used.quantity)
    if terms.model is Model.RATED and portion.used.events:
        event: Event = portion.used.events[0]
        if isinstance(event.rate, NoRate):
            return None
        each = list_price(terms, event.value, (event,), included=_ZERO)
        return EXACT.multiply(each, len(portion.used.events))
    return None


def _plain(value: Decimal) -> Decimal:
    return Decimal(plain(value))
