"""Tiers, blocks and packages: published figures, boundaries, and what lies beyond."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import BeyondTiers, Started, Tier, price, started_blocks, tiers_of_blocks
from o2b.charging.models import QUOTIENT_PLACES, TierTable, cost_of_blocks, quotient
from tests.o2b.charging.build import charge
from tests.o2b.charging.shapes import conventions, fitting, tiers

LAGO = tiers("10:10+2", "20:5+3", ":5+3")
OPENMETER = tiers("5:0+100", "10:0+50", "15:10", ":5")
STRIPE = tiers("5:7", "10:6.5", ":6")
CROSSING = tiers("0.1:10", "1:5", ":2")


@pytest.mark.parametrize(
    ("shape", "quantity", "amount"),
    [
        # getlago/lago-api, graduated_service_spec.rb
        (LAGO, "0", "2"),
        (LAGO, "1", "12"),
        (LAGO, "10", "102"),
        (LAGO, "10.5", "107.5"),
        (LAGO, "12", "115"),
        (LAGO, "20", "155"),
        (LAGO, "20.00001", "158.00005"),
        (LAGO, "21", "163"),
        (CROSSING, "0.5", "3.0"),
        (CROSSING, "1.5", "6.5"),
        # openmeterio/openmeter, tieredgraduated_test.go
        (OPENMETER, "0", "100"),
        (OPENMETER, "3", "100"),
        (OPENMETER, "5", "100"),
        (OPENMETER, "5.001", "150"),
        (OPENMETER, "7", "150"),
        (OPENMETER, "12", "170"),
        (OPENMETER, "22", "235"),
        # docs.stripe.com, tiered pricing
        (STRIPE, "5", "35"),
        (STRIPE, "6", "41.50"),
        (STRIPE, "20", "127.5"),
        # polarsource/polar, test_tiers.py
        (tiers("10:200", ":60"), "15", "2300"),
        # fewer than nothing was used: taken back at the first tier's price
        (STRIPE, "-2", "-14"),
    ],
)
def test_graduated(shape, quantity, amount):
    assert price(charge("0", model="graduated", tiers=shape), Decimal(quantity)) == Decimal(amount)


@pytest.mark.parametrize(
    ("shape", "quantity", "amount"),
    [
        # getlago/lago-api, volume_service_spec.rb
        (tiers("100:2+10", "200:1", ":0.5+50"), "0", "10"),
        (tiers("100:2+10", "200:1", ":0.5+50"), "100", "210"),
        (tiers("100:2+10", "200:1", ":0.5+50"), "100.5", "100.5"),
        (tiers("100:2+10", "200:1", ":0.5+50"), "101", "101"),
        (tiers("100:2+10", "200:1", ":0.5+50"), "200", "200"),
        (tiers("100:2+10", "200:1", ":0.5+50"), "210", "155"),
        # openmeterio/openmeter, tieredvolume_test.go
        (tiers("5:0+100", "10:0+150", "15:10", ":5"), "7", "150"),
        (tiers("5:0+100", "10:0+150", "15:10", ":5"), "15", "150"),
        (tiers("5:0+100", "10:0+150", "15:10", ":5"), "16", "80"),
        (STRIPE, "20", "120"),
    ],
)
def test_volume(shape, quantity, amount):
    assert price(charge("0", model="volume", tiers=shape), Decimal(quantity)) == Decimal(amount)


def test_more_volume_may_cost_less():
    """Not monotone: a cheaper tier prices all units (OpenMeter: 150 at 15, 80 at 16)."""
    terms = charge("0", model="volume", tiers=tiers("5:0+100", "10:0+150", "15:10", ":5"))
    assert price(terms, Decimal(16)) < price(terms, Decimal(15))


def test_a_quantity_may_choose_the_tier_of_another():
    shape = tiers("100:2+10", "200:1", ":0.5+50")
    terms = charge("0", model="volume", tiers=shape)
    prorated = price(terms, Decimal("198.6"), tier_quantity=Decimal(300))
    assert prorated == Decimal("149.3")  # Lago, prorated volume; 198.6 alone would cost 198.6
    steps = charge("0", model="stairstep", tiers=tiers("10:0+1", ":0+2"))
    assert price(steps, Decimal(5), tier_quantity=Decimal(11)) == 2


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [("0", "50"), ("1000", "50"), ("1000.5", "200"), ("1500", "200"), ("4500", "200")],
)
def test_stairstep(quantity, amount):
    """docs.flexprice.io: one price for the step that the total falls in."""
    shape = tiers("1000:0+50", "5000:0+200", "10000:0+350")
    assert price(charge("0", model="stairstep", tiers=shape), Decimal(quantity)) == Decimal(amount)


@pytest.mark.parametrize(
    ("quantity", "amount"), [("0", "200"), ("1", "200.01"), ("11", "500.12"), ("21", "900.33")]
)
def test_graduated_percentage(quantity, amount):
    """getlago/lago-api, graduated_percentage_service_spec.rb."""
    shape = (
        Tier.of_fraction(Decimal(10), Decimal("0.01"), Decimal(200)),
        Tier.of_fraction(Decimal(20), Decimal("0.02"), Decimal(300)),
        Tier.of_fraction(None, Decimal("0.03"), Decimal(400)),
    )
    terms = charge("0", kind="usage", timing="arrears", model="graduated_percentage", tiers=shape)
    assert price(terms, Decimal(quantity)) == Decimal(amount)


def blocks(*told: str) -> tuple[Tier, ...]:
    """`100x10@1`: ten blocks of 100 at 1 each; without a number, as many as there are."""
    found = []
    for each in told:
        size, rest = each.split("x")
        most, cost = rest.split("@")
        found.append((Decimal(size), Decimal(most) if most else None, Decimal(cost)))
    return tiers_of_blocks(found)


@pytest.mark.parametrize(
    ("model", "shape", "quantity", "amount"),
    [
        # killbill, TestContiguousIntervalConsumableInArrear: ALL_TIERS, then TOP_TIER
        ("graduated", blocks("1x10@1.5", "1x100@1.0", "1x1000@0.5"), "111", "115.5"),
        ("graduated", blocks("100x10@1", "1000x100@1"), "5325", "15"),
        ("graduated", blocks("100x10@1", "1000x100@1"), "1000.01", "11"),
        ("volume", blocks("100x10@1", "1000x100@1", "1000x@0.5"), "1000", "10"),
        ("volume", blocks("100x10@1", "1000x100@1", "1000x@0.5"), "101000", "101"),
        ("volume", blocks("100x10@1", "1000x100@1", "1000x@0.5"), "101001", "51"),
        ("volume", blocks("100x10@1", "1000x100@1", "1000x@0.5"), "300000", "150"),
        # BillRun, Tariff.php: 4 in started intervals of 2.5
        ("graduated", (Tier(Decimal(4), Decimal("0.5"), block=Decimal("2.5")),), "4", "1"),
    ],
)
def test_blocks(model, shape, quantity, amount):
    assert price(charge("0", model=model, tiers=shape), Decimal(quantity)) == Decimal(amount)


@pytest.mark.parametrize(
    ("size", "cost", "quantity", "amount"),
    [
        ("1000000", "1.25", "0", "0"),
        ("1000000", "1.25", "10", "1.25"),  # chargebee.com, package pricing
        ("1000000", "1.25", "1000000", "1.25"),
        ("1000000", "1.25", "1500000", "2.50"),
        ("10", "15", "11", "30"),  # openmeterio/openmeter, package_test.go
        ("10", "15", "10.0001", "30"),
        ("2.5", "1", "5", "2"),
        ("10", "15", "-11", "-15"),  # what is given back: started packages stay paid
    ],
)
def test_package(size, cost, quantity, amount):
    terms = charge(cost, model="package", package_size=Decimal(size))
    assert price(terms, Decimal(quantity)) == Decimal(amount)


@pytest.mark.parametrize(
    ("started", "quantity", "count", "cost"),
    [
        ("whole", "0", "0", "0"),
        ("whole", "3", "1", "10"),
        ("whole", "6", "2", "20"),
        ("whole", "-4", "-1", "-10"),
        ("nothing", "2", "0", "0"),
        ("nothing", "5", "1", "10"),
        ("nothing", "6", "2", "20"),
        ("nothing", "-4", "-2", "-20"),
        ("share", "1.5", "0.5", "5"),
        ("share", "-3", "-1", "-10"),
    ],
)
def test_what_a_started_block_costs(started, quantity, count, cost):
    """BillRun rounds up, down or none."""
    size, how = Decimal(3), Started(started)
    assert started_blocks(Decimal(quantity), size, how) == Decimal(count)
    assert cost_of_blocks(Decimal(10), Decimal(quantity), size, how) == Decimal(cost)
    package = charge("10", model="package", package_size=size, **conventions(started=started))
    assert price(package, Decimal(quantity)) == Decimal(cost)
    shape = (Tier(Decimal(6), Decimal(10), block=size), Tier(None, Decimal(0)))
    if Decimal(quantity) >= 0:
        tiered = charge("0", model="graduated", tiers=shape, **conventions(started=started))
        assert price(tiered, Decimal(quantity)) == Decimal(cost)


def test_a_share_is_multiplied_before_it_is_divided():
    assert cost_of_blocks(Decimal(3), Decimal(1), Decimal(3), Started.SHARE) == 1


@pytest.mark.parametrize(
    ("above", "below", "text"),
    [
        ("1", "3", "0." + "3" * QUOTIENT_PLACES),
        ("2", "3", "0." + "6" * (QUOTIENT_PLACES - 1) + "7"),
        ("-2", "3", "-0." + "6" * (QUOTIENT_PLACES - 1) + "7"),
        ("1", "8", "0.125"),
        ("6", "3", "2"),
    ],
)
def test_a_quotient_has_thirty_decimals_at_most(above, below, text):
    assert str(quotient(Decimal(above), Decimal(below))) == text


@pytest.mark.parametrize("model", ["graduated", "volume", "stairstep"])
def test_beyond_the_last_tier_there_is_no_price(model):
    terms = charge("0", model=model, tiers=tiers("10:0+1", "20:0+2"))
    assert price(terms, Decimal(20)) > 0
    with pytest.raises(BeyondTiers) as beyond:
        price(terms, Decimal("20.5"))
    assert (beyond.value.quantity, beyond.value.up_to) == (Decimal("20.5"), Decimal(20))
    assert "20.5" in str(beyond.value)
    assert "20" in str(beyond.value)


def test_the_units_between_two_levels():
    table = TierTable(LAGO)
    assert table.between(Decimal(8), Decimal(12)) == 30  # 2 × 10 + 2 × 5
    assert table.between(Decimal(12), Decimal(8)) == -30
    assert [table.fees(Decimal(q)) for q in (0, 10, 11, 21)] == [2, 2, 5, 8]


positive = st.decimals("0.01", "10000", places=2)
prices = st.decimals("0", "1000", places=4)


@st.composite
def shapes(draw, *, ascending_fees: bool = False) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(positive, max_size=4)))
    fees = [draw(prices) for _ in range(len(ends) + 1)]
    if ascending_fees:
        fees.sort()
    blocks = st.one_of(st.none(), positive)
    return tuple(
        Tier(end, draw(prices), fee, None if ascending_fees else draw(blocks))
        for end, fee in zip([*ends, None], fees, strict=True)
    )


quantities = st.tuples(*[st.decimals("0", "20000", places=3)] * 2).map(sorted)


@settings(deadline=None)
@given(shapes(), quantities, st.sampled_from(Started))
def test_graduated_is_monotone(shape, pair, started):
    terms = charge("0", model="graduated", tiers=shape, **conventions(started=started))
    low, high = pair
    assert price(terms, low) <= price(terms, high)


@settings(deadline=None)
@given(shapes(ascending_fees=True), quantities)
def test_ascending_steps_are_monotone(shape, pair):
    terms = charge("0", model="stairstep", tiers=fitting("stairstep", shape))
    low, high = pair
    assert price(terms, low) <= price(terms, high)


@settings(deadline=None)
@given(prices, positive, quantities, st.sampled_from(Started))
def test_packages_are_monotone(cost, size, pair, started):
    terms = charge(str(cost), model="package", package_size=size, **conventions(started=started))
    low, high = pair
    assert price(terms, low) <= price(terms, high)
