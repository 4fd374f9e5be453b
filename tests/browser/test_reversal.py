"""An invoice is taken back at the desk: one asks with a reason, another approves it."""

import pytest
from playwright.sync_api import expect

from billing.models import Invoice
from o2b import events
from tests.billing.worlds import JANUARY, finalised, in_service
from tests.browser.people import Staff, Visit, beside
from tests.factories import a_product, an_account, monthly

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def invoice(staff: Staff) -> Invoice:
    """Made before the browser starts."""
    account = an_account(name="Helvetia Print")
    in_service([a_product(name="Fibre", charges=[monthly("49.90")])], account=account)
    finalised(JANUARY)
    return Invoice.objects.get()


def test_an_invoice_is_reversed_by_two_people(staff: Staff, invoice: Invoice, visit: Visit) -> None:
    page = visit(staff.biller)
    page.goto(invoice.get_absolute_url())
    page.get_by_text("Reverse", exact=True).click()
    page.get_by_label("Reason").fill("the wrong company")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reversal of INV-00000001")
    beside(events.drain)
    expect(page.locator("#run")).to_contain_text("somebody else has to approve it")
    expect(page.get_by_text("Approve", exact=True)).to_have_count(0)

    other = visit(staff.approver)
    other.goto("/billing/reversals/?state=to_approve")
    expect(other.get_by_role("main")).to_contain_text("the wrong company")
    other.get_by_role("main").get_by_role("link", name="R-").first.click()
    expect(other.locator("#run")).to_contain_text("-€49.90")
    other.get_by_text("Approve", exact=True).first.click()
    other.get_by_role("button", name="Approve").click()
    expect(other.get_by_role("main")).to_contain_text("Approved")
    beside(events.drain)
    other.goto(invoice.get_absolute_url())
    expect(other.get_by_role("main")).to_contain_text("It was taken back as a whole")
    other.get_by_role("main").get_by_role("link", name="INV-00000002").click()
    expect(other.get_by_role("heading", level=1)).to_contain_text("Credit note INV-00000002")
    expect(other.get_by_role("main")).to_contain_text("the wrong company")
    expect(other.get_by_role("main")).to_contain_text("-€49.90")
