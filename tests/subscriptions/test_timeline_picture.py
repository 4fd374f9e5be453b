"""The pictures of subscriptions: lanes over time, and months before and after; pure."""

from datetime import date
from decimal import Decimal

import pytest

from subscriptions.rules.lanes import AHEAD, LABELS, PAD, WIDTH, Lane, Mark, Stretch, lay
from subscriptions.rules.months import HEIGHT, LEFT, RIGHT, draw
from subscriptions.rules.months import WIDTH as MONTHS_WIDTH

JAN, FEB, MAR, TODAY = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), date(2026, 2, 10)
LEFT_EDGE, RIGHT_EDGE = LABELS + PAD, WIDTH - PAD
D = Decimal


def a_lane(*stretches: Stretch, marks: tuple[Mark, ...] = ()) -> Lane:
    return Lane(1, "Line 30", stretches, marks)


def test_bars_meet_where_days_meet_and_what_is_open_reaches_the_edge() -> None:
    chart = lay(
        [a_lane(Stretch(JAN, MAR, "3", ""), Stretch(MAR, None, "7", "", "paused"))], today=TODAY
    )
    first, second = chart.rows[0].bars
    assert (first.x, first.x + first.width) == (LEFT_EDGE, second.x)
    assert (second.is_open, second.x + second.width) == (True, RIGHT_EDGE)
    assert LEFT_EDGE < chart.today_x < second.x
    assert chart.shown_x is None
    assert lay([a_lane(Stretch(JAN, None, "", ""))], today=TODAY, shown=MAR).shown_x is not None


def test_a_day_far_ahead_does_not_press_the_rest_together() -> None:
    far = date(2190, 1, 1)
    chart = lay([a_lane(Stretch(JAN, far, "", ""), marks=(Mark(far, "end", ""),))], today=TODAY)
    (bar,) = chart.rows[0].bars
    assert (bar.is_open, bar.x + bar.width) == (True, RIGHT_EDGE)
    assert chart.rows[0].signs[0].x == RIGHT_EDGE
    assert max(day for day, _x in chart.ticks) < TODAY + AHEAD * 2


@pytest.mark.parametrize("years", [0, 1, 5, 40, 160])
def test_the_axis_has_few_lines_whatever_it_spans(years: int) -> None:
    start = date(2026 - years, 1, 15)
    chart = lay([a_lane(Stretch(start, None, "", ""))], today=TODAY)
    assert 1 <= len(chart.ticks) <= 12
    places = [x for _day, x in chart.ticks]
    assert places == sorted(set(places))
    assert all(day.day == 1 for day, _x in chart.ticks)


def test_a_day_is_wide_enough_to_be_seen_and_says_what_fits() -> None:
    short, long = Stretch(JAN, date(2026, 1, 2), "one day", ""), Stretch(FEB, None, "x" * 500, "")
    chart = lay([a_lane(short, long)], today=date(2036, 1, 1))
    bars = chart.rows[0].bars
    assert bars[0].width == 3
    assert bars[0].label == ""
    assert bars[1].label.endswith("…")


def test_a_sign_pushes_the_words_of_its_bar_aside() -> None:
    lane = a_lane(
        Stretch(JAN, FEB, "3", ""), Stretch(FEB, None, "7", ""), marks=(Mark(FEB, "changed", ""),)
    )
    first, second = lay([lane], today=TODAY).rows[0].bars
    assert (first.text_x - first.x, second.text_x - second.x) == (6, 12)


def test_months_before_and_after() -> None:
    steps = draw([(JAN, D(30), D(30)), (FEB, D(30), D("63.93")), (MAR, D(30), D(50))])
    assert steps is not None
    assert [f"{amount:f}" for amount, _y in steps.scale] == ["0", "25", "50", "75"]
    assert steps.scale[0][1] == steps.foot
    assert steps.before.startswith(f"M{LEFT} ")
    assert steps.before.endswith(f"H{MONTHS_WIDTH - RIGHT}")
    assert steps.after.count("V") == 3
    assert [month for month, _x in steps.labels] == [JAN]


@pytest.mark.parametrize(
    "amounts", [("0", "0"), ("0.004", "0"), ("-20.36", "0"), ("-5", "1e9"), ("1e12", "3")]
)
def test_months_of_any_size_stay_inside(amounts: tuple[str, str]) -> None:
    steps = draw([(JAN, D(amounts[0]), D(amounts[1]))])
    assert steps is not None
    assert 1 <= len(steps.scale) <= 6
    assert all(0 <= y <= HEIGHT for _amount, y in steps.scale)
    assert steps.scale[0][0] <= min(map(D, amounts))
    assert steps.scale[-1][0] >= max(map(D, amounts))


def test_no_month_no_picture() -> None:
    assert draw([]) is None
