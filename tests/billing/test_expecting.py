"""What the check expects of a start rule, from the order line and the Terms alone."""

from datetime import date

import pytest

from billing.rules.expecting import Promised
from o2b.charging import LineTerms, StartRule
from tests.o2b.charging.build import charge

JAN_10, JAN_21 = "2026-01-10", "2026-01-21"


@pytest.mark.parametrize(
    ("rule", "start_on", "was_there", "delivered_on", "starts"),
    [
        ("on_delivery", "", "", JAN_21, JAN_21),
        ("on_delivery", JAN_10, "false", JAN_21, JAN_21),
        ("on_delivery", JAN_10, "true", JAN_21, JAN_21),
        ("each_part", JAN_10, "true", JAN_21, JAN_21),
        ("on_date", "", "", JAN_21, JAN_21),
        ("on_date", JAN_10, "false", JAN_21, JAN_21),
        ("on_date", JAN_21, "false", JAN_21, JAN_21),
        ("on_date", JAN_21, "false", JAN_10, JAN_21),
        ("on_date", JAN_10, "true", JAN_21, JAN_10),
        ("on_date", JAN_10, "true", "", None),
        ("on_delivery", "", "", "", None),
    ],
)
def test_the_first_day(
    rule: str, start_on: str, was_there: str, delivered_on: str, starts: str | None
) -> None:
    charges = (charge(),)
    promised = Promised(LineTerms("p", 1, "EUR", StartRule(rule), charges), charges)
    found = promised.started_on(start_on, was_there, delivered_on)
    assert found == (date.fromisoformat(starts) if starts else None)
