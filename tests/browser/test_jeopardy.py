"""With all browsers closed the stepped test clock alone turns amber to red; later people see it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app
from playwright.sync_api import expect

from o2b import events
from o2b.models import Event, TestClock
from o2b.people.models import Notice
from orders.models import Order, Queue, Task
from tests.browser.people import Staff, Visit
from tests.factories import ACTIVATE, a_product, an_account
from tests.orders.build import entered
from tests.workers import Workers

pytestmark = [pytest.mark.browser, pytest.mark.workers, pytest.mark.django_db(transaction=True)]
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
STEPS = [
    {
        "key": "install",
        "name": "Install on site",
        "kind": "manual",
        "queue": "field",
        "estimate": 240,
        "maximum": 480,
    },
    ACTIVATE[0] | {"after": ["install"]},
]


@pytest.fixture
def rows(staff: Staff, workers: Workers) -> None:
    """An order whose work nobody takes up; the clock is stepped, and workers do the rest."""
    Queue.objects.create(code="field", name="Field service", owner=staff.clerk)
    clock = TestClock.objects.create(name="story", now=BEGIN)
    account = an_account(name="Sunrise Clinics", advocate=staff.rep, test_clock=clock)
    order = entered(account, a_product(name="Router", tasks=STEPS), at=BEGIN)
    events.sweep(older_than=timedelta(0))
    workers.wait_until(lambda: Order.objects.get().promised_on is not None)
    for hours, level in ((4, "amber"), (16, "red")):
        TestClock.objects.update(now=BEGIN + timedelta(hours=hours))
        current_app.send_task("orders.watch_time")  # as beat does
        workers.wait_until(lambda level=level: Order.objects.get().jeopardy == level)  # type: ignore[misc]
        workers.wait_until(lambda level=level: _told(staff, level) == 1)  # type: ignore[misc]
        assert Task.objects.get(key="install").jeopardy == level
    happened = Event.objects.filter(order_id=order.pk, name__in=["task.amber", "task.red"])
    assert list(happened.order_by("id").values_list("name", "at")) == [
        ("task.amber", BEGIN + timedelta(hours=4)),
        ("task.red", BEGIN + timedelta(hours=16)),
    ]


def _told(staff: Staff, level: str) -> int:
    words = {"amber": "in danger", "red": "late"}[level]
    notices = Notice.objects.filter(user=staff.rep, topic="jeopardy", title__endswith=words)
    return notices.count()


def test_the_advocate_sees_what_the_clock_has_done(staff: Staff, visit: Visit) -> None:
    page = visit(staff.rep)
    page.get_by_role("link", name=re.compile("^News for me, .* unread")).click()
    news = page.get_by_role("main")
    expect(news).to_contain_text(re.compile("O-.*: “Install on site” is late"))
    page.get_by_role("link", name="“Install on site” is late").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order")
    figures = page.get_by_label("Key figures")
    expect(figures).to_contain_text("Promised2 Mar 2026")
    expect(figures).to_contain_text("Forecast3 Mar 2026late")
    expect(page.locator(".plan-notes")).to_have_text("▲ Install on site: late")
    expect(page.locator("svg.plan .critical")).to_have_count(2)
    expect(page.locator("svg.gantt .today")).to_have_count(1)
    page.get_by_text("Schedule as a list").click()
    expect(page.get_by_role("row", name=re.compile("^Install on site"))).to_contain_text("critical")
    expect(page.get_by_role("main")).to_contain_text("Install on site: late")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
