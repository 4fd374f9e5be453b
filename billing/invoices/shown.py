"""An invoice as its page shows it: each line and why it costs that, and what it corrects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.explaining.selectors import LineExplained
from billing.explaining.selectors.adjusted import AdjustmentExplained
from billing.invoices.adjusted import AdjustmentWords, in_words
from billing.invoices.correcting import Correction, apart
from billing.invoices.document import line_text, period_text
from billing.invoices.notes import correction_note, correction_title, notes_of
from billing.invoices.parts import sections_of
from billing.models import Invoice, InvoiceLine, InvoicePart
from o2b.charging import Step
from o2b.charging.draft import CHANGE, LATE, POOL, REVERSAL
from o2b.customers.selectors import language_of
from orders.models import OrderLine
from subscriptions.explained import ChargeExplained, explain_charge
from subscriptions.models import Item

Beside = tuple[AdjustmentExplained, AdjustmentWords]


@dataclass(frozen=True)
class LineShown:
    """One line and why it costs what it costs: back to the quote that promised it."""

    line: InvoiceLine
    text: str
    notes: list[str]
    period: str
    of: str
    charge: ChargeExplained
    days: str
    is_part: bool
    explained: LineExplained

    @property
    def item(self) -> Item:
        return self.line.charge.item

    @property
    def order_line(self) -> OrderLine:
        return self.item.order_line

    @property
    def corrects(self) -> bool:
        """Whether it changes a bill of its period, whose tax rate it keeps."""
        return self.line.cause in (CHANGE, LATE, POOL)

    @property
    def takes_back(self) -> bool:
        """Whether it mirrors a line of the document that its own one reverses."""
        return self.line.cause == REVERSAL

    @property
    def steps(self) -> tuple[Step, ...]:
        """The arithmetic of the line; of one that cannot be computed again that of its price."""
        return self.explained.again.steps if self.explained.again else self.charge.steps


@dataclass(frozen=True)
class SectionShown:
    """The rows of one account of a family, or all of a plain document."""

    part: InvoicePart | None
    account_id: int
    lines: list[LineShown]
    adjustments: list[Beside]
    corrections: list["CorrectionShown"]


@dataclass(frozen=True)
class CorrectionShown:
    """What the document corrects of another one, and why; its rows beneath it."""

    correction: Correction
    title: str
    note: str
    lines: list[LineShown]
    adjustments: list[Beside]


def sections_shown(
    invoice: Invoice,
    parts: Sequence[InvoicePart],
    lines: Sequence[InvoiceLine],
    explained: Mapping[int, LineExplained],
    adjusted: Sequence[AdjustmentExplained],
    corrections: Sequence[Correction],
) -> list[SectionShown]:
    """The rows of the document, account by account; what corrects another one stands apart."""
    outside = invoice.legal_entity.shows_first_day_outside
    with override(language_of(invoice.account.customer)):
        words = {
            each.adjustment.pk: (each, in_words(each.adjustment, outside)) for each in adjusted
        }

    def shown(rows: Sequence[InvoiceLine]) -> list[LineShown]:
        return [line_shown(line, explained[line.pk], invoice) for line in rows]

    found = []
    for part, own, given in sections_of(
        invoice, parts, lines, [each.adjustment for each in adjusted]
    ):
        fresh, beside, corrected = apart(own, given, corrections)
        found.append(
            SectionShown(
                part,
                part.account_id if part else invoice.account_id,
                shown(fresh),
                [words[row.pk] for row in beside],
                [
                    CorrectionShown(
                        each,
                        *_words_of(each, invoice),
                        shown(each.lines),
                        [words[row.pk] for row in each.adjustments],
                    )
                    for each in corrected
                ],
            )
        )
    return found


def _words_of(each: Correction, invoice: Invoice) -> tuple[str, str]:
    with override(language_of(invoice.account.customer)):
        return correction_title(each), correction_note(each)


def line_shown(line: InvoiceLine, again: LineExplained, invoice: Invoice) -> LineShown:
    """One line in its customer's language, with the reason of its price."""
    charge = explain_charge(
        line.charge.terms,
        position=line.charge.terms_charge.position,
        quantity=line.quantity,
        on=line.served_from,
        started_on=line.charge.started_on,
    )
    full = (line.period_end - line.period_start).days
    served = (line.served_to - line.served_from).days
    is_part = bool(line.charge.terms_charge.interval_unit) and served < full
    name = line.charge.item.product_version.product.name
    with override(language_of(invoice.account.customer)):
        text, notes = line_text(line, name), notes_of(line)
        period = period_text(line, invoice.legal_entity.shows_first_day_outside)
    return LineShown(
        line=line,
        text=text,
        notes=notes,
        period=period,
        of=f"{name} {line.charge.item}",
        charge=charge,
        days=_("%(served)s of %(full)s days") % {"served": served, "full": full},
        is_part=is_part,
        explained=again,
    )
