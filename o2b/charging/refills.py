"""When an automatic top-up is due: pure, for whatever is filled up when it runs low."""

from decimal import Decimal


def refill_due(
    left: Decimal, below: Decimal, *, open_order: bool, this_month: int, most_a_month: int
) -> bool:
    """Whether to order now: less is left than asked for, and this fall was not answered before.

    `open_order`: an order answers it that is on its way still, or whose units have not yet lifted
    what is left to `below` again. `this_month`: orders placed in the running month, of at most
    `most_a_month`.

    >>> refill_due(Decimal(9), Decimal(10), open_order=False, this_month=0, most_a_month=1)
    True
    """
    return left < below and not open_order and this_month < most_a_month
