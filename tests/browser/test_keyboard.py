"""From the log-in to one quote among three without a mouse."""

import pytest
from playwright.sync_api import expect

from tests.browser.build import an_open_offer
from tests.browser.people import PASSWORD, Staff, Visit
from tests.factories import an_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(staff: Staff) -> None:
    """Three offers, Q-1 to Q-3."""
    account = an_account(name="Sunrise Clinics", advocate=staff.rep)
    for _ in range(3):
        an_open_offer(account)


def test_search_and_open_a_quote_by_keyboard(staff: Staff, visit: Visit) -> None:
    page = visit()
    page.goto("/login/")
    press, write = page.keyboard.press, page.keyboard.type
    title = page.get_by_role("heading", level=1)

    write(staff.rep.username)
    press("Tab")
    write(PASSWORD)
    press("Enter")
    expect(title).to_have_text("Hello, Rita")

    page.wait_for_load_state()
    press("/")
    write("Sunrise")
    press("Enter")
    expect(title).to_have_text("Search")
    expect(page.get_by_role("main")).to_contain_text("Sunrise Clinics")

    page.wait_for_load_state()
    press("g")
    press("q")
    expect(title).to_have_text("Quotes")

    page.wait_for_load_state()
    for key in "jjjk":
        press(key)
    expect(page.get_by_role("link", name="Q-2")).to_be_focused()
    press("Enter")
    expect(title).to_contain_text("Quote Q-2")

    page.wait_for_load_state()
    press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next and previous row")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
