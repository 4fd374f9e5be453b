"""What fell out is repaired from the desk; a system is down, and the pages say so."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from o2b import clock
from o2b.people.models import User
from orders.fallout import breaker, services
from orders.fulfilment.outcomes import TryAgain
from orders.models import FailureClass, Queue, QueueMember, Task
from tests.browser.people import PASSWORD, Staff, Visit, beside
from tests.factories import a_user, an_account
from tests.orders.build import by_hand
from tests.orders.fallen import asks, fell_out

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("O2B_TEST_SHOTS", "")  # a folder for pictures of what is tested
LETTER = "Dear customer,\n\nyour line is ready."
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def lead(staff: Staff) -> User:
    """Somebody who manages work, in the queue that mends."""
    user = a_user("order lead", username="ada", first_name="Ada", password=PASSWORD)
    queue = Queue.objects.create(code="network", name="Network desk")
    QueueMember.objects.create(queue=queue, user=user)
    return user


@pytest.fixture
def rows(lead: User, staff: Staff) -> None:
    """Four steps that fell out, three for one cause; a rule; a system that is not asked."""
    account = an_account(name="Sunrise Clinics", advocate=staff.rep)
    steps = asks(parameters={"port": 7, "site": "Ulm", "letter": LETTER})
    fell_out(says="port 7 is taken by somebody else", lines=3, account=account, tasks=steps)
    fell_out(says="no such street", account=account, tasks=[*steps, by_hand()])
    services.save_rule(
        failure_class="refused",
        says="port",
        remedy="edit",
        advice="Ask for the other port.",
        queue=Queue.objects.get(code="network"),
    )
    ill = {n: TryAgain("ConnectTimeout: timed out", kind=FailureClass.TIMEOUT) for n in range(5)}
    breaker.note(ill, dict.fromkeys(ill, "provisioning"), at=clock.now())
    assert Task.objects.filter(state="fallout").count() == 4


def test_a_fallout_is_repaired(lead: User, rows: None, visit: Visit) -> None:
    page = visit(lead, viewport={"width": 1440, "height": 900})
    _find_it(page)
    _edit_and_retry(page)
    _take_one_by_hand(page)
    _retry_the_rest(page)
    _ask_the_system_again(page)


def _find_it(page: Page) -> None:
    page.goto("/orders/fallout/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fallout")
    expect(page.get_by_role("main")).to_contain_text("4 steps wait to be mended.")
    expect(page.locator(".notice").first).to_contain_text("Provisioning: not asked since")
    expect(page.locator(".causes li").first).to_contain_text("3 × port # is taken")
    _take(page, "desk")
    page.locator("summary", has_text="Narrow down").click()
    page.get_by_role("link", name="Network desk").click()
    expect(page.locator(".work-list > li")).to_have_count(3)
    page.locator("summary", has_text="Asked and answered").first.click()
    expect(page.get_by_label("Response").first).to_contain_text("422")
    expect(page.locator(".helps").first).to_contain_text("Ask for the other port.")
    _take(page, "desk-narrowed")


def _edit_and_retry(page: Page) -> None:
    page.get_by_role("link", name="Edit and retry").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Set up")
    _take(page, "task")
    page.get_by_label("port", exact=True).fill("8")
    letter = page.get_by_label("letter", exact=True)
    assert letter.evaluate("field => [field.tagName, field.value]") == ["TEXTAREA", LETTER]
    page.get_by_role("button", name="Save and retry").click()
    expect(page.locator(".toast")).to_contain_text("Set up is tried again.")
    kept = beside(lambda: Task.objects.get(state="ready", kind="automatic").parameters)
    assert kept == {"behaviour": "ok", "port": 8, "site": "Ulm", "letter": LETTER}
    expect(page.get_by_role("main")).to_contain_text("3 steps wait to be mended.")


def _take_one_by_hand(page: Page) -> None:
    card = page.locator(".work-list > li", has_text="no such street")
    card.get_by_role("button", name="by hand").click()
    expect(page.locator(".toast")).to_contain_text("is yours")
    expect(page.get_by_role("main")).to_contain_text("Set up")
    page.goto("/orders/fallout/")


def _retry_the_rest(page: Page) -> None:
    page.locator("summary", has_text="Retry all 2").click()
    expect(page.get_by_role("dialog")).to_contain_text("2 steps are tried again.")
    page.get_by_role("button", name="Retry 2 steps").click()
    expect(page.locator(".toast")).to_contain_text("2 tasks are tried again.")
    expect(page.get_by_role("main")).to_contain_text("Nothing has fallen out.")
    _take(page, "desk-empty")


def _ask_the_system_again(page: Page) -> None:
    page.get_by_role("link", name="Outside systems").first.click()
    system = page.locator("#system-provisioning")
    expect(system).to_contain_text("ConnectTimeout: timed out")
    expect(system).to_contain_text("not asked")
    _take(page, "systems")
    page.get_by_role("button", name="Ask Provisioning again now").click()
    expect(page.get_by_role("main")).to_contain_text("All are asked.")
    page.goto("/orders/fallout/rules/")
    expect(page.get_by_role("row", name="port")).to_contain_text("Network desk")
    _take(page, "rules")
    page.get_by_role("link", name="port").click()
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("main")).to_contain_text("It matches 0 steps in fallout")
    _take(page, "rule")


def _take(page: Page, name: str) -> None:
    """Pictures for who looks at them: wide and on a phone, light and dark; none as a rule."""
    if not SHOTS:
        return
    wide = page.viewport_size
    for tail, size in (("", wide), ("-phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(
                path=Path(SHOTS) / f"{name}{tail}-{scheme}.png", full_page=True, caret="initial"
            )
    page.set_viewport_size(wide)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")
