"""Usage in drafts: one piece for each period, what is included, bounds, and later corrections."""

from decimal import Decimal

import pytest

from o2b.charging import Billed, Mark, draft, draft_and_mark
from o2b.charging.terms import (
    Allowance,
    CallRates,
    Conventions,
    EventRates,
    RampStep,
    Slot,
    Tier,
    Trial,
    Window,
)
from o2b.charging.usage import Event, Used
from o2b.periods import Interval
from tests.o2b.charging.build import bill, charge, day, facts, rows


def usage(price: str = "1", **changes):
    return charge(price, **({"kind": "usage", "timing": "arrears"} | changes))


def used(*days: str) -> tuple[Used, ...]:
    """`2026-01-05 40`."""
    return tuple(Used(day(text.split()[0]), Decimal(text.split()[1])) for text in days)


def told(terms, spans, days, until, **more):
    charged = facts(terms, *spans, **more)._replace(usage=used(*days))
    return [
        (str(line.period.start), str(line.period.end), str(line.quantity), str(line.amount))
        for line in draft([charged], until=day(until))
    ]


def packs(units: str, **more) -> Allowance:
    return Allowance(Decimal(units), **more)


OPEN = ["2026-01-01.."]


@pytest.mark.parametrize(
    ("terms", "spans", "days", "expected"),
    [
        # summed over the days of the period, whatever their order
        (
            usage("0.5"),
            OPEN,
            ["2026-01-31 10", "2026-01-01 5", "2026-02-01 7", "2025-12-31 9"],
            [("2026-01-01", "2026-02-01", "15", "7.50"), ("2026-02-01", "2026-03-01", "7", "3.50")],
        ),
        # not due yet: March
        (usage(), OPEN, ["2026-03-01 5"], []),
        # without usage no line, but of a flat fee or a minimum
        (usage(), OPEN, [], []),
        (
            usage("9", model="flat"),
            OPEN,
            ["2026-01-03 1"],
            [("2026-01-01", "2026-02-01", "1", "9.00"), ("2026-02-01", "2026-03-01", "0", "9.00")],
        ),
        (
            usage(minimum=Decimal(4)),
            OPEN,
            ["2026-01-03 5"],
            [("2026-01-01", "2026-02-01", "5", "5.00"), ("2026-02-01", "2026-03-01", "0", "4.00")],
        ),
        # usage that costs nothing is told
        (usage("0"), OPEN, ["2026-01-03 5"], [("2026-01-01", "2026-02-01", "5", "0.00")]),
        # only days in service count; a changed quantity of the line cuts nothing
        (
            usage(),
            ["2026-01-05..2026-01-11 x1", "2026-01-11..2026-01-16 x2", "2026-01-21..2026-01-26"],
            [f"2026-01-{n:02} 1" for n in range(1, 32)],
            [("2026-01-05", "2026-01-26", "16", "16.00")],
        ),
        # a trial is free
        (
            usage(trial=Trial(Interval("day", 10))),
            OPEN,
            ["2026-01-10 100", "2026-01-11 3"],
            [("2026-01-11", "2026-02-01", "3", "3.00")],
        ),
        # a price that steps within the period: that of its first day counts
        (
            usage(
                "2",
                alignment="calendar",
                interval=Interval("month"),
                ramp=(RampStep(Decimal(5), on=day("2026-01-20")),),
            ),
            ["2026-01-10.."],
            ["2026-01-25 1", "2026-02-02 1"],
            [("2026-01-10", "2026-02-01", "1", "2.00"), ("2026-02-01", "2026-03-01", "1", "5.00")],
        ),
    ],
)
def test_periods_of_usage(terms, spans, days, expected):
    assert told(terms, spans, days, "2026-03-01") == expected


HALF = ["2026-04-01..2026-04-16"]  # 15 of 30 days
TIERS = (Tier(Decimal(100), Decimal(0)), Tier(None, Decimal("0.1")))


@pytest.mark.parametrize(
    ("terms", "spans", "days", "amounts"),
    [
        (usage(allowance=packs("100")), ["2026-04-01.."], ["2026-04-03 130"], ["30.00"]),
        (usage(allowance=packs("100")), ["2026-04-01.."], ["2026-04-03 70"], ["0.00"]),
        # whole, or its share of a period served in part (Rogers)
        (usage(allowance=packs("100")), HALF, ["2026-04-03 130"], ["30.00"]),
        (usage(allowance=packs("100", prorated=True)), HALF, ["2026-04-03 130"], ["80.00"]),
        # for each unit of the line, of those added by their days (Salesforce): 10 × 100 + 5 × 50
        (
            usage(allowance=packs("100", prorated=True, per_unit=True)),
            ["2026-04-01..2026-04-16 x10", "2026-04-16.. x15"],
            ["2026-04-03 1300"],
            ["50.00"],
        ),
        (
            usage(allowance=packs("100", per_unit=True)),
            ["2026-04-01..2026-04-16 x10", "2026-04-16.. x15"],
            ["2026-04-03 1700"],
            ["200.00"],
        ),
        # the allowance comes off before tiers and packages
        (
            usage(model="graduated", tiers=TIERS, allowance=packs("50")),
            ["2026-04-01.."],
            ["2026-04-03 200"],
            ["5.00"],
        ),
        # minimum and maximum by the days served; usage itself is whole
        (usage(minimum=Decimal(10)), HALF, ["2026-04-03 4"], ["5.00"]),
        (usage(minimum=Decimal(10)), HALF, ["2026-04-03 8"], ["8.00"]),
        (usage(maximum=Decimal(10)), HALF, ["2026-04-03 8"], ["5.00"]),
        (usage(maximum=Decimal(10), proration="none"), HALF, ["2026-04-03 18"], ["10.00"]),
        # a fixed discount by the days served, a percentage of what was used
        (usage(discounts=["50%", "2"]), HALF, ["2026-04-03 8"], ["3.00"]),
        (usage(discounts=["50%", "2"]), ["2026-04-01.."], ["2026-04-03 8"], ["2.00"]),
        (
            usage(
                discounts=["2"],
                minimum=Decimal(10),
                conventions=Conventions(order="commitment_first"),
            ),
            HALF,
            ["2026-04-03 1"],
            ["4.00"],
        ),
    ],
)
def test_what_a_period_includes_and_costs(terms, spans, days, amounts):
    assert [line[3] for line in told(terms, spans, days, "2026-05-01")] == amounts


MONTHS = ["2026-01-05 {}", "2026-02-05 {}", "2026-03-05 {}", "2026-04-05 {}"]


def months(*quantities: int) -> list[str]:
    return [text.format(n) for text, n in zip(MONTHS, quantities, strict=False) if n]


@pytest.mark.parametrize(
    ("allowance", "quantities", "amounts"),
    [
        # unused units carry on: 200 left of January, 100 at most of February
        (packs("1000", rollover=Decimal(500)), (800, 1200, 1100), ["0.00", "0.00", "100.00"]),
        (packs("1000", rollover=Decimal(50)), (800, 1200), ["0.00", "150.00"]),
        (packs("1000", rollover=Decimal(500)), (0, 1600), ["100.00"]),  # January has no line
        # Zuora: the pool of three months is charged once it is used up
        (packs("500", window=3), (1000, 600, 900, 1700), ["0.00", "100.00", "900.00", "200.00"]),
    ],
)
def test_units_of_other_periods(allowance, quantities, amounts):
    terms = usage(allowance=allowance)
    days = months(*quantities)
    assert [line[3] for line in told(terms, OPEN, days, "2026-05-01")] == amounts
    # month by month: what was billed before is not billed again, but still counts
    found, through = [], None
    for until in ("2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"):
        charged = facts(terms, *OPEN, through=through)._replace(usage=used(*days))
        lines, mark = draft_and_mark(charged, until=day(until))
        found += [str(line.amount) for line in lines]
        assert str(mark.billed_through) == until
        through = until
    assert found == amounts


def test_a_period_without_usage_moves_the_mark():
    charged = facts(usage(), *OPEN)
    assert draft_and_mark(charged, until=day("2026-03-01")) == (
        [],
        Mark(day("2026-03-01"), day("2026-04-01")),
    )


def test_usage_told_late_is_billed_by_difference():
    sums: dict[tuple, Billed] = {}
    bills = []
    for days in ([], ["2026-01-05 4"], ["2026-01-05 9"], ["2026-01-05 1"], []):
        charged = facts(usage(), *OPEN, billed=sums.values())._replace(usage=used(*days))
        bills.append(draft([charged], until=day("2026-02-01")))
        bill(sums, bills[-1])
    assert [rows(lines) for lines in bills] == [
        [],
        [("2026-01-01", "2026-02-01", "4.00")],
        [("2026-01-01", "2026-02-01", "5.00")],
        [("2026-01-01", "2026-02-01", "-8.00")],
        [("2026-01-01", "2026-02-01", "-1.00")],
    ]
    assert [lines[0].revision for lines in bills[1:]] == [1, 2, 3, 4]
    assert [lines[0].quantity for lines in bills[1:]] == [4, 9, 1, 0]


def test_late_usage_is_the_cause_of_what_it_changes():
    """A month that was billed, and one that had no line, are billed by difference as late."""
    sums: dict[tuple, Billed] = {}
    causes = []
    for days in (
        ["2026-01-05 4"],
        ["2026-01-05 9", "2026-02-05 2"],
        ["2026-01-05 1", "2026-02-05 2", "2026-03-05 3"],
    ):
        late, through = bool(sums), "2026-03-01" if sums else None
        charged = facts(usage(), *OPEN, billed=sums.values(), through=through)
        charged = charged._replace(usage=used(*days), late=late)
        until = "2026-04-01" if len(days) == 3 else "2026-03-01"
        lines = draft([charged], until=day(until))
        bill(sums, lines)
        causes.append([(str(x.full_period.start), x.revision, x.cause) for x in lines])
    assert causes == [
        [("2026-01-01", 1, "period")],
        [("2026-01-01", 2, "late_usage"), ("2026-02-01", 1, "late_usage")],
        [("2026-01-01", 3, "late_usage"), ("2026-03-01", 1, "period")],
    ]


def test_a_charge_that_changed_otherwise_is_not_late():
    sums: dict[tuple, Billed] = {}
    for late in (False, False):
        days = used("2026-01-05 9") if sums else used("2026-01-05 4")
        charged = facts(usage(), *OPEN, billed=sums.values())._replace(usage=days, late=late)
        lines = draft([charged], until=day("2026-02-01"))
        bill(sums, lines)
    assert [line.cause for line in lines] == ["change"]


def test_usage_after_the_end_is_not_charged_and_what_was_billed_comes_back():
    sums: dict[tuple, Billed] = {}
    days = used("2026-01-05 4", "2026-02-20 6")
    charged = facts(usage(), *OPEN, billed=())._replace(usage=days)
    bill(sums, draft([charged], until=day("2026-03-01")))
    ended = facts(usage(), "2026-01-01..2026-01-11", billed=sums.values())._replace(usage=days)
    lines, mark = draft_and_mark(ended, until=day("2026-03-02"))
    assert rows(lines) == [("2026-02-01", "2026-03-01", "-6.00")]
    assert mark == Mark(day("2026-01-11"), None)


def test_events_are_priced_one_by_one_across_days():
    terms = usage("10", model="percentage", event=EventRates(fee=Decimal(1), free_events=1))
    usage_of_days = (
        Used(day("2026-01-20"), Decimal(30), (Event(Decimal(10)), Event(Decimal(20)))),
        Used(day("2026-01-10"), Decimal(50), (Event(Decimal(50)),)),  # the first, so free
        Used(day("2026-01-30"), Decimal(40)),  # a day's total without its events is one
    )
    charged = facts(terms, *OPEN)._replace(usage=usage_of_days)
    (line,) = draft([charged], until=day("2026-02-01"))
    assert (line.quantity, line.amount) == (Decimal(120), Decimal("10.00"))  # 2 + 3 + 5


def test_calls():
    slot = Slot(0, Decimal("0.60"), 60, 30)
    terms = usage("0", model="rated", call=CallRates((Window(0, (slot,), Decimal("0.10")),)))
    calls = Used(day("2026-01-10"), Decimal(101), (Event(Decimal(61)), Event(Decimal(40))))
    charged = facts(terms, *OPEN)._replace(usage=(calls,))
    (line,) = draft([charged], until=day("2026-02-01"))
    assert line.amount == Decimal("1.70")  # 0.10 + 0.90, 0.10 + 0.60


def test_equal_charges_of_other_usage_do_not_share_answers():
    terms = usage()
    charged = [facts(terms, *OPEN, ref=n)._replace(usage=used(f"2026-01-05 {n}")) for n in (1, 2)]
    lines = draft(charged, until=day("2026-02-01"))
    assert [(line.ref, line.amount) for line in lines] == [(1, 1), (2, 2)]
