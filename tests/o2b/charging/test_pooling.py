"""Pools: which lot covers what, in which order; what rolls over, lapses, is left and granted."""

from datetime import date, datetime, time
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import (
    Aggregation,
    Allowance,
    CallRates,
    ChargeFacts,
    ChargeTerms,
    DeckRate,
    DeckRates,
    Event,
    Grant,
    Interval,
    Segment,
    Slot,
    TermsInvalid,
    Tier,
    Used,
    Window,
    draft,
    explain,
    price,
)
from o2b.charging.facts import Prepaid
from o2b.charging.granting import lots_of
from o2b.charging.pooling import Lot, Use, draw, may_draw, wanted_by_day
from o2b.charging.terms import charge_document, charge_of
from o2b.periods import FOREVER, Period

D = Decimal
MONTH = Interval("month")
ONE = D(1)
JANUARY, DECEMBER = date(2026, 1, 1), date(2026, 12, 31)


def day(n: int, month: int = 1) -> date:
    return date(2026, month, n)


def usage(key="data", model="per_unit", price=ONE, **more):
    return ChargeTerms(
        key, "usage", model, price, "EUR", MONTH, "arrears", "calendar", "day", **more
    )


def recurring(**more):
    return ChargeTerms(
        "plan", "recurring", "flat", D(20), "EUR", MONTH, "advance", "calendar", "day", **more
    )


def one_time(**more):
    return ChargeTerms(
        "top", "one_time", "per_unit", D(5), "EUR", None, "advance", "anniversary", "none", **more
    )


def facts(
    terms, *, since=JANUARY, until=FOREVER, quantity=ONE, used=(), by=Aggregation.SUM, **more
):
    segment = Segment(Period(since, until), quantity)
    return ChargeFacts(1, terms, since, 1, (segment,), None, (), tuple(used), by, **more)


def drawn(lots, uses, on=DECEMBER):
    return [(each.day, each.ref, each.lot, each.units) for each in draw(lots, uses, on=on).draws]


# The order of drawing.


def test_the_lowest_priority_comes_first_then_what_ends_first_then_the_oldest():
    lots = [
        Lot("late", D(10), day(1), day(1, 6)),
        Lot("soon", D(10), day(2), day(1, 2)),
        Lot("old", D(10), day(1), day(1, 2)),
        Lot("promo", D(10), day(5), FOREVER, priority=1),
    ]
    found = drawn(lots, [Use(day(6), 1, "a", D(35))])
    assert [(lot, units) for *_, lot, units in found] == [
        ("promo", D(10)),
        ("old", D(10)),
        ("soon", D(10)),
        ("late", D(5)),
    ]


def test_a_lot_covers_only_days_on_which_it_is_good():
    lots = [Lot("jan", D(10), day(10), day(20))]
    uses = [Use(day(n), 1, "a", D(1)) for n in (9, 10, 19, 20)]
    found = draw(lots, uses, on=day(31))
    assert [each.day for each in found.draws] == [day(10), day(19)]
    assert [each.day for each in found.uncovered] == [day(9), day(20)]
    assert [(each.day, each.units) for each in found.lapsed] == [(day(20), D(8))]
    assert found.left == 0


def test_on_one_day_the_lower_number_draws_first_whatever_order_they_are_told_in():
    lots = [Lot("x", D(10), day(1))]
    uses = [Use(day(3), 7, "b", D(8)), Use(day(3), 2, "a", D(8)), Use(day(2), 9, "c", D(1))]
    wanted = [(day(2), "c", "x", D(1)), (day(3), "a", "x", D(8)), (day(3), "b", "x", D(1))]
    for told in permutations(uses):
        assert drawn(lots, told) == wanted


@given(
    st.lists(st.tuples(st.integers(1, 25), st.integers(1, 40), st.integers(1, 20)), max_size=6),
    st.lists(st.tuples(st.integers(1, 28), st.integers(1, 9)), max_size=12),
    st.integers(1, 28),
)
@settings(max_examples=200, deadline=None)
def test_nothing_is_drawn_twice_and_later_days_change_no_earlier_one(some, wanted, cut):
    lots = [
        Lot(f"l{n}", D(units), day(begins), date.fromordinal(day(begins).toordinal() + length))
        for n, (begins, length, units) in enumerate(some)
    ]
    uses = [Use(day(on), n, n, D(units)) for n, (on, units) in enumerate(wanted)]
    whole = draw(lots, uses, on=day(31))
    for lot in lots:
        mine = sum((each.units for each in whole.draws if each.lot == lot.ref), D(0))
        gone = sum((each.units for each in whole.lapsed if each.lot == lot.ref), D(0))
        left = sum((each.left for each in whole.held if each.lot == lot), D(0))
        assert mine + gone + left == lot.units
    for use in uses:
        mine = sum((each.units for each in whole.draws if each.ref == use.ref), D(0))
        open_ = sum((each.units for each in whole.uncovered if each.ref == use.ref), D(0))
        assert mine + open_ == use.units
    part = draw(lots, [each for each in uses if each.day <= day(cut)], on=day(cut))
    assert part.draws == [each for each in whole.draws if each.day <= day(cut)]


# What rolls over.


def test_at_most_so_much_rolls_over_for_so_many_periods():
    lot = Lot("jan", D(100), day(1), day(1, 2), 100, D(30), (day(1, 3), day(1, 4)))
    assert draw([lot], [], on=day(31)).left == 100
    assert draw([lot], [], on=day(1, 2)).left == 30
    used = [Use(day(5, 2), 1, "a", D(10))]
    assert draw([lot], used, on=day(28, 2)).left == 20
    assert draw([lot], used, on=day(31, 3)).left == 20
    ended = draw([lot], used, on=day(1, 4))
    assert ended.left == 0
    assert [(each.day, each.units) for each in ended.lapsed] == [
        (day(1, 2), D(70)),
        (day(1, 4), D(20)),
    ]


def test_what_rolled_over_ends_with_the_new_period_and_the_older_lot_goes_first():
    lots = [
        Lot("jan", D(10), day(1), day(1, 2), 100, D(10), (day(1, 3),)),
        Lot("feb", D(10), day(1, 2), day(1, 3), 100, D(10), (day(1, 4),)),
    ]
    found = draw(lots, [Use(day(9, 2), 1, "a", D(12))], on=day(1, 3))
    assert [(each.lot, each.units) for each in found.draws] == [("jan", D(10)), ("feb", D(2))]
    assert found.left == 8


# What charges grant.


def test_a_recurring_charge_grants_in_each_period_a_one_time_charge_once():
    plan = facts(
        recurring(grant=Grant(D(100), "data", rollover=D(50))), since=day(10), quantity=D(2)
    )
    assert [
        (each.ref, each.units, each.begins, each.ends) for each in lots_of("i1", plan, on=day(5, 3))
    ] == [
        ("i1:2026-01-01", D(200), day(10), day(1, 2)),
        ("i1:2026-02-01", D(200), day(1, 2), day(1, 3)),
        ("i1:2026-03-01", D(200), day(1, 3), day(1, 4)),
    ]
    top = facts(one_time(grant=Grant(D(500), "data", lasts=Interval("month", 3))), since=day(31))
    assert lots_of("i2", top, on=day(31)) == [Lot("i2", D(500), day(31), day(30, 4))]
    assert lots_of("i2", top, on=day(30)) == []


def test_a_prorated_grant_is_the_share_served_and_ends_with_the_service():
    terms = recurring(grant=Grant(D(310), "data", prorated=True, per_unit=False, rollover=D(99)))
    plan = facts(terms, since=day(22), until=day(15, 2), quantity=D(3))
    found = lots_of("i1", plan, on=day(1, 6))
    assert [(each.units, each.begins, each.ends, each.lives) for each in found] == [
        (D(100), day(22), day(1, 2), (day(1, 3),)),
        (D(155), day(1, 2), day(15, 2), ()),
    ]


# What is wanted from a pool.


def test_only_what_is_beyond_the_allowance_is_wanted_the_last_units_of_the_period():
    terms = usage(allowance=Allowance(D(10)))
    used = [Used(day(2), D(6)), Used(day(3), D(6)), Used(day(4), D(5)), Used(day(1, 2), D(11))]
    assert wanted_by_day(facts(terms, used=used), on=day(28, 2)) == [
        (day(3), D(2)),
        (day(4), D(5)),
        (day(1, 2), D(1)),
    ]


def test_units_taken_back_later_in_the_period_are_wanted_by_no_day_before():
    used = [Used(day(2), D(6)), Used(day(3), D(6)), Used(day(4), D(-5))]
    wanted = wanted_by_day(facts(usage(), used=used), on=day(31))
    assert wanted == [(day(2), D(6)), (day(3), D(1))]


@pytest.mark.parametrize(
    ("terms", "by", "may"),
    [
        (usage(), Aggregation.SUM, True),
        (usage(), Aggregation.COUNT, True),
        (usage(), Aggregation.MAX, False),
        (usage(), Aggregation.UNIQUE, False),
        (usage(model="percentage"), Aggregation.SUM, False),
        (usage(model="flat"), Aggregation.SUM, False),
        (recurring(), Aggregation.SUM, False),
    ],
)
def test_a_pool_covers_units_that_add_up_and_no_money(terms, by, may):
    assert may_draw(terms, by) is may


# What prepaid units do to a bill.


def lines(charge, until):
    return [(each.quantity, each.amount) for each in draft([charge], until=until)]


def test_prepaid_units_cost_nothing_and_no_tier_sees_them():
    tiers = (Tier(D(100), D(1)), Tier(None, D("0.5")))
    terms = usage(model="graduated", price=D(0), tiers=tiers, allowance=Allowance(D(50)))
    used = [Used(day(3), D(300))]
    charge = facts(terms, used=used, prepaid=(Prepaid(day(3), D(120)),))
    assert lines(charge, day(1, 2)) == [(D(300), D("115.00"))]  # 100 × 1 + 30 × 0.50
    assert lines(charge._replace(prepaid=()), day(1, 2)) == [(D(300), D("175.00"))]


def test_prepaid_units_of_days_that_are_not_served_cover_nothing():
    charge = facts(
        usage(), since=day(10), used=[Used(day(12), D(5))], prepaid=(Prepaid(day(9), D(5)),)
    )
    assert lines(charge, day(1, 2)) == [(D(5), D("5.00"))]


CALLS = CallRates((Window(0, (Slot(0, D("0.60"), 60, 60),), D("0.10")),))


def test_prepaid_seconds_cover_whole_calls_first_and_the_rest_of_one_in_part():
    """61 seconds count as 120; 180 prepaid seconds cover the first call and half of the second."""
    calls = tuple(Event(D(61), datetime.combine(day(3), time(hour))) for hour in (8, 9, 10))
    terms = usage("minutes", "rated", D(0), call=CALLS)
    charge = facts(terms, used=[Used(day(3), D(183), calls)], by=Aggregation.EACH)
    assert wanted_by_day(charge, on=day(31)) == [(day(3), D(360))]
    assert lines(charge, day(1, 2)) == [(D(183), D("3.90"))]
    covered = charge._replace(prepaid=(Prepaid(day(3), D(180)),))
    assert lines(covered, day(1, 2)) == [(D(183), D("2.00"))]  # 0.10 + 0.60, 0.10 + 1.20
    assert lines(charge._replace(prepaid=(Prepaid(day(3), D(360)),)), day(1, 2)) == [
        (D(183), D("0.00"))
    ]


def test_which_calls_of_a_day_are_covered_hangs_on_no_order_of_rows():
    """Without a time the shorter call is covered first, then that of the first prefix."""
    cheap, dear, dearest = (
        DeckRate(D(rate), 60, D(fee), 60, 60, prefix)
        for rate, fee, prefix in (("0.60", "0", "44"), ("6.00", "0", "49"), ("6.00", "1", "49"))
    )
    told = [(61, cheap), (61, dear), (30, dear), (30, cheap), (30, dearest)]
    rows = [Used(day(3), D(value), (Event(D(value), None, rate),)) for value, rate in told]
    terms = usage("calls", "rated", D(0), call=DeckRates("intl", "to"))
    charge = facts(terms, by=Aggregation.EACH, prepaid=(Prepaid(day(3), D(90)),))
    found = {tuple(lines(charge._replace(usage=some), day(1, 2))) for some in permutations(rows)}
    # The half minute of 44 and half of the first one of 49 are covered: 3 + 7 + 1.20 + 12.
    assert found == {((D(212), D("23.20")),)}


def test_the_arithmetic_of_a_call_that_is_prepaid_in_part_is_told():
    terms = usage("minutes", "rated", D(0), call=CALLS)
    events = (Event(D(61), covered=D(60)), Event(D(61), covered=D(120)))
    steps = explain(terms, D(122), events)
    assert [(step.arithmetic, step.result) for step in steps[:2]] == [
        ("0.1 + (0.6 × 120 / 60) × 60 / 120", D("0.7")),
        ("0", D(0)),
    ]
    assert steps[-1].result == price(terms, D(122), events)


# Terms.


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Grant(D(0), "data"), "grant.units"),
        (lambda: Grant(D(1), "da ta"), "grant.meter"),
        (lambda: Grant(D(1), "data", priority=-1), "grant.priority"),
        (lambda: Grant(D(1), "data", rollover_periods=2), "grant.rollover_periods"),
        (lambda: Grant(D(1), "data", rollover=D(0)), "grant.rollover"),
        (lambda: usage(grant=Grant(D(1), "data")), "grant"),
        (lambda: recurring(grant=Grant(D(1), "data", lasts=MONTH)), "grant.lasts"),
        (lambda: one_time(grant=Grant(D(1), "data", rollover=D(1))), "grant.rollover"),
        (lambda: one_time(grant=Grant(D(1), "data", prorated=True)), "grant.prorated"),
        (lambda: recurring(grant=Grant(D(1), rollover=D(1))), "grant.rollover"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused_by_name(make, field):
    with pytest.raises(TermsInvalid) as refused:
        make()
    assert refused.value.field == field


@pytest.mark.parametrize(
    "grant",
    [
        Grant(D(500), "data"),
        Grant(D("0.5")),
        Grant(D(1), "data", 5, Interval("day", 30), D(1), 12, per_unit=False),
    ],
)
def test_a_grant_is_read_back_as_it_was_written(grant):
    terms = one_time(grant=grant)
    assert charge_of(charge_document(terms)) == terms
    assert "grant" not in charge_document(one_time())


# Units that are taken back.


def test_what_is_taken_back_is_never_drawn_and_leaves_on_its_day():
    lot = Lot("g", D(50), day(1), day(21), taken=(day(20), D(21)))
    uses = [Use(day(10), 0, "a", D(40))]
    assert drawn([lot], uses) == [(day(10), "a", "g", D(29))]
    assert [each.units for each in draw([lot], uses, on=day(10)).uncovered] == [D(11)]
    assert draw([lot], [], on=day(19)).taken == []
    assert draw([lot], [], on=day(19)).left == D(29)
    found = draw([lot], [], on=day(21))
    assert [(each.day, each.units) for each in found.taken] == [(day(20), D(21))]
    assert [(each.day, each.units) for each in found.lapsed] == [(day(21), D(29))]


@st.composite
def taken_back(pick):
    lots = [
        Lot(
            f"l{n}",
            D(pick(st.integers(1, 40))),
            day(pick(st.integers(1, 15))),
            pick(st.sampled_from([day(10), day(20), day(21), day(25), FOREVER])),
            pick(st.sampled_from([50, 100])),
        )
        for n in range(pick(st.integers(0, 3)))
    ]
    lots = [lot for lot in lots if lot.begins < lot.ends]
    given_by_hand = Lot(
        "g",
        D(pick(st.integers(1, 60))),
        day(pick(st.integers(1, 20))),
        pick(st.sampled_from([FOREVER, day(22), day(28)])),
        pick(st.sampled_from([50, 100])),
    )
    uses = [Use(day(pick(st.integers(1, 20))), n, n, D(pick(st.integers(1, 40)))) for n in range(6)]
    return lots, given_by_hand, uses


@given(taken_back())
@settings(max_examples=500, deadline=None)
def test_whatever_was_drawn_stays_covered_and_the_rest_is_gone(case):
    """Taken back on the 20th, less what was drawn by then; the other lots keep what they have."""
    lots, lot, uses = case
    before = draw([*lots, lot], uses, on=day(20))
    kept = sum((each.units for each in before.draws if each.lot == "g"), D(0))
    less = lot._replace(ends=day(21), taken=(day(20), lot.units - kept))
    after = draw([*lots, less], uses, on=day(20))
    assert after.by_ref() == before.by_ref()
    assert after.uncovered == before.uncovered
    assert after.left == before.left - (lot.units - kept)
