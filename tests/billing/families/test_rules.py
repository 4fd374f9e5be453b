"""The rules of families: when the sum of a document is a jump."""

from decimal import Decimal

import pytest

from billing.families.rules import is_jump


@pytest.mark.parametrize(
    ("before", "now", "answer"),
    [
        ("50", "501", True),
        ("50", "500", False),  # ten times are not more than ten times
        ("10", "110", False),  # larger by 100, and not by more
        ("10", "110.01", True),
        ("0", "9999", False),  # a first bill
        ("-5", "9999", False),
        ("50", "-9999", False),
    ],
)
def test_a_jump(before: str, now: str, answer: bool) -> None:
    assert is_jump(Decimal(before), Decimal(now), Decimal(10), Decimal(100)) is answer
