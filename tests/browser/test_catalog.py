"""A product manager at work: prices typed and pasted into the grid, seen, published, explained."""

import re
from datetime import date

import pytest
from playwright.sync_api import Locator, Page, expect

from o2b.people.models import User
from tests.browser.people import PASSWORD, Staff, Visit
from tests.factories import a_meter, a_product, a_quote, a_user, an_account, monthly, setup_fee

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TIERS = [{"up_to": "10", "unit_price": "12"}, {"unit_price": "9.5"}]
MAY_PASTE = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture
def managers(staff: Staff) -> tuple[User, User]:
    """Two product managers."""
    nora = a_user("product", username="nora", first_name="Nora", password=PASSWORD)
    felix = a_user("product", username="felix", first_name="Felix", password=PASSWORD)
    return nora, felix


@pytest.fixture
def rows(staff: Staff, managers: tuple[User, User]) -> None:
    """Seats in tiers, a router, an account with bill day 1, and an open quote for 37 seats."""
    account = an_account(reference="A-100", name="Sunrise Clinics", advocate=staff.rep)
    a_product(code="router", name="Router", charges=[monthly("19.90"), setup_fee("99.00")])
    seat = a_product(
        code="seat",
        name="Voice seat",
        charges=[monthly("0", model="graduated", tiers=TIERS)],
    )
    a_quote(account=account, products=[seat], quantity="37", valid_until=date(2030, 1, 1))
    a_meter("voice", dimensions=[{"name": "zone", "choices": ["national", "mobile"]}])


def test_edit_paste_publish_and_explain(
    managers: tuple[User, User], rows: None, visit: Visit
) -> None:
    nora, felix = visit(managers[0], **MAY_PASTE), visit(managers[1])
    _begin_a_version(nora)
    _raise_the_second_tier(nora)
    _paste_prices(nora)
    _save(nora, "2 rows are saved.")
    _submit_it(nora)
    _publish_it(felix)
    _ask_the_simulator(felix)


def _begin_a_version(page: Page) -> None:
    page.goto("/catalog/books/")
    page.get_by_role("link", name="Default").click()
    page.get_by_role("button", name="New version").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Edit Default v3")
    expect(page.get_by_role("grid")).to_be_visible()


def _cell(page: Page, row: str, column: str) -> Locator:
    """A cell by words of its row and the name of its column."""
    line = page.locator("#grid tbody tr[data-id], #grid tbody tr").filter(has_text=row).first
    return line.locator(f'[data-col="{column}"]')


def _raise_the_second_tier(page: Page) -> None:
    tiers = _cell(page, "seat", "tiers")
    expect(tiers).to_have_text("2 tiers")
    expect(_cell(page, "seat", "unit_price")).to_have_text("by tiers")
    _cell(page, "seat", "unit_price").click()
    page.keyboard.type("7")
    expect(page.locator("#grid-state")).to_contain_text("No unit price here")
    expect(_cell(page, "seat", "unit_price")).to_have_text("by tiers")
    tiers.click()
    page.keyboard.press("Enter")
    price = page.get_by_role("textbox", name="Unit price 2")
    price.fill("9.75")
    price.press("Tab")
    expect(page.get_by_role("textbox", name="Flat fee 2")).to_be_focused()
    expect(page.locator("#grid-state")).to_have_text("1 row changed, not saved.")


def _paste_prices(page: Page) -> None:
    block = (
        "product\tkey\tkind\tunit_price\tinterval\tgrants\n"
        "router\tsupport\trecurring\t4.90\tmonth\t100 voice; rollover 20\n"
    )
    page.evaluate("text => navigator.clipboard.writeText(text)", block)
    _cell(page, "seat", "product").click()
    page.keyboard.press("Control+V")
    expect(page.locator("#grid-state")).to_contain_text("2 rows changed")
    expect(_cell(page, "support", "unit_price")).to_have_text("4.90")
    row = page.locator("#grid tbody tr").filter(has_text="support").first
    row.get_by_role("button", name="Further cells").click()
    expect(
        page.locator('#grid [data-col="grants"]').filter(has_text="100 voice; rollover 20")
    ).to_be_visible()

    page.evaluate("text => navigator.clipboard.writeText(text)", "21.00\n105.00\n")
    _cell(page, "monthly", "unit_price").click()
    page.keyboard.press("Control+V")
    expect(_cell(page, "monthly", "unit_price")).to_have_text("21.00")
    expect(_cell(page, "setup", "unit_price")).to_have_text("105.00")
    page.keyboard.press("Control+z")
    expect(_cell(page, "setup", "unit_price")).to_have_text("99")
    expect(page.locator("#grid-state")).to_contain_text("Undone.")


def _save(page: Page, said: str) -> None:
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator(".toast")).to_contain_text(said)
    expect(page.locator("#grid-state")).to_have_text("Everything is saved.")


def _submit_it(page: Page) -> None:
    page.get_by_role("link", name="See its impact").click()
    expect(page.get_by_text("no price of usage draws by the meter “voice”")).to_be_visible()
    quotes = page.get_by_role("region", name="Quotes")
    expect(quotes).to_contain_text("1 affected")
    expect(quotes).to_contain_text("€376.50")
    expect(quotes).to_contain_text("€383.25")
    expect(page.locator("summary", has_text="Publish")).to_have_count(0)
    page.get_by_role("button", name="Submit for publication").click()
    expect(page.get_by_role("status").filter(has_text="Ask a colleague")).to_be_visible()


def _publish_it(page: Page) -> None:
    page.goto("/catalog/books/default-eur/3/publication/")
    page.locator("summary", has_text="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.locator(".toast")).to_contain_text("Default v3 is published.")


def _ask_the_simulator(page: Page) -> None:
    page.goto("/catalog/simulator/")
    page.get_by_label("Account").fill("A-100")
    page.get_by_label("Product").select_option("Voice seat")
    page.get_by_label("Quantity").fill("37")
    page.get_by_label("Service from").fill("2030-06-12")
    page.get_by_role("button", name="What would it cost?").click()
    arithmetic = page.get_by_role("region", name="The arithmetic")
    for words in ("12 × 10", "9.75 × 27", "€383.25"):
        expect(arithmetic).to_contain_text(words)
    first = page.get_by_role("region", name="The first bill")
    expect(first).to_contain_text("19 of 30 days")
    expect(first).to_contain_text("€242.73")
    sources = page.get_by_role("region", name="Every price that could answer")
    expect(sources.get_by_role("row", name=re.compile("^Default v3"))).to_contain_text("won")
    expect(sources.get_by_role("row", name=re.compile("^Default v2"))).to_contain_text("lost")
    assert "quantity=37" in page.url


def test_the_grid_by_keyboard_alone(managers: tuple[User, User], rows: None, visit: Visit) -> None:
    page = visit(managers[0])
    _begin_a_version(page)
    press, write = page.keyboard.press, page.keyboard.type
    price = _cell(page, "monthly", "unit_price")

    _cell(page, "monthly", "product").focus()
    for _ in range(4):
        press("ArrowRight")
    expect(price).to_be_focused()
    write("21.50")
    press("Enter")
    expect(price).to_have_text("21.50")
    expect(_cell(page, "setup", "unit_price")).to_be_focused()

    press("Control+z")
    expect(price).to_have_text("19.9")
    expect(page.get_by_role("button", name="Save changes")).to_be_disabled()

    press("F2")
    write("120")
    press("Escape")
    expect(_cell(page, "setup", "unit_price")).to_have_text("99")
    press("Enter")
    write("120")
    press("Tab")
    expect(_cell(page, "setup", "tiers")).to_be_focused()
    press("ArrowUp")
    press("Control+Delete")
    expect(page.locator("#grid tr.gone")).to_have_count(1)
    press("Control+z")
    expect(page.locator("#grid tr.gone")).to_have_count(0)
    press("Control+s")
    expect(page.locator(".toast")).to_contain_text("1 row is saved.")
    expect(_cell(page, "setup", "unit_price")).to_have_text("120")


def test_a_fault_stands_beside_its_cell_and_nothing_is_lost(
    managers: tuple[User, User], rows: None, visit: Visit
) -> None:
    page = visit(managers[0])
    _begin_a_version(page)
    _cell(page, "monthly", "unit_price").click()
    page.keyboard.type("1,5")
    page.keyboard.press("Enter")
    _cell(page, "setup", "unit_price").click()
    page.keyboard.type("120")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save changes").click()

    wrong = _cell(page, "monthly", "unit_price")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_contain_text("1,5")
    expect(wrong).to_contain_text("Write decimals with a point")
    expect(wrong).to_be_focused()
    expect(_cell(page, "setup", "unit_price")).to_have_text("120")
    expect(page.locator("#grid-state")).to_contain_text("Nothing is saved")

    page.keyboard.type("20.50")
    page.keyboard.press("Enter")
    _cell(page, "seat", "tiers").click()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Up to 1").fill("x")
    page.get_by_role("textbox", name="Flat fee 1").click()
    expect(page.get_by_role("textbox", name="Flat fee 1")).to_be_focused()
    page.keyboard.press("Control+s")
    tier = page.get_by_role("textbox", name="Unit price 1")
    expect(tier).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".tiers .cell-fault")).to_contain_text("is no number")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(_cell(page, "setup", "unit_price")).to_have_text("99")


def test_a_price_by_a_plain_form_without_scripts(
    managers: tuple[User, User], rows: None, visit: Visit
) -> None:
    page = visit(managers[0], java_script_enabled=False)
    page.goto("/catalog/books/default-eur/")
    page.get_by_role("button", name="New version").click()
    page.locator("#grid tr").filter(has_text="seat").get_by_role("link", name="Edit").click()
    page.get_by_label("Tiers").fill("10:12\n5:9")
    page.get_by_role("button", name="Save price").click()
    expect(page.locator(".field.wrong")).to_contain_text("Tiers ascend")
    page.get_by_label("Tiers").fill("10:12\n*:9")
    page.get_by_role("button", name="Save price").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Edit Default v3")
    page.goto("/catalog/books/default-eur/?version=3")
    expect(page.get_by_role("main")).to_contain_text("above: €9.00")


PAGES = (
    "",
    "products/",
    "products/new/",
    "products/seat/",
    "products/seat/edit/",
    "products/seat/compare/",
    "books/",
    "books/new/",
    "books/default-eur/",
    "books/default-eur/compare/?from=1",
    "books/default-eur/3/edit/",
    "books/default-eur/3/prices/new/",
    "books/default-eur/3/publication/",
    "meters/",
    "meters/new/",
    "meters/voice/",
    "meters/voice/2/edit/",
    "simulator/?account=A-100&product=seat&quantity=37&start=2030-06-12",
    "contracts/",
    "import/",
)


def test_nothing_scrolls_sideways_on_a_phone(
    managers: tuple[User, User], rows: None, visit: Visit
) -> None:
    page = visit(managers[0], viewport={"width": 390, "height": 844})
    _begin_a_version(page)
    page.goto("/catalog/products/seat/")
    page.get_by_role("button", name="New version").click()
    page.goto("/catalog/meters/voice/")
    page.get_by_role("button", name="New version").click()
    wide = []
    for path in PAGES:
        answer = page.goto(f"/catalog/{path}", wait_until="networkidle")
        assert answer is not None
        assert answer.status == 200, path
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append((path, scheme))
    assert wide == []
