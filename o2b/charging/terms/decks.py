"""Calls priced by a deck of prefixes: which deck, which dimension is the number, times of day."""

from dataclasses import dataclass
from decimal import Decimal

from o2b.charging.terms.checks import (
    TermsInvalid,
    check_count,
    check_not_negative,
    decimals,
)
from o2b.charging.terms.measured import DIMENSION, METER

# Rates of decks have at most 6 decimals: a share of one still has at most 12.
SHARE_DECIMALS = 4
LARGEST_SHARE = 100_000


@dataclass(frozen=True, slots=True)
class DeckWindow:
    """From a minute of the day on, calls cost so much percent of what the deck says."""

    from_minute: int
    percent: Decimal

    def __post_init__(self) -> None:
        check_count("call.from_minute", self.from_minute, most=1439)
        check_not_negative("call.percent", self.percent)
        if self.percent > LARGEST_SHARE:
            raise TermsInvalid("call.percent", f"at most {LARGEST_SHARE}")
        if decimals(self.percent) > SHARE_DECIMALS:
            raise TermsInvalid("call.percent", f"at most {SHARE_DECIMALS} decimals")


WHOLE_DAY = (DeckWindow(0, Decimal(100)),)


@dataclass(frozen=True, slots=True)
class DeckRates:
    """The rates of a deck, named by its code, as they are on the day of each call.

    `number` is the meter's dimension that holds the called number. Rate and connect fee count by
    the percent of the window of the local day, the fee by the one that the call begins in.
    """

    deck: str
    number: str
    windows: tuple[DeckWindow, ...] = WHOLE_DAY

    def __post_init__(self) -> None:
        if not isinstance(self.deck, str) or not METER.fullmatch(self.deck):
            raise TermsInvalid("call.deck", f"{self.deck!r} is no code of a deck")
        if not isinstance(self.number, str) or not DIMENSION.fullmatch(self.number):
            raise TermsInvalid("call.number", f"{self.number!r} is no name of a dimension")
        if not self.windows or self.windows[0].from_minute != 0:
            raise TermsInvalid("call.windows", "the first window begins at 00:00")
        starts = [window.from_minute for window in self.windows]
        if starts != sorted(set(starts)):
            raise TermsInvalid("call.windows", "windows begin one after the other")
