"""What more usage in the same period adds, and the parts that a price is made of."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import (
    Allowance,
    ChargeTerms,
    price,
    price_groups,
    price_together,
    priced,
    progressive,
)
from o2b.money import quantise
from tests.o2b.charging.build import charge
from tests.o2b.charging.shapes import conventions, fitting, tiers, usage

GRADUATED = tiers("5:0+100", "10:0+50", "15:5", ":1")
LATER = conventions(order="commitment_first")
TEN = usage("10", model="per_unit", maximum=Decimal(100))
HALF = usage("10", model="per_unit", maximum=Decimal(100), discounts=["50%"])
HALF_LATER = usage("10", model="per_unit", maximum=Decimal(100), discounts=["50%"], **LATER)


@pytest.mark.parametrize(
    ("terms", "before", "now", "billed", "charge", "reduction", "discount", "amount"),
    [
        # openmeterio/openmeter, tests of unit, dynamic, graduated and package prices
        (TEN, "7", "5", "70", "50", "0", "20", "30"),
        (HALF, "7", "20", "35", "200", "100", "35", "65"),
        (
            usage("133.333", model="percentage", maximum=Decimal(100)),
            *("0", "50", "93.33", "66.67", "0", "60.00", "6.67"),
        ),
        (
            usage(model="graduated", tiers=GRADUATED, maximum=Decimal(170)),
            *("12", "10", "160", "22", "0", "12", "10"),
        ),
        (usage(model="graduated", tiers=GRADUATED), "12", "10", None, "22", "0", "0", "22"),
        (
            usage("15", model="package", package_size=Decimal(10)),
            *("17", "5", None, "15", "0", "0", "15"),
        ),
        # the first slice bears the first tier's fee, a later one does not
        (usage(model="graduated", tiers=GRADUATED), "0", "3", None, "100", "0", "0", "100"),
        (usage(model="graduated", tiers=GRADUATED), "0", "3", "100", "0", "0", "0", "0"),
        # what the maximum took off before stays off
        (TEN, "12", "5", None, "50", "0", "50", "0"),
        (TEN, "12", "5", "100", "50", "0", "50", "0"),
        (TEN, "12", "-1", "100", "-10", "0", "-10", "0"),
        (TEN, "12", "-5", "100", "-50", "0", "-20", "-30"),
        (TEN, "7", "3", None, "30", "0", "0", "30"),
        # the maximum bounds the list price, and is discounted as it is
        (HALF_LATER, "7", "20", None, "200", "100", "85", "15"),
        (HALF, "7", "20", None, "200", "100", "35", "65"),
    ],
)
def test_progressive(terms, before, now, billed, charge, reduction, discount, amount):
    told = None if billed is None else Decimal(billed)
    found = progressive(terms, before=Decimal(before), now=Decimal(now), already_billed=told)
    assert found == tuple(map(Decimal, (charge, reduction, discount, amount)))


def test_slices_are_rounded_as_the_conventions_say():
    terms = usage("0.005", model="per_unit", **conventions(rounding="down"))
    assert progressive(terms, before=Decimal(0), now=Decimal(1)).amount == 0
    assert progressive(terms, before=Decimal(1), now=Decimal(1)).amount == Decimal("0.01")


units = st.decimals(0, 100, places=3)
rates = st.decimals(0, 100, places=5)
PRICED = st.one_of(
    rates.map(lambda r: usage(str(r), model="per_unit")),
    rates.map(lambda r: usage(str(r), model="per_unit", discounts=["12.5%", "3"])),
    rates.map(lambda r: usage(str(r), model="per_unit", maximum=Decimal(99), discounts=["5%"])),
    rates.map(lambda r: usage(str(r), model="per_unit", maximum=Decimal(99), **LATER)),
    rates.map(lambda r: usage(str(r), model="package", package_size=Decimal(7))),
    rates.map(lambda r: usage(str(r), model="per_unit", allowance=Allowance(Decimal(20)))),
    rates.map(lambda r: usage(str(r), model="percentage")),
    st.just(usage(model="graduated", tiers=GRADUATED, maximum=Decimal(170))),
    st.just(usage(model="stairstep", tiers=fitting("stairstep", GRADUATED))),
    st.just(usage(model="volume", tiers=GRADUATED)),
)


@settings(deadline=None)
@given(PRICED, st.lists(units.filter(bool), min_size=1, max_size=6))
def test_slices_add_up_to_the_whole(terms: ChargeTerms, slices):
    totals = [Decimal(0)]
    for each in slices:
        totals.append(totals[-1] + each)
    found = [progressive(terms, before=a, now=b - a) for a, b in pairwise(totals)]
    whole = quantise(price(terms, totals[-1]), "EUR")
    assert sum(each.amount for each in found) == whole
    assert all(e.charge - e.reduction - e.discount == e.amount for e in found)


@pytest.mark.parametrize(
    ("given", "quantity", "expected"),
    [
        # listed, discount, true-up, capped, amount
        ({}, "3", "60 0 0 0 60"),
        ({"minimum": "100"}, "3", "60 0 40 0 100"),
        ({"minimum": "60"}, "3", "60 0 0 0 60"),
        ({"maximum": "50"}, "3", "60 0 0 10 50"),
        ({"maximum": "60"}, "3", "60 0 0 0 60"),
        ({"minimum": "50", "maximum": "70"}, "3", "60 0 0 0 60"),
        ({"minimum": "50", "maximum": "50"}, "3", "60 0 0 10 50"),
        ({"minimum": "57", "discounts": ["10%"]}, "3", "60 6 3 0 57"),
        ({"minimum": "57", "discounts": ["10%"], **LATER}, "3", "60 6 0 0 54"),
        ({"minimum": "100", "discounts": ["10%"], **LATER}, "3", "60 10 40 0 90"),
        ({"maximum": "50", "discounts": ["10%"]}, "3", "60 6 0 4 50"),
        ({"maximum": "50", "discounts": ["10%"], **LATER}, "3", "60 5 0 10 45"),
        ({"discounts": ["100"]}, "3", "60 60 0 0 0"),
        ({"discounts": ["100"], "minimum": "10"}, "3", "60 60 10 0 10"),
        ({"discounts": ["100"], "minimum": "70", **LATER}, "3", "60 70 10 0 0"),
        ({"discounts": ["-5"]}, "3", "60 -5 0 0 65"),
        ({"minimum": "10"}, "-3", "-60 0 70 0 10"),
        ({"discounts": ["5"]}, "-3", "-60 5 0 0 -65"),
    ],
)
def test_the_parts_of_a_price(given, quantity, expected):
    told = {k: Decimal(v) if k in ("minimum", "maximum") else v for k, v in given.items()}
    terms = charge("20", **told)
    assert priced(terms, Decimal(quantity)) == tuple(map(Decimal, expected.split()))
    assert price(terms, Decimal(quantity)) == Decimal(expected.split()[-1])


def test_published_minimum_and_maximum():
    """openmeterio/openmeter, tieredvolume_test.go."""
    shape = tiers("5:0+100", "10:0+150", "15:10", ":5")
    least = priced(usage(model="volume", tiers=shape, minimum=Decimal(150)), Decimal(0))
    assert (least.listed, least.true_up) == (100, 50)
    most = priced(usage(model="volume", tiers=shape, maximum=Decimal(125)), Decimal(7))
    assert (most.listed, most.capped, most.amount) == (150, 25, 125)


@pytest.mark.parametrize(
    ("quantities", "amount"),
    [(["20", "90", "50"], "1670"), (["80", "15", "100"], "1965"), ([], "0")],
)
def test_records_priced_each_on_its_own(quantities, amount):
    """docs.zuora.com, usage rating by group: by usage record."""
    terms = usage(model="volume", tiers=tiers("50:11", "100:10", ":9"))
    assert price_groups(terms, [Decimal(q) for q in quantities]) == Decimal(amount)


def test_records_draw_from_one_allowance_and_are_discounted_together():
    terms = usage("2", model="per_unit", allowance=Allowance(Decimal(25)), discounts=["5"])
    records = [Decimal(q) for q in ("-3", "10", "20", "5")]
    assert price_groups(terms, records) == -6 + 0 + 2 * 5 + 2 * 5 - 5


def test_charges_together():
    """Kill Bill, consumable in arrears: 30 a month and 13 units."""
    metered = usage(model="graduated", tiers=tiers("5:2", ":1"))
    both = [(charge("30", model="flat"), Decimal(1)), (metered, Decimal(13))]
    assert price_together(both) == 48
    assert price_together([]) == 0
