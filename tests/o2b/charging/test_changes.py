"""Changes within a paid period: what comes back, what is to pay, as other systems publish it."""

from decimal import Decimal

import pytest

from o2b.charging.changes import (
    Change,
    change_by_share,
    change_plan,
    charge_for,
    remaining_credit,
    share,
)
from o2b.charging.terms import Conventions, DayCount
from o2b.money import Rounding
from o2b.periods import Interval, Period
from tests.o2b.charging.build import day

LAGO = Conventions(last_day_billed=True)
KILL_BILL = Conventions(fraction_places=9)


def span(start: str, end: str) -> Period:
    return Period(day(start), day(end))


FEBRUARY = span("2024-02-01", "2024-03-01")


@pytest.mark.parametrize(
    ("amount", "part", "whole", "currency", "expected"),
    [
        ("30", 15, 30, "EUR", "15.00"),
        ("15", 5250, 10500, "USD", "7.50"),  # Vercel
        ("100", 10, 31, "USD", "32.26"),  # OpenMeter
        ("90", "10.258065", 1, "USD", "923.23"),  # Salesforce
        ("1000", 1, 3, "JPY", "333"),
        ("1", 1, 3, "KWD", "0.333"),
        ("2.25", 1, 30, "EUR", "0.08"),  # a tie
    ],
)
def test_share(amount, part, whole, currency, expected):
    part = Decimal(part) if isinstance(part, str) else part
    assert share(Decimal(amount), part, whole, currency=currency) == Decimal(expected)


def test_share_is_rounded_by_the_conventions():
    down = Conventions(rounding=Rounding.DOWN)
    assert share(Decimal(10), 20, 30, currency="USD", conventions=down) == Decimal("6.66")


def test_share_of_a_unit_that_is_no_currency():
    found = share(Decimal(100), 10, 31, currency="", places=4)
    assert found == Decimal("32.2581")


@pytest.mark.parametrize(
    ("price", "paid", "on", "ends", "how", "expected"),
    [
        # Kill Bill
        ("599.95", ("2012-05-01", "2012-06-01"), "2012-05-07", True, KILL_BILL, "483.83"),
        ("249.95", ("2012-06-30", "2012-07-31"), "2012-07-10", True, KILL_BILL, "169.32"),
        ("29.95", ("2012-05-01", "2012-06-01"), "2012-05-12", False, KILL_BILL, "19.32"),
        # Lago: on termination the day itself is used; at a change it is the new plan's
        ("29", ("2024-02-01", "2024-03-01"), "2024-02-12", True, LAGO, "17.00"),
        ("29", ("2024-02-01", "2024-03-01"), "2024-02-01", True, LAGO, "28.00"),
        ("29", ("2024-02-01", "2024-03-01"), "2024-02-12", False, LAGO, "18.00"),
        # on its first day, before it, on its last day and after it
        ("29", ("2024-02-01", "2024-03-01"), "2024-02-01", True, KILL_BILL, "29.00"),
        ("29", ("2024-02-01", "2024-03-01"), "2024-01-15", True, KILL_BILL, "29.00"),
        ("29", ("2024-02-01", "2024-03-01"), "2024-02-29", True, KILL_BILL, "1.00"),
        ("29", ("2024-02-01", "2024-03-01"), "2024-02-29", True, LAGO, "0.00"),
        ("29", ("2024-02-01", "2024-03-01"), "2024-03-01", True, KILL_BILL, "0.00"),
    ],
)
def test_remaining_credit(price, paid, on, ends, how, expected):
    found = remaining_credit(
        Decimal(price), paid=span(*paid), on=day(on), currency="USD", ends=ends, conventions=how
    )
    assert found == Decimal(expected)


def test_the_credit_of_a_paid_part_is_by_the_days_of_its_full_period():
    """Kill Bill: 12 May 2012 to 1 May 2013 of the year from 1 May was paid with 2,327.62."""
    found = remaining_credit(
        Decimal("2399.95"),
        paid=span("2012-05-12", "2013-05-01"),
        full=span("2012-05-01", "2013-05-01"),
        on=day("2012-05-12"),
        currency="USD",
        conventions=KILL_BILL,
    )
    assert found == Decimal("2327.62")


@pytest.mark.parametrize(
    ("old", "new", "paid", "on", "more", "expected"),
    [
        # Polar
        ("100", "300", ("2025-06-01", "2025-07-01"), "2025-06-11", {}, ("66.67", "200.00")),
        ("1000", "3000", ("2024-08-01", "2025-08-01"), "2024-10-01", {}, ("832.88", "2498.63")),
        ("1000", "3000", ("2023-02-18", "2024-02-18"), "2023-09-05", {}, ("454.79", "1364.38")),
        # Polar: a change of interval begins a new full period
        (
            "1000",
            "100",
            ("2024-02-18", "2025-02-18"),
            "2024-04-19",
            {"new_full": span("2024-04-19", "2024-05-19")},
            ("833.33", "100.00"),
        ),
        # Lago: 12–29 February
        ("29", "290", ("2024-02-01", "2024-03-01"), "2024-02-12", {}, ("18.00", "180.00")),
        # Kill Bill: a quarter aligned with the month's start
        (
            "29.95",
            "69.95",
            ("2012-05-01", "2012-06-01"),
            "2012-05-12",
            {"new_full": span("2012-05-01", "2012-08-01"), "conventions": KILL_BILL},
            ("19.32", "61.59"),
        ),
        ("599.95", "9.95", ("2012-05-01", "2012-06-01"), "2012-05-07", {}, ("483.83", "8.02")),
        # a paid part: both by the days of the full period that holds it
        (
            "31",
            "62",
            ("2026-01-11", "2026-02-01"),
            "2026-01-21",
            {"old_full": span("2026-01-01", "2026-02-01")},
            ("11.00", "22.00"),
        ),
        # by another day count
        (
            "30",
            "60",
            ("2026-02-01", "2026-03-01"),
            "2026-02-16",
            {
                "interval": Interval("month"),
                "conventions": Conventions(DayCount.THIRTY_360),
            },
            ("15.00", "30.00"),
        ),
    ],
)
def test_change_plan(old, new, paid, on, more, expected):
    found = change_plan(
        Decimal(old), Decimal(new), paid=span(*paid), on=day(on), currency="USD", **more
    )
    assert found == Change(*map(Decimal, expected))


def test_net_of_a_change():
    change = change_plan(
        Decimal("599.95"),
        Decimal("9.95"),
        paid=span("2012-05-01", "2012-06-01"),
        on=day("2012-05-07"),
        currency="USD",
    )
    assert change.net == Decimal("-475.81")


@pytest.mark.parametrize(
    ("old", "new", "left", "charged", "expected", "net"),
    [
        ("30", "45", (15, 30), None, ("15.00", "22.50"), "7.50"),
        ("50", "80", (15, 30), None, ("25.00", "40.00"), "15.00"),  # Polar, 5 to 8 seats
        ("75", "150", (20, 30), None, ("50.00", "100.00"), "50.00"),
        ("49", "79", (18, 30), (12, 30), ("29.40", "31.60"), "2.20"),
        ("15", "55", (5250, 10500), (1, 1), ("7.50", "55.00"), "47.50"),
    ],
)
def test_change_by_share(old, new, left, charged, expected, net):
    found = change_by_share(Decimal(old), Decimal(new), left=left, charged=charged, currency="USD")
    assert found == Change(*map(Decimal, expected))
    assert found.net == Decimal(net)


def test_the_next_period_billed_together():
    change = change_by_share(Decimal(12), Decimal(24), left=(3, 4), currency="USD")
    assert change == Change(Decimal("9.00"), Decimal("18.00"))
    assert change.with_next(Decimal(24)) == Decimal("33.00")


def test_a_service_longer_than_the_full_period_costs_the_full_price():
    longer = span("2026-01-01", "2026-03-01")
    january = span("2026-01-01", "2026-02-01")
    assert charge_for(Decimal(100), longer, full=january, currency="USD") == Decimal(100)


def test_charge_for_days_outside_is_nothing():
    found = charge_for(Decimal(29), span("2024-03-01", "2024-03-05"), full=FEBRUARY, currency="USD")
    assert found == Decimal("0.00")
