"""Calls: increments, connect fee, slots, and tariffs that change during the call."""

from decimal import Decimal

import pytest

from o2b.charging import Started, billed_seconds, price, rate_call
from o2b.charging.usage import Event
from tests.o2b.charging.shapes import at, call_rates, usage, windows

PEAK = windows(
    {"00:00": ("0@0.5/1+1", "0"), "08:00": ("0@1/1+1", "1"), "18:00": ("0@0.5/1+1", "0")}
)


@pytest.mark.parametrize(
    ("seconds", "first", "then", "billed"),
    [
        (0, 60, 1, 0),
        (1, 60, 1, 60),
        (45, 60, 1, 60),  # vodafone.de: the first minute whole, then by the second
        (60, 60, 1, 60),
        (75, 60, 1, 75),
        (61, 60, 60, 120),
        (120, 60, 60, 120),
        (29, 30, 6, 30),
        (31, 30, 6, 36),
        (36, 30, 6, 36),
        (37, 30, 6, 42),
        (7, 1, 1, 7),
        (-5, 60, 60, 0),
    ],
)
def test_billed_seconds(seconds, first, then, billed):
    assert billed_seconds(seconds, first, then) == billed


@pytest.mark.parametrize(
    ("rates", "seconds", "amount", "billed"),
    [
        # cgrates, oldtutorial_it_test.go
        (call_rates("0@0.4/60+30", "60@0.2/60+10", connect="0.8"), 85, "1.3", 90),
        (call_rates("0@0.1/60+60", "60@0.05/60+1", connect="0.2"), 120, "0.35", 120),
        # cgrates, calldesc_test.go
        (call_rates("0@0.5/1+1"), 30, "15", 30),
        (call_rates("0@0.5/1+1"), 3621, "1810.5", 3621),
        (call_rates("0@1/1+60", "60@1/1+1"), 132, "132", 132),
        (call_rates("0@0.17/60+1"), 11070, "31.365", 11070),  # 184.5 minutes
        # a started increment is whole; the next slot begins behind it
        (call_rates("0@1/1+45", "60@2/1+1"), 100, "110", 100),  # 90 × 1 + 10 × 2
        (call_rates("0@1/1+1", "60@2/1+7"), 61, "74", 67),
        (call_rates("0@1/1+1", "60@2/1+7"), 60, "60", 60),
        (call_rates("0@3/60+60", connect="0.5"), 1, "3.5", 60),
        (call_rates("0@3/60+60", connect="0.5"), 0, "0", 0),
        (call_rates("0@3/60+60", connect="0.5"), -3, "0", 0),
        (call_rates("0@1/3+1"), 1, "0." + "3" * 30, 1),
        (call_rates("0@1/3+1", "1@1/6+1"), 3, "0." + "6" * 29 + "7", 3),  # one division: 4/6
    ],
)
def test_a_call(rates, seconds, amount, billed):
    call = rate_call(rates, seconds)
    assert (call.amount, call.billed_seconds) == (Decimal(amount), billed)


@pytest.mark.parametrize(
    ("begins", "seconds", "amount"),
    [
        ("2012-02-02T17:30", 3600, "2701"),  # cgrates, calldesc_test.go: 1 + 1800 + 900
        ("2012-02-02T17:30", 1800, "1801"),
        ("2012-02-02T18:00", 60, "30"),
        ("2012-02-02T17:59:59", 2, "2.5"),
        ("2012-02-02T17:59:59.500", 1, "2"),  # the started second is of the window it began in
        ("2012-02-02T23:59:00", 120, "60"),
        ("2012-02-02T07:59:00", 120, "90"),
        ("2012-02-02T17:00", 16 * 3600, f"{1 + 3600 + 14 * 1800 + 3600}"),  # over midnight, to 9
        ("2012-02-02T17:00+01:00", 3600, "3601"),  # the clock on the caller's wall
    ],
)
def test_a_call_across_tariffs(begins, seconds, amount):
    assert rate_call(PEAK, seconds, at(begins)).amount == Decimal(amount)


def test_an_increment_begun_in_one_window_ends_in_it():
    rates = windows({"00:00": ("0@1/1+60", "0"), "18:00": ("0@2/1+1", "0")})
    call = rate_call(rates, 100, at("2026-01-01T17:59:30"))
    assert call.amount == 60 + 2 * 40
    assert [(leg.slot.rate, leg.billed) for leg in call.legs] == [(1, 60), (2, 40)]


def test_a_call_whose_time_is_not_told_is_rated_by_the_first_window():
    assert rate_call(PEAK, 7200).amount == 3600


@pytest.mark.parametrize(
    ("started", "seconds", "amount", "billed"),
    [
        (Started.WHOLE, "61", "2", "120"),
        (Started.NOTHING, "61", "1", "60"),
        (Started.NOTHING, "59", "0", "0"),
        (Started.SHARE, "90", "1.5", "90"),
        (Started.SHARE, "4.5", "0.075", "4.5"),
    ],
)
def test_what_a_started_increment_costs(started, seconds, amount, billed):
    call = rate_call(call_rates("0@1/60+60"), Decimal(seconds), started=started)
    assert (call.amount, call.billed_seconds) == (Decimal(amount), Decimal(billed))


def test_midnight_alone_splits_no_call():
    rates = call_rates("0@1/60+60")
    call = rate_call(rates, 100, at("2026-01-01T23:59:10"), started=Started.NOTHING)
    assert (call.billed_seconds, len(call.legs)) == (60, 1)


def test_a_charge_rates_each_call():
    terms = usage(model="rated", call=PEAK)
    calls = (
        Event(Decimal(60), at("2026-01-01T12:00")),
        Event(Decimal(60), at("2026-01-01T19:00")),
    )
    assert price(terms, Decimal(120), calls) == 61 + 30
    assert price(terms, Decimal(120), calls[:1]) == 61
    assert price(terms, Decimal(120)) == 60  # one call, its time not told
    assert price(terms, Decimal(0)) == 0
