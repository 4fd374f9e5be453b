"""Graduated prices of units that come and go within the period."""

from decimal import Decimal

import pytest

from o2b.charging import Added, graduated_prorated
from o2b.periods import Period
from tests.o2b.charging.build import day
from tests.o2b.charging.shapes import tiers

SEPTEMBER = Period(day("2023-09-01"), day("2023-10-01"))
OCTOBER = Period(day("2023-10-01"), day("2023-11-01"))
LAGO = tiers("5:10+100", "15:5+50", ":2")
TWO = tiers("5:10+100", ":5+50")


def added(*told: str) -> list[Added]:
    """`10:+2`: two units on the tenth of September."""
    found = []
    for each in told:
        number, units = each.split(":")
        found.append(Added(day(f"2023-09-{int(number):02}"), Decimal(units)))
    return found


@pytest.mark.parametrize(
    ("shape", "events", "amount"),
    [
        # getlago/lago-api, prorated_graduated_spec.rb
        (LAGO, ["10:+2"], "114.00"),
        (LAGO, ["10:+2", "16:+5"], "184.00"),
        (LAGO, ["10:+2", "16:+5", "20:-6"], "165.67"),
        (LAGO, ["10:+2", "16:+5", "20:-6", "25:+10"], "179.67"),
        (LAGO, ["10:+2", "16:+5", "20:-6", "25:+10", "26:+4"], "183.00"),
        (LAGO, ["10:+2", "16:+5", "20:-6", "25:+10", "26:+4", "30:+60"], "187.00"),
        # getlago/lago-api, prorated_graduated_service_spec.rb
        (TWO, ["10:+5", "16:-2"], "125.00"),
        (TWO, ["10:+4", "16:+2", "25:-3"], "180.50"),
        (TWO, ["10:+5", "16:+2", "19:-4", "25:+10"], "190.00"),
        (TWO, ["10:+5", "11:-100"], "0.00"),  # fewer than none at the end
        (TWO, ["10:+1"], "107.00"),
        (tiers("1:10+100", ":5+50"), ["10:+1"], "107.00"),
        (LAGO, [], "100.00"),
        (LAGO, ["10:+10", "10:-10"], "100.00"),  # nothing counted: the first fee only
        (LAGO, ["1:+75"], "370.00"),
        (LAGO, ["16:+5", "10:+2"], "184.00"),  # told in any order
    ],
)
def test_units_count_from_their_day(shape, events, amount):
    total = graduated_prorated(shape, SEPTEMBER, events=added(*events))
    assert round(total, 2) == Decimal(amount)


@pytest.mark.parametrize(
    ("carried", "events", "amount"),
    [
        ("75", [], "370.00"),
        ("75", [Added(day("2023-10-17"), Decimal(20))], "389.35"),
        ("75", [Added(day("2023-10-31"), Decimal(-75))], "362.90"),  # 370 − 220 / 31
        ("0", [], "100.00"),
    ],
)
def test_units_carried_over_stand_for_the_whole_period(carried, events, amount):
    total = graduated_prorated(LAGO, OCTOBER, Decimal(carried), events)
    assert round(total, 2) == Decimal(amount)


def test_it_is_never_less_than_the_fees():
    """Units that went early cost more than what they had been billed: nothing is paid back."""
    total = graduated_prorated(
        TWO, SEPTEMBER, events=[Added(day("2023-09-30"), Decimal(-2)), *added("30:+2", "29:+1")]
    )
    assert total > 0
    negative = tiers("5:-10+100", ":5")
    assert graduated_prorated(negative, SEPTEMBER, Decimal(2)) == 100


@pytest.mark.parametrize("when", ["2023-08-31", "2023-10-01"])
def test_a_day_outside_is_refused(when):
    with pytest.raises(ValueError, match=when):
        graduated_prorated(LAGO, SEPTEMBER, events=[Added(day(when), Decimal(1))])
