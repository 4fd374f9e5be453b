"""Alerts of usage: set on the page of a service, told when usage passes, found on three pages."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from o2b import events
from o2b.customers.models import Contact
from o2b.people.models import User
from subscriptions.models import Item, UsageAlertDefault
from subscriptions.usage.alerts.services import look_at_usage
from tests.browser.people import PASSWORD, Staff, Visit, beside
from tests.browser.test_usage import PHONE, WIDE, _take, _width
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AT = datetime.fromisoformat("2026-02-10T12:00:00+00:00")


@pytest.fixture
def person(staff: Staff) -> User:
    """An advocate who may see every page."""
    return a_user("administrator", username="ines", first_name="Inès", password=PASSWORD)


@pytest.fixture
def item(person: User, world: World) -> Item:
    """A service with 100 minutes free, of a customer with a contact."""
    UsageAlertDefault.objects.get_or_create(
        legal_entity=None, defaults={"thresholds": [Decimal(80), Decimal(100)]}
    )
    a_meter()
    world.account.advocate = person
    world.account.save()
    Contact.objects.create(customer=world.account.customer, name="Bo", email="bo@acme.test")
    item = a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
    return Item.objects.select_related("subscription", "account").get(pk=item.pk)


def use(item: Item, value: str) -> Any:
    """Usage comes, and the work by the clock looks at it and writes its letters."""

    def act() -> None:
        taken(an_event(item, value))
        look_at_usage(machine_now=AT)
        events.drain()

    return beside(act)


def test_an_alert_is_set_and_told(person: User, item: Item, visit: Visit) -> None:
    page = visit(person, viewport=WIDE)
    page.goto(f"/subscriptions/usage/services/{item.pk}/")
    panel = page.get_by_role("region", name="Usage alerts")
    expect(panel).to_contain_text("80 % · 100 %")
    expect(panel).to_contain_text("Nothing was told in this period.")
    panel.get_by_role("link", name="New alert of the service").click()
    _refused_and_set(page)
    panel = page.get_by_role("region", name="Usage alerts")
    expect(panel).to_contain_text("another one counts")
    use(item, "60")
    page.reload()
    expect(panel).to_contain_text("50 % of the allowance is used")
    page.goto("/")
    page.get_by_role("link", name="News for me").first.click()
    expect(page.get_by_role("main")).to_contain_text("50 % of the allowance is used")
    page.goto(item.account.get_absolute_url())
    panel = page.get_by_role("region", name="Usage alerts")
    expect(panel).to_contain_text("50 % of the allowance is used")
    panel.get_by_role("link", name="Percent of the allowance").click()
    page.get_by_label("Switched on").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("The alert is saved.")
    use(item, "40")
    page.goto("/subscriptions/usage/")
    page.get_by_role("link", name="Alerts", exact=True).click()
    expect(page.locator("tbody [data-row]")).to_have_count(1)
    page.get_by_label("What is watched").select_option("forecast")
    expect(page.get_by_role("main")).to_contain_text("Nothing matches.")


def _refused_and_set(page: Page) -> None:
    page.get_by_label("Tell at").fill("50,90")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field.wrong")).to_contain_text("“50,90” is no number")
    page.get_by_label("Tell at").fill("50 90")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("The alert is set.")


def test_on_a_phone_nothing_scrolls_sideways(person: User, item: Item, visit: Visit) -> None:
    use(item, "130")
    here = "/subscriptions/usage/alerts/"
    names = {
        "alerts": here,
        "alerts-of-service": f"/subscriptions/usage/services/{item.pk}/",
        "alerts-of-subscription": item.subscription.get_absolute_url(),
        "alerts-of-account": item.account.get_absolute_url(),
        "alerts-new": f"{here}of-service/{item.pk}/new/",
    }
    page = visit(person, viewport=PHONE)
    found = []
    for name, url in names.items():
        page.goto(url, wait_until="networkidle")
        found += [(name, width) for width in [_width(page)] if width > PHONE["width"]]
        _take(page, name)
    assert found == []
