"""Going through a page with the Tab key alone, as people without a mouse do."""

from playwright.sync_api import Locator, Page, expect

MOST_STEPS = 120


def tab_to(page: Page, there: Locator) -> None:
    """Press Tab until `there` has the focus; what cannot be reached so is a fault."""
    expect(there).to_be_visible()
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if there.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {there}")


def fill_by_keys(page: Page, label: str, text: str) -> None:
    """Tab to a field, and write over what stands in it."""
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def press(page: Page, there: Locator) -> None:
    """Tab to a link or a button and follow it."""
    tab_to(page, there)
    page.keyboard.press("Enter")
