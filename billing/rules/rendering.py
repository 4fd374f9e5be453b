"""The lines of a charge as COPY wants them, but for whose they are; and their taxes changed."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from json import dumps
from typing import NamedTuple

from billing.rules.adjustments import Adjustment
from billing.rules.basis import basis_text
from billing.rules.metering import stored_quantity
from o2b.charging import CompiledCharge, DraftLine, Mark
from o2b.charging.taxing import Taxable, taxes_of
from o2b.money import EXACT

_ZERO = Decimal(0)
NULL = "\\N"
TAX_COLUMN = 13  # of a tail
NO_LINE = "\t".join([NULL] * 8 + ["", "0", "0", "", "", NULL])


class Priced(NamedTuple):
    """A TermsCharge made ready for drafting, and what a line says of it."""

    compiled: CompiledCharge
    text: str


class Rendered(NamedTuple):
    """The lines of a charge but for whose they are: written once for all equal charges.

    `taxable` says of each line what `tax`, the sum of all, was computed from.
    """

    tails: tuple[str, ...]
    net: Decimal
    tax: Decimal
    taxable: tuple[Taxable, ...]
    lines: int
    currency: str
    first_month: date | None
    last_month: date | None


def render(
    lines: Sequence[DraftLine], taxable: Sequence[Taxable], mark: Mark, priced: Priced
) -> Rendered:
    terms = priced.compiled.terms
    stands = f"{mark.billed_through or NULL}\t{mark.next_due_on or NULL}"
    if not lines:
        nothing = (f"t\t{stands}\t{NO_LINE}\n",)
        return Rendered(nothing, _ZERO, _ZERO, (), 0, terms.currency, None, None)
    taxes = taxes_of(taxable, currency=terms.currency)
    tails, net = [], _ZERO
    for number, (line, to_tax, tax) in enumerate(zip(lines, taxable, taxes, strict=True), start=1):
        last = "t" if number == len(lines) else "f"
        basis = NULL if line.basis is None else copied(basis_text(line.basis, terms))
        tails.append(
            f"{last}\t{stands}\t{line.full_period.start}\t{line.full_period.end}"
            f"\t{line.period.start}\t{line.period.end}\t{line.segment}\t{line.revision}"
            f"\t{stored_quantity(line.quantity):f}\t{line.amount:f}\t{copied(terms.tax_code)}"
            f"\t{to_tax.percent or 0:f}\t{tax:f}"
            f"\t{line.cause}\t{copied(priced.text)}\t{basis}\n"
        )
        net = EXACT.add(net, line.amount)
    starts = [line.full_period.start for line in lines]
    return Rendered(
        tuple(tails),
        net,
        sum(taxes, _ZERO),
        tuple(taxable),
        len(lines),
        terms.currency,
        min(starts),
        max(starts),
    )


def with_taxes(rendered: Rendered, taxes: Sequence[Decimal]) -> Rendered:
    """The same lines with other taxes; `copied` leaves no tab inside a column."""
    if not taxes:
        return rendered
    tails = []
    for tail, tax in zip(rendered.tails, taxes, strict=True):
        columns = tail.split("\t")
        columns[TAX_COLUMN] = f"{tax:f}"
        tails.append("\t".join(columns))
    return rendered._replace(tails=tuple(tails), tax=sum(taxes, _ZERO))


def copied_adjustments(head: str, rows: Sequence[Adjustment]) -> Iterator[str]:
    """Each as COPY wants it, after whose it is; in the order in which the document shows them."""
    for position, row in enumerate(rows, start=1):
        charge = NULL if row.charge is None else row.charge
        yield (
            f"{head}\t{position}\t{row.kind}\t{row.source}\t{charge}\t{row.period_start}"
            f"\t{row.period_end}\t{row.revision}\t{row.amount:f}\t{copied(row.tax_code)}"
            f"\t{row.percent:f}\t{row.tax:f}\t{copied(row.text)}\t{copied(dumps(row.basis))}\n"
        )


def copied(text: str) -> str:
    r"""A text as COPY wants it.

    >>> copied("a\tb")
    'a\\tb'
    """
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
