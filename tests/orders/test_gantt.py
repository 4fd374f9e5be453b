"""A schedule as a picture: where bars stand, what has passed of them, and the ticks of the axis."""

from datetime import UTC, datetime, timedelta

import pytest

from orders.rules.gantt import Row, lay

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LEFT, RIGHT = 260, 1036  # of the axis


def after(**given: float) -> datetime:
    return NOW + timedelta(**given)


def a_row(begin: float, end: float, **given: object) -> Row:
    """From so many hours from now on to so many."""
    return Row(1, "Install", after(hours=begin), after(hours=end), **given)  # type: ignore[arg-type]


def drawn(*rows: Row, promised: float | None = None) -> list[tuple[int, int, int, int]]:
    chart = lay(
        rows,
        now=NOW,
        promised_at=None if promised is None else after(hours=promised),
        zone="UTC",
    )
    return [(bar.y, bar.x, bar.passed, bar.ahead) for bar in chart.bars]


def test_bars_over_one_axis():
    """776 pixels are 97 hours: 8 an hour."""
    assert drawn(a_row(-48.5, -24.25, is_over=True), a_row(-24.25, 24.25), a_row(24.25, 48.5)) == [
        (30, LEFT, 194, 0),
        (56, LEFT + 194, 194, 194),
        (82, LEFT + 582, 0, 194),
    ]


def test_what_takes_no_time_is_seen_all_the_same():
    assert drawn(a_row(-10, -10, is_over=True), a_row(10, 10)) == [
        (30, LEFT, 4, 0),
        (56, RIGHT, 0, 4),
    ]


def test_today_and_the_promise_are_on_the_axis():
    chart = lay([a_row(0, 10)], now=NOW, promised_at=after(hours=20), zone="UTC")
    assert (chart.now_x, chart.promised_x) == (LEFT, RIGHT)
    assert chart.bars[0].ahead == (RIGHT - LEFT) // 2
    assert lay([a_row(0, 10)], now=NOW, promised_at=None, zone="UTC").promised_x is None


def test_one_moment_is_no_division_by_zero():
    assert drawn(a_row(0, 0)) == [(30, LEFT, 0, 4)]
    assert drawn() == []


@pytest.mark.parametrize(
    ("hours", "first", "step", "is_hour"),
    [
        (6, after(), timedelta(hours=1), True),
        (20, after(), timedelta(hours=3), True),
        (40, after(), timedelta(hours=6), True),
        (24 * 6, after(hours=12), timedelta(days=1), False),
        (24 * 60, after(days=6, hours=12), timedelta(days=7), False),
        (24 * 4000, after(days=1824, hours=12), timedelta(days=1825), False),
    ],
)
def test_ticks_are_whole_hours_or_days_and_few(hours, first, step, is_hour):
    chart = lay([a_row(0, hours)], now=NOW, promised_at=None, zone="UTC")
    assert (chart.ticks[0].at, chart.ticks[0].is_hour) == (first, is_hour)
    assert {b.at - a.at for a, b in zip(chart.ticks, chart.ticks[1:], strict=False)} <= {step}
    assert 0 < len(chart.ticks) <= 10


def test_midnights_are_those_of_the_account():
    chart = lay([a_row(0, 24 * 6)], now=NOW, promised_at=None, zone="Asia/Kathmandu")
    assert chart.ticks[0].at.isoformat() == "2026-11-27T00:00:00+05:45"


def test_long_names_are_cut():
    chart = lay(
        [Row(1, "x" * 40, NOW, NOW), Row(2, "x" * 40, NOW, NOW, is_head=True)],
        now=NOW,
        promised_at=None,
        zone="UTC",
    )
    assert [(len(bar.label), bar.label_x) for bar in chart.bars] == [(28, 18), (30, 6)]
