"""The order's page in time: figures, plan, schedule, and the doors of waiting and promising."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order, OrderLine, Task
from orders.timing import services as timing
from tests.factories import a_user
from tests.orders.build import ACTIVATE, a_product, entered, logged_in, team, written
from tests.orders.time_build import (
    MONDAY,
    a_timed_account,
    after,
    an_office_queue,
    step,
    timed,
    watch,
)

pytestmark = pytest.mark.django_db


def an_order(lines: int = 1, *tasks: object) -> Order:
    """Lines of two steps each, of an account under a test clock."""
    plan = list(tasks) or [timed("install", estimate=600), *[ACTIVATE[0] | {"after": ["install"]}]]
    products = [a_product(tasks=plan) for _ in range(lines)]
    order = entered(a_timed_account(), *products, at=MONDAY)
    timing.forecast_orders(order_ids=[order.pk], machine_now=MONDAY)
    return order


def a_lead() -> Client:
    """Somebody who manages work."""
    return logged_in(a_user(is_superuser=True))


def test_an_order_shows_promise_forecast_plan_and_schedule():
    order = an_order()
    page = team().get(order.get_absolute_url()).text
    for words in (
        "Promised",
        "2 Feb 2026",
        "on time",
        'class="gantt"',
        "critical path",
        'class="today"',
        'class="promised"',
        "Schedule as a list",
    ):
        assert words in page, words
    assert page.count(" critical") >= 2
    assert reverse("orders:promise", args=[order.pk]) not in page
    assert reverse("orders:promise", args=[order.pk]) in a_lead().get(order.get_absolute_url()).text


def test_jeopardy_is_marked_by_more_than_colour():
    order = an_order()
    step(order.account, after(hours=8))
    watch()
    page = team().get(order.get_absolute_url()).text
    assert "▲ Install: in danger" in page
    assert 'class="badge warn">in danger' in page
    step(order.account, after(days=3))
    watch()
    page = team().get(order.get_absolute_url(), headers={"HX-Request": "true"}).text
    assert "▲ Install: late" in page
    assert 'class="badge bad">late' in page


def test_what_waits_on_another_line_says_so():
    steps = [timed("lay", estimate=60), *[ACTIVATE[0] | {"after": ["lay"]}]]
    first = a_product(code="access", name="Access", tasks=steps)
    second = a_product(
        code="router", tasks=[timed("mount", estimate=60, after=["access/lay"]), *ACTIVATE]
    )
    order = entered(a_timed_account(), first, second, at=MONDAY)
    page = team().get(order.get_absolute_url()).text
    assert "Mount comes after 1 · Access: Lay" in page
    assert page.count(" comes after ") == 1
    assert 'class="stub"' in page


def test_many_lines_are_collapsed_until_steps_are_wished_for():
    order = an_order(30)
    client, url = team(), order.get_absolute_url()
    page = client.get(url).text
    assert page.count('class="ahead"') == 25
    assert client.get(url, {"schedule": "steps"}).text.count('class="ahead"') == 75
    assert client.get(url, {"page": "2"}).text.count('class="ahead"') == 15
    assert client.get(url, {"page": "2", "schedule": "lines"}).text.count('class="ahead"') == 5
    assert client.get(url, {"schedule": "\0", "page": "x\0"}).status_code == 200


def test_a_line_shows_its_part():
    order = an_order(2)
    line = order.lines.order_by("pk").first()
    assert line is not None
    page = team().get(reverse("orders:line", args=[line.pk])).text
    assert page.count('class="ahead"') == 3
    assert 'class="today"' in page


def test_a_cancelled_order_has_no_schedule():
    order = an_order()
    OrderLine.objects.update(state="cancelled")
    Task.objects.update(state="cancelled")
    page = team().get(order.get_absolute_url())
    assert page.status_code == 200
    assert "gantt" not in page.text.split("<body")[1]


def test_queries_of_the_page_do_not_grow():
    client, counts = team(), []
    for lines in (1, 12):
        order = an_order(lines)
        with CaptureQueriesContext(connection) as seen:
            client.get(order.get_absolute_url(), {"schedule": "steps"})
        counts.append(len(seen))
    assert counts[0] == counts[1]


# doors


def test_a_line_waits_for_the_customer_and_goes_on():
    order, client = an_order(), team()
    line = order.lines.get()
    page = client.get(order.get_absolute_url()).text
    assert ("Wait for the customer" in page, "Customer answered" in page) == (True, False)
    url, back = reverse("orders:line-wait", args=[line.pk]), order.get_absolute_url()
    answer = client.post(url, {"reason": "which floor?", "next": back})
    assert answer["Location"] == back
    line.refresh_from_db()
    assert (line.state, line.reason, line.standing_since) == ("waiting", "which floor?", MONDAY)
    page = client.get(back).text
    assert ("Wait for the customer" in page, "Customer answered" in page) == (False, True)
    assert ">Resume<" not in page
    answer = client.post(reverse("orders:line-answered", args=[line.pk]))
    assert answer["Location"] == back
    line.refresh_from_db()
    assert (line.state, line.standing_since) == ("scheduled", None)


@pytest.mark.parametrize("reason", ["", "\0", "x" * 3000])
def test_waiting_without_a_good_reason_is_refused(reason):
    order, client = an_order(), team()
    before = written()
    url = reverse("orders:line-wait", args=[order.lines.get().pk])
    answer = client.post(url, {"reason": reason}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert written() == before


def test_a_lead_promises_another_day():
    order, client = an_order(), a_lead()
    url = reverse("orders:promise", args=[order.pk])
    assert "promised so far: 2 Feb 2026" in client.get(url).text
    answer = client.post(url, {"promised_on": "2026-02-20", "reason": "they move later"})
    assert answer["Location"] == order.get_absolute_url()
    order.refresh_from_db()
    assert order.promised_on == date(2026, 2, 20)
    page = client.get(order.get_absolute_url()).text
    assert "Promised for 20 Feb 2026 (they move later)" in page


@pytest.mark.parametrize(
    ("day", "reason", "words"),
    [
        ("2026-02-01", "x", "Promise a day from today on."),
        ("9999-12-31", "x", "Promise a day from today on."),
        ("soon", "x", "Enter a valid date."),
        ("", "x", "This field is required."),
        ("2026-02-09", "", "This field is required."),
        ("2026-02-09", "a\0b", "Null characters are not allowed."),
        ("2026-02-09", "x" * 2001, "at most 2000 characters"),
        ("\0", "x", "Enter a valid date."),
    ],
)
def test_promises_that_are_refused_say_why_beside_the_field(day, reason, words):
    order, before = an_order(), written()
    url = reverse("orders:promise", args=[order.pk])
    answer = a_lead().post(url, {"promised_on": day, "reason": reason})
    assert answer.status_code == 422
    assert words in answer.text
    assert written() == before


def test_doors_are_for_those_who_may():
    order, visitor, nobody = an_order(), Client(), logged_in(a_user())
    line = order.lines.get()
    for name in ("line-wait", "line-answered"):
        url = reverse(f"orders:{name}", args=[line.pk])
        assert visitor.post(url)["Location"].startswith("/login/")
        assert nobody.post(url).status_code == 403
        assert team().get(url).status_code == 405
        assert team().post(reverse(f"orders:{name}", args=[10**30])).status_code == 404
    url = reverse("orders:promise", args=[order.pk])
    assert nobody.get(url).status_code == team().get(url).status_code == 403
    assert a_lead().get(reverse("orders:promise", args=[10**30])).status_code == 404
    assert OrderLine.objects.get().state == "scheduled"


# setting up


def test_calendars_and_rules_are_set_up_in_the_admin():
    queue, boss = an_office_queue(), a_user("administrator", is_staff=True)
    client = logged_in(boss)
    said = {"code": "by", "name": "Bavaria", "time_zone": "Europe/Berlin", "country": "DE"}
    said |= {"hours": '{"mon": [["08:00", "12:00"]]}', "closed_on": ""}
    url = "/admin/orders/workcalendar/add/"
    assert client.post(url, said | {"subdivision": "XX"}).status_code == 200
    assert client.post(url, said | {"hours": '{"mon": [["12:00", "08:00"]]}'}).status_code == 200
    assert client.post(url, said | {"subdivision": "BY"}).status_code == 302
    for path in ("workcalendar", "escalationrule", f"queue/{queue.pk}/change"):
        assert client.get(f"/admin/orders/{path}/").status_code == 200, path
    rule = {"queue": queue.pk, "level": "red", "after_minutes": "30", "tell": boss.pk}
    assert client.post("/admin/orders/escalationrule/add/", rule).status_code == 302
    assert logged_in(a_user(is_staff=True)).get(url).status_code == 403
