"""Ramps: prices that step by date or by months, alone and together with other changes."""

from decimal import Decimal

import pytest

from o2b.charging import Billed, compile_charge, draft
from o2b.charging.ramps import step_days, terms_on
from o2b.charging.terms import Conventions, RampStep, Trial
from o2b.periods import Interval
from tests.o2b.charging.build import bill, charge, day, facts, rows


def after(*steps: tuple[int, str]) -> tuple[RampStep, ...]:
    return tuple(RampStep(Decimal(price), after_months=months) for months, price in steps)


def on(*steps: tuple[str, str]) -> tuple[RampStep, ...]:
    return tuple(RampStep(Decimal(price), on=day(when)) for when, price in steps)


def test_the_price_in_force():
    terms = charge("10", ramp=after((1, "20"), (12, "30")))
    started = day("2026-01-31")
    assert step_days(terms, started) == (day("2026-02-28"), day("2027-01-31"))
    prices = [
        terms_on(terms, day(when), started_on=started).unit_price
        for when in ("2026-01-31", "2026-02-27", "2026-02-28", "2027-01-30", "2027-01-31")
    ]
    assert prices == [10, 10, 20, 20, 30]


@pytest.mark.parametrize(
    ("terms", "spans", "until", "expected"),
    [
        # by months on its anniversary: no period is cut
        (
            charge("10", ramp=after((1, "20"), (3, "30"))),
            ["2026-01-01.."],
            "2026-04-01",
            [
                ("2026-01-01", "2026-02-01", "10.00"),
                ("2026-02-01", "2026-03-01", "20.00"),
                ("2026-03-01", "2026-04-01", "20.00"),
                ("2026-04-01", "2026-05-01", "30.00"),
            ],
        ),
        # by date in the middle of a period: 31 × 10/31 + 62 × 21/31
        (
            charge("31", ramp=on(("2026-01-11", "62"))),
            ["2026-01-01.."],
            "2026-02-01",
            [
                ("2026-01-01", "2026-01-11", "10.00"),
                ("2026-01-11", "2026-02-01", "42.00"),
                ("2026-02-01", "2026-03-01", "62.00"),
            ],
        ),
        # two steps and a change of quantity within one period
        (
            charge("31", ramp=on(("2026-01-11", "62"), ("2026-01-21", "93"))),
            ["2026-01-01..2026-01-16 x1", "2026-01-16.. x2"],
            "2026-01-01",
            [
                ("2026-01-01", "2026-01-11", "10.00"),
                ("2026-01-11", "2026-01-16", "10.00"),
                ("2026-01-16", "2026-01-21", "20.00"),
                ("2026-01-21", "2026-02-01", "66.00"),
            ],
        ),
        # steps before the start and at a bound change nothing in between
        (
            charge("31", ramp=on(("2025-06-01", "62"), ("2026-02-01", "93"))),
            ["2026-01-01.."],
            "2026-02-01",
            [("2026-01-01", "2026-02-01", "62.00"), ("2026-02-01", "2026-03-01", "93.00")],
        ),
        # down to nothing, flat, in arrears
        (
            charge("31", model="flat", timing="arrears", ramp=on(("2026-01-11", "0"))),
            ["2026-01-01.. x7"],
            "2026-02-01",
            [("2026-01-01", "2026-01-11", "10.00"), ("2026-01-11", "2026-02-01", "0.00")],
        ),
        # without proration a step counts from the next period
        (
            charge("31", proration="none", ramp=on(("2026-01-11", "62"))),
            ["2026-01-01.."],
            "2026-02-01",
            [("2026-01-01", "2026-02-01", "31.00"), ("2026-02-01", "2026-03-01", "62.00")],
        ),
        (
            charge("31", proration="full", ramp=on(("2026-01-11", "62"))),
            ["2026-01-01..2026-01-16 x1", "2026-01-16.. x2"],
            "2026-02-01",
            [
                ("2026-01-01", "2026-01-16", "31.00"),
                ("2026-01-16", "2026-02-01", "31.00"),
                ("2026-02-01", "2026-03-01", "124.00"),
            ],
        ),
        # months count from the start, the trial included
        (
            charge("31", trial=Trial(Interval("day", 10)), ramp=after((1, "62"))),
            ["2026-01-01.."],
            "2026-02-01",
            [("2026-01-11", "2026-02-01", "21.00"), ("2026-02-01", "2026-03-01", "62.00")],
        ),
        # the minimum is that of the period, whatever the steps
        (
            charge("31", minimum=Decimal(60), ramp=on(("2026-01-11", "0"))),
            ["2026-01-01.."],
            "2026-01-01",
            [("2026-01-01", "2026-01-11", "19.35"), ("2026-01-11", "2026-02-01", "40.65")],
        ),
        # a discount comes off the price in force
        (
            charge("31", discounts=["50%"], ramp=on(("2026-01-11", "62"))),
            ["2026-01-01.."],
            "2026-01-01",
            [("2026-01-01", "2026-01-11", "5.00"), ("2026-01-11", "2026-02-01", "21.00")],
        ),
    ],
)
def test_steps(terms, spans, until, expected):
    assert rows(draft([facts(terms, *spans)], until=day(until))) == expected


def test_steps_of_other_starts_do_not_share_answers():
    terms = compile_charge(charge("10", alignment="bill_day", ramp=after((1, "20"))))
    found = [
        rows(draft([facts(terms, f"{start}..", through="2026-02-01")], until=day("2026-02-01")))
        for start in ("2026-01-01", "2025-06-01", "2026-01-15", "2026-01-01")
    ]
    february = ("2026-02-01", "2026-03-01", "20.00")
    assert found == [
        [february],
        [february],
        [("2026-02-01", "2026-02-15", "5.00"), ("2026-02-15", "2026-03-01", "10.00")],
        [february],
    ]


def test_a_step_and_a_change_are_billed_by_difference():
    terms = charge("31", ramp=on(("2026-01-21", "62")))
    sums: dict[tuple, Billed] = {}
    bills = []
    for spans in (
        ["2026-01-01.."],
        ["2026-01-01..2026-01-11", "2026-01-11.. x3"],
        ["2026-01-01.."],
    ):
        charged = facts(terms, *spans, billed=sums.values())
        bills.append(draft([charged], until=day("2026-01-01")))
        bill(sums, bills[-1])
    assert [[(each.segment, str(each.amount)) for each in lines] for lines in bills] == [
        [(1, "20.00"), (2, "22.00")],
        [(1, "-10.00"), (2, "8.00"), (3, "66.00")],
        [(1, "10.00"), (2, "-8.00"), (3, "-66.00")],
    ]


def test_conventions_count_the_pieces_of_a_step():
    terms = charge("30", conventions=Conventions("thirty_360"), ramp=on(("2026-02-15", "60")))
    lines = draft([facts(terms, "2026-02-01..")], until=day("2026-02-01"))
    assert [str(line.amount) for line in lines] == ["14.00", "32.00"]
