"""The critical path: forecasts, slack, what decides; more to wait on is never sooner."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.rules.jeopardy import of_promise, worst
from orders.rules.path import Step, foresee
from orders.rules.worktime import Calendar, standard_hours

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)  # a Thursday
OFFICE = Calendar.of(standard_hours())


def after(**given: float) -> datetime:
    return NOW + timedelta(**given)


def test_the_longest_way_decides():
    """a → b → d, a → c → d; c takes an hour less than b and so has an hour of slack."""
    path = foresee(
        [
            Step(1, (), 60),
            Step(2, (1,), 120),
            Step(3, (1,), 60),
            Step(4, (2, 3), 30),
        ],
        now=NOW,
    )
    assert path.ends_at == after(minutes=210)
    assert path.critical == {1, 2, 4}
    spans = {key: (each.begins_at, each.ends_at, each.slack) for key, each in path.times.items()}
    assert spans == {
        1: (NOW, after(minutes=60), 0),
        2: (after(minutes=60), after(minutes=180), 0),
        3: (after(minutes=60), after(minutes=120), 60),
        4: (after(minutes=180), after(minutes=210), 0),
    }


def test_slack_is_shared_along_a_way():
    path = foresee(
        [Step(1, (), 10), Step(2, (1,), 10), Step(3, (), 100), Step(4, (2, 3), 5)], now=NOW
    )
    assert {key: each.slack for key, each in path.times.items()} == {1: 80, 2: 80, 3: 0, 4: 0}


def test_what_is_done_is_where_it_was_and_never_critical():
    done = Step(1, (), 60, began_at=after(hours=-3), ended_at=after(hours=-1))
    path = foresee([done, Step(2, (1,), 60)], now=NOW)
    assert (path.times[1].begins_at, path.times[1].ends_at) == (after(hours=-3), after(hours=-1))
    assert path.times[1].is_over
    assert path.critical == {2}
    assert path.ends_at == after(hours=1)


@pytest.mark.parametrize(("due", "ends"), [(3, 3), (-3, 0)])
def test_what_is_under_way_ends_as_usual_but_not_before_now(due, ends):
    step = Step(1, (), 240, began_at=after(hours=-1), due_at=after(hours=due))
    times = foresee([step], now=NOW).times[1]
    assert (times.begins_at, times.ends_at) == (after(hours=-1), after(hours=ends))


def test_what_may_not_begin_yet():
    path = foresee([Step(1, (), 60, not_before=after(days=7)), Step(2, (1,), 60)], now=NOW)
    assert path.ends_at == after(days=7, hours=2)
    waits = Step(1, (), 60, due_at=NOW, not_before=after(days=2))
    assert foresee([waits], now=NOW).ends_at == after(days=2)


def test_each_step_keeps_the_hours_of_its_queue():
    """8 hours in the office from Thursday noon, then a machine over night, then the office."""
    path = foresee(
        [
            Step(1, (), 8 * 60, OFFICE),
            Step(2, (1,), 60),
            Step(3, (2,), 60, OFFICE),
            Step(4, (1,), 60, OFFICE),
        ],
        now=NOW,
    )
    assert path.times[1].ends_at == datetime(2026, 11, 27, 11, tzinfo=UTC)
    assert path.ends_at == datetime(2026, 11, 27, 13, tzinfo=UTC)
    assert path.times[4].slack == 60
    assert path.critical == {1, 2, 3}


def test_a_weekend_is_no_slack():
    """Friday 17:00 and Monday 8:00 are the same moment for whoever works in the office."""
    friday = datetime(2026, 11, 27, 16, tzinfo=UTC)
    path = foresee(
        [Step(1, (), 60, OFFICE), Step(2, (), 24 * 60), Step(3, (1, 2), 60, OFFICE)], now=friday
    )
    assert path.ends_at == datetime(2026, 11, 30, 9, tzinfo=UTC)
    assert path.critical == {1, 2, 3}


def test_nothing_to_do_and_steps_that_are_not_there():
    assert foresee([], now=NOW).ends_at is None
    assert foresee([Step(1, (99,), 5)], now=NOW).ends_at == after(minutes=5)


def test_steps_that_wait_on_each_other_never_begin():
    path = foresee([Step(1, (2,), 5), Step(2, (1,), 5), Step(3, (), 5)], now=NOW)
    assert set(path.times) == {3}


@pytest.mark.parametrize(
    ("forecast", "promise", "then", "level"),
    [
        (5, 10, 0, "green"),
        (8, 10, 0, "green"),
        (8.1, 10, 0, "amber"),
        (9.9, 10, 0, "amber"),
        (10, 10, 0, "red"),
        (11, 10, 0, "red"),
        (9.9, 10, None, "green"),  # nobody knows what the slack was
        (9, 10, 12, "green"),  # promised against the forecast, and now it fits
        (-1, 10, 0, "green"),
    ],
)
def test_a_promise_in_danger(forecast, promise, then, level):
    found = of_promise(
        forecast_at=after(hours=forecast),
        promise_ends_at=after(hours=promise),
        when_promised=None if then is None else after(hours=then),
    )
    assert found == level


def test_the_worst_of_many():
    assert worst([]) == "green"
    assert worst(["green", "red", "amber"]) == "red"


# laws

# A busy machine is no fault of the law.
at_leisure = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def plans(draw: st.DrawFn) -> list[Step]:
    """Steps that wait on some before them; some done, some under way, in office hours or always."""
    steps: list[Step] = []
    for key in range(draw(st.integers(1, 12))):
        earlier = st.sampled_from(range(key)) if key else st.nothing()
        said: dict[str, Any] = {
            "key": key,
            "after": tuple(draw(st.sets(earlier, max_size=3))) if key else (),
            "minutes": draw(st.integers(0, 3000)),
            "calendar": draw(st.sampled_from([OFFICE, Calendar(week=(((0, 1440),),) * 7)])),
        }
        begun = all(steps[before].ended_at for before in said["after"])
        if begun and draw(st.booleans()):
            moment = after(minutes=draw(st.integers(-5000, 0)))
            if draw(st.booleans()):
                said["ended_at"] = moment
            else:
                said["due_at"] = moment + timedelta(minutes=said["minutes"])
        steps.append(Step(**said))
    return steps


@at_leisure
@given(plans())
def test_laws_of_a_forecast(plan):
    """Nothing open ends before now or begins before what it waits on; somebody is critical."""
    path = foresee(plan, now=NOW)
    assert set(path.times) == {step.key for step in plan}
    for step in plan:
        times = path.times[step.key]
        assert times.slack >= 0
        if times.is_over:
            continue
        assert times.ends_at >= NOW
        if step.due_at is None:
            assert all(path.times[before].ends_at <= times.begins_at for before in step.after)
    if any(step.ended_at is None for step in plan):
        assert path.ends_at is not None
        assert path.ends_at >= NOW
        assert path.critical


@at_leisure
@given(plans(), st.data())
def test_one_more_thing_to_wait_on_is_never_sooner(plan, data):
    open_steps = [step for step in plan if step.ended_at is None and step.due_at is None]
    if not open_steps:
        return
    later = data.draw(st.sampled_from(open_steps))
    if not later.key:
        return
    earlier = data.draw(st.sampled_from(range(later.key)))
    more = [
        Step(s.key, (*s.after, earlier), s.minutes, s.calendar) if s is later else s for s in plan
    ]
    before, afterwards = foresee(plan, now=NOW).ends_at, foresee(more, now=NOW).ends_at
    assert before is not None
    assert afterwards is not None
    assert afterwards >= before


@at_leisure
@given(plans())
def test_a_critical_step_that_takes_longer_makes_the_whole_longer(plan):
    always = [Step(s.key, s.after, s.minutes, ended_at=s.ended_at, due_at=s.due_at) for s in plan]
    path = foresee(always, now=NOW)
    for step in always:
        if step.ended_at is not None or step.due_at is not None:
            continue
        slower = [
            Step(s.key, s.after, s.minutes + path.times[s.key].slack + 1) if s is step else s
            for s in always
        ]
        assert path.ends_at is not None
        assert foresee(slower, now=NOW).ends_at == path.ends_at + timedelta(minutes=1)
