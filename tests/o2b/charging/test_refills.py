"""When something prepaid is ordered anew: below the line, once a crossing, not too often."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.charging.refills import Asked, Refill, is_due

D = Decimal
TODAY = date(2026, 3, 20)
RULE = Refill(D(10), 2)


def done(day: int, month: int = 3) -> Asked:
    return Asked(date(2026, month, day), is_open=False)


@pytest.mark.parametrize(
    ("left", "asked", "due"),
    [
        ("9.99", [], True),
        ("10", [], False),
        ("-5", [], True),
        ("5", [Asked(date(2026, 1, 2), is_open=True)], False),
        ("5", [done(1)], True),
        ("5", [done(1), done(20)], False),
        ("5", [done(27, 2), done(28, 2), done(1)], True),
        ("5", [done(1, 4), done(2, 4)], True),
        ("5", [Asked(TODAY, is_open=False, failed=True)], False),
        ("5", [Asked(date(2026, 3, 19), is_open=False, failed=True), done(1)], True),
    ],
)
def test_when_more_is_ordered(left: str, asked: list[Asked], due: bool) -> None:
    assert is_due(RULE, D(left), asked, today=TODAY) is due


def test_a_year_ends_as_a_month_does() -> None:
    asked = [Asked(date(2026, 12, 1), False), Asked(date(2026, 12, 31), False)]
    assert not is_due(RULE, D(0), asked, today=date(2026, 12, 31))
    assert is_due(RULE, D(0), asked, today=date(2027, 1, 1))
