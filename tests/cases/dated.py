"""Which cases have dates and money: those that a service in real life can have."""

import re
from typing import Any

from tests.cases.loading import PublishedCase

_DAY = re.compile(r"(\d{4}|\(year\))-\d\d-\d\d")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")

# Decimals that a case expects and that are no money.
_COUNTS = {"number_of_cycles", "multiplier", "months", "fraction", "quantity", "tolerance"}


def has_dates_and_money(case: PublishedCase) -> bool:
    """Whether days are given and an amount is expected."""
    money = {key: told for key, told in case.expect.items() if key not in _COUNTS}
    return any(map(_DAY.search, _texts(case.given))) and any(map(_DECIMAL.fullmatch, _texts(money)))


def _texts(told: Any) -> list[str]:
    """Every text within."""
    if isinstance(told, dict):
        return _texts(list(told.values()))
    if isinstance(told, list):
        return [text for each in told for text in _texts(each)]
    return [told] if isinstance(told, str) else []
