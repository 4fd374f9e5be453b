"""Days pass: what should happen on each day happens on it, in order; what fails stops the clock."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b import events, fsm
from o2b.clocks import services
from o2b.clocks.checks import daily_work_is_real_work, no_work_of_beat_is_forgotten
from o2b.clocks.models import ClockStep
from o2b.clocks.services import days as days_module
from o2b.errors import Refused
from o2b.models import Event, Outbox, TestClock
from orders.models import Complaint, OrderLine
from quotes.models import Quote
from tests.factories import NOON, a_product, a_quote, a_sent_quote, an_account
from tests.o2b.clocks.build import a_clock, a_clocked_account, names, written
from tests.orders.build import entered
from tests.orders.careful import a_complaint

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shows(clock_id: int | None) -> datetime:
    return TestClock.objects.get(pk=clock_id).now


def test_the_life_of_a_step():
    assert fsm.law(ClockStep) == {
        ("running", "fail", "failed"),
        ("running", "go_on", "running"),
        ("failed", "go_on", "running"),
        ("running", "stop", "stopped"),
        ("failed", "stop", "stopped"),
        ("running", "finish", "done"),
    }


def test_each_thing_happens_on_its_day():
    account, step = a_clocked_account(at("2026-02-01T12:00")), {"kind": "automatic"}
    clock = account.test_clock_id
    for day in (5, 3, 9):
        entered(account, a_product(), work_from=date(2026, 2, day), at=at("2026-02-01T12:00"))
    waits = [step | {"key": "w", "name": "W", "handler": "wait", "parameters": {"days": 4}}]
    entered(account, a_product(tasks=waits), at=at("2026-02-01T12:00"))
    quote = a_sent_quote(account=account, at=at("2026-02-01T12:00"), valid_until=date(2026, 2, 6))
    done = services.step(clock_id=clock, to=at("2026-02-12T12:00"))
    assert (done.state, done.days, done.days_done) == ("done", 11, 11)
    assert done.lived_until == shows(clock) == at("2026-02-12T12:00")
    lines = OrderLine.objects.order_by("completed_at")
    assert [line.completed_at for line in lines] == [
        at(f"2026-02-0{day}T12:00") for day in (3, 5, 5, 9)
    ]
    expired = Event.objects.get(name="quote.expired")
    assert (expired.subject_id, expired.at) == (quote.pk, at("2026-02-07T12:00"))
    assert not Outbox.objects.filter(account_id=account.pk).exists()
    moments = list(Event.objects.filter(account_id=account.pk).order_by("id").values_list("at"))
    assert moments == sorted(moments)


def test_what_is_owed_today_is_done_before_tomorrow():
    account = a_clocked_account()
    entered(account, a_product())
    assert Outbox.objects.filter(account_id=account.pk).exists()
    done = services.step(clock_id=account.test_clock_id, days=1)
    assert OrderLine.objects.get().completed_at == NOON
    assert done.reactions > 0


def test_a_complaint_becomes_overdue_on_its_day():
    complaint = a_complaint()
    clock = complaint.account.test_clock_id
    services.step(clock_id=clock, days=10)
    complaint = Complaint.objects.get()
    assert complaint.warned_at is not None
    assert complaint.due_at <= complaint.warned_at < complaint.due_at + DAY


@pytest.mark.parametrize(
    ("zone", "eve", "short_day"),
    [
        ("Europe/Berlin", "2026-03-28T22:30", date(2026, 3, 29)),
        ("America/New_York", "2026-03-08T04:30", date(2026, 3, 8)),
        ("Pacific/Auckland", "2026-09-26T11:30", date(2026, 9, 27)),
    ],
)
def test_work_of_a_day_of_23_hours_is_done_on_it(zone, eve, short_day):
    account = a_clocked_account(at(eve), time_zone=zone)
    entered(account, a_product(), work_from=short_day, at=at(eve))
    done = services.step(clock_id=account.test_clock_id, days=2)
    assert (done.days, done.days_done) == (2, 2)
    assert shows(account.test_clock_id) == at(eve) + 2 * DAY
    assert OrderLine.objects.get().delivered_on == short_day


def test_by_a_month_of_the_calendar():
    clock = a_clock(at("2026-01-31T12:00"))
    services.step(clock_id=clock.pk, months=1)
    assert shows(clock.pk) == at("2026-02-28T12:00")


def test_other_clocks_and_real_accounts_keep_their_time():
    account, other, real = a_clocked_account(), a_clocked_account(), an_account()
    later = (NOON + 5 * DAY).date()
    theirs = [entered(each, a_product(), work_from=later) for each in (other, account)]
    ahead = date(2100, 1, 1)
    waits = entered(real, a_product(), work_from=ahead)
    services.step(clock_id=account.test_clock_id, days=9)
    states = dict(OrderLine.objects.values_list("order", "state"))
    assert [states[order.pk] for order in (*theirs, waits)] == ["accepted", "completed", "accepted"]
    assert shows(other.test_clock_id) == NOON


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"to": NOON - DAY}, "clock_set_back", "to"),
    ({"to": NOON - timedelta(microseconds=1)}, "clock_set_back", "to"),
    ({"to": NOON}, "clock_set_back", "to"),
    ({"days": 0}, "clock_set_back", "days"),
    ({"days": -1}, "clock_set_back", "days"),
    ({"months": -1}, "clock_set_back", "months"),
    ({"days": 1101}, "clock_step_too_long", "days"),
    ({"days": 10**12}, "clock_step_too_long", "days"),
    ({"months": 37}, "clock_step_too_long", "months"),
    ({"months": 10**12}, "clock_step_too_long", "months"),
    ({"to": NOON + 1101 * DAY}, "clock_step_too_long", "to"),
    ({"to": datetime(9999, 12, 31, 23, 59, tzinfo=UTC)}, "clock_step_too_long", "to"),
]


@pytest.mark.parametrize(("how", "code", "field"), BAD)
@pytest.mark.parametrize("verb", [services.step, services.ask_step])
def test_a_clock_is_not_set_back_nor_too_far(verb, how, code, field):
    clock = a_clock()
    before = written()
    with pytest.raises(Refused) as refusal:
        verb(clock_id=clock.pk, **how)
    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert refusal.value.field == field
    assert written() == before


def test_time_ends_in_2199():
    clock = a_clock(at("2199-12-30T12:00"))
    services.step(clock_id=clock.pk, days=1)
    before = written()
    with pytest.raises(services.StepTooLong):
        services.step(clock_id=clock.pk, days=1)
    assert written() == before


def test_a_step_that_is_asked_is_lived_by_workers(drain):
    account = a_clocked_account()
    asked = services.ask_step(clock_id=account.test_clock_id, days=3)
    assert (asked.state, shows(account.test_clock_id)) == ("running", NOON)
    drain()
    asked.refresh_from_db()
    assert (asked.state, asked.days_done) == ("done", 3)
    assert shows(account.test_clock_id) == NOON + 3 * DAY
    assert names(subject_type="clocks.clockstep") == [
        "test_clock.step_asked",
        "test_clock.step_done",
    ]


def test_a_message_lives_for_some_time_and_owes_the_rest():
    account = a_clocked_account()
    asked = services.ask_step(clock_id=account.test_clock_id, days=3)
    for lived in (NOON, NOON + DAY, NOON + 2 * DAY, NOON + 3 * DAY):
        row = Outbox.objects.get()
        assert (row.task, row.key) == ("clocks.live_days", asked.pk)
        services.go_on(step_id=asked.pk, owed=[row.pk], seconds=0)
        asked.refresh_from_db()
        assert asked.lived_until == shows(account.test_clock_id) == lived
    assert asked.state == "done"
    assert not Outbox.objects.exists()


def test_a_message_that_comes_twice_does_nothing():
    account = a_clocked_account()
    asked = services.ask_step(clock_id=account.test_clock_id, days=1)
    services.go_on(step_id=asked.pk, owed=[Outbox.objects.get().pk])
    before = written()
    services.go_on(step_id=asked.pk, owed=[])
    assert written() == before


def test_one_step_at_a_time():
    account = a_clocked_account()
    services.ask_step(clock_id=account.test_clock_id, days=1)
    before = written()
    for verb in (services.step, services.ask_step):
        with pytest.raises(services.ClockMoving):
            verb(clock_id=account.test_clock_id, days=1)
    assert written() == before


@pytest.fixture
def broken(monkeypatch) -> dict[str, Exception]:
    """Reactions and work that fail while they stand here, by the name of their task."""
    faults: dict[str, Exception] = {}

    def fails(name: str, task: Any) -> Any:
        def call(**given: Any) -> Any:
            if name in faults:
                raise faults[name]
            return task(**given)

        return call

    tasks = {name: fails(name, task) for name, task in current_app.tasks.items()}
    monkeypatch.setattr(days_module, "current_app", type("App", (), {"tasks": tasks}))
    monkeypatch.setattr(days_module, "LOOK_SECONDS", 0)
    return faults


def test_a_reaction_that_keeps_failing_stops_the_clock(broken):
    account = a_clocked_account()
    order = entered(account, a_product(), work_from=(NOON + 2 * DAY).date())
    services.step(clock_id=account.test_clock_id, days=1)
    broken["orders.advance_order"] = ValueError("the plan is torn")
    failed = services.step(clock_id=account.test_clock_id, days=5)
    assert failed.state == "failed"
    assert failed.error == (
        f"orders.advance_order({order.pk}) for order.woken failed 5 times: "
        "ValueError: the plan is torn"
    )
    assert shows(account.test_clock_id) == NOON + 2 * DAY
    assert failed.lived_until == NOON + DAY
    before = written()
    with pytest.raises(services.ClockStepFailed) as refusal:
        services.step(clock_id=account.test_clock_id, days=1)
    assert refusal.value.extra == {"error": failed.error}
    assert written() == before
    del broken["orders.advance_order"]
    resumed = services.resume_step(clock_id=account.test_clock_id)
    assert (resumed.state, resumed.error) == ("running", "")
    done = services.live(step_id=resumed.pk)
    assert (done.state, done.days_done) == ("done", 5)
    assert OrderLine.objects.get().completed_at == NOON + 2 * DAY


def test_work_that_fails_stops_the_clock(broken):
    account = a_clocked_account()
    broken["quotes.expire_quotes"] = RuntimeError("no\0pe")
    failed = services.step(clock_id=account.test_clock_id, days=5)
    assert (failed.state, failed.error) == ("failed", "quotes.expire_quotes: RuntimeError: nope")
    assert shows(account.test_clock_id) == NOON
    stopped = services.stop_step(clock_id=account.test_clock_id)
    assert stopped.state == "stopped"
    del broken["quotes.expire_quotes"]
    assert services.step(clock_id=account.test_clock_id, days=1).state == "done"


def test_what_another_process_is_at_is_waited_for(broken):
    account = a_clocked_account()
    entered(account, a_product())
    Outbox.objects.update(leased_until=datetime(2100, 1, 1, tzinfo=UTC))
    oldest = Outbox.objects.order_by("pk")[0]
    with pytest.raises(services.DayFailed, match="still owed") as failure:
        services.settle(clock_id=account.test_clock_id, patience_seconds=0.02)
    assert str(oldest) in str(failure.value)
    assert OrderLine.objects.get().state == "scheduled"


def test_a_stopped_step_goes_no_further():
    account = a_clocked_account()
    asked = services.ask_step(clock_id=account.test_clock_id, days=3)
    services.live(step_id=asked.pk, seconds=0)
    services.stop_step(clock_id=account.test_clock_id)
    events.drain()
    asked.refresh_from_db()
    assert (asked.state, asked.days_done) == ("stopped", 0)
    assert shows(account.test_clock_id) == NOON
    before = written()
    for verb in (services.stop_step, services.resume_step):
        with pytest.raises(services.StepNotOpen):
            verb(clock_id=account.test_clock_id)
    assert written() == before


def test_a_day_that_was_begun_is_lived_before_the_next():
    """As after kill -9: the clock was set, and its work was not done."""
    account = a_clocked_account()
    entered(account, a_product(), work_from=(NOON + DAY).date())
    asked = services.ask_step(clock_id=account.test_clock_id, days=3)
    services.live(step_id=asked.pk, seconds=0)
    TestClock.objects.update(now=NOON + DAY)
    events.drain()
    assert OrderLine.objects.get().completed_at == NOON + DAY
    asked.refresh_from_db()
    assert (asked.state, asked.lived_until) == ("done", NOON + 3 * DAY)


def test_work_by_the_clock_stands_aside_while_a_day_is_lived():
    quote = a_sent_quote(at=NOON, valid_until=NOON.date())
    expire = current_app.tasks["quotes.expire_quotes"]
    other = connection.copy()
    try:
        with other.cursor() as cursor:  # another process lives a day
            cursor.execute("SELECT pg_advisory_lock(%s)", [0x0B2D])
            assert expire() == 0
            cursor.execute("SELECT pg_advisory_unlock(%s)", [0x0B2D])
    finally:
        other.close()
    assert Quote.objects.get().state == "sent"
    assert expire() == 1
    quote.refresh_from_db()
    assert quote.state == "expired"


def test_no_day_begins_while_other_work_goes_on(monkeypatch):
    monkeypatch.setattr("o2b.clocks.services.stepping.ALONE_WITHIN", 0.01)
    account = a_clocked_account()
    asked = services.ask_step(clock_id=account.test_clock_id, days=1)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock_shared(%s)", [0x0B2D])
            before = written()
            with pytest.raises(services.HouseBusy):
                services.live(step_id=asked.pk)
            assert written() == before
    finally:
        other.close()
    assert services.live(step_id=asked.pk).state == "done"


def test_all_of_beats_work_is_named():
    assert daily_work_is_real_work(None) == []
    assert no_work_of_beat_is_forgotten(None) == []


def test_the_check_finds_what_is_forgotten_or_not_there(settings):
    settings.O2B_DAILY_WORK = ["orders.wake_due", "orders.sleep"]
    assert [error.id for error in daily_work_is_real_work(None)] == ["clocks.E001"]
    settings.CELERY_BEAT_SCHEDULE = {"a": {"task": "quotes.expire_quotes", "schedule": 1}}
    (error,) = no_work_of_beat_is_forgotten(None)
    assert error.id == "clocks.E002"
    assert "quotes.expire_quotes" in error.msg


def test_a_quiet_day_costs_the_same_with_many_accounts():
    clock = a_clock()

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            services.step(clock_id=clock.pk, days=3)
        return len(queries)

    an_account(test_clock=clock)
    one = cost()
    for _each in range(8):
        a_quote(account=an_account(test_clock=clock))
    assert cost() == one
