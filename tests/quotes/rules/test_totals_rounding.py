"""What an offer says is rounded as the bill will be."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.charging import Conventions, LineTerms
from quotes.rules.totals import Priced, totals
from tests.o2b.charging.build import charge


@pytest.mark.parametrize(
    ("rounding", "monthly"), [("half_up", "33.34"), ("down", "33.33"), ("up", "33.34")]
)
def test_a_month_is_rounded_by_the_convention_of_the_price(rounding: str, monthly: str) -> None:
    """33.335 a month."""
    terms = charge("33.335", alignment="bill_day", conventions=Conventions(rounding=rounding))
    line = LineTerms("line", 1, "EUR", "on_delivery", (terms,))
    found = totals(
        [Priced(line, Decimal(1))], currency="EUR", starts_on=date(2026, 1, 1), anchor_day=1
    )
    assert (str(found.monthly), str(found.first_invoice)) == (monthly, monthly)
