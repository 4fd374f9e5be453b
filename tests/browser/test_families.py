"""A branch is tied to its head office at the desk; one document is billed for both."""

import pytest
from playwright.sync_api import expect

from billing.models import Invoice
from o2b.customers.models import Account
from tests.billing.families.worlds import an_account_with, tied
from tests.billing.worlds import JANUARY, finalised
from tests.browser.people import Staff, Visit, beside

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def family(staff: Staff) -> tuple[Invoice, Account, Account]:
    """Made before the browser starts: a head office that bills for one branch already."""
    head = an_account_with("10.00", name="Helvetia Print", reference="H-1")
    first = an_account_with("20.00", name="Helvetia Basel", reference="H-2")
    tied(first, head)
    finalised(JANUARY)
    late = an_account_with("5.00", name="Helvetia Genf", reference="H-3")
    return Invoice.objects.get(), head, late


def test_a_family_on_its_pages(
    staff: Staff, family: tuple[Invoice, Account, Account], visit: Visit
) -> None:
    invoice, head, late = family
    page = visit(staff.biller)
    page.goto(invoice.get_absolute_url())
    main = page.get_by_role("main")
    expect(main).to_contain_text("Helvetia Basel H-2")
    expect(main).to_contain_text("= €30.00")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
    main.get_by_role("link", name="Helvetia Basel").first.click()
    panel = page.locator("#account-family")
    expect(panel).to_contain_text("It is billed on the bills of Helvetia Print")
    expect(panel).to_contain_text("€20.00")

    rep = visit(staff.rep)
    rep.goto(f"/customers/{late.pk}/edit/")
    rep.get_by_label("Belongs to").fill(late.reference)
    rep.get_by_label("Billed to the account above").check()
    rep.get_by_role("button", name="Save").click()
    expect(rep.get_by_role("main")).to_contain_text("choose an account above it")
    rep.get_by_label("Belongs to").fill(head.reference)
    rep.get_by_role("button", name="Save").click()
    expect(rep.get_by_role("main")).to_contain_text("billed there")
    expect(rep.locator("#account-family")).to_contain_text("Helvetia Print")
    beside(late.refresh_from_db)
    assert (late.parent_id, late.billed_to_parent) == (head.pk, True)
