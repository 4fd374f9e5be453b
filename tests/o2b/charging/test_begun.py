"""Who goes on with a period that was paid whole, and from which units on."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.charging import ChargeFacts, Segment, compile_charge, draft
from o2b.charging.begun import Begun, Carried, Had, begun_by, carried
from o2b.periods import FOREVER, Period
from tests.o2b.charging.build import charge

D = Decimal
HALF = D("0.5")
JAN, TENTH, TWENTIETH, FEB = (date(2026, *day) for day in ((1, 1), (1, 10), (1, 20), (2, 1)))


def had(
    charge: str, start: date, end: date, *, whole: bool = True, in_use: bool = True
) -> Had[str]:
    return Had(charge, ord(charge), Period(start, end), D(1), whole, in_use)


def test_each_charge_is_told_the_days_of_the_others() -> None:
    found = begun_by([[had("a", JAN, TENTH), had("b", TENTH, FOREVER, whole=False)]])
    assert found == {"b": (Begun(Period(JAN, TENTH), D(1), True),)}


def test_where_nothing_is_paid_whole_nobody_needs_to_know() -> None:
    days = [had("a", JAN, TENTH, whole=False), had("b", TENTH, FOREVER, whole=False)]
    assert begun_by([days]) == {}


def test_a_holding_fee_neither_begins_nor_goes_on() -> None:
    days = [
        had("a", JAN, TENTH),
        had("f", TENTH, TWENTIETH, in_use=False),
        had("b", TWENTIETH, FOREVER),
    ]
    assert set(begun_by([days])) == {"a", "b"}


def test_the_others_are_told_how_much_was_there() -> None:
    half = had("a", JAN, TENTH)._replace(delivered=HALF)
    found = begun_by([[half, had("a", TENTH, TWENTIETH), had("b", TWENTIETH, FOREVER)]])
    assert found["b"] == (
        Begun(Period(JAN, TENTH), D(1), True, HALF),
        Begun(Period(TENTH, TWENTIETH), D(1), True),
    )


SINCE_JAN = Period(JAN, TWENTIETH)
CASES = [
    # days before as (start, end, units, whole), what is carried to the 20th
    ("nothing before", [], None),
    ("before the period", [(date(2025, 12, 1), JAN, 2, True)], None),
    ("paid whole", [(JAN, TWENTIETH, 2, True)], Carried(SINCE_JAN, ((D(2), D(1)),))),
    ("since last year", [(date(2025, 5, 1), TENTH, 2, True)], Carried(SINCE_JAN, ((D(2), D(1)),))),
    ("by the day", [(JAN, TWENTIETH, 2, False)], None),
    (
        "more units later",
        [(JAN, TENTH, 2, True), (TENTH, TWENTIETH, 5, True)],
        Carried(SINCE_JAN, ((D(5), D(1)),)),
    ),
    (
        "more units later, by the day",
        [(JAN, TENTH, 2, True), (TENTH, TWENTIETH, 5, False)],
        Carried(SINCE_JAN, ((D(2), D(1)),)),
    ),
    (
        "whole later",
        [(JAN, TENTH, 9, False), (TENTH, TWENTIETH, 2, True)],
        Carried(Period(TENTH, TWENTIETH), ((D(2), D(1)),)),
    ),
    ("only afterwards", [(TWENTIETH, FEB, 2, True)], None),
]


@pytest.mark.parametrize(("days", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_carried(days: list[tuple[date, date, int, bool]], wanted: object) -> None:
    begun = [Begun(Period(start, end), D(units), whole) for start, end, units, whole in days]
    assert carried(begun, start=JAN, end=TWENTIETH) == wanted


DELIVERED = [
    # days before as (start, end, how much was there, whole), the most until the 20th
    ("half", [(JAN, TWENTIETH, "0.5", True)], "0.5"),
    ("half, then all", [(JAN, TENTH, "0.5", True), (TENTH, TWENTIETH, "1", True)], "1"),
    (
        "half, then more by the day",
        [(JAN, TENTH, "0.5", True), (TENTH, FEB, "0.75", False)],
        "0.5",
    ),
    ("all afterwards", [(JAN, TWENTIETH, "0.5", True), (TWENTIETH, FEB, "1", True)], "0.5"),
    ("all before it was whole", [(JAN, TENTH, "1", False), (TENTH, FEB, "0.5", True)], "0.5"),
    ("all before", [(date(2025, 12, 1), JAN, "1", True), (JAN, FEB, "0.5", True)], "0.5"),
]


@pytest.mark.parametrize(
    ("days", "most"), [c[1:] for c in DELIVERED], ids=[c[0] for c in DELIVERED]
)
def test_how_much_is_carried(days: list[tuple[date, date, str, bool]], most: str) -> None:
    begun = [Begun(Period(start, end), D(2), whole, D(part)) for start, end, part, whole in days]
    piece = carried(begun, start=JAN, end=TWENTIETH)
    assert piece is not None
    assert piece.there == ((2, D(most)),)


def test_half_of_four_and_then_all_of_two_are_carried_as_either() -> None:
    begun = [
        Begun(Period(JAN, TENTH), D(4), True, HALF),
        Begun(Period(TENTH, TWENTIETH), D(2), True),
    ]
    assert carried(begun, start=JAN, end=TWENTIETH) == Carried(
        SINCE_JAN, ((D(4), HALF), (D(2), D(1)))
    )


HALF_OF_TWO = (Begun(Period(JAN, TENTH), D(2), True, HALF),)
GOES_ON = [
    # proration, quantity and how much is there from the 10th and from the 20th on, amounts
    ("full", (2, "0.5"), (2, "1"), [("20", "32.00")]),
    ("full", (2, "0.5"), (4, "0.5"), [("20", "32.00")]),
    ("full", (2, "0.5"), (4, "1"), [("20", "96.00")]),
    ("full", (2, "1"), (2, "1"), [("10", "32.00")]),
    ("full", (2, "0.5"), (2, "0.5"), []),
    ("none", (2, "0.5"), (2, "1"), []),
    # By the day, what is more than one at 32.00: ten days of it, twelve days.
    ("day", (2, "0.5"), (2, "1"), [("20", "12.39")]),
    ("day", (2, "0.5"), (4, "0.5"), [("20", "12.39")]),
    ("day", (2, "0.5"), (1, "1"), []),
    ("day", (2, "1"), (4, "1"), [("10", "10.32"), ("20", "37.16")]),
]


@pytest.mark.parametrize(("proration", "tenth", "twentieth", "wanted"), GOES_ON)
def test_more_than_was_there_is_paid_at_the_price_it_came_under(
    proration: str, tenth: tuple[int, str], twentieth: tuple[int, str], wanted: object
) -> None:
    segments = tuple(
        Segment(Period(*days), D(units), delivered=D(part))
        for days, (units, part) in (((TENTH, TWENTIETH), tenth), ((TWENTIETH, FEB), twentieth))
    )
    terms = compile_charge(charge("32.00", proration=proration))
    facts = ChargeFacts(1, terms, JAN, 1, segments, None, begun=HALF_OF_TWO)
    lines = draft([facts], until=TENTH)
    found = [(f"{each.period.start.day}", f"{each.amount:.2f}") for each in lines]
    assert found == wanted
