"""Rates by called number: the longest prefix that a deck knows, and numbers as decks see them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

MOST_DIGITS = 15  # of a number: ITU-T E.164
RATE_DECIMALS = 6
HEAD = 3  # first digits by which a deck is looked into; more of them are slower, by memory

_SIGNS = re.compile(r"[\s()\-\u2010-\u2013]+")
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")


@dataclass(frozen=True, slots=True)
class DeckRate:
    """What a deck says of the numbers of a prefix; amounts have at most 6 decimals.

    `rate` for each `per_seconds`; the first `first_seconds` of a call are charged whole, then
    each started `next_seconds`; `connect_fee` is due once a call. `whole` is (rate, connect fee,
    per_seconds, first_seconds, next_seconds), the amounts in millionths: sums of them are exact.
    """

    rate: Decimal
    per_seconds: int = 60
    connect_fee: Decimal = Decimal(0)
    first_seconds: int = 1
    next_seconds: int = 1
    prefix: str = ""
    destination: str = ""
    whole: tuple[int, int, int, int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        amounts = [each.scaleb(RATE_DECIMALS) for each in (self.rate, self.connect_fee)]
        rate, fee = map(int, amounts)
        if [rate, fee] != amounts:
            raise ValueError(f"at most {RATE_DECIMALS} decimals: {self.rate}, {self.connect_fee}")
        whole = (rate, fee, self.per_seconds, self.first_seconds, self.next_seconds)
        object.__setattr__(self, "whole", whole)


class NoRate(NamedTuple):
    """A number that a deck does not know on a day; `number` is empty where none was said.

    `published` says whether any version of the deck holds on the day.
    """

    deck: str
    number: str
    day: date
    published: bool = True


class RateMissing(ValueError):
    """A call that cannot be rated is never billed as nothing; `missing` says which one it is."""

    def __init__(self, missing: NoRate | None = None) -> None:
        told = "a call without its rate"
        if missing is not None:
            told = f"deck {missing.deck} has no rate for {missing.number!r} on {missing.day}"
        super().__init__(told)
        self.missing = missing


def called_number(text: str) -> str:
    """A number as its digits, without signs and the way out; empty where it is none.

    The "(0)" of an international number is said to those at home only.

    >>> [called_number(each) for each in ("+49 (0)171 / 1", "+49 (0)171-234", "0044 20", "110")]
    ['', '49171234', '4420', '110']
    """
    digits = _SIGNS.sub("", text)
    if digits.startswith(("+", "00")):
        if "(" in text:
            digits = _SIGNS.sub("", _TRUNK_ZERO.sub("", text, count=1))
        digits = digits[1:] if digits.startswith("+") else digits[2:]
    return digits if digits.isascii() and digits.isdigit() else ""


# The rate of first digits alone; lengths of longer prefixes, longest first; the rates of these.
_Head = tuple[DeckRate | None, tuple[int, ...], dict[str, DeckRate]]


class PrefixTable:
    """The rates of one deck, asked by number; built once, its answers never change.

    Found by hashing: first digits that no longer prefix begins with say their rate at once, others
    which lengths there are, longest first, of a few prefixes that begin so. A number costs a
    look-up or two, however many prefixes there are.
    """

    __slots__ = ("_heads", "_shorts", "longest")

    def __init__(self, rates: Iterable[DeckRate]) -> None:
        self._shorts: dict[str, DeckRate] = {}
        longer: dict[str, dict[str, DeckRate]] = {}
        for rate in rates:
            if len(rate.prefix) > HEAD:
                longer.setdefault(rate.prefix[:HEAD], {})[rate.prefix] = rate
            else:
                self._shorts[rate.prefix] = rate
        self._heads = {head: self._head(head, found) for head, found in longer.items()}
        self.longest = max(map(len, self), default=0)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        yield from self._shorts
        for _, _, longer in self._heads.values():
            yield from longer

    def find(self, number: str) -> DeckRate | None:
        """The rate of the longest prefix of a number, told as its digits.

        >>> table = PrefixTable(DeckRate(Decimal(1), prefix=each) for each in ("49", "4917123"))
        >>> [found and found.prefix for found in map(table.find, ("49171234", "4930", "33"))]
        ['4917123', '49', None]
        """
        head = number[:HEAD]
        try:
            short, lengths, longer = self._heads[head]
        except KeyError:
            short, lengths, longer = self._head(head, {})
            self._heads[head] = short, lengths, longer
        for length in lengths:
            found = longer.get(number[:length])
            if found is not None:
                return found
        return short

    def _head(self, head: str, longer: dict[str, DeckRate]) -> _Head:
        """The rate of a number's first digits alone; the longer prefixes, and their lengths."""
        known = (self._shorts.get(head[:length]) for length in range(len(head), 0, -1))
        short = next((rate for rate in known if rate is not None), None)
        return short, tuple(sorted({len(each) for each in longer}, reverse=True)), longer
