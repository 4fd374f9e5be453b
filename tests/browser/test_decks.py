"""Rate decks in the browser: a faulty sheet, a good one, published by a colleague, looked up."""

import pytest
from playwright.sync_api import expect

from o2b.catalog.models import RateDeckVersion
from o2b.people.models import User
from tests.browser.people import PASSWORD, Staff, Visit, beside
from tests.factories import a_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHEET = "prefix,destination,rate,first_increment,next_increment\n49,Germany,0.02,1,1\n"


@pytest.fixture
def people(staff: Staff) -> list[User]:
    """Two who may publish."""
    return [a_user("product", username=name, password=PASSWORD) for name in ("ann", "bob")]


def test_a_deck_is_filled_published_and_asked(people: list[User], visit: Visit) -> None:
    ann, bob = people
    page = visit(ann)
    page.goto("/catalog/decks/")
    page.get_by_role("link", name="New rate deck").first.click()
    page.get_by_label("Code", exact=True).fill("intl")
    page.get_by_label("Name", exact=True).fill("International")
    page.get_by_label("Currency", exact=True).fill("EUR")
    page.get_by_role("button", name="Make the draft").click()
    faulty = {"name": "deck.csv", "mimeType": "text/csv", "buffer": f"{SHEET}4x,,1,1,1\n".encode()}
    page.locator("input[type=file]").set_input_files([faulty])
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("alert").first).to_contain_text("Row 3, column A (prefix)")
    sheet = {
        "name": "deck.csv",
        "mimeType": "text/csv",
        "buffer": f"{SHEET}49171,Germany mobile,0.18,60,60\n".encode(),
    }
    page.locator("input[type=file]").set_input_files([sheet])
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#list")).to_contain_text("Germany mobile")
    page.get_by_role("button", name="Submit for publication").click()
    page = visit(bob)
    page.goto("/catalog/decks/intl/")
    page.locator("summary", has_text="Publish").click()
    page.get_by_role("button", name="Publish", exact=True).last.click()
    expect(page.get_by_role("main")).to_contain_text("published")
    assert beside(RateDeckVersion.objects.get).state == "published"
    page.get_by_label("Number", exact=True).fill("+49 (0)171 234567")
    page.get_by_role("button", name="Look it up").click()
    expect(page.locator("#looked-up")).to_contain_text("49171 Germany mobile")
    expect(page.locator("#looked-up")).to_contain_text("60/60")
    expect(page.locator("#looked-up")).to_contain_text("v1")
