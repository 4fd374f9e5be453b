"""A branch is tied to its head office at the desk; one document is billed for both."""

import pytest
from playwright.sync_api import expect

from billing.models import Invoice
from o2b.customers.models import Account
from tests.billing.families.worlds import an_account_with, tied
from tests.billing.worlds import JANUARY, finalised
from tests.browser.people import Staff, Visit, beside
from tests.factories import a_tax_rate

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


@pytest.fixture
def taxed(staff: Staff) -> tuple[Invoice, Account]:
    """Made before the browser starts: a document of two accounts with tax, in the thousands."""
    a_tax_rate("19")
    head = an_account_with("1210.00", name="Helvetia Print", reference="H-1")
    tied(an_account_with("9120.00", name="Helvetia Basel", reference="H-2"), head)
    finalised(JANUARY)
    return Invoice.objects.get(), head


CUT = "box => box.scrollWidth - box.clientWidth"


def test_german_figures_fit_beside_their_names(
    staff: Staff, taxed: tuple[Invoice, Account], visit: Visit
) -> None:
    invoice, head = taxed
    page = visit(staff.biller, viewport={"width": 1280, "height": 900})
    page.context.add_cookies([{"name": "django_language", "value": "de", "url": page.url}])
    page.goto(invoice.get_absolute_url())
    card = page.get_by_role("region", name="Familie")
    expect(card).to_contain_text("= 10.330,00 €")
    tops = card.locator("dd").evaluate_all(
        "all => all.map(dd => [...dd.querySelectorAll('small')].map(s => "
        "[s.getClientRects().length, s.offsetTop > dd.offsetTop, s.scrollWidth - dd.clientWidth]))"
    )
    assert [each for [each] in tops] == [[1, True, 0]] * 3
    page.goto(head.get_absolute_url())
    orders = page.locator("#account-orders")
    expect(orders).to_contain_text("Erteilt")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert orders.locator(".scroll").evaluate(CUT) == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
