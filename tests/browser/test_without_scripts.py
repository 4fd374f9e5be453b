"""Everything works without JavaScript: a quote is drafted, sent and accepted by plain forms."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import Staff, Visit
from tests.factories import a_product, an_account, monthly

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(staff: Staff) -> None:
    """A customer and one thing to buy."""
    an_account(reference="A-100", name="Sunrise Clinics", advocate=staff.rep)
    a_product(code="seat", name="Voice seat", charges=[monthly("10.00")])


def test_quote_and_acceptance_by_plain_forms(staff: Staff, visit: Visit) -> None:
    page = visit(staff.rep, java_script_enabled=False)
    page.goto("/quotes/new/")
    page.get_by_label("Account").fill("A-100")
    page.get_by_label("Product").select_option("Voice seat")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Recalculate").click()
    expect(page.locator("#totals")).to_contain_text("€30.00")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("draft")
    page.get_by_role("button", name="Send", exact=True).click()
    link = page.get_by_role("textbox", name="The customer’s link").input_value()

    customer = visit(java_script_enabled=False)
    customer.goto(link)
    customer.get_by_label("Your name").fill("Dr. P. Hall")
    customer.get_by_label("I accept this offer").check()
    customer.get_by_role("button", name="Accept and order").click()
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()

    page.reload()
    page.get_by_role("link", name="Its order").click()
    expect(page.get_by_role("main")).to_contain_text("O-1")
