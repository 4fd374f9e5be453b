"""What a service will be billed up to a day: the arithmetic of runs on what may be wishes."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from o2b.charging import (
    Billed,
    ChargeFacts,
    ChargeTerms,
    Kind,
    LineTerms,
    Proration,
    Segment,
    draft_and_mark,
)
from o2b.charging.begun import Begun, Had, begun_by, by_grid
from o2b.charging.succeeding import Days, Successor, alike, with_rates
from o2b.charging.taxing import Corrects, corrects, tax_code_of
from o2b.periods import FOREVER, Period
from subscriptions.rules.timeline import WHOLE, Span

# (account, Terms, key of a charge): what a charge of billing is about, within one service.
ChargeKey = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the periods of a service begin."""

    anchor_on: date
    anchor_day: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a charge has been billed, by full period and segment."""

    through: date | None = None
    billed: tuple[Billed, ...] = ()


@dataclass(frozen=True, slots=True)
class BillLine:
    """One amount that a run would bill, net; below zero it gives back.

    One that `corrects` a bill is taxed at the rate of that bill, the others at that of their day.
    """

    account: int
    terms: int
    key: str
    kind: Kind
    period: Period
    full_period: Period
    segment: int
    quantity: Decimal
    amount: Decimal
    cause: str
    tax_code: str = ""
    corrects: Corrects | None = None

    def turned(self) -> "BillLine":
        """The line taken back."""
        bill = self.corrects and self.corrects.turned()
        return replace(self, amount=-self.amount, corrects=bill)


@dataclass(frozen=True, slots=True)
class Forecast:
    """All lines up to a day, and when the next one is due."""

    lines: tuple[BillLine, ...]
    next_due_on: date | None

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))

    def __add__(self, other: "Forecast") -> "Forecast":
        days = [day for day in (self.next_due_on, other.next_due_on) if day]
        return Forecast((*self.lines, *other.lines), min(days, default=None))


def bill(
    spans: Sequence[Span],
    *,
    grid: Grid,
    terms: Mapping[int, LineTerms],
    standing: Mapping[ChargeKey, Standing],
    until: date,
) -> Forecast:
    """What a run for `until` bills of these spans beyond what stands; usage is not foretold."""
    found: list[BillLine] = []
    due: list[date] = []
    goes_on = {span.period.start for span in spans if span.billed}
    there = max((span.delivered for span in spans), default=WHOLE)
    charges = _by_charge(spans, standing)
    rates = _with_rates(charges, terms, standing, goes_on)
    begun = _begun(charges, terms)
    for (account, terms_id), days in charges.items():
        for charge in terms[terms_id].charges:
            if charge.kind is Kind.USAGE:
                continue
            key = (account, terms_id, charge.key)
            stood = standing.get(key, Standing())
            stood = replace(stood, billed=rates.get(key, stood.billed))
            facts = _facts(charge, days, grid, stood, goes_on, there)
            facts = facts._replace(begun=begun.get(key, ()))
            lines, mark = draft_and_mark(facts, until=until)
            if mark.next_due_on is not None:
                due.append(mark.next_due_on)
            found += [
                BillLine(
                    account=account,
                    terms=terms_id,
                    key=line.key,
                    kind=charge.kind,
                    period=line.period,
                    full_period=line.full_period,
                    segment=line.segment,
                    quantity=line.quantity,
                    amount=line.amount,
                    cause=line.cause,
                    tax_code=tax_code_of(charge),
                    corrects=corrects(line, stood.billed),
                )
                for line in lines
            ]
    found.sort(key=lambda line: (line.account, line.period.start, line.amount))
    return Forecast(tuple(found), min(due, default=None))


def _by_charge(
    spans: Iterable[Span], standing: Iterable[ChargeKey]
) -> dict[tuple[int, int], list[Span]]:
    """The billed days under each Terms of each account; those that were billed once come too."""
    found: dict[tuple[int, int], list[Span]] = defaultdict(list)
    for span in spans:
        if span.billed:
            found[span.account, span.terms].append(span)
    for account, terms_id, _key in standing:
        found.setdefault((account, terms_id), [])
    return found


def _begun(
    charges: Mapping[tuple[int, int], Sequence[Span]], terms: Mapping[int, LineTerms]
) -> dict[ChargeKey, tuple[Begun, ...]]:
    """What began the periods of each charge under another one that is not prorated."""
    had = [
        (
            (charge.key, charge.currency, charge.interval, charge.alignment, charge.trial),
            Had(
                (account, terms_id, charge.key),
                terms_id,
                span.period,
                span.quantity,
                charge.proration is not Proration.DAY,
                span.in_use,
                span.delivered,
            ),
        )
        for (account, terms_id), spans in charges.items()
        for charge in terms[terms_id].charges
        if charge.kind is Kind.RECURRING
        for span in spans
    ]
    return begun_by(by_grid(had).values())


def _with_rates(
    charges: Mapping[tuple[int, int], Sequence[Span]],
    terms: Mapping[int, LineTerms],
    standing: Mapping[ChargeKey, Standing],
    goes_on: Set[date],
) -> dict[ChargeKey, tuple[Billed, ...]]:
    """What was billed of each charge, and the rates of periods billed under other Terms."""
    keys: list[ChargeKey] = []
    measures: dict[Hashable, list[Successor]] = defaultdict(list)
    for (account, terms_id), spans in charges.items():
        days = tuple(
            Days(p.start, p.end, p.end == FOREVER or p.end in goes_on)
            for p in (span.period for span in spans)
        )
        for charge in terms[terms_id].charges:
            if charge.kind is Kind.RECURRING:
                measures[account, alike(charge)].append(Successor(len(keys), days))
                keys.append((account, terms_id, charge.key))
    history = {n: standing[key].billed for n, key in enumerate(keys) if key in standing}
    told = with_rates([each for each in measures.values() if len(each) > 1], history)
    return {key: told[n] for n, key in enumerate(keys) if n in told}


def _facts(
    charge: ChargeTerms,
    days: Sequence[Span],
    grid: Grid,
    stood: Standing,
    goes_on: Set[date],
    there: Decimal,
) -> ChargeFacts:
    """One charge; what is owed once, as much as is delivered by now (`there`) of the service."""
    began = grid.anchor_on
    if charge.kind is Kind.ONE_TIME:
        days = [replace(span, delivered=there) for span in days if span.opens]
        began = days[0].period.start if days else began
    segments = tuple(
        Segment(span.period, span.quantity, span.period.end not in goes_on, span.delivered)
        for span in days
    )
    return ChargeFacts(0, charge, began, grid.anchor_day, segments, stood.through, stood.billed)
