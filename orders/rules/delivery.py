"""How much of a line is delivered, by what its steps have shown."""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

PLACES = Decimal("0.00000001")


def delivered_fraction(steps: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Σ weight · share ÷ Σ weight, or the least share where no step has a weight; 0 to 1.

    `steps` are (weight, share): a share is what was accepted of the line's quantity, 1 for a step
    that is done. Rounded down to eight places, so that no part looks like the whole.

    >>> D = Decimal
    >>> delivered_fraction([(D(3), D(1)), (D(1), D(0))])
    Decimal('0.75000000')
    >>> delivered_fraction([(D(0), D(1)), (D(0), D("0.25"))])
    Decimal('0.25000000')
    """
    known = [(weight, min(share, Decimal(1))) for weight, share in steps]
    whole = sum((weight for weight, _ in known), Decimal(0))
    if whole:
        reached = sum((weight * share for weight, share in known), Decimal(0)) / whole
    else:
        reached = min((share for _, share in known), default=Decimal(0))
    return reached.quantize(PLACES, ROUND_DOWN)
