"""A clerk with a sheet of orders: tried, mended, placed; and orders found again by filters."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Staff, Visit
from tests.factories import INSTALL, a_product, an_account
from tests.orders.build_bulk import sheet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WRONG = sheet("PO-1,B-1,fibre,1", "PO-1,B-1,router,0", "PO-2,B-1,fibre,3")
MENDED = sheet("PO-1,B-1,fibre,1", "PO-1,B-1,router,2", "PO-2,B-1,fibre,3")


@pytest.fixture
def rows(staff: Staff) -> None:
    """One account, and two products that are installed by hand."""
    an_account(reference="B-1", name="Bluebird", advocate=staff.rep)
    for code in ("fibre", "router"):
        a_product(code=code, name=code.title(), tasks=INSTALL)  # type: ignore[arg-type]


def _try(page: Page, name: str, body: bytes) -> None:
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": body}
    )
    page.get_by_role("button", name="Try it").click()


def test_tried_mended_and_placed(staff: Staff, rows: None, visit: Visit, tmp_path: Path) -> None:
    page = visit(staff.clerk)
    page.goto("/orders/")
    page.get_by_role("main").get_by_role("link", name="Bulk orders").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bulk orders")
    _try(page, "letter.csv", b"Dear all,\r\nplease order.\r\n")
    expect(page.get_by_role("alert")).to_contain_text("The header lacks: account")

    _try(page, "may.csv", WRONG)
    expect(page.get_by_role("heading", level=1)).to_have_text("may.csv")
    page.get_by_role("link", name="Show only these").click()
    bad = page.get_by_role("row").filter(has_text="quantity")
    expect(bad.get_by_role("rowheader")).to_have_text("3")
    expect(page.get_by_role("row").filter(has_text="because of row 3")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Refused rows as a sheet").click()
    rest = tmp_path / "rest.csv"
    download.value.save_as(rest)
    assert "PO-1,B-1,router,0" in rest.read_text()
    expect(page.locator("summary", has_text="Place 1 order")).to_be_visible()

    page.get_by_role("link", name="Choose another file").click()
    _try(page, "mended.csv", MENDED)
    page.locator("summary", has_text="Place 2 orders").click()
    page.get_by_role("dialog").get_by_role("button", name="Place 2 orders").click()
    expect(page.locator(".toast")).to_contain_text("2 orders are placed.")
    expect(page.get_by_role("row").filter(has_text="ordered")).to_have_count(3)

    page.get_by_role("row").filter(has_text="PO-2").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order O-")
    page.get_by_role("link", name="from a sheet").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("mended.csv")


def test_a_large_sheet_shows_how_far_it_is(staff: Staff, rows: None, visit: Visit) -> None:
    page = visit(staff.clerk, viewport={"width": 390, "height": 844})
    page.goto("/orders/bulk/")
    _try(page, "many.csv", sheet(*(f"PO-{n},B-1,fibre,1" for n in range(150))))
    expect(page.get_by_role("region", name="Progress")).to_contain_text("0 of 150 rows")
    expect(page.locator("summary", has_text="Place")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_filters_of_the_list_live_in_the_address(staff: Staff, rows: None, visit: Visit) -> None:
    page = visit(staff.clerk)
    page.goto("/orders/bulk/")
    _try(page, "two.csv", MENDED)
    page.locator("summary", has_text="Place 2 orders").click()
    page.get_by_role("dialog").get_by_role("button", name="Place 2 orders").click()
    expect(page.locator(".toast")).to_contain_text("2 orders are placed.")
    page.goto("/orders/")
    page.get_by_label("Product", exact=True).fill("router")
    page.get_by_label("Product", exact=True).press("Enter")
    numbers = page.locator("#list tbody tr")
    expect(numbers).to_have_count(1)
    page.get_by_label("Work open in", exact=True).select_option("Field")
    expect(page).to_have_url(
        "/orders/?q=&lateness=&customer=&queue=field&product=router&advocate=&channel=&priority=&from=&until="
    )
    expect(numbers).to_have_count(1)
    page.get_by_role("link", name="Without the filter Product").click()
    expect(numbers).to_have_count(2)
    expect(page.get_by_label("Work open in", exact=True)).to_have_value("field")
    page.get_by_label("Lateness", exact=True).select_option("late")
    expect(page.locator("#list")).to_contain_text("Nothing matches")
    page.go_back()
    expect(numbers).to_have_count(2)
