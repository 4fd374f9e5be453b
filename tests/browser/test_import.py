"""A product manager with a spreadsheet: faults named by row and cell, a draft, and the way back."""

import pytest
from playwright.sync_api import Page, expect

from o2b.people.models import User
from tests.browser.people import PASSWORD, Staff, Visit
from tests.factories import a_product, a_user, monthly, setup_fee

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADER = "product,key,kind,unit_price,interval"
WRONG = (HEADER, 'router,monthly,recurring,"19,90",month', "modem,monthly,recurring,5,month")
RIGHT = (HEADER, "router,monthly,recurring,21.50,month", "router,setup,one_time,99,")


@pytest.fixture
def manager(staff: Staff) -> User:
    return a_user("product", username="nora", first_name="Nora", password=PASSWORD)


@pytest.fixture
def rows(manager: User) -> None:
    """A router with a monthly price and a fee, in the book for everybody."""
    a_product(code="router", name="Router", charges=[monthly("19.90"), setup_fee("99.00")])


def _try(page: Page, name: str, *lines: str) -> None:
    page.goto("/catalog/import/")
    expect(page.get_by_label("Price book").first).to_be_hidden()
    page.get_by_label("The sheet holds").select_option("price books")
    page.get_by_role("combobox", name="Price book").first.fill("default-eur")
    sheet = "\n".join(lines).encode()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": sheet}
    )
    page.get_by_role("button", name="Try it").click()


def test_faults_by_row_then_a_draft_and_back(manager: User, rows: None, visit: Visit) -> None:
    page = visit(manager)
    _try(page, "wrong.csv", *WRONG)
    expect(page.get_by_role("alert")).to_contain_text("There are 2 errors")
    expect(page.get_by_role("button", name="Import as draft")).to_have_count(0)
    comma = page.get_by_role("row").filter(has_text="router monthly")
    expect(comma.get_by_role("rowheader", name="2", exact=True)).to_be_visible()
    expect(comma).to_contain_text("Column D (unit_price): “19,90” has a decimal comma")
    unknown = page.get_by_role("row").filter(has_text="modem")
    expect(unknown.get_by_role("rowheader", name="3", exact=True)).to_be_visible()
    expect(unknown).to_contain_text("There is no product “modem”")

    page.get_by_role("link", name="Choose another file").click()
    _try(page, "right.csv", *RIGHT)
    changed = page.get_by_role("row").filter(has_text="router monthly")
    expect(changed).to_contain_text("19.9")
    expect(changed).to_contain_text("21.5")
    page.get_by_role("button", name="Import as draft").click()
    expect(page.locator(".toast")).to_contain_text("Imported as drafts.")
    drafts = page.get_by_role("region", name="Drafts")
    drafts.get_by_role("link", name="Default v").click()
    expect(page.get_by_role("link", name="Edit draft")).to_be_visible()

    page.goto("/catalog/import/")
    page.get_by_role("link", name="right.csv").click()
    page.locator("summary", has_text="Undo").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the drafts").click()
    expect(page.locator(".toast")).to_contain_text("The import was undone")
    expect(drafts).to_have_count(0)
    page.goto("/catalog/books/default-eur/")
    expect(page.get_by_role("button", name="New version")).to_be_visible()


def test_a_file_that_is_no_sheet_is_refused_beside_the_form(
    manager: User, rows: None, visit: Visit
) -> None:
    page = visit(manager, viewport={"width": 390, "height": 844})
    _try(page, "letter.csv", "a;b;c", "1;2;3")
    expect(page.get_by_role("alert")).to_contain_text("The header lacks: product, key")
    expect(page.get_by_role("combobox", name="Price book").first).to_have_value("default-eur")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
