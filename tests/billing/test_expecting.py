"""What the check expects of a start rule, from the order line and the Terms alone."""

from datetime import date
from decimal import Decimal

import pytest

from billing.rules.expecting import Promised, delivered_by
from o2b.charging import LineTerms, Segment, StartRule
from o2b.periods import Period
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


def jan(day: int) -> date:
    return date(2026, 1, day)


@pytest.mark.parametrize(
    ("parts", "once", "found"),
    [
        ([], False, []),
        ([(jan(1), "1")], False, [(1, 31, "1")]),
        ([(jan(5), "0.75"), (jan(9), "1")], False, [(5, 9, "0.75"), (9, 31, "1")]),
        # What is there stays; of one day the most counts.
        ([(jan(5), "0.75"), (jan(7), "0.5"), (jan(9), "1")], False, [(5, 9, "0.75"), (9, 31, "1")]),
        ([(jan(5), "0.5"), (jan(5), "1")], False, [(5, 31, "1")]),
        ([(jan(5), "0.75"), (jan(9), "0.9")], True, [(1, 31, "0.9")]),
        ([], True, []),
    ],
)
def test_days_by_what_was_delivered(
    parts: list[tuple[date, str]], once: bool, found: list[tuple[int, int, str]]
) -> None:
    days = [Segment(Period(jan(1), jan(31)), Decimal(2))]
    told = [(on, Decimal(fraction)) for on, fraction in parts]
    assert [
        (each.period.start.day, each.period.end.day, str(each.delivered), each.quantity)
        for each in delivered_by(days, told, once=once)
    ] == [(*each, 2) for each in found]
