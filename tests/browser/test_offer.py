"""The customer's link in several tabs: whoever is first orders, and there is one order."""

import pytest
from playwright.sync_api import Page, expect

from quotes import links
from tests.browser.build import an_open_offer
from tests.browser.people import Staff, Visit
from tests.factories import an_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(staff: Staff) -> str:
    """One open offer; gives the path of its link."""
    quote = an_open_offer(an_account(name="Sunrise Clinics", advocate=staff.rep))
    return f"/orders/offer/{links.sign(quote.pk)}/"


def test_two_tabs_give_one_order(staff: Staff, rows: str, visit: Visit) -> None:
    first = visit()
    second = first.context.new_page()
    stranger = visit()
    for page in (first, second, stranger):
        page.goto(rows)

    _accept(first, "Dr. P. Hall")
    _accept(second, "Dr. P. Hall")
    for page in (first, second):
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("O-1")
    _accept(stranger, "Somebody Else")
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("already")

    rep = visit(staff.rep)
    rep.goto("/orders/")
    expect(rep.locator("#list tbody tr")).to_have_count(1)


def _accept(page: Page, name: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("I accept this offer").check()
    page.get_by_role("button", name="Accept and order").click()
