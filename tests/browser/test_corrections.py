"""A document that corrects another one, read on a large and a small screen."""

from datetime import date
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from billing.models import Invoice
from o2b import events
from subscriptions.models import Act, Item
from tests.browser.people import Staff, Visit
from tests.factories import a_tax_rate
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service, told

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bills(staff: Staff) -> list[Invoice]:
    """A line of 30.00 is billed to February; three units since 15 January are told then."""
    a_tax_rate("19")
    world = World(events.drain)
    a_line_in_service(world)
    three = Decimal(3)
    told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 15), quantity=three)
    world.bill(f"{world.today}")
    return list(Invoice.objects.order_by("pk"))


def test_what_it_corrects_and_why(staff: Staff, bills: list[Invoice], visit: Visit) -> None:
    january, february, last = bills
    page = visit(staff.biller)
    page.goto(last.get_absolute_url())
    main = page.get_by_role("main")
    expect(main).to_contain_text(f"Correction of {january.number} of 1 Jan 2026")
    expect(main).to_contain_text(f"Correction of {february.number} of 1 Feb 2026")
    expect(main).to_contain_text("another quantity from 15 Jan 2026")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    main.get_by_role("link", name=f"Correction of {january.number}").click()
    expect(page.get_by_role("main")).to_contain_text("Billed again since")
    expect(page.get_by_role("main")).to_contain_text(last.number)
