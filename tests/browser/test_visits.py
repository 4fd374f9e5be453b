"""A visit is wanted by an order, arranged on a phone, and kept when the account's day has come."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from o2b import clock
from o2b.customers.models import Account
from orders import services
from orders.models import Appointment, Queue, QueueMember, WorkCalendar
from tests.browser.people import Staff, Visit
from tests.factories import a_product, a_sent_quote, an_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
SURVEY = {
    "key": "survey",
    "name": "Survey on site",
    "kind": "automatic",
    "handler": "appointment",
    "parameters": {"minutes": 60, "queue": "field"},
}
EVERY_DAY = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), [["08:00", "17:00"]])


@pytest.fixture
def rows(staff: Staff) -> None:
    """One order whose survey is to be arranged, in hours that are the same every day."""
    calendar = WorkCalendar.objects.create(code="field", name="Field", hours=EVERY_DAY)
    queue = Queue.objects.create(code="field", name="Field", calendar=calendar)
    QueueMember.objects.create(queue=queue, user=staff.clerk)
    account: Account = an_account(name="Sunrise Clinics", advocate=staff.rep, address="Mill Lane 1")
    product = a_product(code="fibre", tasks=[SURVEY])
    quote = a_sent_quote(account=account, products=[product], at=datetime(2026, 1, 5, tzinfo=UTC))
    order = services.place_order(quote_id=quote.pk, by="Ann Hall", at=clock.now())
    services.advance_order(order_id=order.pk, worker="test:1")
    assert Appointment.objects.get().state == "wanted"


def test_a_visit_is_arranged_on_a_phone_and_missed(staff: Staff, visit: Visit) -> None:
    page = visit(staff.clerk, **PHONE)
    page.goto("/orders/visits/")
    waiting = page.get_by_role("region", name="To be arranged 1")
    waiting.get_by_role("link", name="Sunrise Clinics").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("to be arranged")
    day = (clock.now() + timedelta(days=7)).date()
    page.get_by_label("Day").fill(day.isoformat())
    page.get_by_label("Time").fill("07:30")
    page.get_by_label("Who goes there").select_option(label="Omar Delivery")
    page.get_by_role("button", name="Arrange").click()
    expect(page.get_by_text("The queue does not work at that time.")).to_be_visible()
    page.get_by_label("Time").fill("09:30")
    page.get_by_role("button", name="Arrange").click()
    expect(page.get_by_role("main")).to_contain_text("09:30–10:30")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    year, week, _ = day.isocalendar()
    page.goto(f"/orders/visits/?week={year}-W{week:02}")
    expect(page.get_by_role("main")).to_contain_text("09:30–10:30 Sunrise Clinics")
    expect(page.get_by_role("main")).to_contain_text("Every visit has its time.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="Sunrise Clinics").click()
    page.get_by_text("Missed…").click()
    page.get_by_label("Reason").fill("Nobody was in")
    page.get_by_role("button", name="Missed", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("missed")
    expect(page.get_by_role("heading", name="Arrange it")).to_be_visible()
