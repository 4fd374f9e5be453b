"""A rep quotes changes of what is in service, sees what they bring, and the customer accepts."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from o2b import events
from orders.models import Order
from subscriptions.models import Item
from tests.browser.people import Staff, Visit
from tests.factories import a_product, monthly, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Served(NamedTuple):
    """The world of the test, and the page of what is in service there."""

    world: World
    page: str


@pytest.fixture
def rows(staff: Staff) -> Served:
    """Two services of one account, billed to the end of February; it is 10 February."""
    world = World(events.drain)
    world.account.name = "Sunrise Clinics"
    world.account.save()
    item = a_line_in_service(world)
    world.on("2026-01-01")
    world.sell(products=[a_product(code="fax", name="Fax line", charges=[monthly("8.00")])])
    world.on("2026-02-10")
    a_product(
        code="line-50",
        name="Line 50 with a fixed address",
        charges=[monthly("50.00"), setup_fee("7.00")],
        characteristics=[
            {"name": "edition", "type": "choice", "choices": ["basic", "pro"], "required": True}
        ],
    )
    a_product(code="box", name="Router box", charges=[monthly("5.00"), setup_fee("19.00")])
    return Served(world, item.subscription.get_absolute_url())


@pytest.fixture
def ordered(rows: Served) -> Iterator[None]:
    """Once the browser is closed there is one change order of three lines, and the box runs."""
    yield
    rows.world.settle()
    order = Order.objects.latest("pk")
    assert (order.kind, order.quote_id is not None) == ("change", True)
    assert sorted(order.lines.values_list("action", flat=True)) == ["end", "start", "terms"]
    assert Item.objects.filter(order_line__order=order).count() == 1


def fits(page: Page) -> None:
    """No page has to be pushed sideways on a phone."""
    before = page.viewport_size
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    page.set_viewport_size(before or PHONE)


def settled(page: Page) -> None:
    """Until htmx knows what it has just put there; a person is never as quick as Playwright."""
    expect(page.locator(".htmx-added, .htmx-request")).to_have_count(0)


def test_an_upgrade_an_addition_and_an_end(
    staff: Staff, rows: Served, ordered: None, visit: Visit
) -> None:
    page = visit(staff.rep, viewport=WIDE)
    page.goto(rows.page)
    page.get_by_role("link", name="Quote a change").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quote a change")
    expect(page.get_by_label("Counts from")).to_have_value("2026-03-01")
    expect(page.locator("#brings")).to_contain_text("Name what becomes different.")
    first = page.locator("#change-0")
    first.get_by_label("Product").focus()
    page.keyboard.type("Line 50")
    # The choice of a product brings its own fields at once.
    expect(first.get_by_label("edition")).to_be_visible()
    settled(page)
    first.get_by_label("edition").select_option("pro")
    brings = page.locator("#brings")
    expect(brings).to_contain_text("+€20.00")
    settled(page)
    first.get_by_label("Quantity").focus()
    page.keyboard.type("0")
    expect(first.locator(".errorlist", has_text="more than zero")).to_be_visible()
    page.keyboard.press("Backspace")
    page.keyboard.type("2")
    expect(brings).to_contain_text("+€70.00")
    expect(first.locator(".errorlist:visible")).to_have_count(0)
    settled(page)
    page.get_by_role("button", name="Add service").click()
    second = page.locator("#change-1")
    expect(second).to_be_visible()
    settled(page)
    second.get_by_label("What is done").select_option("end")
    expect(second.get_by_label("Reason")).to_be_visible()
    expect(second.get_by_label("Product")).to_have_count(0)
    settled(page)
    second.get_by_label("Reason").fill("no fax any more")
    expect(brings).to_contain_text("+€62.00")
    settled(page)
    page.get_by_role("button", name="Add product").click()
    expect(page.locator("#line-0")).to_be_visible()
    settled(page)
    page.locator("#line-0").get_by_label("Product").select_option("box")
    expect(brings).to_contain_text("+€67.00")
    settled(page)
    expect(page.locator("#details svg.months-chart path")).to_have_count(2)
    fits(page)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Quote Q-")
    main = page.get_by_role("main")
    expect(main).to_contain_text("What it brings from 1 Mar 2026")
    expect(main).to_contain_text("Line 30 → Line 50 with a fixed address")
    fits(page)
    page.get_by_role("button", name="Send").click()
    link = page.locator("#offer-link").input_value()
    expect(main).to_contain_text("as offered on 10 Feb 2026")
    page.goto("/quotes/?kind=change")
    fits(page)
    customer = visit(viewport=PHONE)
    customer.goto(link)
    offer = customer.get_by_role("main")
    expect(offer).to_contain_text("Counts from")
    expect(offer).to_contain_text("+€67.00")
    customer.locator("summary", has_text="Month by month").click()
    expect(customer.locator("table.months tbody tr")).to_have_count(36)
    fits(customer)
    customer.get_by_label("Your name").fill("Dr. P. Hall")
    customer.get_by_label("I accept this offer").check()
    customer.get_by_role("button", name="Accept and order").click()
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    page.goto("/orders/")
    page.locator("#list tbody tr").first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("change")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_without_scripts(staff: Staff, rows: Served, visit: Visit, scheme: str) -> None:
    page = visit(staff.rep, viewport=PHONE, java_script_enabled=False, color_scheme=scheme)
    page.goto("/subscriptions/quotes/new/")
    page.get_by_role("combobox", name="Account").fill("Sunrise")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Add service").click()
    page.get_by_label("What is done").select_option("renew")
    page.get_by_role("button", name="Show the fields").click()
    page.locator("#change-0").get_by_label("Months").fill("24")
    page.get_by_label("Counts from").fill("2026-03-01")
    page.get_by_label("Valid until").fill("")
    page.get_by_role("button", name="Recalculate").click()
    expect(page.get_by_role("main")).to_contain_text("Agreed from 1 Mar 2026 to 29 Feb 2028")
    fits(page)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("main")).to_contain_text("What it brings from 1 Mar 2026")
    fits(page)
