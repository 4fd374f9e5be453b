"""A clerk takes work and completes it with the keyboard alone."""

import pytest
from playwright.sync_api import expect

from orders.models import Queue, QueueMember
from tests.browser.people import Staff, Visit
from tests.orders.build import a_placed_order, by_hand

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(staff: Staff) -> None:
    """Two orders, each with an installation that wants a version and a serial."""
    steps = [by_hand("version", "serial", name="Install on site", checklist=["Lid closed"])]
    for _ in range(2):
        a_placed_order(tasks=steps)
    QueueMember.objects.create(queue=Queue.objects.get(code="field"), user=staff.clerk)


def test_from_claim_to_done(staff: Staff, visit: Visit) -> None:
    page = visit(staff.clerk)
    press, write = page.keyboard.press, page.keyboard.type
    press("g")
    press("m")
    expect(page.get_by_role("heading", level=1)).to_have_text("My queue")
    expect(page.get_by_role("main")).to_contain_text("2 tasks wait")
    page.wait_for_load_state()

    press("n")
    expect(page.get_by_role("heading", name="I work on")).to_be_visible()
    item = page.get_by_role("button", name="Lid closed")
    expect(item).to_be_focused()
    press("Enter")
    expect(item).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Version installed")).to_be_focused()
    write("1")
    press("Tab")
    write("SN-4711")
    press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("is done")
    expect(page.get_by_role("main")).to_contain_text("1 task waits")

    press("g")
    press("v")
    expect(page.get_by_role("heading", level=1)).to_have_text("Board")
    page.wait_for_load_state()
    press("ArrowDown")
    expect(page.get_by_role("link", name="Install on site")).to_be_focused()
    press("c")
    expect(page.get_by_role("heading", name="Claimed 1")).to_be_visible()
    page.wait_for_load_state()
    press("ArrowRight")
    press("h")
    expect(page.get_by_role("heading", name="Ready 1")).to_be_visible()
    page.wait_for_load_state()
    press("ArrowDown")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Install on site")
