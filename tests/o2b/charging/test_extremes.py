"""The largest and the smallest that terms may hold: every price is exact, or rounded once."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import (
    ChargeFacts,
    Conventions,
    DayCount,
    Discount,
    Segment,
    Tier,
    Used,
    draft,
    explain,
    price,
    priced,
)
from o2b.charging.terms import DECIMALS, LARGEST, MOST_DISCOUNTS, PERCENT_DECIMALS, Started
from o2b.money import quantise, sum_of
from o2b.periods import FOREVER, Interval, Period
from tests.o2b.charging.build import charge

SMALLEST = Decimal(1).scaleb(-DECIMALS)
TOP = LARGEST - SMALLEST
ODD = 3 * SMALLEST  # does not divide evenly
DAY = date(2026, 1, 2)

prices = st.sampled_from([TOP, -TOP, SMALLEST, Decimal("0.333333333333"), Decimal(0)])
amounts = st.sampled_from([TOP, SMALLEST, Decimal(7)])
percents = st.sampled_from([Decimal(p).scaleb(-PERCENT_DECIMALS) for p in (99999999, 1, -99999999)])
discounts = st.lists(
    st.builds(Discount, st.just("percent"), percents)
    | st.builds(Discount, st.just("amount"), prices),
    max_size=MOST_DISCOUNTS,
).map(tuple)
quantities = st.sampled_from([TOP, SMALLEST, Decimal("999999999.999999"), Decimal(1)])
conventions = st.builds(
    Conventions,
    day_count=st.sampled_from(DayCount),
    fraction_places=st.sampled_from([None, 18]),
    started=st.sampled_from(Started),
    order=st.sampled_from(["discount_first", "commitment_first"]),
)


@st.composite
def extreme_terms(draw, kind="recurring"):
    top = draw(prices)
    model = draw(st.sampled_from(["per_unit", "package", "graduated", "volume"]))
    block = draw(st.sampled_from([None, ODD, TOP]))
    tiers = (
        Tier(SMALLEST, top, TOP, block),
        Tier(Decimal(7), top, -TOP, block),
        Tier(None, top, top, block),
    )
    made = charge(
        f"{top:f}",
        kind=kind,
        timing="arrears" if kind == "usage" else "advance",
        model=model,
        tiers=tiers if model in ("graduated", "volume") else (),
        package_size=draw(st.sampled_from([ODD, TOP])) if model == "package" else None,
        interval=Interval("month", draw(st.sampled_from([1, 366]))),
        minimum=draw(st.sampled_from([None, SMALLEST])),
        maximum=draw(st.sampled_from([None, TOP])),
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        conventions=draw(conventions),
    )
    return replace(made, discounts=draw(discounts))


def facts_of(terms, *segments, **more):
    return ChargeFacts(0, terms, DAY, 1, segments, None, (), **more)


@settings(deadline=None)
@given(extreme_terms(), quantities, quantities)
def test_no_price_is_too_long(terms, quantity, later):
    """Neither a price nor a draft of the largest and longest numbers loses a digit by surprise."""
    whole = priced(terms, quantity)
    assert whole.amount == price(terms, quantity) == explain(terms, quantity)[-1].result
    if terms.conventions.order == "discount_first":
        off = whole.discount.copy_negate(), whole.capped.copy_negate()
        assert sum_of((whole.listed, whole.true_up, *off)) == whole.amount
    segments = (
        Segment(Period(DAY, date(2026, 1, 9)), quantity),
        Segment(Period(date(2026, 1, 9), FOREVER), later),
    )
    for line in draft([facts_of(terms, *segments)], until=date(2027, 1, 1)):
        assert line.amount == quantise(line.amount, terms.currency)


@settings(deadline=None)
@given(extreme_terms(kind="usage"), quantities)
def test_no_usage_is_too_much(terms, used):
    segment = Segment(Period(DAY, FOREVER), Decimal(1))
    usage = (Used(DAY, used), Used(date(2026, 1, 3), SMALLEST))
    for line in draft([facts_of(terms, segment, usage=usage)], until=date(2058, 1, 1)):
        assert line.amount == quantise(line.amount, terms.currency)


def test_eight_surcharges_on_the_largest_price_are_exact():
    """(10^15 − 10^−12)² × 1.99999999^8 has 126 digits, and all of them count."""
    off = tuple(Discount("percent", Decimal("-99.999999")) for _ in range(MOST_DISCOUNTS))
    terms = replace(charge(f"{TOP:f}"), discounts=off)
    exact = Fraction(TOP) ** 2 * Fraction("1.99999999") ** MOST_DISCOUNTS
    assert Fraction(price(terms, TOP)) == exact
