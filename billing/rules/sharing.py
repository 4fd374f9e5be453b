"""Agreements of payers as parts by day, and those parts as the text that a charge's key holds."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from o2b.charging.sharing import NOTHING, WHOLE, Part, Sharing, parts_of
from o2b.charging.terms import plain
from o2b.periods import FOREVER


class Agreed(NamedTuple):
    """An agreement that concerns a service; `own` if it is that service's alone.

    `shares` are (payer, percent) in their order; `end` is the first day outside.
    """

    start: date
    end: date
    own: bool
    shares: tuple[tuple[int, Decimal], ...]


def sharing_of(agreed: Iterable[Agreed], *, payer: int | None) -> Sharing:
    """The part that a payer has of a service by day; None is the customer, who pays the rest.

    Of two that hold on a day that of the service counts.
    """
    told = sorted(each for each in agreed if each.start < each.end)
    first = WHOLE if payer is None else NOTHING
    days = sorted({day for each in told for day in (each.start, each.end) if day != FOREVER})
    later: list[tuple[date, Part]] = []
    last = first
    for day in days:
        part = _part_on(day, told, payer, first)
        if part != last:
            later.append((day, part))
            last = part
    return Sharing(first, tuple(later))


def _part_on(day: date, told: Sequence[Agreed], payer: int | None, none: Part) -> Part:
    holding = [each for each in told if each.start <= day < each.end]
    in_force = next((each for each in holding if each.own), holding[0] if holding else None)
    if in_force is None:
        return none
    parts = parts_of(percent for _, percent in in_force.shares)
    if payer is None:
        return parts[-1]
    payers = [account for account, _ in in_force.shares]
    return parts[payers.index(payer)] if payer in payers else NOTHING


def sharing_text(sharing: Sharing) -> str:
    """As `read_sharing` reads it: 0:100,2026-01-01=60:100."""
    later = (f"{day}={_part_text(part)}" for day, part in sharing.later)
    return ",".join([_part_text(sharing.first), *later])


@lru_cache(maxsize=4096)
def read_sharing(text: str) -> Sharing:
    """The parts that a text tells; ValueError or ArithmeticError for what is none.

    >>> read_sharing("0:100,2026-01-01=60:100").on(date(2026, 3, 1)).percent
    Decimal('40')
    """
    first, *later = text.split(",")
    found = []
    for each in later:
        day, _, part = each.partition("=")
        found.append((date.fromisoformat(day), _read_part(part)))
    return Sharing(_read_part(first), tuple(found))


def _part_text(part: Part) -> str:
    return f"{plain(part.lower)}:{plain(part.upper)}"


def _read_part(text: str) -> Part:
    lower, upper = text.split(":")
    return Part(Decimal(lower), Decimal(upper))
