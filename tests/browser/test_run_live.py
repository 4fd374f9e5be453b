"""A run watched from opening to the last mail: the page follows by itself and keeps the focus."""

import pytest
from playwright.sync_api import Page, expect

from o2b import events
from o2b.customers.models import Account
from tests.billing.sending.build import a_client, a_seller, letters
from tests.browser.keys import press, tab_to
from tests.browser.people import Staff, Visit, beside

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lost(staff: Staff) -> Account:
    """Made before the browser starts: three customers of a seller that mails, one unknown."""
    a_seller()
    a_client(name="Atlas Freight")
    a_client(name="Kestrel Energy")
    return a_client(email="", name="Lost GmbH")


def _renewed(page: Page) -> None:
    """The page asks for its own part, once more."""
    with page.expect_response(lambda each: each.request.headers.get("hx-request") == "true"):
        pass
    page.wait_for_timeout(100)


def test_a_run_is_watched_and_steered_by_keyboard(
    staff: Staff, lost: Account, visit: Visit
) -> None:
    page = visit(staff.biller)
    page.goto("/billing/runs/new/")
    page.get_by_label("Up to and including").fill("2026-01-31")
    press(page, page.get_by_role("button", name="Open the run"))
    title, bar = page.get_by_role("heading", level=1), page.locator("#run progress").first
    expect(title).to_contain_text("open")
    expect(bar).to_have_attribute("value", "0")
    page.evaluate("window.stayed = true")

    cancel = page.locator("summary", has_text="Cancel the run")
    tab_to(page, cancel)
    _renewed(page)
    _renewed(page)
    expect(cancel).to_be_focused()
    beside(events.drain)
    expect(title).to_contain_text("to approve")
    expect(page.locator("#run")).to_contain_text("3 of 3 accounts")
    expect(page.locator("#run")).to_contain_text("3 looked at = 3 drafted + 0 nothing due")
    expect(page.locator("#run")).to_contain_text("somebody else has to approve it")
    expect(page.locator("#run-sending")).to_contain_text("It begins when the run is final.")

    other = visit(staff.approver)
    other.goto(page.url)
    press(other, other.locator("summary", has_text="Approve"))
    dialog = other.get_by_role("dialog")
    expect(dialog).to_contain_text("3 invoices get their numbers")
    press(other, dialog.get_by_role("button", name="Approve"))
    expect(other.get_by_role("heading", level=1)).to_contain_text("approved")
    expect(title).to_contain_text("approved")  # the other's page follows
    beside(events.drain)
    expect(title).to_contain_text("finalised")
    assert page.evaluate("window.stayed")

    _sent(other, lost)


def _sent(page: Page, lost: Account) -> None:
    """The panel counts PDFs and mail, names who got none and why, and tries again when told."""
    panel = page.locator("#run-sending")
    expect(panel).to_contain_text("3 of 3 PDFs")
    expect(panel).to_contain_text("2 of 3 mailed")
    expect(panel.locator("progress").last).to_have_attribute("value", "2")
    expect(panel.get_by_role("row").filter(has_text="Lost GmbH")).to_contain_text("Nobody is known")
    assert len(letters()) == 2
    beside(lambda: Account.objects.filter(pk=lost.pk).update(bill_to="found@acme.test"))
    press(page, panel.get_by_role("button", name="Try again"))
    expect(panel.get_by_role("row")).to_have_count(0)
    beside(events.drain)
    expect(panel).to_contain_text("3 of 3 mailed")
    assert sorted(each.to[0] for each in letters())[-1] == "found@acme.test"
