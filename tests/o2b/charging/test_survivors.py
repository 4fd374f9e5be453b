"""What mutants of the engine had to be told by a test of its own (`make mutants`)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from o2b.charging import CompiledCharge, Conventions, Slot, Tier, draft, explain, price
from o2b.charging.pricing.adjustments import discounted
from o2b.charging.ramps import step_day
from o2b.charging.terms import (
    DECIMALS,
    LARGEST,
    PERCENT_DECIMALS,
    Discount,
    RampStep,
    TermsInvalid,
    Trial,
)
from o2b.charging.usage import Event, Used
from o2b.periods import Interval
from tests.o2b.charging.build import charge, day, facts, off, rows
from tests.o2b.charging.shapes import call_rates, percentage, usage, windows

NIGHT = windows({"00:00": ("0@1/60+60", "0"), "18:00": ("0@5/60+60", "2")})


@pytest.mark.parametrize(
    ("terms", "quantity", "events", "costs"),
    [
        # Percent of a value without rates by event.
        (usage("1.5", model="percentage"), "200", (), "3"),
        # A call that names no moment is priced by the window from midnight.
        (
            usage(model="rated", call=NIGHT),
            "60",
            (Event(Decimal(60)),),
            "1",
        ),
        (charge("10", minimum=Decimal(5)), "1", (), "10"),
        (charge("10", minimum=Decimal(15)), "1", (), "15"),
        (charge("10", maximum=Decimal(5)), "1", (), "5"),
        (charge("10", maximum=Decimal(15)), "1", (), "10"),
    ],
)
def test_prices(terms, quantity, events, costs):
    assert price(terms, Decimal(quantity), events) == Decimal(costs)


@pytest.mark.parametrize(
    ("value", "label"), [("-1", "surcharge"), ("0", "discount"), ("1", "discount")]
)
def test_a_discount_of_nothing_is_no_surcharge(value, label):
    steps = explain(charge("10", discounts=[value]), Decimal(1))
    assert label in [step.label for step in steps]


@pytest.mark.parametrize(
    ("amount", "off_by", "left"),
    [("1", "0.5", "0.5"), ("1", "1", "0"), ("1", "1.5", "0"), ("1", "3", "0"), ("-1", "1", "-2")],
)
def test_a_discount_leaves_nothing_below_zero(amount, off_by, left):
    assert discounted(charge(discounts=[off_by]), Decimal(amount)) == Decimal(left)


@pytest.mark.parametrize(
    ("changes", "rootless"),
    [
        ({}, True),
        ({"alignment": "calendar"}, True),
        ({"alignment": "calendar", "interval": Interval("week", 1)}, True),
        ({"alignment": "calendar", "interval": Interval("day", 7)}, False),
        ({"interval": Interval("month", 2)}, False),
        ({"trial": Trial(Interval("day", 7))}, False),
        ({"ramp": (RampStep(Decimal(1), 2),)}, False),
    ],
)
def test_what_a_grid_depends_on(changes, rootless):
    assert CompiledCharge(charge(**changes)).rootless is rootless


def test_charges_that_step_do_not_share_answers_of_another_start():
    terms = charge("10", ramp=(RampStep(Decimal(30), 2),))
    compiled = CompiledCharge(terms)
    found = [
        rows(draft([facts(compiled, f"{start}..", through="2026-03-15")], until=day("2026-03-15")))
        for start in ("2026-01-15", "2025-12-15", "2026-02-15")
    ]
    assert [each[0][2] for each in found] == ["30.00", "30.00", "10.00"]


def test_the_first_day_of_a_step():
    started_on = day("2026-01-31")
    assert step_day(RampStep(Decimal(1), 1), started_on) == day("2026-02-28")
    assert step_day(RampStep(Decimal(1), on=started_on), day("2025-01-01")) == started_on


def test_usage_of_two_segments_owes_the_minimum_of_all_days_served():
    terms = usage("1", minimum=Decimal(31))
    charged = facts(
        terms, "2026-01-01..2026-01-11 x1", "2026-01-11..2026-01-21 x2", started_on="2026-01-01"
    )
    charged = charged._replace(usage=(Used(day("2026-01-05"), Decimal(3)),))
    assert [line.amount for line in draft([charged], until=day("2026-02-01"))] == [20]


def test_a_ramp_cuts_a_period_of_a_recurring_charge_only():
    ramp = (RampStep(Decimal(2), on=day("2026-01-11")),)
    until = day("2026-02-01")
    recurring = facts(charge("1", timing="arrears", ramp=ramp), "2026-01-01.. x31")
    assert [line.segment for line in draft([recurring], until=until)] == [1, 2]
    metered = facts(usage("1", ramp=ramp), "2026-01-01..")
    metered = metered._replace(usage=(Used(day("2026-01-20"), Decimal(3)),))
    assert [line.amount for line in draft([metered], until=until)] == [3]


def test_segments_that_meet_leave_no_empty_piece():
    charged = facts(charge("31"), "2026-01-01..2026-02-01 x1", "2026-02-01..2026-03-01 x2")
    assert rows(draft([charged], until=day("2026-02-01"))) == [
        ("2026-01-01", "2026-02-01", "31.00"),
        ("2026-02-01", "2026-03-01", "62.00"),
    ]


def test_service_that_ended_within_its_trial_bills_nothing():
    terms = charge("28", trial=Trial(Interval("month", 1)))
    ended = facts(terms, "2026-01-01..2026-01-11 x5", "2026-02-15.. x1")
    assert rows(draft([ended], until=day("2026-02-15"))) == [("2026-02-15", "2026-03-01", "14.00")]
    assert draft([facts(terms, "2026-01-01..2026-02-01")], until=day("2027-01-01")) == []


@pytest.mark.parametrize("model", ["flat", "per_unit", "package"])
def test_prices_that_may_step(model):
    size = {"package_size": Decimal(5)} if model == "package" else {}
    step = (RampStep(Decimal(3), 2),)
    assert charge(model=model, ramp=step, **size).ramp == step
    assert percentage("1").model == "percentage"
    assert replace(percentage("1"), ramp=step).ramp == step


@pytest.mark.parametrize(
    "tier", [Tier(None, Decimal(1)), Tier(None, Decimal(0), Decimal(5), Decimal(2))]
)
def test_a_step_has_a_flat_fee_only(tier):
    with pytest.raises(TermsInvalid) as refusal:
        charge(model="stairstep", tiers=(tier,))
    assert refusal.value.field == "tiers"
    assert charge(model="stairstep", tiers=(Tier(None, Decimal(0), Decimal(5)),)).tiers


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (LARGEST, False),
        (-LARGEST, False),
        (Decimal(999_999_999_999_999), True),
        (Decimal(-999_999_999_999_999), True),
        (Decimal(1).scaleb(-DECIMALS), True),
        (Decimal(1).scaleb(-DECIMALS - 1), False),
    ],
)
def test_limits_of_numbers(value, fits):
    assert Decimal(10) ** 15 == LARGEST
    assert DECIMALS == 12
    if fits:
        assert charge(str(value)).unit_price == value
        return
    with pytest.raises(TermsInvalid):
        charge(str(value))


@pytest.mark.parametrize(
    ("percent", "fits"),
    [("100", True), ("-100", True), ("100.1", False), ("-100.1", False)]
    + [("0.000001", True), ("0.0000001", False)],
)
def test_limits_of_percentages(percent, fits):
    assert PERCENT_DECIMALS == 6
    if fits:
        assert off(f"{percent}%").value == Decimal(percent)
        return
    with pytest.raises(TermsInvalid):
        Discount("percent", Decimal(percent))


@pytest.mark.parametrize(
    ("parts", "fits"),
    [
        ((0, 1, 1), True),
        ((10_000_000, 10_000_000, 10_000_000), True),
        ((10_000_001, 1, 1), False),
        ((0, 10_000_001, 1), False),
        ((0, 1, 10_000_001), False),
        ((-1, 1, 1), False),
        ((0, 0, 1), False),
        ((0, 1, 0), False),
    ],
)
def test_limits_of_slots(parts, fits):
    start, per, step = parts
    if fits:
        assert Slot(start, Decimal(1), per, step).per_seconds == per
        return
    with pytest.raises(TermsInvalid):
        Slot(start, Decimal(1), per, step)


def test_defaults():
    assert Conventions() == Conventions("actual", None, "half_up", False, "whole", "discount_first")
    assert call_rates("0@1/60+60").windows[0].connect_fee == 0
