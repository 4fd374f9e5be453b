"""An offer as it is shown: lines, charges with their arithmetic, totals, the first bill."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from o2b import clock
from o2b.catalog.models import Terms
from o2b.catalog.selectors import MeterNames, granted_by
from o2b.charging import ChargeTerms, Kind, LineTerms, Step, explain, from_canonical
from o2b.web.words import deck_words, interval_words, meter_words, start_words
from quotes.inputs import refuse_unless_on_sale
from quotes.models import Quote, QuoteLine
from quotes.rules.totals import LineTotals, Priced, Totals, totals
from quotes.selectors.finding import get_quote, lines_of
from quotes.selectors.pricing import price_lines, wanted
from quotes.selectors.taxing import with_tax, with_tax_if_known
from quotes.together import NOTHING, faults_together

# Lines that have a price of their own; the others say what becomes of one that is in service.
PRICED = (QuoteLine.Action.ADD, QuoteLine.Action.CHANGE, QuoteLine.Action.RENEW)


@dataclass(frozen=True, slots=True)
class OfferedCharge:
    """One charge of a line: its Terms, each step of its price for one full period, what it grants.

    `brings` is what it grants to the whole line, in words; empty for most.
    """

    terms: ChargeTerms
    steps: tuple[Step, ...]
    brings: str = ""

    @property
    def name(self) -> str:
        return name_of(self.terms.key)

    @property
    def price(self) -> Decimal:
        return self.steps[-1].result

    @property
    def rhythm(self) -> str:
        """How often it is billed, and by which meter if one is named, in words."""
        often = interval_words(self.terms.interval)
        where = {each.name: each.values for each in self.terms.where}
        measured = meter_words(self.terms.meter, where)
        return ", ".join(filter(None, [often, measured, deck_words(self.terms.call)]))


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """One line as it is shown: the wish, its Terms, what it comes to, and why this price."""

    line: QuoteLine
    terms: LineTerms
    totals: LineTotals
    charges: list[OfferedCharge]
    why: list[dict[str, object]]

    @property
    def product(self) -> str:
        return str(self.line.product_version.product)

    @property
    def starts(self) -> str:
        """When billing starts, in words, where the line says it for itself."""
        return start_words(self.terms.start_rule) if self.line.start_rule else ""


@dataclass(frozen=True, slots=True)
class FirstBillLine:
    """One amount of the first invoice, and the days that it pays for."""

    product: str
    name: str
    first_day: date
    last_day: date
    amount: Decimal
    tax: Decimal | None = None

    @property
    def is_one_day(self) -> bool:
        return self.first_day == self.last_day


def offer(quote_id: int, *, on: date | None = None) -> dict[str, Any]:
    """What the customer is shown: {"quote", "lines", "totals", "first_bill"}, from frozen Terms.

    Without a start day on the quote the first invoice assumes a start `on` (default: the day on
    which it was sent). A draft has no Terms yet and so no lines. Prices are promised, tax is not:
    it is that of the first invoice's day as it is known now.
    """
    quote = get_quote(quote_id)
    begins = on or clock.day(quote.account, quote.sent_at or quote.created_at)
    lines = [line for line in lines_of(quote) if line.terms and line.action in PRICED]
    terms = [read_terms(line.terms) for line in lines if line.terms]
    sums = totals(
        [Priced(each, line.quantity) for each, line in zip(terms, lines, strict=True)],
        currency=quote.currency,
        starts_on=quote.start_on or begins,
        anchor_day=quote.account.bill_day,
    )
    if not quote.is_change:  # what a change quote comes to, and its tax, is told a stage above
        sums = with_tax_if_known(quote.account, sums)
    whys = [list(line.why) for line in lines]
    return {"quote": quote, **_shown(lines, terms, sums, whys)}


def draft_offer(quote: Quote, *, on: date, already: Collection[str] = NOTHING) -> dict[str, Any]:
    """The same for a draft, priced as if it were sent on that day; refuses as sending would."""
    lines = [line for line in lines_of(quote) if line.action == QuoteLine.Action.ADD]
    for i, line in enumerate(lines):
        refuse_unless_on_sale(line.product_version, field=f"lines[{i}].product")
    wished = [(line.product_version, line.quantity) for line in lines]
    if faults := faults_together(wished, account=quote.account, already=already):
        raise faults[0]
    priced = price_lines(
        account=quote.account,
        wanted=[wanted(line) for line in lines],
        on=on,
        start_on=quote.start_on,
        besides=quote.pk,
    )
    terms = [r.terms for r in priced.resolutions]
    whys = [r.why for r in priced.resolutions]
    sums = priced.totals if quote.is_change else with_tax(quote.account, priced.totals)
    return {"quote": quote, **_shown(lines, terms, sums, whys)}


def read_terms(terms: Terms) -> LineTerms:
    """The pure form of frozen Terms."""
    return from_canonical(terms.body)


def name_of(key: str) -> str:
    """A charge's key as people read it."""
    return key.replace("-", " ").replace("_", " ").capitalize()


def _used(charge: ChargeTerms, quantity: Decimal) -> Decimal:
    """What a line's quantity means to a charge: of usage nothing is known before it is used."""
    return Decimal(0) if charge.kind is Kind.USAGE else quantity


def _charge(charge: ChargeTerms, quantity: Decimal, meters: MeterNames) -> OfferedCharge:
    steps = explain(charge, _used(charge, quantity))
    return OfferedCharge(charge, steps, granted_by(charge, meters, quantity=quantity))


def _shown(
    lines: Sequence[QuoteLine],
    terms: Sequence[LineTerms],
    sums: Totals,
    whys: Sequence[list[dict[str, object]]],
) -> dict[str, Any]:
    meters = MeterNames()
    shown = [
        OfferedLine(
            line=line,
            terms=each,
            totals=amounts,
            charges=[_charge(charge, line.quantity, meters) for charge in each.charges],
            why=why,
        )
        for line, each, amounts, why in zip(lines, terms, sums.lines, whys, strict=True)
    ]
    return {"lines": shown, "totals": sums, "first_bill": _first_bill(shown, sums)}


def _first_bill(lines: Sequence[OfferedLine], sums: Totals) -> list[FirstBillLine]:
    nothing = [[None] * len(line.totals.first) for line in lines]
    return [
        FirstBillLine(
            product=line.product,
            name=name_of(part.key),
            first_day=part.period.start,
            last_day=part.period.end - timedelta(days=1),
            amount=part.amount,
            tax=tax,
        )
        for line, taxes in zip(lines, sums.tax.first if sums.tax else nothing, strict=True)
        for part, tax in zip(line.totals.first, taxes, strict=True)
    ]
