"""Which lots pay, how much a charge brings, what is given back: tables, without a database."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.wallets.rules.sharing import Held, Share, drawn_from, given_back, money_of
from o2b.charging.allowances import Part
from o2b.charging.terms import Grant

D = Decimal
JAN, FEB, MAR = (date(2026, month, 1) for month in (1, 2, 3))


def held(lot: int, left: str, **given: Any) -> Held:
    fields: dict[str, Any] = {"priority": 100, "begins_on": JAN, "ends_on": None}
    return Held(lot=lot, left=D(left), **fields | given)


@pytest.mark.parametrize(
    ("lots", "parts", "most", "shares"),
    [
        # Priority, then end, then age, then the older row.
        (
            [
                held(1, "5", ends_on=MAR),
                held(2, "5", ends_on=FEB),
                held(3, "5", priority=1),
                held(4, "5", ends_on=FEB, begins_on=date(2025, 12, 1)),
            ],
            [(JAN, "17")],
            "17",
            [(3, "5"), (4, "5"), (2, "5"), (1, "2")],
        ),
        # What ended pays for what began before; money that came later pays for it too.
        ([held(1, "5", ends_on=FEB)], [(FEB, "9")], "9", []),
        ([held(1, "5", ends_on=date(2026, 1, 2))], [(JAN, "9")], "9", [(1, "5")]),
        ([held(1, "5", begins_on=MAR)], [(JAN, "9")], "9", [(1, "5")]),
        # One lot ends between two periods.
        (
            [held(1, "10", ends_on=FEB), held(2, "10")],
            [(JAN, "4"), (FEB, "3")],
            "7",
            [(1, "4"), (2, "3")],
        ),
        # A correction leaves less to pay.
        ([held(1, "10")], [(JAN, "-4"), (FEB, "9")], "5", [(1, "5")]),
        ([held(1, "10")], [(JAN, "9")], "0", []),
        ([], [(JAN, "9")], "9", []),
        ([held(1, "10")], [], "0", []),
    ],
)
def test_which_lots_pay(lots: Any, parts: Any, most: str, shares: Any) -> None:
    told = [(day, D(amount)) for day, amount in parts]
    assert drawn_from(lots, told, D(most)) == [Share(lot, D(amount)) for lot, amount in shares]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3)), max_size=5),
    st.lists(st.tuples(st.integers(0, 2), st.integers(-30, 50)), max_size=5),
)
@settings(max_examples=200, deadline=None)
def test_no_more_is_drawn_than_is_there_or_wanted(some: Any, wanted: Any) -> None:
    ends = (None, JAN, FEB, MAR)
    lots = [held(n, str(left), ends_on=ends[end]) for n, (left, end) in enumerate(some)]
    parts = sorted(((JAN, FEB, MAR)[day], D(amount)) for day, amount in wanted)
    most = max(sum((amount for _, amount in parts), D(0)), D(0))
    found = drawn_from(lots, parts, most)
    assert sum((share.amount for share in found), D(0)) <= most
    assert all(0 < share.amount <= lots[share.of].left for share in found)


@pytest.mark.parametrize(
    ("grant", "parts", "money"),
    [
        (Grant(D("0.5")), [("100", 1)], "50.00"),
        (Grant(D(20), per_unit=False), [("3", 1)], "20.00"),
        (Grant(D(20), per_unit=False), [("0", 1)], "0.00"),
        (Grant(D(10)), [("2", Fraction(1, 2)), ("3", Fraction(1, 2))], "30.00"),
        (Grant(D(10), prorated=True), [("2", Fraction(1, 2)), ("3", Fraction(1, 2))], "25.00"),
        (Grant(D(10), prorated=True), [("1", Fraction(1, 3))], "3.33"),
        (Grant(D("0.333")), [("1", 1)], "0.33"),
        (Grant(D(5)), [], "0.00"),
    ],
)
def test_how_much_a_charge_brings(grant: Grant, parts: Any, money: str) -> None:
    served = [Part(D(quantity), share) for quantity, share in parts]
    assert str(money_of(grant, served, "EUR")) == money


def test_the_last_draw_is_undone_first_and_none_beyond_itself() -> None:
    drawn = [Share(9, D(4)), Share(7, D(10))]
    assert given_back(drawn, D(6)) == [Share(9, D(4)), Share(7, D(2))]
    assert given_back(drawn, D(99)) == drawn
    assert given_back(drawn, D(0)) == []
