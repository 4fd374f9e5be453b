"""The statement of a pool by itself: it ends with what is left, whatever came in and was drawn."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from o2b.charging.pooling import Lot, Use, draw
from subscriptions.pools.movements import What, movements_of
from subscriptions.pools.pace import pace_of
from subscriptions.pools.picture import picture_of
from subscriptions.pools.rules import Drawer, Draws

FIRST = date(2026, 1, 1)


def day(n: int) -> date:
    return FIRST + timedelta(days=n)


def drawers(n: int) -> list[Drawer]:
    facts: Any = None
    return [Drawer((number, 1, "minutes"), facts, Draws(own=1)) for number in range(n)]


def test_each_movement_says_what_is_left_after_it() -> None:
    lots = [
        Lot("plan", Decimal(100), day(0), day(31), rollover=Decimal(30), lives=(day(59),)),
        Lot("gift", Decimal(20), day(10), priority=5),
    ]
    (one, other) = drawers(2)
    uses = [Use(day(12), 0, one.ref, Decimal(50)), Use(day(40), 1, other.ref, Decimal(45))]
    drawing = draw(lots, uses, on=day(45))
    told = [
        (each.day, str(each.what), each.units, each.left)
        for each in movements_of(lots, drawing, [one, other], on=day(45))
    ]
    assert told == [
        (day(0), "came_in", 100, 100),
        (day(10), "came_in", 20, 120),
        (day(12), "drawn", -20, 100),
        (day(12), "drawn", -30, 70),
        (day(31), "rolled_over", 30, 70),
        (day(31), "lapsed", -40, 30),
        (day(40), "drawn", -30, 0),
        (day(40), "uncovered", 15, 0),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_it_ends_with_what_is_left(seed: int) -> None:
    rng = random.Random(seed)
    lots = []
    for n in range(8):
        begins, length = rng.randrange(60), rng.randrange(1, 40)
        lives = (day(begins + length + 20),) if rng.random() < 0.5 else ()
        lots.append(
            Lot(
                f"l{n}",
                Decimal(rng.randrange(1, 100)),
                day(begins),
                day(begins + length),
                priority=rng.choice([5, 100]),
                rollover=Decimal(10) if lives else None,
                lives=lives,
            )
        )
    who = drawers(3)
    uses = [
        Use(day(rng.randrange(70)), order, who[order].ref, Decimal(rng.randrange(1, 30)))
        for order in (rng.randrange(3) for _ in range(40))
    ]
    on = day(rng.randrange(30, 70))
    drawing = draw(lots, uses, on=on)
    moves = movements_of(lots, drawing, who, on=on)
    assert [each.number for each in moves] == list(range(1, len(moves) + 1))
    assert [each.day for each in moves] == sorted(each.day for each in moves)
    assert all(each.left >= 0 for each in moves)
    assert (moves[-1].left if moves else 0) == drawing.left
    beyond = sum(each.units for each in moves if each.what == What.UNCOVERED)
    assert beyond == sum(use.units for use in drawing.uncovered)


def test_the_picture_parts_what_was_covered_from_what_was_not() -> None:
    lots = [Lot("plan", Decimal(30), day(0))]
    (one,) = drawers(1)
    uses = [Use(day(n), 0, one.ref, Decimal(20)) for n in (0, 1, 2)]
    pace = pace_of(draw(lots, uses, on=day(3)), day(3))
    assert (pace.drawn, pace.uncovered, pace.a_day) == (30, 30, 15)
    picture = picture_of(pace, day(20))
    assert picture is not None
    whole = picture.bars[0].bar.height
    assert [each.beyond for each in picture.bars] == [0, whole // 2, whole, 0]
    assert picture.empty_x is not None
    assert picture.frame.left < picture.empty_x < picture.frame.right
    later = picture_of(pace, day(40))
    assert later is not None
    assert later.empty_x is None
    assert picture_of(pace_of(draw([], [], on=day(3)), day(3)), None) is None
