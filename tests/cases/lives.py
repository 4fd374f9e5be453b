"""The life of what a case has in service, as orders bring it about: a start, then dated changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2b.charging import ChargeTerms, DiscountKind
from o2b.charging.facts import Segment
from o2b.periods import FOREVER
from subscriptions.models import Act
from tests.cases.asking import Charge, Drafts

QUANTITY_PLACES = 6
MOST = Decimal(10) ** 9  # of a quantity that can be ordered


class Deed(NamedTuple):
    """One change of a service from a day on; it may name a quantity, or the charge of other Terms.

    What is taken back is named by the row that told it.
    """

    act: Act
    on: date
    quantity: Decimal | None = None
    charge: int | None = None
    withdraws: int | None = None


@dataclass(frozen=True)
class Life:
    """One service: the charges whose Terms it has, one after the other."""

    charges: tuple[Charge, ...]

    @property
    def started_on(self) -> date:
        return self.charges[0].started_on

    @property
    def anchor_day(self) -> int:
        return self.charges[0].anchor_day

    @property
    def billed_until(self) -> date | None:
        """The day up to which it is billed before the rest of its life is told."""
        return next((each.billed_until for each in self.charges if each.billed_until), None)

    @property
    def quantity(self) -> Decimal:
        """How many it starts with."""
        told = self.first if self.billed_until else self.last
        return told[0][1].quantity if told else Decimal(1)

    @property
    def first(self) -> list[tuple[int, Segment]]:
        """Its days by charge, as they are told before the first bill."""
        return self._by_charge([c.segments if c.billed_until else () for c in self.charges])

    @property
    def last(self) -> list[tuple[int, Segment]]:
        """Its days by charge, as they are in the end."""
        return self._by_charge([c.later if c.billed_until else c.segments for c in self.charges])

    def deeds(self, days: Sequence[tuple[int, Segment]]) -> Iterator[Deed]:
        """What changes make these days of it; a gap is a suspension that is not billed."""
        day, quantity, terms = self.started_on, self.quantity, 0
        for charge, segment in days:
            period, many = segment.period, segment.quantity
            if period.start > day:
                yield Deed(Act.SUSPEND, day)
                yield Deed(Act.RESUME, period.start)
            if charge != terms:
                yield Deed(Act.TERMS, period.start, charge=charge)
            if many != quantity:
                yield Deed(Act.QUANTITY, period.start, quantity=many)
            day, quantity, terms = period.end, many, charge
        if day != FOREVER:
            yield Deed(Act.END, day)

    @staticmethod
    def _by_charge(days: Sequence[Sequence[Segment]]) -> list[tuple[int, Segment]]:
        return [(n, segment) for n, own in enumerate(days) for segment in own]


def lives_of(asked: Drafts) -> list[Life]:
    """The services of a case."""
    if asked.one_service:
        return [Life(tuple(asked.charges))]
    return [Life((charge,)) for charge in asked.charges]


def why_unsold(asked: Drafts) -> str:
    """Why orders cannot bring these charges about; nothing where they can."""
    reasons = (_why_not_priced(charge) for charge in asked.charges)
    if why := next(filter(None, reasons), ""):
        return why
    if len({each.billed_until for each in asked.charges if each.billed_until}) > 1:
        return "billed before on several days"
    if not all(_happens(life) for life in lives_of(asked)):
        return "days that no order brings about"
    return ""


def _why_not_priced(charge: Charge) -> str:
    terms = charge.terms
    if charge.billed is not None or charge.billed_through is not None:
        return "what was billed is told, not brought about"
    if terms.discounts and not as_coupons(terms) and quoted_percent(terms) is None:
        return "discounted as no coupon is"
    if not all(_can_be_ordered(each.quantity) for each in (*charge.segments, *charge.later)):
        return "a quantity that cannot be ordered"
    return ""


def as_coupons(terms: ChargeTerms) -> bool:
    """Whether its discounts come to the same as coupons of the account on this product alone."""
    percents = {each.kind for each in terms.discounts} <= {DiscountKind.PERCENT}
    return percents and terms.minimum is None and terms.maximum is None


def quoted_percent(terms: ChargeTerms) -> Decimal | None:
    """What the quote takes off, where a price has a bound that coupons know nothing of."""
    if as_coupons(terms) or len(terms.discounts) != 1:
        return None
    (only,) = terms.discounts
    return only.value if only.kind is DiscountKind.PERCENT else None


def _can_be_ordered(quantity: Decimal) -> bool:
    return 0 < quantity <= MOST and quantity == round(quantity, QUANTITY_PLACES)


def _happens(life: Life) -> bool:
    """Whether its charges have one grid, and its days are in order from its start on."""
    grids = {(each.started_on, each.anchor_day, each.terms.currency) for each in life.charges}
    if len(grids) > 1:
        return False
    for told in (life.first, life.last):
        periods = [segment.period for _, segment in told]
        days = [life.started_on, *(day for each in periods for day in (each.start, each.end))]
        if days != sorted(days):
            return False
    return True
