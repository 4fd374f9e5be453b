"""Two parties share a line: asked for by keyboard alone, approved by another, billed to both."""

import pytest
from playwright.sync_api import expect

from o2b.customers.models import Account
from tests.billing.worlds import JANUARY, finalised, in_service
from tests.browser.keys import fill_by_keys, press, tab_to
from tests.browser.people import Staff, Visit, beside
from tests.factories import a_product, an_account, monthly

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def school(staff: Staff) -> Account:
    """Made before the browser starts: a school with a line, and a programme that helps."""
    an_account(name="Connectivity Programme", reference="A-PROG")
    school = an_account(name="Lakeside School", reference="A-SCHOOL")
    return in_service([a_product(name="Fibre", charges=[monthly("100.01")])], account=school)


def test_two_share_a_line(staff: Staff, school: Account, visit: Visit) -> None:
    page = visit(staff.biller)
    main = page.get_by_role("main")
    page.goto(school.get_absolute_url())
    panel = page.locator("#account-payers")
    expect(panel).to_contain_text("The account pays all of its bills itself.")
    press(page, panel.get_by_role("link", name="Let others pay"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Let others pay")
    press(page, page.get_by_role("button", name="Ask for it"))
    expect(page.locator(".field.wrong")).to_have_count(3)  # reason, payer, percent
    expect(page.get_by_label("Reason")).to_be_focused()
    # A day is written part by part, in the order of the browser's language.
    tab_to(page, page.get_by_label("From", exact=True))
    page.keyboard.type("01012026")
    fill_by_keys(page, "Reason", "grant 2211")
    fill_by_keys(page, "Payer 1", "A-PROG")
    fill_by_keys(page, "Payer 1 pays, in percent", "60")
    press(page, page.get_by_role("button", name="Ask for it"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("to approve")
    rest = main.get_by_role("row").filter(has_text="pays the rest of each amount, to the cent")
    expect(rest.get_by_role("cell", name="40 %")).to_be_visible()
    expect(main.get_by_role("button", name="Approve")).to_have_count(0)

    other = visit(staff.approver)
    other.get_by_role("main").get_by_role("link", name="Payers to approve").click()
    other.get_by_role("link", name="PA-").first.click()
    expect(other.get_by_role("main")).to_contain_text("grant 2211")
    press(other, other.get_by_role("button", name="Approve"))
    expect(other.get_by_role("heading", level=1)).to_contain_text("agreed")

    beside(lambda: finalised(JANUARY))
    for account, amount in (("A-SCHOOL", "€40.00"), ("A-PROG", "€60.01")):
        other.goto(f"/billing/invoices/?q={account}")
        other.locator("#list").get_by_role("link", name="INV-").click()
        expect(other.get_by_role("main")).to_contain_text("Fibre")
        expect(other.locator(".sums .total")).to_contain_text(amount)
    expect(other.get_by_role("main")).to_contain_text("for Lakeside School")
