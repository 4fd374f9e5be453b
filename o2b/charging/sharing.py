"""What one of several payers pays of a charge: a part of its rounded amounts, by running total."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from o2b.money import EXACT, quantise

_ZERO, _ALL = Decimal(0), Decimal(100)


class Part(NamedTuple):
    """The percents of a whole from `lower` to `upper`: payers stand one after the other in it."""

    lower: Decimal = _ZERO
    upper: Decimal = _ALL

    @property
    def percent(self) -> Decimal:
        return EXACT.subtract(self.upper, self.lower)

    def of(self, total: Decimal, currency: str) -> Decimal:
        """What it is of a rounded total; half up, so that all parts add up to that total.

        >>> sponsor, customer = Part(_ZERO, Decimal(60)), Part(Decimal(60), _ALL)
        >>> sponsor.of(Decimal("0.03"), "EUR"), customer.of(Decimal("0.03"), "EUR")
        (Decimal('0.02'), Decimal('0.01'))
        """
        upper = up_to(self.upper, total, currency)
        return EXACT.subtract(upper, up_to(self.lower, total, currency))


class Of(NamedTuple):
    """A payer's part of what a period costs up to and with a piece, rounded."""

    part: Part
    whole: Decimal


WHOLE, NOTHING = Part(), Part(_ZERO, _ZERO)


class Sharing(NamedTuple):
    """The part that a payer has from each day on, in order; `first` before all of them."""

    first: Part
    later: tuple[tuple[date, Part], ...] = ()

    def on(self, day: date) -> Part:
        """The part that holds on a day."""
        found = bisect_right(self.later, day, key=_first_day)
        return self.later[found - 1][1] if found else self.first


def up_to(percent: Decimal, total: Decimal, currency: str) -> Decimal:
    """So many percent of a rounded total, half up (USAC: the applicant pays the difference)."""
    if percent == _ALL:
        return total
    return quantise(EXACT.multiply(total, percent).scaleb(-2, EXACT), currency)


def shared(part: Part, amounts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The part of each piece of a period, by running total of the pieces.

    Piece k = part of (sum to k) − part of (sum to k−1): the pieces of a payer add up to the payer's
    part of the whole, and the parts of all payers to each piece.
    """
    found: list[Decimal] = []
    total = before = _ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
        reached = part.of(total, currency)
        found.append(EXACT.subtract(reached, before))
        before = reached
    return found


def dealt(
    part: Part | None, amounts: Sequence[Decimal], currency: str
) -> list[tuple[Decimal, Of | None]]:
    """What a payer has of each piece, and of what; without a part the whole."""
    if part is None:
        return [(amount, None) for amount in amounts]
    own = shared(part, amounts, currency)
    totals = accumulate(amounts, EXACT.add)
    return [(amount, Of(part, total)) for amount, total in zip(own, totals, strict=True)]


def parts_of(percents: Iterable[Decimal]) -> list[Part]:
    """The parts of payers in their agreed order, and of who pays the rest; last, maybe nothing."""
    found: list[Part] = []
    reached = _ZERO
    for percent in percents:
        upper = EXACT.add(reached, percent)
        found.append(Part(reached, upper))
        reached = upper
    if reached > _ALL:
        raise ValueError(f"{reached} % are more than all")
    return [*found, Part(reached, _ALL)]


def _first_day(entry: tuple[date, Part]) -> date:
    return entry[0]
