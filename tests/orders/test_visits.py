"""Visits: wanted by a step, arranged in the queue's hours, moved, missed, kept; their pages."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b import clock, fsm
from o2b.models import Event, Outbox, TestClock
from orders import services
from orders.models import Appointment, Evidence, Queue, QueueMember, TaskCost, WorkCalendar
from orders.tasks import kinds
from orders.visits import services as visits
from orders.visits.calendar import week_of
from orders.visits.services import Slot
from tests.orders.build import (
    LATER,
    a_placed_order,
    a_user,
    a_worker,
    an_account,
    by_hand,
    logged_in,
    states,
    team,
)
from tests.orders.kinds_build import again, first, run, step

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 2, 3, 9, tzinfo=UTC)  # a Tuesday; LATER is Sunday, 1 February
HOURS = {"tue": [["08:00", "12:00"], ["13:00", "17:00"]], "wed": [["08:00", "17:00"]]}


def wanted(*, then=(), account=None, hours=None, **parameters):
    """An order whose step waits for its visit."""
    if hours:
        calendar = WorkCalendar.objects.create(code="field", name="Field", hours=hours)
        Queue.objects.update_or_create(
            code="field", defaults={"name": "Field", "calendar": calendar}
        )
        parameters["queue"] = "field"
    plan = [step("appointment", parameters={"minutes": 90} | parameters), *then]
    order = a_placed_order(tasks=plan, account=account)
    run(order)
    return order, Appointment.objects.get(task=first(order))


def arrange(visit, begins_at=NINE, minutes=90, *, at=LATER, by=None, **given):
    slot = Slot(begins_at, minutes, **given)
    return visits.arrange_visit(visit_id=visit.pk, slot=slot, at=at, by=by or a_user().pk)


def test_the_law_of_a_visit():
    assert fsm.law(Appointment) == {
        ("wanted", "arrange", "arranged"),
        ("arranged", "arrange", "arranged"),
        ("missed", "arrange", "arranged"),
        ("arranged", "keep", "kept"),
        ("arranged", "miss", "missed"),
        ("wanted", "cancel", "cancelled"),
        ("arranged", "cancel", "cancelled"),
        ("missed", "cancel", "cancelled"),
    }


def test_a_step_wants_one_visit_and_waits():
    order, visit = wanted(account=an_account(address="Mill Lane 1\nYork"))
    task = first(order)
    assert (task.state, task.waits_for) == ("running", "appointment")
    assert (visit.state, visit.minutes, visit.place, visit.queue, visit.account) == (
        "wanted",
        90,
        "Mill Lane 1\nYork",
        None,
        order.account,
    )
    again(order)
    assert Appointment.objects.count() == 1
    assert Event.objects.get(name="appointment.wanted").order_id == order.pk


def test_a_queue_that_is_not_there():
    order = a_placed_order(tasks=[step("appointment", parameters={"queue": "nowhere"})])
    assert run(order).failure == "there is no queue “nowhere”"
    assert not Appointment.objects.exists()


def test_statements_do_not_grow_with_tasks():
    counts = []
    for lines in (1, 9):
        order = a_placed_order(tasks=[step("appointment")], lines=lines)
        with CaptureQueriesContext(connection) as asked:
            run(order)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_arranged_moved_and_kept():
    order, visit = wanted(then=[by_hand(after=["step"])])
    clerk = a_user()
    arrange(visit, by=clerk.pk)
    visit = arrange(visit, NINE + timedelta(days=1), 60, with_whom_id=clerk.pk, place="Gate 2")
    assert (visit.state, visit.begins_at, visit.ends_at, visit.with_whom, visit.place) == (
        "arranged",
        NINE + timedelta(days=1),
        NINE + timedelta(days=1, hours=1),
        clerk,
        "Gate 2",
    )
    with pytest.raises(visits.VisitNotOpen, match="has not begun yet"):
        visits.keep_visit(visit_id=visit.pk, at=NINE, by=clerk.pk)
    after = NINE + timedelta(days=1, hours=2)
    visits.keep_visit(visit_id=visit.pk, minutes=75, at=after, by=clerk.pk)
    visit.refresh_from_db()
    assert visit.state == "kept"
    assert states(order) == (["provisioning"], ["done", "ready"])
    assert TaskCost.objects.get().minutes == 75
    shown = Evidence.objects.get()
    assert (shown.by, shown.data) == (clerk, {"visited_at": "2026-02-04T09:00:00+00:00"})
    told = Event.objects.filter(name__startswith="appointment.").order_by("id")
    assert [(event.name, event.facts) for event in told] == [
        ("appointment.wanted", {}),
        ("appointment.arranged", {"begins_at": "2026-02-03T09:00:00+00:00", "minutes": 90}),
        ("appointment.arranged", {"begins_at": "2026-02-04T09:00:00+00:00", "minutes": 60}),
        ("appointment.kept", {"minutes": 75}),
    ]
    with pytest.raises(visits.VisitNotOpen):
        arrange(visit)


def test_missed_is_arranged_anew():
    order, visit = wanted()
    arrange(visit)
    visits.miss_visit(visit_id=visit.pk, reason="nobody in", at=NINE, by=a_user().pk)
    visit.refresh_from_db()
    assert (visit.state, first(order).state) == ("missed", "running")
    with pytest.raises(visits.VisitNotOpen):
        visits.keep_visit(visit_id=visit.pk, at=NINE, by=a_user().pk)
    assert arrange(visit, NINE + timedelta(days=1), at=NINE).state == "arranged"


@pytest.mark.parametrize(
    ("begins_at", "minutes", "field"),
    [
        (LATER, 60, "begins_at"),  # now is too late
        (datetime(2026, 2, 2, 9, tzinfo=UTC), 60, "begins_at"),  # Monday is free
        (datetime(2026, 2, 3, 7, 59, tzinfo=UTC), 60, "begins_at"),
        (datetime(2026, 2, 3, 11, 30, tzinfo=UTC), 60, "begins_at"),  # into the lunch break
        (datetime(2026, 2, 3, 16, 30, tzinfo=UTC), 31, "begins_at"),
        (LATER + timedelta(days=730, minutes=1), 60, "day"),
        (datetime(9999, 12, 31, 9, tzinfo=UTC), 60, "day"),
        (NINE, 0, "minutes"),
        (NINE, 1441, "minutes"),
    ],
)
def test_times_at_which_nobody_can_come(begins_at, minutes, field):
    _, visit = wanted(hours=HOURS)
    events = Event.objects.count()
    with pytest.raises(visits.SlotRefused) as refused:
        arrange(visit, begins_at, minutes)
    visit.refresh_from_db()
    assert (refused.value.field, visit.state, Event.objects.count()) == (field, "wanted", events)


@pytest.mark.parametrize(("hour", "minutes"), [(8, 240), (13, 240), (9, 1)])
def test_hours_may_be_used_to_the_end(hour, minutes):
    _, visit = wanted(hours=HOURS)
    assert arrange(visit, NINE.replace(hour=hour), minutes).state == "arranged"


def test_a_queue_without_hours_works_through_the_night():
    _, visit = wanted()
    assert arrange(visit, NINE.replace(hour=23), 120).state == "arranged"


def test_nobody_is_in_two_places():
    (_, one), (_, two) = wanted(), wanted()
    person = a_user(first_name="Omar", last_name="Ali")
    arrange(one, NINE, 60, with_whom_id=person.pk)
    for begins, minutes in (
        (NINE, 60),
        (NINE + timedelta(minutes=59), 10),
        (NINE - timedelta(hours=1), 61),
    ):
        with pytest.raises(visits.SlotRefused, match=r"Omar Ali is at .* from 3 Feb 2026, 09:00"):
            arrange(two, begins, minutes, with_whom_id=person.pk)
    arrange(one, NINE + timedelta(minutes=30), 60, with_whom_id=person.pk)  # it may be moved
    arrange(two, NINE - timedelta(minutes=30), 60, with_whom_id=person.pk)  # ends as one begins
    assert two.pk != one.pk


@pytest.mark.parametrize("who", ["stranger", "gone", "nobody"])
def test_who_cannot_go_there(who):
    _, visit = wanted(hours=HOURS)
    keys = {"stranger": a_user().pk, "gone": a_worker().pk, "nobody": 10**9}
    if who == "gone":
        type(a_user()).objects.filter(pk=keys["gone"]).update(is_active=False)
    with pytest.raises(visits.SlotRefused) as refused:
        arrange(visit, with_whom_id=keys[who])
    assert refused.value.field == "with_whom"


def test_a_given_up_line_calls_its_visit_off():
    order, visit = wanted()
    arrange(visit)
    services.cancel_line(line_id=order.lines.get().pk, at=LATER, reason="no more")
    assert states(order) == (["cancelled"], ["cancelled"])
    owed = Outbox.objects.get(task="orders.call_off_lines")
    kinds.call_off_lines(key=owed.key, outbox_id=owed.pk)
    visit.refresh_from_db()
    assert visit.state == "cancelled"


def test_the_accounts_test_clock_says_what_has_passed():
    then = datetime(2030, 1, 2, 12, tzinfo=UTC)
    account = an_account(test_clock=TestClock.objects.create(name="t", now=then))
    _, visit = wanted(account=account)
    client = team()
    told: dict[str, Any] = {"day": "2030-01-02", "begins_at": "11:00", "minutes": "60"}
    url = reverse("orders:visit-arrange", args=[visit.pk])
    assert "This moment has passed." in client.post(url, told).text
    assert client.post(url, told | {"begins_at": "13:00"}).status_code == 302
    keep = reverse("orders:visit-keep", args=[visit.pk])
    assert client.post(keep, {"minutes": "60"}).status_code == 409
    TestClock.objects.update(now=datetime(2030, 1, 2, 14, tzinfo=UTC))
    assert client.post(keep, {"minutes": "60"}).status_code == 302


# pages


def url(name, visit):
    return reverse(f"orders:{name}", args=[visit.pk])


def test_arrange_on_the_page_where_the_customer_lives():
    _, visit = wanted(account=an_account(time_zone="Europe/Berlin"), hours=None)
    client, person = team(), a_worker()
    day = (clock.now() + timedelta(days=30)).date()
    told: dict[str, Any] = {
        "day": day.isoformat(),
        "begins_at": "09:30",
        "minutes": "45",
        "with_whom": str(person.pk),
        "place": "Gate 2",
    }
    assert client.post(url("visit-arrange", visit), told)["Location"] == url("visit", visit)
    visit.refresh_from_db()
    begins = visit.begins_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert (begins.date(), begins.time().isoformat(), visit.with_whom) == (day, "09:30:00", person)
    page = client.get(url("visit", visit)).text
    for words in ("09:30–10:15", "Europe/Berlin", "Gate 2", str(person), "Move it"):
        assert words in page, words
    for wrong, words in (
        ({"day": "soon"}, "This is no day"),
        ({"begins_at": "25:00"}, "Enter a valid time."),
        ({"minutes": "0"}, "greater than or equal to 1"),
        ({"minutes": "1e9"}, "Enter a whole number."),
        ({"with_whom": "999999999"}, "Select a valid choice."),
        ({"place": "a\0"}, "Null characters are not allowed."),
        ({"day": "2020-01-01"}, "This moment has passed."),
        ({"day": "9999-12-31"}, "Arrange a visit within the next two years."),
    ):
        answer = client.post(url("visit-arrange", visit), told | wrong)
        assert (answer.status_code, words in answer.text) == (422, True), words
    assert client.post(url("visit-miss", visit), {"reason": ""}).status_code == 422
    assert client.post(url("visit-miss", visit), {"reason": "no"}).status_code == 302
    assert "Arrange it" in client.get(url("visit", visit)).text


def test_the_file_for_calendars():
    _, visit = wanted(place="Mill Lane 1; back, door\n" + "long " * 20)
    client = team()
    assert client.get(url("visit-ical", visit)).status_code == 404
    arrange(visit, place=visit.place, note="ring twice")
    answer = client.get(url("visit-ical", visit))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    lines = answer.content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    text = answer.content.replace(b"\r\n ", b"").decode()
    for words in (
        "DTSTART:20260203T090000Z",
        "DTEND:20260203T103000Z",
        f"UID:visit-{visit.pk}@o2b",
        "LOCATION:Mill Lane 1\\; back\\, door\\nlong ",
        "DESCRIPTION:ring twice",
        f"SUMMARY:Step: {visit.account.customer}",
    ):
        assert f"{words}" in text, words


def test_the_calendar_shows_a_week_and_what_is_to_be_arranged():
    (order, one), (_, two) = wanted(hours=HOURS), wanted()
    person = a_worker()
    arrange(one, with_whom_id=person.pk)
    client = team()
    calendar = reverse("orders:visits")
    week = {"week": "2026-W06"}
    page = client.get(calendar, week).text
    shown, waiting = page.split("To be arranged")
    assert (url("visit", one) in shown, url("visit", two) in waiting) == (True, True)
    assert "09:00–10:30" in shown
    assert "Week 6: 2 Feb 2026 to 8 Feb 2026" in page
    for query, there in (
        ({"week": "2026-W07"}, False),
        ({"queue": "field"}, True),
        ({"person": person.username}, True),
        ({"person": a_worker("other").username}, False),
    ):
        assert (url("visit", one) in client.get(calendar, week | query).text) is there, query
    listed = client.get(calendar, week | {"view": "list"}).text
    assert ("week listed" in listed, "week listed" in page) == (True, False)
    assert "week=2026-W07&amp;view=list" in listed  # the way on keeps the view
    task = reverse("orders:task-visit", args=[first(order).pk])
    assert client.get(task)["Location"] == url("visit", one)


def test_a_visit_stands_on_the_day_of_the_customer():
    _, visit = wanted(account=an_account(time_zone="Pacific/Auckland"))
    arrange(visit, datetime(2026, 2, 8, 20, tzinfo=UTC))  # Monday morning there
    client, calendar = team(), reverse("orders:visits")
    weeks = [
        url("visit", visit) in client.get(calendar, {"week": f"2026-W0{n}"}).text for n in (6, 7)
    ]
    assert weeks == [False, True]


@pytest.mark.parametrize("week", ["", "x", "2026-W60", "0001-W01", "99999-W01", "2026-W1\0", "-W"])
def test_a_week_that_is_none_is_this_one(week):
    assert week_of(week, today=date(2026, 2, 5)) == date(2026, 2, 2)
    answer = team().get(reverse("orders:visits"), {"week": week, "queue": "\0", "person": "\0"})
    assert answer.status_code == 200


def test_who_may_and_what_is_not_there():
    _, visit = wanted()
    assert Client().get(url("visit", visit)).status_code == 302
    assert logged_in(a_user()).get(url("visit", visit)).status_code == 403
    sales = team("sales")
    assert "Arrange it" not in sales.get(url("visit", visit)).text
    for name in ("visit-arrange", "visit-keep", "visit-miss"):
        assert sales.post(url(name, visit)).status_code == 403
        assert team().post(reverse(f"orders:{name}", args=[10**9])).status_code == 404
    for name in ("visit", "visit-ical", "task-visit"):
        assert team().get(reverse(f"orders:{name}", args=[10**9])).status_code == 404


def test_queries_of_the_calendar_are_constant():
    client, counts = team(), []
    person = a_worker()
    for n in (1, 6):
        for _ in range(n):
            _, visit = wanted()
            hour = Appointment.objects.filter(state="arranged").count()
            arrange(visit, NINE.replace(hour=hour), 30, with_whom_id=person.pk)
            wanted()
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("orders:visits"), {"week": "2026-W06"})
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert QueueMember.objects.count() == 1
