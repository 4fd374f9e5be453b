"""A telecom's real subscribers, of whom two published cases tell the sums."""

import csv
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "telco_subscribers.csv"


class Subscriber(NamedTuple):
    """What a subscriber pays a month, has paid in all, and for how many months."""

    monthly: Decimal
    total: Decimal
    tenure: int


@lru_cache(maxsize=1)
def subscribers() -> tuple[Subscriber, ...]:
    """Every row of the file; none where it is not beside the repository."""
    if not FILE.exists():
        return ()
    with FILE.open(newline="", encoding="utf-8") as opened:
        return tuple(
            Subscriber(
                Decimal(row["MonthlyCharges"]),
                Decimal(row["TotalCharges"].strip() or 0),
                int(row["tenure"]),
            )
            for row in csv.DictReader(opened)
        )
