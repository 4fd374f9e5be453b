"""Allowances: what is included, carried on, pooled over months, and charged beyond."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging.allowances import (
    ChargeAt,
    DrawOrder,
    Part,
    PoolPeriod,
    Settled,
    beyond,
    included_units,
    settle,
    settle_window,
)
from o2b.charging.terms import Allowance

UNBOUND = Decimal(10**9)


def allowance(units: str, **changes: object) -> Allowance:
    return Allowance(Decimal(units), **changes)


def used(*quantities: str) -> list[PoolPeriod]:
    return [PoolPeriod(Decimal(each)) for each in quantities]


def columns(found: list[Settled]) -> list[str]:
    """included rolled_in drawn drawn_rollover overage rolled_out"""
    return [" ".join(f"{each.normalize():f}" for each in row) for row in found]


@pytest.mark.parametrize(
    ("terms", "parts", "units"),
    [
        ({}, [("1", "1")], "100"),
        ({}, [("7", "0.25")], "100"),
        ({}, [], "100"),
        ({"per_unit": True}, [("7", "0.25")], "700"),
        ({"per_unit": True}, [("7", "0.5"), ("9", "0.25"), ("8", "0.25")], "900"),
        ({"per_unit": True}, [], "0"),
        ({"prorated": True}, [("1", "15/30")], "50"),  # Rogers
        ({"prorated": True}, [("7", "1/2")], "50"),
        ({"prorated": True}, [("7", "1/2"), ("9", "1/4")], "75"),
        ({"prorated": True}, [("1", "0.25")], "25"),
        ({"prorated": True}, [("1", "1/3")], "33.333333333333"),
        ({"prorated": True}, [("1", "2/3")], "66.666666666667"),
        ({"prorated": True}, [("1", "1/3"), ("1", "2/3")], "100"),
        ({"prorated": True, "per_unit": True}, [("10", "1"), ("5", "1/2")], "1250"),
        ({"prorated": True, "per_unit": True}, [("3", "1/3")], "100"),
    ],
)
def test_included_units(terms, parts, units):
    found = included_units(
        allowance("100", **terms), [Part(Decimal(q), Fraction(share)) for q, share in parts]
    )
    assert found == Decimal(units)


def test_seats_added_in_the_middle_bring_their_share():
    """Salesforce: 10 units of 100, 5 more of 200 from the middle of the month."""
    first = allowance("100", per_unit=True, prorated=True)
    added = allowance("200", per_unit=True, prorated=True)
    now, later = (
        included_units(first, [Part(Decimal(10))])
        + included_units(added, [Part(Decimal(5), Fraction(share))])
        for share in ("1/2", "1")
    )
    assert (now, later) == (1500, 2000)


@pytest.mark.parametrize(
    ("free", "quantity", "already", "charged"),
    [
        ("100", "100", "0", "0"),
        ("100", "100.5", "0", "0.5"),
        ("100", "30", "70", "0"),
        ("100", "30", "80", "10"),
        ("100", "30", "120", "30"),
        ("0", "30", "0", "30"),
    ],
)
def test_beyond_free_units(free, quantity, already, charged):
    assert beyond(Decimal(free), Decimal(quantity), Decimal(already)) == Decimal(charged)
    if already == "0":
        assert beyond(Decimal(free), Decimal(quantity)) == Decimal(charged)


@pytest.mark.parametrize(
    ("terms", "options", "quantities", "rows"),
    [
        # Without rollover every period stands alone.
        ({}, {}, ["80", "130"], ["100 0 80 0 0 0", "100 0 100 0 30 0"]),
        # What was carried before counts although nothing is carried on.
        ({}, {"carried": Decimal(20)}, ["130", "130"], ["100 20 100 20 10 0", "100 0 100 0 30 0"]),
        # Own units first (AT&T): the carried ones stay for later.
        (
            {"rollover": UNBOUND},
            {},
            ["40", "90", "180"],
            ["100 0 40 0 0 60", "100 60 90 0 0 70", "100 70 100 70 10 0"],
        ),
        # Carried units first (Zuora, "apply first").
        (
            {"rollover": UNBOUND},
            {"order": DrawOrder.CARRIED_FIRST},
            ["40", "90", "180"],
            ["100 0 40 0 0 60", "100 60 30 60 0 70", "100 70 100 70 10 0"],
        ),
        # At most 50 are carried on, in all.
        ({"rollover": Decimal(50)}, {}, ["0", "0"], ["100 0 0 0 0 50", "100 50 0 0 0 50"]),
        ({"rollover": Decimal(0)}, {}, ["0", "110"], ["100 0 0 0 0 0", "100 0 100 0 10 0"]),
        # Carried units expire one period after their own.
        (
            {"rollover": UNBOUND},
            {"lasts": 1},
            ["40", "90", "180"],
            ["100 0 40 0 0 60", "100 60 90 0 0 10", "100 10 100 10 70 0"],
        ),
        (
            {"rollover": UNBOUND},
            {"lasts": 1, "order": DrawOrder.CARRIED_FIRST},
            ["40", "90", "180"],
            ["100 0 40 0 0 60", "100 60 30 60 0 70", "100 70 100 70 10 0"],
        ),
        (
            {"rollover": UNBOUND},
            {"lasts": 2},
            ["40", "90", "90", "90"],
            ["100 0 40 0 0 60", "100 60 90 0 0 70", "100 70 90 0 0 20", "100 20 90 0 0 20"],
        ),
        # The oldest are drawn first: of 60 and 10 carried, 50 leave 10 and 10.
        (
            {"rollover": UNBOUND},
            {"lasts": 2},
            ["40", "90", "150", "100"],
            ["100 0 40 0 0 60", "100 60 90 0 0 70", "100 70 100 50 0 10", "100 10 100 0 0 0"],
        ),
        (
            {"rollover": UNBOUND},
            {"lasts": 5},
            ["0", "0", "250"],
            ["100 0 0 0 0 100", "100 100 0 0 0 200", "100 200 100 150 0 50"],
        ),
        ({"rollover": UNBOUND}, {"lasts": 0}, ["0", "150"], ["100 0 0 0 0 0", "100 0 100 0 50 0"]),
        # A cap keeps the youngest: of 60 and 10, 30 and 10 stay; then 30 expire.
        (
            {"rollover": Decimal(40)},
            {"lasts": 2},
            ["0", "90", "100"],
            ["100 0 0 0 0 40", "100 40 90 0 0 40", "100 40 100 0 0 10"],
        ),
    ],
)
def test_settle(terms, options, quantities, rows):
    assert columns(settle(allowance("100", **terms), used(*quantities), **options)) == rows


def test_what_att_and_zuora_publish():
    month, over = settle(allowance("1500", rollover=UNBOUND), used("700", "2000"))
    assert (month.rolled_out, over.drawn_rollover, over.overage) == (800, 500, 0)
    assert (over.rollover_left, over.rolled_out) == (300, 300)
    _, following = settle(allowance("1000", rollover=UNBOUND), used("800", "0"))
    assert following.available == 1200


def test_a_started_period_includes_its_share_and_a_change_of_seats_counts():
    periods = [
        PoolPeriod(Decimal(60), Fraction(15, 30)),
        PoolPeriod(Decimal(310), quantity=Decimal(3)),
        PoolPeriod(Decimal(0), parts=(Part(Decimal(3), Fraction(1, 2)), Part(Decimal(1)))),
    ]
    terms = allowance("100", prorated=True, per_unit=True, rollover=UNBOUND)
    assert columns(settle(terms, periods)) == [
        "50 0 50 0 10 0",
        "300 0 300 0 10 0",
        "250 0 0 0 0 250",
    ]


@pytest.mark.parametrize(
    ("charge_at", "quantities", "rows"),
    [
        # Zuora, "as soon as it occurs": the year's first half.
        (
            "running",
            ["700", "200", "333", "1000", "600", "900"],
            [
                "1500 0 700 0 0 800",
                "0 800 0 200 0 600",
                "0 600 0 333 0 0",
                "1500 0 1000 0 0 500",
                "0 500 0 500 100 0",
                "0 0 0 0 900 0",
            ],
        ),
        # Zuora, "at the end of smoothing period", with windows that stand still.
        (
            "end",
            ["600", "1200", "0", "2000"],
            [
                "1500 0 600 0 0 900",
                "0 900 0 900 0 0",
                "0 0 0 0 300 0",
                "1500 0 1500 0 0 0",
            ],
        ),
        # The same, moving on by a month after a window without overage: January to July.
        (
            "rolling",
            ["700", "200", "333", "1000", "600", "1200", "0", "0"],
            [
                "1500 0 700 0 0 800",
                "0 800 0 200 0 600",
                "0 600 0 333 0 967",
                "0 967 0 967 33 0",
                "1500 0 600 0 0 900",
                "0 900 0 900 0 0",
                "0 0 0 0 300 0",
                "1500 0 0 0 0 1500",
            ],
        ),
        (
            "rolling",
            ["500", "500", "500"],
            ["1500 0 500 0 0 1000", "0 1000 0 500 0 500", "0 500 0 500 0 500"],
        ),
    ],
)
def test_windows(charge_at, quantities, rows):
    terms = allowance("500", window=3)
    found = settle_window(terms, used(*quantities), charge_at=ChargeAt(charge_at))
    assert columns(found) == rows
    if charge_at == "running":
        assert settle(terms, used(*quantities)) == settle_window(terms, used(*quantities)) == found


def test_an_allowance_with_a_window_is_settled_as_its_pool_is_used_up():
    found = settle(allowance("500", window=2), used("900", "0", "900", "200"))
    assert [each.overage for each in found] == [0, 0, 0, 100]


def test_windows_of_one_period_are_plain_allowances():
    terms = allowance("500", window=1)
    for charge_at in ChargeAt:
        found = settle_window(terms, used("700", "400"), charge_at=charge_at)
        assert [each.overage for each in found] == [200, 0]


@pytest.mark.parametrize(
    ("charge_at", "ended", "overages"),
    [
        ("running", False, [0, 300]),
        ("running", True, [0, 300]),
        ("end", False, [0, 0]),
        ("end", True, [0, 300]),
        ("rolling", True, [0, 300]),
    ],
)
def test_a_window_that_ends_early_is_charged_then(charge_at, ended, overages):
    found = settle_window(
        allowance("500", window=3),
        used("600", "1200"),
        charge_at=ChargeAt(charge_at),
        ended=ended,
    )
    assert [each.overage for each in found] == overages
    assert found[-1].rolled_out == 0


def test_a_window_counts_the_share_and_the_quantity_of_each_period():
    periods = [
        PoolPeriod(Decimal(900), Fraction(1, 2), Decimal(1)),  # 50 + 2 × 100 to come
        PoolPeriod(Decimal(100), 1, Decimal(2)),  # 50 + 200 + 200
        PoolPeriod(Decimal(100), 1, Decimal(1)),  # 50 + 200 + 100
    ]
    terms = allowance("100", window=3, prorated=True, per_unit=True)
    assert columns(settle_window(terms, periods)) == [
        "250 0 250 0 650 0",
        "200 0 100 0 0 100",
        "-100 100 0 0 100 0",
    ]


@settings(deadline=None)
@given(
    st.integers(0, 500),
    st.integers(1, 5),
    st.lists(st.integers(0, 1500), max_size=12),
    st.sampled_from(ChargeAt),
)
def test_windows_charge_what_passes_their_pools(units, window, quantities, charge_at):
    terms = allowance(str(units), window=window)
    periods = used(*map(str, quantities))
    found = settle_window(terms, periods, charge_at=charge_at, ended=True)
    assert all(each.overage >= 0 and each.rolled_out >= 0 for each in found)
    if charge_at is not ChargeAt.ROLLING:
        for start in range(0, len(quantities), window):
            many = quantities[start : start + window]
            # The last window may end before its time; its pool was promised nevertheless.
            over = max(sum(many) - units * window, 0)
            assert sum(each.overage for each in found[start : start + window]) == over
    for i in range(1, len(periods) + 1):
        early = settle_window(terms, periods[:i], charge_at=charge_at)
        assert early == settle_window(terms, periods, charge_at=charge_at)[:i]


@settings(deadline=None)
@given(
    st.integers(0, 500),
    st.integers(0, 900),
    st.lists(st.integers(0, 1500), max_size=12),
    st.sampled_from(DrawOrder),
    st.sampled_from([None, 1, 2, 3]),
)
def test_units_are_neither_lost_nor_made(units, cap, quantities, order, lasts):
    terms = allowance(str(units), rollover=Decimal(cap))
    found = settle(terms, used(*map(str, quantities)), order=order, lasts=lasts)
    before = Decimal(0)
    for quantity, row in zip(quantities, found, strict=True):
        assert row.drawn + row.drawn_rollover + row.overage == quantity
        assert row.rolled_in == before
        left = row.available - row.drawn - row.drawn_rollover
        assert 0 <= row.rolled_out <= min(left, cap)
        if lasts is None:
            assert row.rolled_out == min(left, cap)
        before = row.rolled_out
