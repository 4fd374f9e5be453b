"""What was billed before some lines, and the taxes of whole invoices done again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from billing.explaining.rules import Earlier, TaxTold, taxes_again
from billing.explaining.rules.earlier import BilledLine, earlier_of
from billing.explaining.rules.steps import rounded_told
from billing.models import InvoiceAdjustment, InvoiceLine
from billing.rules.basis import told_before
from o2b.charging import Kind, Step
from o2b.charging.draft import CHANGE, LATE, POOL
from o2b.charging.tax import TaxRounding

Row = InvoiceLine | InvoiceAdjustment


class Befores:
    """What was billed of the periods of some lines before them; one query, none if none was."""

    def __init__(self, lines: Iterable[InvoiceLine]) -> None:
        wanted = [each for each in lines if each.revision > 1 or _may_correct(each)]
        self.rows: dict[tuple[Any, ...], list[tuple[InvoiceLine, str]]] = defaultdict(list)
        if not wanted:
            return
        found = (
            InvoiceLine.objects.filter(
                charge__item_id__in={each.charge.item_id for each in wanted},
                period_start__in={each.period_start for each in wanted},
            )
            .select_related("charge__terms_charge")
            .defer("basis")
            .order_by("pk")
        )
        for row in found:
            self.rows[row.charge.item_id, row.period_start].append(
                (row, row.charge.terms_charge.key)
            )

    def of(self, line: InvoiceLine, told: Any) -> Earlier:
        """The earlier revisions of a line; of usage also those of the prices before it."""
        if line.revision == 1:
            return Earlier(Decimal(0), Decimal(0))
        own: list[BilledLine] = []
        others: list[BilledLine] = []
        key = line.charge.terms_charge.key
        for row, row_key in self.rows[line.charge.item_id, line.period_start]:
            if row.segment != line.segment:
                continue
            billed = BilledLine(row.charge_id, row.amount, row.tax)
            if row.charge_id == line.charge_id:
                if row.revision < line.revision:
                    own.append(billed)
            elif row.account_id != line.account_id:
                continue  # another payer's part
            elif row_key == key and row.invoice_id < line.invoice_id:
                others.append(billed)
        usage = line.charge.terms_charge.kind == Kind.USAGE
        return earlier_of(own, others, told=told_before(told) if usage else None)

    def reversed_by(self, line: InvoiceLine) -> InvoiceLine | None:
        """The line that a reversal takes back."""
        for row, _key in self.rows[line.charge.item_id, line.period_start]:
            same = (row.charge_id, row.segment) == (line.charge_id, line.segment)
            if same and row.revision == line.reverses:
                return row
        return None

    def corrects(self, line: InvoiceLine) -> bool:
        """Whether it corrects a bill of its period, so that its tax is a difference."""
        if not _may_correct(line):
            return False
        return (
            line.cause == CHANGE
            or line.revision > 1
            or any(
                row.charge_id == line.charge_id and row.invoice_id < line.invoice_id
                for row, _key in self.rows[line.charge.item_id, line.period_start]
            )
        )

    def mirrored(self, lines: Iterable[InvoiceLine]) -> list[TaxTold | None]:
        """The tax of lines that take others back: theirs, turned."""
        return [turned(line, self.reversed_by(line)) for line in lines]


def turned(row: Row, original: Row | None) -> TaxTold | None:
    """The tax of what takes another row back as a whole; None where there is none."""
    if original is None or not (row.tax or row.tax_rate):
        return None
    expected = -original.tax
    step = Step("taken back", f"−{rounded_told(original.tax)}", expected)
    return TaxTold((step,), expected, TaxRounding.LINE, corrects=True)


def _may_correct(line: InvoiceLine) -> bool:
    return line.cause in (CHANGE, LATE, POOL)


def taxes_of(
    lines: Sequence[InvoiceLine],
    earlier: dict[int, Earlier],
    befores: Befores,
    adjustments: Sequence[tuple[InvoiceAdjustment, Earlier | None]] = (),
) -> list[TaxTold | None]:
    """The tax of the lines of one invoice, then of what adjusts it; rounded as its run did.

    None for all where there was none. Of runs before that was kept: as its seller does, unless that
    does not give what was billed and another way does, to the sum on the document.
    """
    rows: list[Any] = [*lines, *(row for row, _ in adjustments)]
    if not any(row.tax or row.tax_rate for row in rows):
        return [None] * len(rows)
    if all(line.reverses is not None for line in lines) and not adjustments:
        return befores.mirrored(lines)
    asked = [
        (line.amount, line.tax_rate, earlier[line.pk] if befores.corrects(line) else None)
        for line in lines
    ]
    asked += [(row.amount, row.tax_rate, before) for row, before in adjustments]
    invoice = rows[0].invoice
    kept = invoice.run.tax_rounding
    per = TaxRounding(kept or invoice.legal_entity.tax_rounding)
    found = taxes_again(asked, currency=invoice.currency, per=per)
    if not kept and not _fits(found, rows):
        others = (each for each in TaxRounding if each is not per)
        tried = [taxes_again(asked, currency=invoice.currency, per=each) for each in others]
        found = next((each for each in tried if _fits(each, rows)), found)
    return list(found)


def _fits(found: Sequence[TaxTold], rows: Sequence[Any]) -> bool:
    """Whether these are the taxes that were billed, of each row and of the document."""
    each = all(told.expected == row.tax for told, row in zip(found, rows, strict=True))
    return each and sum(told.expected for told in found) == rows[0].invoice.tax
