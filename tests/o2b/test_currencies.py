"""Which currencies are somebody's money on a day."""

from datetime import date

import pytest

from o2b.currencies import is_tender


@pytest.mark.parametrize(
    ("code", "on", "is_money"),
    [
        ("EUR", "2026-01-31", True),
        ("USD", "2026-01-31", True),
        ("CHF", "2026-01-31", True),
        ("DEM", "2001-12-31", True),
        ("DEM", "2026-01-31", False),
        ("ATS", "2026-01-31", False),
        ("HRK", "2022-12-31", True),
        ("HRK", "2023-01-14", True),
        ("HRK", "2023-01-15", False),
        ("ZWL", "2024-08-31", True),
        ("ZWL", "2024-09-01", False),
        ("XAU", "2026-01-31", True),  # no territory's, and never retired
        ("XXX", "2026-01-31", False),
        ("ZZQ", "2026-01-31", False),
    ],
)
def test_what_was_retired_is_money_until_its_last_day(code: str, on: str, is_money: bool) -> None:
    assert is_tender(code, date.fromisoformat(on)) is is_money
