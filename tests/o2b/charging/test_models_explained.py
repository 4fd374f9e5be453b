"""Every price is explained line by line, and the last line is the price."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import Allowance, EventRates, Started, Tier, explain, price
from o2b.charging.pricing.explained import LABELS
from o2b.charging.terms import plain
from tests.o2b.charging.build import charge
from tests.o2b.charging.shapes import (
    at,
    call_rates,
    conventions,
    events,
    fitting,
    percentage,
    tiers,
    usage,
    windows,
)
from tests.o2b.charging.test_models_tiers import shapes

GRADUATED = tiers("10:10+2", "20:5+3", ":5")
TEN = Allowance(Decimal(10))


def told(terms, quantity, *args, **given):
    return [
        (step.label, step.arithmetic, plain(step.result))
        for step in explain(terms, Decimal(quantity), *args, **given)
    ]


@pytest.mark.parametrize(
    ("terms", "quantity", "lines"),
    [
        (
            charge("0", model="graduated", tiers=GRADUATED),
            "12",
            [
                ("tier", "10 × 10", "100"),
                ("tier fee", "2", "2"),
                ("tier", "5 × 2", "10"),
                ("tier fee", "3", "3"),
                ("sum", "100 + 2 + 10 + 3", "115"),
            ],
        ),
        (
            charge("0", model="graduated", tiers=GRADUATED),
            "0",
            [("tier", "10 × 0", "0"), ("tier fee", "2", "2"), ("sum", "2", "2")],
        ),
        (charge("0", model="graduated", tiers=tiers(":5")), "3", [("tier", "5 × 3", "15")]),
        (
            charge("0", model="volume", tiers=GRADUATED),
            "12",
            [("tier", "5 × 12", "60"), ("tier fee", "3", "3"), ("sum", "60 + 3", "63")],
        ),
        (charge("0", model="stairstep", tiers=tiers("9:0+7", ":0+9")), "9", [("step", "7", "7")]),
        (
            charge("0", model="graduated", tiers=(Tier(None, Decimal(3), block=Decimal(10)),)),
            "25",
            [("tier", "3 × 3 (25 / 10)", "9")],
        ),
        (
            charge("15", model="package", package_size=Decimal(10), allowance=TEN),
            "25",
            [("included", "10 × 0", "0"), ("package", "15 × 2 (15 / 10)", "30")],
        ),
        (
            charge("9", model="package", package_size=Decimal(10), **conventions(started="share")),
            "5",
            [("package", "9 × 5 / 10", "4.5")],
        ),
        (
            charge("2", allowance=TEN),
            "4",
            [("included", "4 × 0", "0"), ("per unit", "2 × 0", "0")],
        ),
        (
            usage(
                model="graduated_percentage",
                tiers=(Tier(Decimal(100), Decimal("1.5"), Decimal(1)), Tier(None, Decimal(1))),
            ),
            "300",
            [
                ("tier", "1.5 % × 100", "1.5"),
                ("tier fee", "1", "1"),
                ("tier", "1 % × 200", "2"),
                ("sum", "1.5 + 1 + 2", "4.5"),
            ],
        ),
        (
            usage("2", model="percentage", allowance=TEN),
            "60",
            [("included", "10 × 0", "0"), ("percentage", "2 % × 50", "1")],
        ),
        (
            charge("20", minimum=Decimal(70), discounts=["10%"]),
            "3",
            [
                ("per unit", "20 × 3", "60"),
                ("discount", "60 − 10 %", "54"),
                ("minimum", "max(54, 70)", "70"),
            ],
        ),
        (
            charge("20", maximum=Decimal(50), discounts=["10%"]),
            "3",
            [
                ("per unit", "20 × 3", "60"),
                ("discount", "60 − 10 %", "54"),
                ("maximum", "min(54, 50)", "50"),
            ],
        ),
        (
            charge(
                "20",
                maximum=Decimal(50),
                discounts=["10%", "60"],
                **conventions(order="commitment_first"),
            ),
            "3",
            [
                ("per unit", "20 × 3", "60"),
                ("maximum", "min(60, 50)", "50"),
                ("discount", "50 − 10 %", "45"),
                ("discount", "45 − 60", "-15"),
                ("not below zero", "max(-15, 0)", "0"),
            ],
        ),
    ],
)
def test_lines(terms, quantity, lines):
    assert told(terms, quantity) == lines


def test_events_line_by_line():
    rates = {"fee": "1", "minimum": "2", "maximum": "12", "free_events": 2, "free_amount": "50"}
    terms = percentage("10", **rates)
    assert told(terms, "1140", events("40", "60", "5", "35", "1000")) == [
        ("free event", "40 × 0", "0"),
        ("event", "10 % × (60 − 10) + 1", "6"),
        ("event", "max(10 % × 5 + 1, 2)", "2"),
        ("event", "10 % × 35 + 1", "4.5"),
        ("event", "min(10 % × 1000 + 1, 12)", "12"),
        ("sum", "6 + 2 + 4.5 + 12", "24.5"),
    ]


def test_counted_events():
    terms = usage("10", model="percentage", event=EventRates(Decimal(2)))
    assert told(terms, "50", 3) == [
        ("percentage", "10 % × 50", "5"),
        ("event fees", "2 × 3", "6"),
        ("sum", "5 + 6", "11"),
    ]
    assert told(terms, "0", 3) == [("percentage", "10 % × 0", "0")]


def test_included_events():
    terms = usage("10", model="percentage", event=EventRates(Decimal(2)), allowance=TEN)
    assert told(terms, "50", events("5", "45")) == [
        ("included", "10 × 0", "0"),
        ("event", "10 % × 40 + 2", "6"),
    ]


def test_taken_back_amounts_are_subtracted():
    terms = percentage("10")
    assert told(terms, "20", events("50", "-30"))[-1] == ("sum", "5 − 3", "2")


def test_calls_line_by_line():
    rates = windows({"00:00": ("0@0.5/1+1", "0"), "18:00": ("0@6/60+60", "1")})
    terms = usage(model="rated", call=rates)
    (call,) = events("100")
    assert told(terms, "100", [call._replace(at=at("2026-01-01T17:59:00"))]) == [
        ("call", "0.5 × 60 / 1 + 6 × 60 / 60", "36"),
    ]
    assert told(terms, "100", [call._replace(at=at("2026-01-01T18:00:00"))]) == [
        ("call", "1 + 6 × 120 / 60", "13"),
    ]
    assert told(terms, "0") == [("sum", "0", "0")]
    assert told(terms, "0", events("0", "1"))[0] == ("call", "0", "0")


def test_pools_and_tier_quantities_are_explained_as_they_are_priced():
    terms = charge("2", allowance=TEN)
    assert told(terms, "30", included=Decimal(4))[0] == ("included", "4 × 0", "0")
    assert told(terms, "30", included=Decimal(0)) == [("per unit", "2 × 30", "60")]
    volume = charge("0", model="volume", tiers=GRADUATED)
    assert told(volume, "3", tier_quantity=Decimal(12))[0] == ("tier", "5 × 3", "15")


def test_a_quotient_is_told_by_its_first_decimals():
    share = conventions(started="share")
    terms = charge("2", model="package", package_size=Decimal(3), discounts=["0.5"], **share)
    assert told(terms, "1") == [
        ("package", "2 × 1 / 3", "0." + "6" * 29 + "7"),
        ("discount", "0.666666666666… − 0.5", "0.1" + "6" * 28 + "7"),
    ]


amounts = st.decimals(0, 100, places=2)
allowances = st.one_of(st.none(), st.decimals(0, 50, places=1).map(Allowance))
MODELS = ("per_unit", "package", "graduated", "volume", "stairstep", "graduated_percentage")


@st.composite
def charges(draw):
    model = draw(st.sampled_from(["flat", "percentage", "events", "rated", *MODELS]))
    bounds = sorted(draw(st.tuples(amounts, amounts)))
    order = draw(st.sampled_from(["discount_first", "commitment_first"]))
    given = {
        "minimum": draw(st.sampled_from([None, bounds[0]])),
        "maximum": draw(st.sampled_from([None, bounds[1]])),
        "discounts": draw(st.lists(st.sampled_from(["10%", "5", "-3", "-2%", "80"]), max_size=3)),
        **conventions(order=order, started=draw(st.sampled_from(Started))),
    }
    if model not in ("flat", "rated"):
        given["allowance"] = draw(allowances)
    if model == "package":
        given["package_size"] = draw(st.decimals("0.1", 30, places=1))
    if model in ("graduated", "volume", "stairstep", "graduated_percentage"):
        given["tiers"] = fitting(model, draw(shapes()))
    if model == "rated":
        given["call"] = call_rates("0@0.4/60+30", "60@0.2/7+10", connect="0.8")
    if model == "events":
        model = "percentage"
        given["event"] = EventRates(
            draw(amounts),
            draw(st.sampled_from([None, Decimal(1)])),
            draw(st.sampled_from([None, Decimal(9)])),
            draw(st.integers(0, 3)),
            draw(amounts),
        )
    return usage(str(draw(amounts)), model=model, **given)


@settings(deadline=None, max_examples=300)
@given(charges(), st.lists(st.decimals("0.1", 200, places=1).map(str), max_size=5))
def test_the_last_line_is_the_price(terms, values):
    told = events(*values)
    quantity = sum((event.value for event in told), Decimal(0))
    steps = explain(terms, quantity, told)
    assert steps[-1].result == price(terms, quantity, told)
    assert {step.label for step in steps} <= set(LABELS)
    names = [step.label for step in steps]
    if "sum" in names:
        parts = steps[: names.index("sum")]
        assert sum(Fraction(step.result) for step in parts) == steps[len(parts)].result
