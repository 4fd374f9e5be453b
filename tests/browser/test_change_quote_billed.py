"""A rep upgrades a service mid-month on a change quote; its first bill is the next invoice."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from billing.models import Invoice, InvoiceLine
from o2b import events
from subscriptions.models import Item
from tests.browser.people import Staff, Visit
from tests.factories import a_product, a_tax_rate, monthly, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


class Served(NamedTuple):
    """The page of what is in service, and the figures that the test saw on the offer."""

    page: str
    seen: list[str]


@pytest.fixture
def rows(staff: Staff) -> Iterator[Served]:
    """A line that is billed with tax to the end of February; it is 10 February.

    Once the browser is closed the run bills what was seen, to the cent.
    """
    a_tax_rate("19")
    world = World(events.drain)
    item = a_line_in_service(world)
    charges = [monthly("50.00"), setup_fee("7.00")]
    a_product(code="line-50", name="Line 50", charges=charges)
    seen: list[str] = []
    yield Served(item.subscription.get_absolute_url(), seen)
    world.settle()
    world.bill(f"{world.today}")
    invoice = Invoice.objects.latest("pk")
    assert seen == ["€20.57", "€3.91", "€24.48"]
    assert [f"€{invoice.net:.2f}", f"€{invoice.tax:.2f}", f"€{invoice.total:.2f}"] == seen
    amounts = InvoiceLine.objects.filter(invoice=invoice).values_list("amount", flat=True)
    assert sorted(f"{amount:.2f}" for amount in amounts) == ["-20.36", "33.93", "7.00"]
    assert Item.objects.get().product_version.product.code == "line-50"


def settled(page: Page) -> None:
    """Until htmx knows what it has just put there; a person is never as quick as Playwright."""
    expect(page.locator(".htmx-added, .htmx-request")).to_have_count(0)


def test_an_upgrade_in_the_middle_of_a_month(staff: Staff, rows: Served, visit: Visit) -> None:
    page = visit(staff.rep)
    page.goto(rows.page)
    page.get_by_role("link", name="Quote a change").first.click()
    page.locator("#change-0").get_by_label("Product").select_option("line-50")
    expect(page.locator("#brings")).to_contain_text("+€20.00")
    settled(page)
    page.get_by_label("Counts from").fill("2026-02-10")
    page.get_by_label("Valid until").fill("2026-02-10")
    page.get_by_role("button", name="Recalculate").click()
    expect(page.locator("#details")).to_contain_text("First bill, 10 Feb 2026")
    settled(page)
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("button", name="Send").click()
    customer = visit(viewport=PHONE)
    customer.goto(page.locator("#offer-link").input_value())
    bill = customer.locator("section", has_text="First bill, 10 Feb 2026").last
    expect(bill.locator("tfoot tr")).to_have_count(3)
    rows.seen.extend(row.inner_text() for row in bill.locator("tfoot td.r").all())
    customer.get_by_label("Your name").fill("Dr. P. Hall")
    customer.get_by_label("I accept this offer").check()
    customer.get_by_role("button", name="Accept and order").click()
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
