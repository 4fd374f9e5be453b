"""What the adapter hands to the driver: which engine inputs to run, and what to read of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from o2b.charging import Billed, ChargeTerms, DraftLine
from o2b.charging.facts import Segment
from o2b.charging.usage import Used

Answers = Mapping[str, Any]


class Level(StrEnum):
    """How much of the system a case went through."""

    PURE = "pure function"
    DRAFT = "draft"
    RUN = "real run"


class Credit(NamedTuple):
    """An amount that the engine gives back, below zero; publishers write it with either sign."""

    amount: Decimal


MaybeCall = Callable[[], Answers] | None


class Boundaries(NamedTuple):
    """Days between periods; publishers write them with or without the day of the start."""

    start: date
    ends: list[date]


class First(NamedTuple):
    """What begins a list without end; a case shows as much of it as it likes."""

    items: Sequence[Any]


@dataclass(frozen=True)
class Pure:
    """A call of functions of the engine."""

    call: Callable[[], Answers]


@dataclass(frozen=True)
class Charge:
    """One charge and its life, told to draft() in one step or in two.

    With `billed_until` the charge is first drafted with `segments` up to that day, and what that
    bills is history; then it has the segments `later`. `billed` tells the history outright.
    """

    terms: ChargeTerms
    started_on: date
    anchor_day: int
    segments: tuple[Segment, ...]
    billed_until: date | None = None
    later: tuple[Segment, ...] = ()
    billed: tuple[Billed, ...] | None = None
    billed_through: date | None = None
    usage: tuple[Used, ...] = ()
    more: Mapping[str, Any] | None = None  # further facts, by their names in ChargeFacts


@dataclass(frozen=True)
class Drafts:
    """Charges to draft up to a day; `read` gets the lines of each charge, in their order.

    `sold` says that the charge can also be sold: the driver then sets up its account, product,
    book, quote, order and subscription, bills it by a run, and reads the lines of its invoice.
    `exact` asks pure functions for the same; where that has more decimals than the currency, the
    published figure is not one of a bill, and the case stays at that level.
    """

    charges: Sequence[Charge]
    until: date
    read: Callable[[Sequence[Sequence[DraftLine]]], Answers]
    sold: bool = False
    exact: MaybeCall = None


Asked = Pure | Drafts
