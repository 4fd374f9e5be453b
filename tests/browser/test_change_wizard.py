"""A rep upgrades a running subscription mid-month; the preview is the next invoice to the cent."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from billing.models import Invoice, InvoiceLine
from o2b import events
from subscriptions.models import Item
from tests.browser.people import Staff, Visit
from tests.factories import a_product, monthly, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


class Served(NamedTuple):
    """The world of the test, and the page of what is in service there."""

    world: World
    page: str


@pytest.fixture
def rows(staff: Staff) -> Served:
    """One line in service that is billed to the end of February; it is 10 February."""
    world = World(events.drain)
    world.account.name = "Sunrise Clinics"
    world.account.save()
    item = a_line_in_service(world)
    a_product(
        code="line-50",
        name="Line 50 with a fixed address",
        charges=[monthly("50.00"), setup_fee("7.00")],
        characteristics=[
            {"name": "edition", "type": "choice", "choices": ["basic", "pro"], "required": True}
        ],
    )
    return Served(world, item.subscription.get_absolute_url())


@pytest.fixture
def foreseen(rows: Served) -> Iterator[list[str]]:
    """The total that the test saw; once the browser is closed the run bills it, to the cent."""
    seen: list[str] = []
    yield seen
    rows.world.settle()
    rows.world.bill(f"{rows.world.today}")
    lines = InvoiceLine.objects.filter(invoice=Invoice.objects.latest("pk"))
    amounts = [f"{line.amount:.2f}" for line in lines.order_by("amount")]
    assert amounts == ["-20.36", "7.00", "33.93"]
    assert [f"{sum(map(Decimal, amounts), Decimal(0)):.2f}"] == seen
    assert Item.objects.get().product_version.product.code == "line-50"


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def reach(page: Page, name: str, *, key: str = "Tab") -> None:
    """With the keyboard alone, until what has this name is in focus."""
    for _ in range(120):
        told = page.evaluate(
            "() => { const e = document.activeElement;"
            " return (e.labels && e.labels[0] ? e.labels[0].innerText : e.innerText) || '' }"
        )
        if told.strip().startswith(name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"the keyboard does not reach {name!r}")


def test_an_upgrade_with_the_keyboard_alone(
    staff: Staff, rows: Served, foreseen: list[str], visit: Visit
) -> None:
    page = visit(staff.rep)
    page.goto(rows.page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Subscription")
    expect(page.locator("svg.lanes .bar.use")).to_have_count(1)
    reach(page, "Upgrade or downgrade")
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Upgrade or downgrade")
    reach(page, "Product")
    page.keyboard.type("Line 50")
    # The choice of a product brings its own fields at once.
    expect(page.get_by_label("edition")).to_be_visible()
    reach(page, "Show what it brings")
    press(page, "Enter")
    expect(page.locator(".errorlist").first).to_contain_text("edition is missing")
    reach(page, "edition")
    page.keyboard.type("pro")
    reach(page, "Show what it brings")
    press(page, "Enter")
    because = page.get_by_role("region", name="Because of this change")
    expect(because).to_contain_text("-€20.36")
    expect(because).to_contain_text("€33.93")
    total = because.locator("tfoot td").last.inner_text()
    foreseen.append(re.sub(r"[^\d.]", "", total))
    sides = page.locator(".side")
    expect(sides.first).to_contain_text("€30.00")
    expect(sides.last).to_contain_text("€50.00")
    expect(page.locator("svg.months-chart path")).to_have_count(2)
    reach(page, "Month by month")
    press(page, "Enter")
    expect(page.locator("table.months tbody tr")).to_have_count(36)
    _fits(page)
    reach(page, "Order this change")
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Subscription")
    expect(page.locator(".toast")).to_contain_text("Ordered: Upgrade or downgrade.")
    expect(page.get_by_role("main")).to_contain_text(
        "Line 30 → Line 50 with a fixed address from 10 Feb 2026"
    )
    page.locator(".toast").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("change")
    expect(page.get_by_role("main")).to_contain_text("carried out at once, without delivery")
    back = page.locator(".line-change").get_by_role("link")
    _fits(page)
    back.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Subscription")
    _fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_without_scripts(staff: Staff, rows: Served, visit: Visit, scheme: str) -> None:
    page = visit(staff.rep, viewport=PHONE, java_script_enabled=False, color_scheme=scheme)
    page.goto(rows.page)
    _fits(page)
    page.get_by_role("link", name="Change quantity").click()
    page.get_by_label("Quantity").fill("4")
    page.get_by_label("On this day:").check()
    page.get_by_label("Day", exact=True).fill("2026-01-20")
    page.get_by_role("button", name="Show what it brings").click()
    expect(page.get_by_role("main")).to_contain_text("It holds from 20 Jan 2026, 21 days ago")
    _fits(page)
    page.get_by_role("button", name="Order this change").click()
    expect(page.get_by_role("main")).to_contain_text("Quantity 1 → 4 from 20 Jan 2026")
    _fits(page)
    page.goto(f"{rows.page}?as_of=2026-01-10&known_on=2026-01-01")
    expect(page.locator(".looked")).to_contain_text("as it was known at the end of 1 Jan 2026")
    _fits(page)
    for path in ("planned/", "ending/", ""):
        page.goto(f"/subscriptions/{path}")
        _fits(page)


def _fits(page: Page) -> None:
    """No page has to be pushed sideways on a phone."""
    before = page.viewport_size
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    page.set_viewport_size(before or PHONE)
