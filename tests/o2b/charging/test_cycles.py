"""Numbers of cycles: leading part, whole periods, trailing part."""

from decimal import Decimal

import pytest

from o2b.charging.cycles import cycles, number_of_cycles, term_multiplier
from o2b.charging.terms import Conventions, DayCount, Timing
from o2b.periods import FOREVER, Interval
from tests.o2b.charging.build import day


@pytest.mark.parametrize(
    ("start", "name", "anchor_day", "end", "until", "number"),
    [
        # Kill Bill, proRations/inAdvance
        ("2011-02-10", "month", 10, "2011-02-24", None, "0.5"),
        ("2011-02-01", "month", 1, "2011-02-14", None, "0.464285714"),
        ("2011-02-07", "month", 7, "2011-03-10", None, "1.096774194"),
        ("2011-02-17", "month", 3, None, "2011-03-03", "1.5"),
        ("2011-03-10", "month", 15, None, "2011-04-21", "2.178571429"),
        ("2011-02-01", "month", 13, None, "2011-02-13", "1.387096774"),
        ("2012-01-30", "month", 30, None, "2012-03-01", "2"),
        ("2010-06-17", "month", 17, "2010-07-25", "2010-07-17", "1.258064516"),
        ("2011-02-01", "quarter", 13, None, "2011-02-01", "0.130434783"),
        ("2010-06-17", "quarter", 17, "2010-09-25", "2010-09-17", "1.087912088"),
        ("2011-01-01", "quarter", 15, "2011-04-27", "2011-04-15", "1.284042045"),
        ("2011-01-01", "year", 15, "2012-01-27", "2012-01-15", "1.071143049"),
        # nothing is due yet
        ("2011-01-01", "month", 1, None, "2010-12-31", "0"),
    ],
)
def test_kill_bills_number_of_cycles(start, name, anchor_day, end, until, number):
    found = number_of_cycles(
        day(start),
        Interval.named(name),
        anchor_day=anchor_day,
        end=day(end) if end else FOREVER,
        until=day(until) if until else None,
        conventions=Conventions(fraction_places=9),
    )
    assert found == Decimal(number)


def test_in_arrears_a_period_counts_when_it_is_over():
    how = {
        "anchor_day": 15,
        "until": day("2011-03-14"),
        "conventions": Conventions(fraction_places=9),
    }
    start, month = day("2011-01-20"), Interval.named("month")
    advance = number_of_cycles(start, month, **how)
    arrears = number_of_cycles(start, month, timing=Timing.ARREARS, **how)
    assert (advance, arrears) == (Decimal("1.838709677"), Decimal("0.838709677"))


def test_salesforces_multiplier():
    found = number_of_cycles(
        day("2025-03-28"),
        Interval.named("month"),
        anchor_day=5,
        end=day("2026-02-05"),
        conventions=Conventions(fraction_places=6),
    )
    assert found == Decimal("10.258065")


def test_without_places_the_number_is_exact():
    weeks = number_of_cycles(day("2018-01-01"), Interval.named("week"), end=day("2018-02-07"))
    assert weeks.quantize(Decimal("1e-20")) == Decimal("5.28571428571428571429")
    half = number_of_cycles(day("2026-04-01"), Interval.named("month"), end=day("2026-04-16"))
    assert half == Decimal("0.5")


def test_cycles_tell_their_periods_and_parts():
    found = cycles(
        day("2026-02-15"),
        Interval.named("quarter"),
        calendar=True,
        end=day("2026-07-11"),
        conventions=Conventions(DayCount.ACTUAL_30),
    )
    assert [(str(each.period), str(each.full), str(each.part)) for each in found] == [
        ("[2026-02-15, 2026-04-01)", "[2026-01-01, 2026-04-01)", "45/90"),
        ("[2026-04-01, 2026-07-01)", "[2026-04-01, 2026-07-01)", "90/90"),
        ("[2026-07-01, 2026-07-11)", "[2026-07-01, 2026-10-01)", "10/90"),
    ]


def test_cycles_have_an_end():
    with pytest.raises(ValueError, match="without end"):
        number_of_cycles(day("2026-01-01"), Interval.named("month"))


@pytest.mark.parametrize(
    ("length", "default", "places", "multiplier"),
    [(35, 12, 4, "2.9167"), (12, 12, 4, "1"), (400, 365, 6, "1.095890"), (1, 8, 2, "0.13")],
)
def test_term_multiplier(length, default, places, multiplier):
    assert term_multiplier(length, default, places=places) == Decimal(multiplier)
