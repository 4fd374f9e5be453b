"""A contract's fixed discount, shared by the lines it covers."""

from decimal import Decimal

from o2b.money import Money


def share_fixed_discount(amount: Money, weights: list[Decimal]) -> list[Decimal]:
    """Split a contract's fixed discount or surcharge over lines, by largest remainder."""
    return [part.amount for part in amount.allocate(weights)]
