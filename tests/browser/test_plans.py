"""A product manager writes a delivery plan in the browser: a loop refused, a dry run, published."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from o2b.catalog.models import BundleOption, ProductVersion
from o2b.catalog.services import publish_product_version
from o2b.people.models import User
from tests.browser.people import PASSWORD, Staff, Visit
from tests.factories import LONG_AGO, a_product, a_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SPEED = {
    "name": "speed",
    "label": "Bandwidth",
    "type": "choice",
    "choices": [100, 400, 1000],
    "unit": "Mbit/s",
    "required": True,
}
URL = "/catalog/products/fibre/plans/"
SHOTS = os.environ.get("O2B_PLAN_SHOTS", "")


def by_hand(key: str, name: str, *after: str, **given: Any) -> dict[str, Any]:
    said = {"key": key, "name": name, "kind": "manual", "queue": "field", "after": list(after)}
    return said | given


STEPS = [
    by_hand("survey", "Survey the site", minutes=60, estimate=480, skills=["fibre"]),
    by_hand("dig", "Dig the trench", "survey", minutes=480, vendor="1200", estimate=2400),
    by_hand("splice", "Splice the fibre", "dig", minutes=120, evidence=["serial", "Port"]),
    {
        "key": "activate",
        "name": "Activate",
        "kind": "automatic",
        "handler": "activation",
        "after": ["splice"],
        "point_of_no_return": True,
    },
]


@pytest.fixture
def managers(staff: Staff) -> tuple[User, User]:
    """Two product managers."""
    nora = a_user("product", username="nora", first_name="Nora", password=PASSWORD)
    felix = a_user("product", username="felix", first_name="Felix", password=PASSWORD)
    return nora, felix


@pytest.fixture
def rows(staff: Staff, managers: tuple[User, User]) -> None:
    """Fibre with a plan of four steps, sold within an office, beside a router."""
    fibre = a_product(code="fibre", name="Fibre", charges=[], tasks=STEPS, characteristics=[SPEED])
    a_product(code="router", name="Router", charges=[], tasks=[by_hand("ship", "Ship it")])
    office = a_product(code="office", name="Office", charges=[], tasks=[by_hand("open", "Open")])
    version = ProductVersion.objects.create(product=office.product, number=2)
    BundleOption.objects.create(version=version, component=fibre.product)
    publish_product_version(version_id=version.pk, at=LONG_AGO)


def test_a_plan_is_edited_tried_and_published(
    managers: tuple[User, User], rows: None, visit: Visit
) -> None:
    nora, felix = visit(managers[0]), visit(managers[1])
    nora.goto("/catalog/products/fibre/")
    nora.get_by_role("link", name="All plans").click()
    nora.get_by_role("button", name="New version").click()
    expect(nora.get_by_role("heading", level=1)).to_have_text("Edit Fibre: plan v2")
    _add_a_step(nora)
    _be_refused_a_loop(nora)
    _be_told_of_a_bad_condition(nora)
    _save(nora)
    _try_it(nora)
    _submit_it(nora)
    _publish_it(felix)
    _look(nora)


def _step(page: Page, n: int) -> Any:
    return page.locator(f"#steps-{n}")


def _unfold(page: Page, n: int) -> None:
    if page.locator(f"#steps-{n} details:not([open])").count():
        page.locator(f"#steps-{n} summary").click()


def _add_a_step(page: Page) -> None:
    page.get_by_role("button", name="Add step by hand").click()
    key = page.locator("#steps-4-key")
    expect(key).to_be_focused()
    key.fill("fast-lane")
    page.locator("#steps-4-name").fill("Fast lane")
    page.locator("#steps-4-queue").fill("noc")
    page.locator("#steps-4-minutes").fill("45")
    expect(page.locator("#steps-4-handler")).to_be_hidden()
    _step(page, 4).get_by_role("checkbox", name="Survey the site").check()
    _step(page, 4).get_by_role("textbox", name="Steps of other lines").fill("router/ship")
    _step(page, 4).get_by_role("button", name="Add parameter", exact=True).click()
    expect(page.locator("#steps-4-parameters-0-name")).to_be_focused()
    page.locator("#steps-4-parameters-0-name").fill("rate")
    page.locator("#steps-4-parameters-0-value").fill("=speed * quantity")
    expect(page.locator("#steps-4-parameters-0-value-error")).to_have_text(
        "Reads well for every line that was tried."
    )


def _be_refused_a_loop(page: Page) -> None:
    page.locator("#steps-0 summary").click()
    _step(page, 0).get_by_role("checkbox", name="Fast lane").check()
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".toast, .notice").filter(has_text="to be mended").first).to_be_visible()
    expect(page.locator(".errorlist").filter(has_text="A loop: ")).to_have_count(1)
    _shoot(page, "editor-loop")
    _unfold(page, 0)
    _step(page, 0).get_by_role("checkbox", name="Fast lane").uncheck()


def _be_told_of_a_bad_condition(page: Page) -> None:
    _unfold(page, 4)
    when = page.locator("#steps-4-when")
    when.fill("spede > 100")
    expect(page.locator("#steps-4-when-error")).to_contain_text("asks for “spede”")
    when.fill("speed > 100")
    expect(page.locator("#steps-4-when-error")).to_contain_text("Reads well")


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fibre: plan v2")
    expect(page.get_by_role("region", name="What changed since v1")).to_contain_text("Fast lane")
    expect(page.locator("svg.plan")).to_be_visible()
    _shoot(page, "plan")


def _try_it(page: Page) -> None:
    page.get_by_role("link", name="Dry run").click()
    page.get_by_label("Bandwidth").select_option("400")
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Try it").click()
    steps = page.get_by_role("region", name="Steps", exact=True)
    expect(steps.get_by_role("row").filter(has_text="Fast lane")).to_contain_text("800")
    expect(steps.get_by_role("row").filter(has_text="Fast lane")).to_contain_text("router")
    _shoot(page, "dry-run")
    page.get_by_label("Bandwidth").select_option("100")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("region", name="Left out")).to_contain_text("speed > 100")
    _shoot(page, "dry-run-left-out")


def _submit_it(page: Page) -> None:
    page.goto(f"{URL}2/")
    expect(page.locator("summary", has_text="Publish")).to_have_count(0)
    page.get_by_role("button", name="Submit for publication").click()
    expect(page.get_by_role("status").filter(has_text="ask a colleague")).to_be_visible()


def _publish_it(page: Page) -> None:
    page.goto(f"{URL}2/")
    page.locator("summary", has_text="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.locator(".toast")).to_contain_text("is published")
    expect(page.get_by_role("heading", level=1)).to_contain_text("published")
    page.goto(URL)
    expect(page.get_by_role("row").filter(has_text="v2")).to_contain_text(
        "new orders are laid from it"
    )


def _look(page: Page) -> None:
    """On a phone nothing is cut off."""
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("", "2/", "2/try/", "compare/"):
        page.goto(URL + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(URL)
    page.get_by_role("button", name="New version").click()
    page.locator("#steps-2 summary").click()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    _shoot(page, "editor")


def test_a_plan_is_written_without_scripts(
    managers: tuple[User, User], rows: None, visit: Visit
) -> None:
    page = visit(managers[0], java_script_enabled=False)
    page.goto(URL)
    page.get_by_role("button", name="New version").click()
    page.get_by_role("button", name="Add automatic step").click()
    page.locator("#steps-4-handler").fill("activation")
    page.locator("#steps-4-key").fill("again")
    page.get_by_role("button", name="Move step 5 up").click()
    page.locator("#steps-3 summary").click()
    expect(page.locator("#steps-3-key")).to_have_value("again")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Fibre: plan v2"))
    expect(page.locator(".plan-steps")).to_contain_text("again")


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever asks for some: wide and narrow, light and dark."""
    if not SHOTS:
        return
    Path(SHOTS).mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    for width in (1440, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size(before or {"width": 1280, "height": 720})
    page.emulate_media(color_scheme="light")
