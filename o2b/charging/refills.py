"""When something prepaid is ordered anew: the rule that pools of units and wallets share."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2b.periods import add_months


class Refill(NamedTuple):
    """Order more once less than `below` is left, at most `most_a_month` times a calendar month."""

    below: Decimal
    most_a_month: int


class Asked(NamedTuple):
    """An order that a refill made: its day, and whether what it brings is still to come."""

    on: date
    is_open: bool
    failed: bool = False


def is_due(refill: Refill, left: Decimal, asked: list[Asked], *, today: date) -> bool:
    """Whether to order now.

    Not while an order is under way, for that is the same crossing; not again on a day on which one
    was refused; and no more than so many times a month, those that were refused not counted.

    >>> rule, day = Refill(Decimal(10), 2), date(2026, 3, 5)
    >>> is_due(rule, Decimal("9.99"), [], today=day), is_due(rule, Decimal(10), [], today=day)
    (True, False)
    """
    if left >= refill.below or any(each.is_open for each in asked):
        return False
    if any(each.failed and each.on == today for each in asked):
        return False
    first = today.replace(day=1)
    following = add_months(first, 1)
    made = [each for each in asked if not each.failed and first <= each.on < following]
    return len(made) < refill.most_a_month
