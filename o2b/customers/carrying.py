"""How small a bill a seller issues, and how long smaller ones wait: among its conventions."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

LEAST, MONTHS = "minimum_invoice", "carry_months"
SETTINGS = (LEAST, MONTHS)
# German law wants an invoice within six months of the supply (UStG § 14 (2)).
USUAL_MONTHS, MOST_MONTHS = 3, 6
MOST = Decimal(100_000)


class CarryingInvalid(ValueError):
    """A setting has a value that it cannot have; the text says which."""


@dataclass(frozen=True, slots=True)
class Carrying:
    """Bills below `minimum` wait for the next run, for so many months at most.

    The minimum is in the seller's currency and of its accounts in it; an account may say otherwise.
    """

    minimum: Decimal | None = None
    months: int = USUAL_MONTHS


def carrying_of(conventions: Mapping[str, Any]) -> Carrying:
    """The settings that conventions say; raises CarryingInvalid."""
    months = conventions.get(MONTHS, USUAL_MONTHS)
    if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= MOST_MONTHS:
        raise CarryingInvalid(f"{MONTHS}: 1 to {MOST_MONTHS}")
    said = conventions.get(LEAST)
    if said is None:
        return Carrying(None, months)
    try:
        minimum = Decimal(str(said))
    except InvalidOperation as exc:
        raise CarryingInvalid(f"{LEAST}: an amount, such as 5.00") from exc
    if isinstance(said, bool) or not minimum.is_finite() or not 0 <= minimum <= MOST:
        raise CarryingInvalid(f"{LEAST}: an amount from 0 to {MOST}")
    return Carrying(minimum, months)
