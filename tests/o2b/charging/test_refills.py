"""When an automatic top-up is due, as a table."""

from decimal import Decimal

import pytest

from o2b.charging.refills import refill_due


@pytest.mark.parametrize(
    ("left", "open_order", "this_month", "due"),
    [
        ("100", False, 0, False),
        ("99.999999", False, 0, True),
        ("0", False, 0, True),
        ("0", True, 0, False),
        ("0", False, 1, True),
        ("0", False, 2, False),
        ("0", False, 3, False),
        ("100.000001", False, 0, False),
    ],
)
def test_a_refill_is_due(left: str, open_order: bool, this_month: int, due: bool) -> None:
    found = refill_due(
        Decimal(left),
        Decimal(100),
        open_order=open_order,
        this_month=this_month,
        most_a_month=2,
    )
    assert found is due
