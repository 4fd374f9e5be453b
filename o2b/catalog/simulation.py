"""What a line would cost: every price that could answer, the arithmetic, and the bills to come.

Nothing is written; prices come from the same resolution, and bills from the same draft, as in life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from o2b.catalog.models import ProductVersion
from o2b.catalog.resolution import Candidate, Resolution, Wanted, explain_prices, resolve
from o2b.charging import ChargeFacts, DeckRates, DraftLine, Kind, Segment, draft, explain
from o2b.charging.pricing import Step
from o2b.charging.terms import ChargeTerms, Discount, DiscountKind
from o2b.charging.usage import Used
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.money import quantise
from o2b.periods import FOREVER, Interval, Period, Unit, add_months, anchored_period

MONTH = Interval(Unit.MONTH)
MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """The question: so many, from a day on, for so many months; `usage` is what is used a month."""

    account: Account
    version: ProductVersion
    quantity: Decimal
    start: date
    months: int
    characteristics: Mapping[str, Any] = field(default_factory=dict)
    discount: Decimal | None = None
    usage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Worked:
    """One charge of the price that won: for how much it was worked out, step by step."""

    terms: ChargeTerms
    quantity: Decimal
    steps: tuple[Step, ...]

    @property
    def price(self) -> Decimal:
        return self.steps[-1].result


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill to come."""

    charge: ChargeTerms
    line: DraftLine

    @property
    def prorated(self) -> bool:
        return self.line.period != self.line.full_period and self.charge.kind is not Kind.ONE_TIME


@dataclass(frozen=True, slots=True)
class Bill:
    """What the account would be billed on a day."""

    on: date
    lines: list[BillLine]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Simulation:
    """The answer; without a price there is a refusal, and still every candidate."""

    wish: Wish
    candidates: list[Candidate]
    charges: list[Worked]
    bills: list[Bill]
    total: Decimal
    refusal: Refused | None = None

    @property
    def currency(self) -> str:
        return self.wish.account.currency

    @property
    def first(self) -> Bill | None:
        return self.bills[0] if self.bills else None

    @property
    def winner(self) -> Candidate | None:
        return next((each for each in self.candidates if each.won), None)


def simulate(wish: Wish) -> Simulation:
    """Answer the question in a constant number of queries."""
    candidates = explain_prices(
        account=wish.account,
        product_version=wish.version,
        quantity=wish.quantity,
        on=wish.start,
        characteristics=wish.characteristics,
    )
    try:
        resolution = _resolved(wish)
    except Refused as refusal:
        return Simulation(wish, candidates, [], [], Decimal(0), refusal)
    charges = [_worked(charge, wish) for charge in resolution.terms.charges]
    bills = _bills(resolution.terms.charges, wish)
    total = sum((bill.total for bill in bills), quantise(Decimal(0), wish.account.currency))
    return Simulation(wish, candidates, charges, bills, total)


def _resolved(wish: Wish) -> Resolution:
    own = (Discount(DiscountKind.PERCENT, wish.discount),) if wish.discount else ()
    wanted = Wanted(wish.version, wish.quantity, own, wish.characteristics)
    return resolve(account=wish.account, wanted=[wanted], on=wish.start)[0]


def _worked(charge: ChargeTerms, wish: Wish) -> Worked:
    quantity = wish.quantity
    if charge.kind is Kind.USAGE:
        quantity = wish.usage or Decimal(0)
    return Worked(charge, quantity, tuple(explain(charge, quantity)))


def _bills(charges: Sequence[ChargeTerms], wish: Wish) -> list[Bill]:
    """On each bill day: what is due then and was not before."""
    day = wish.account.bill_day
    segment = Segment(Period(wish.start, FOREVER), wish.quantity)
    facts = [
        ChargeFacts(n, charge, wish.start, day, (segment,), None, usage=_used(charge, wish))
        for n, charge in enumerate(charges)
    ]
    seen: set[tuple[int, date, int]] = set()
    bills = []
    for on in bill_days(start=wish.start, bill_day=day, months=wish.months):
        fresh = []
        for line in draft(facts, until=on):
            key = (line.ref, line.full_period.start, line.segment)
            if key not in seen:
                seen.add(key)
                fresh.append(BillLine(charges[line.ref], line))
        nothing = quantise(Decimal(0), wish.account.currency)
        total = sum((each.line.amount for each in fresh), nothing)
        bills.append(Bill(on, fresh[:MOST_LINES], total))
    return bills


def _used(charge: ChargeTerms, wish: Wish) -> tuple[Used, ...]:
    """The same every month, on the first day of service in it."""
    # What a deck charges hangs on who is called: the page of the deck says what a number costs.
    if charge.kind is not Kind.USAGE or not wish.usage or isinstance(charge.call, DeckRates):
        return ()
    return tuple(
        Used(add_months(wish.start, n, wish.start.day), wish.usage) for n in range(wish.months + 1)
    )


def bill_days(*, start: date, bill_day: int, months: int) -> list[date]:
    """The account's bill days from the first one on or after the start, one a month."""
    around = anchored_period(start, MONTH, start, bill_day)
    first = start if around.start == start else around.end
    return [add_months(first, n, bill_day) for n in range(months + 1)]
