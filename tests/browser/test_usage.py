"""Usage at the desk: what waits is tried again, what was refused is retried, an event corrected."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from o2b.people.models import User
from subscriptions.models import Item, UsagePending
from tests.browser.people import PASSWORD, Staff, Visit, beside
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("O2B_TEST_SHOTS", "")  # a folder for pictures of what is tested
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1440, "height": 900}
HERE = "/subscriptions/usage/"
LONG = "mediation/zurich-1/collector-of-fixed-lines"


@pytest.fixture
def person(staff: Staff) -> User:
    """Somebody who may see every page."""
    return a_user("administrator", username="ines", first_name="Inès", password=PASSWORD)


@pytest.fixture
def rows(person: User, world: World) -> Item:
    """A metered service with some days of usage; one event waits, some were refused."""
    a_meter()
    item = a_metered_service(
        world,
        by_meter(details={"allowance": {"units": "400"}}),
        by_meter("data", "0.02"),
    )
    days = [
        an_event(item, f"{7 + n * 13 % 61}", f"2026-02-{1 + n % 10:02}T0{n % 9}:00:00Z")
        for n in range(24)
    ]
    before = [an_event(item, "211.5", f"2026-01-{day}T08:00:00Z") for day in (11, 17, 29)]
    waits = an_event(
        "+41 44 123 45 67", "12.75", id="call-00042-of-a-long-kind-7f3a9c", source=LONG
    )
    refused = [an_event(item, "3", meter="data") for _ in range(2)]
    wrong = an_event(item, "-4", source=LONG, id="negative-7f3a9c0d-4b8e-4a57-9d0e-aa51c0ffee42")
    taken(*days, *before, waits, *refused, wrong, an_event("S-no", "1"))
    return Item.objects.select_related("subscription").get(pk=item.pk)


def test_usage_at_the_desk(person: User, rows: Item, visit: Visit) -> None:
    page = visit(person, viewport=WIDE)
    page.goto("/")
    page.get_by_role("link", name="Usage", exact=True).click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("Received 29: rated 27, pending 2")
    expect(page.locator(".equation .badge")).to_have_text("holds")
    expect(page.locator("tbody [data-row]")).to_have_count(2)
    page.get_by_role("link", name="Pending: 2").click()
    _try_again(page, rows)
    _retry_what_was_refused(page)
    _correct_one(page, rows)
    page.goto(HERE)
    expect(main).to_contain_text("pending 0, dismissed 1. None is missing")


def _try_again(page: Page, item: Item) -> None:
    expect(page.locator("tbody [data-row]")).to_have_count(2)
    number = item.number
    beside(lambda: UsagePending.objects.filter(source=LONG).update(subject=number))
    page.get_by_role("button", name="Try again now").click()
    expect(page.locator(".toast")).to_contain_text("1 event is counted now.")
    row = page.locator("tbody [data-row]")
    expect(row).to_have_count(1)
    row.locator("summary", has_text="Dismiss").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("A test line")
    page.get_by_role("dialog").get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("main")).to_contain_text("Nothing waits.")


def _retry_what_was_refused(page: Page) -> None:
    page.get_by_role("link", name="Rejected: 3").click()
    expect(page.locator(".work-list > li")).to_have_count(3)
    page.locator("summary", has_text="As it was sent").first.click()
    expect(page.locator("pre").first).to_contain_text('"value"')
    page.get_by_label("Code").select_option("unknown_meter")
    expect(page.locator(".work-list > li")).to_have_count(2)
    beside(lambda: a_meter("data", unit="GB"))
    page.locator("summary", has_text="Retry all 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry all 2").click()
    expect(page.locator(".toast")).to_contain_text("2 events count now.")
    expect(page.locator(".work-list > li")).to_have_count(1)


def _correct_one(page: Page, item: Item) -> None:
    page.goto(item.subscription.get_absolute_url())
    panel = page.get_by_role("region", name="Usage", exact=True)
    expect(panel).to_contain_text("of 400")
    panel.get_by_role("link", name="Minutes").click()
    expect(page.get_by_role("main")).to_contain_text("linear: used ÷ 10 days × 28 days")
    page.get_by_role("link", name="Its events").click()
    page.locator("tbody [data-row]").first.get_by_role("link").first.click()
    page.get_by_label("New value").fill("1")
    page.get_by_label("Reason").first.fill("Read wrong")
    page.get_by_role("button", name="Preview").first.click()
    expect(page.get_by_role("region", name="Replace it?")).to_contain_text("→ 1 ")
    page.get_by_role("button", name="Replace it").click()
    expect(page.locator(".toast")).to_contain_text("is sent and counts.")


def test_on_a_phone_nothing_scrolls_sideways(person: User, rows: Item, visit: Visit) -> None:
    names = {
        "desk": HERE,
        "pending": f"{HERE}pending/",
        "rejected": f"{HERE}rejected/",
        "events": f"{HERE}events/?service={rows.number}&until=2026-02-10",
        "service": f"{HERE}services/{rows.pk}/",
        "subscription": rows.subscription.get_absolute_url(),
    }
    page = visit(person, viewport=PHONE)
    page.goto(names["events"])
    names["event"] = page.locator("tbody a").first.get_attribute("href") or ""
    found = []
    for name, url in names.items():
        page.goto(url, wait_until="networkidle")
        found += [(name, width) for width in [_width(page)] if width > PHONE["width"]]
        _take(page, name)
    assert found == []


def _width(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def _take(page: Page, name: str) -> None:
    """Pictures on a phone and on a desk, light and dark, where they are asked for."""
    if not SHOTS:
        return
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            path = Path(SHOTS) / f"{name}-{size['width']}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
