"""A coupon: written by one, published by another, granted to an account, seen on its bill."""

import io

import pypdf
import pytest
from playwright.sync_api import Page, expect

from o2b.customers.models import Account
from tests.billing.worlds import JANUARY, finalised, in_service
from tests.browser.people import Staff, Visit, beside
from tests.factories import a_product, an_account, monthly

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account(staff: Staff) -> Account:
    """Made before the browser starts."""
    account = an_account(name="Helvetia Print", reference="A-PRINT")
    return in_service([a_product(name="Fibre", charges=[monthly("49.90")])], account=account)


def test_a_coupon_from_draft_to_bill(staff: Staff, account: Account, visit: Visit) -> None:
    clerk, chief = visit(staff.biller), visit(staff.approver)
    _write(clerk)
    _publish(chief)
    _grant(clerk, account)
    beside(lambda: finalised(JANUARY))
    chief.goto("/billing/invoices/?q=A-PRINT")
    chief.locator("#list").get_by_role("link", name="INV-").click()
    bill = chief.locator(".document")
    expect(bill).to_contain_text("Discount: Ten off")
    expect(bill).to_contain_text("-€4.99")
    expect(bill.locator(".sums .total")).to_contain_text("€44.91")
    pdf = chief.request.get(chief.get_by_role("link", name="PDF").get_attribute("href") or "")
    text = "".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(pdf.body())).pages)
    assert "Ten off" in text
    assert "44.91" in text


def _write(page: Page) -> None:
    page.goto("/billing/coupons/")
    expect(page.get_by_role("main")).to_contain_text("No coupons yet.")
    page.get_by_role("link", name="New coupon").first.click()
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator(".field.wrong")).to_have_count(3)  # code, name, value
    page.get_by_label("Code").fill("ten")
    page.get_by_label("Name", exact=True).fill("Ten off")
    page.get_by_label("Value").fill("110")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator(".field.wrong")).to_contain_text("100")
    page.get_by_label("Value").fill("10")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ten off draft")
    expect(page.locator("summary", has_text="Publish")).to_have_count(0)
    page.get_by_role("button", name="Submit for publication").click()
    expect(page.get_by_role("main")).to_contain_text("ask a colleague to publish it")


def _publish(page: Page) -> None:
    page.goto("/billing/coupons/?state=draft")
    page.get_by_role("link", name="Ten off").click()
    page.locator("summary", has_text="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("published")
    expect(page.get_by_role("main")).to_contain_text("Nobody yet.")


def _grant(page: Page, account: Account) -> None:
    page.goto(account.get_absolute_url())
    panel = page.locator("#account-adjustments")
    expect(panel).to_contain_text("No coupon and no minimum.")
    panel.get_by_role("link", name="Grant a coupon").click()
    page.get_by_role("button", name="Grant it").click()
    expect(page.locator(".field.wrong")).to_have_count(2)  # which, and why
    page.get_by_label("Coupon").select_option(label="Ten off")
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_label("Reason").fill("welcome")
    page.get_by_role("button", name="Grant it").click()
    expect(page.locator("#account-adjustments")).to_contain_text("Ten off")
    expect(page.locator("#account-adjustments")).to_contain_text("welcome")
