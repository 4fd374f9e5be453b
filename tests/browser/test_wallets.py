"""Prepaid credit at the desk: one asks for a grant, another approves it, the wallet shows it."""

import pytest
from playwright.sync_api import expect

from billing.models import Wallet
from o2b.customers.models import Account
from tests.browser.people import Staff, Visit, beside
from tests.factories import an_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account(staff: Staff) -> Account:
    """Made before the browser starts."""
    return an_account(name="Helvetia Print")


def test_a_grant_by_two_people(staff: Staff, account: Account, visit: Visit) -> None:
    page = visit(staff.biller)
    page.goto(account.get_absolute_url())
    panel = page.locator("#account-wallet")
    expect(panel).to_contain_text("No prepaid credit yet.")
    panel.get_by_role("link", name="Grant credit").click()
    page.get_by_label("Reason").fill("the outage of Monday")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_role("main")).to_contain_text("This field is required.")
    page.get_by_label("Amount").fill("25")
    page.get_by_role("button", name="Ask for it").click()
    panel = page.locator("#account-wallet")
    expect(panel).to_contain_text("the outage of Monday")
    expect(panel.get_by_role("button", name="Approve")).to_have_count(0)

    other = visit(staff.approver)
    other.goto("/billing/wallet-grants/?state=asked")
    other.get_by_role("link", name="Helvetia Print").first.click()
    other.locator("#account-wallet").get_by_role("button", name="Approve").click()
    expect(other.locator("#account-wallet")).to_contain_text("€25.00")
    other.get_by_role("link", name="Lots and statement").click()
    number = beside(lambda: str(Wallet.objects.get()))
    expect(other.get_by_role("heading", level=1)).to_have_text(f"Wallet {number}")
    expect(other.get_by_role("main")).to_contain_text("came in")
    other.get_by_role("link", name="lapsed").click()
    expect(other.get_by_role("main")).to_contain_text("Nothing matches.")
