"""Whether a bill below its minimum waits for the next run; pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2b.periods import add_months


class Waiting(NamedTuple):
    """What else is known of an account whose bill is small.

    `since`: the day on which the oldest part of it was due, as far as any part has such a day.
    """

    since: date | None
    goes_on: bool
    is_open: bool


def together(payer: Waiting, family: Iterable[Waiting]) -> Waiting:
    """What is known of the one bill of a family: it goes on with any of them, if its payer may."""
    known = list(family)
    since = min((each.since for each in known if each.since), default=None)
    return Waiting(since, any(each.goes_on for each in known), payer.is_open)


def is_small(total: Decimal, minimum: Decimal) -> bool:
    """Below the minimum; what is owed to the customer never waits."""
    return 0 <= total < minimum


def waits(facts: Waiting, *, on: date, months: int) -> bool:
    """A small bill waits while a later one is to come, and for so many months at most."""
    if not (facts.goes_on and facts.is_open):
        return False
    return facts.since is None or on < add_months(facts.since, months)


def minimum_of(
    own: Decimal | None, currency: str, seller: tuple[str, Decimal | None]
) -> Decimal | None:
    """The account's own minimum, 0 for none; else its seller's, if it is in the same currency."""
    if own is not None:
        return own or None
    code, minimum = seller
    return minimum or None if code == currency else None


def small_bills(
    totals: Mapping[int, Decimal], minimums: Mapping[int, Decimal]
) -> dict[int, Decimal]:
    """account → its minimum, of those whose bill is below it."""
    return {
        account: minimum
        for account, minimum in minimums.items()
        if account in totals and is_small(totals[account], minimum)
    }
