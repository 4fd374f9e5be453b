"""What a quote of changes costs once, and its first bill: each amount with its tax."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from o2b.charging import Kind
from o2b.periods import add_months
from subscriptions.changes.basis import Basis, difference
from subscriptions.quoting.delta import BillPart
from subscriptions.quoting.taxing import Taxer, total
from subscriptions.rules.billing import BillLine


def once_of(basis: Basis, on: date) -> Decimal:
    """What the change is charged once: set-up of another product, the fee for leaving a term."""
    return sum((line.amount for line in once_lines(basis, on)), Decimal(0))


def once_lines(basis: Basis, on: date) -> list[BillLine]:
    """The lines of it."""
    until = add_months(on, 1)
    come = difference(basis.unchanged(until), basis.changed(until))
    return [line for line in come if line.kind is Kind.ONE_TIME]


def once_tax_of(
    lines: Sequence[Sequence[BillLine]], fields: Sequence[str], taxer: Taxer
) -> Decimal | None:
    """Like `fields`, `lines` are those of each service."""
    each = [(line, field) for several, field in zip(lines, fields, strict=True) for line in several]
    return total(taxer.bill([line for line, _ in each], [field for _, field in each]))


def parts_of(
    lines: Sequence[Sequence[BillLine]],
    labels: Sequence[Callable[[BillLine], str]],
    fields: Sequence[str],
    taxer: Taxer,
) -> Iterable[BillPart]:
    """The first bill: what each amount is called, and its tax."""
    each = [
        (line, named, field)
        for several, named, field in zip(lines, labels, fields, strict=False)
        for line in several
    ]
    taxes = taxer.bill([line for line, *_ in each], [field for *_, field in each])
    for (line, named, _field), tax in zip(each, taxes or [None] * len(each), strict=True):
        last = None if line.kind is Kind.ONE_TIME else line.period.last
        yield BillPart(named(line), line.period.start, last, line.amount, tax)
