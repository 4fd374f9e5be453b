"""An administrator puts a new account under a clock and lets a month pass; the page follows."""

import re
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import expect

from o2b.clocks.services import put_under
from o2b.clocks.shown import traces_of
from o2b.models import TestClock
from o2b.people.models import User
from tests.browser.people import PASSWORD, Staff, Visit
from tests.factories import a_product, a_user, an_account
from tests.orders.build import entered
from tests.workers import Workers

pytestmark = [pytest.mark.browser, pytest.mark.workers, pytest.mark.django_db(transaction=True)]
BEGIN = datetime(2031, 3, 5, 12, tzinfo=UTC)


@pytest.fixture
def rows(staff: Staff, workers: Workers) -> User:
    """Two new accounts, one of which has ordered for a later day under a clock."""
    clock = TestClock.objects.create(name="A year in Berlin", now=BEGIN)
    first = an_account(name="Sunrise Clinics", advocate=staff.rep, time_zone="Europe/Berlin")
    put_under(
        clock_id=clock.pk,
        account_id=first.pk,
        confirm=first.reference,
        traces_of=traces_of,
        at=BEGIN,
    )
    first.refresh_from_db()
    entered(first, a_product(name="Router"), work_from=date(2031, 3, 30), at=BEGIN)
    an_account(reference="B-77", name="Blank Bakery", advocate=staff.rep)
    names = {"username": "ines", "first_name": "Ines", "last_name": "Admin"}
    return a_user("administrator", password=PASSWORD, **names)


def test_a_month_passes(rows: User, visit: Visit) -> None:
    page = visit(rows)
    page.get_by_role("link", name="Test clocks").click()
    page.get_by_role("link", name="A year in Berlin").click()
    expect(page.locator(".clock-now")).to_contain_text("5 Mar 2031")

    page.get_by_role("link", name="Put an account under it").click()
    page.get_by_label("Account", exact=True).fill("bakery")
    page.get_by_role("button", name="Find it").click()
    page.get_by_label("Number of the account").fill("B-78")
    page.get_by_role("button", name="Put it under the clock").click()
    expect(page.locator(".errorlist")).to_have_text("Type B-77 to confirm.")
    page.get_by_label("Number of the account").fill("B-77")
    page.get_by_role("button", name="Put it under the clock").click()
    accounts = page.get_by_role("region", name="Accounts under it")
    expect(accounts).to_contain_text("Blank Bakery")

    page.get_by_label("To the day").fill("2031-03-04")
    page.get_by_role("button", name="Go there").click()
    expect(page.locator(".errorlist")).to_contain_text("A clock goes forward only")
    page.get_by_role("button", name="1 month").click()
    step = page.get_by_role("region", name="Last step")
    expect(step).to_contain_text("31 of 31 days lived")  # the page asked for itself until then
    expect(page.locator(".clock-now")).to_contain_text("5 Apr 2031")
    happened = page.get_by_role("region", name="What happened since the step began")
    done = happened.get_by_role("listitem").filter(has_text="order line completed")
    expect(done).to_contain_text("30 Mar 2031, 12:00")

    page.get_by_role("link", name="Sunrise Clinics").click()
    badge = page.get_by_role("link", name=re.compile("^test clock: A year in Berlin, 5 Apr 2031$"))
    expect(badge).to_be_visible()
    badge.click()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts(rows: User, visit: Visit) -> None:
    page = visit(rows, java_script_enabled=False)
    page.goto("/clocks/")
    page.get_by_role("link", name="A year in Berlin").click()
    page.get_by_label("To the day").fill("2031-03-05")
    page.get_by_role("button", name="Go there").click()
    expect(page.locator(".errorlist")).to_contain_text("A clock goes forward only")
    page.get_by_role("button", name="1 day", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("The clock moves.")
