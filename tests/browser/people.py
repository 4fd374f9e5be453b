"""Who sits before the browser, and how they come in."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import connection
from playwright.sync_api import Page, expect

from o2b.people.models import User
from tests.factories import a_user

Visit = Callable[..., Page]  # visit(user, **options of the context) → a page
PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Staff:
    """One person of each kind, and a second one in finance."""

    rep: User
    clerk: User
    biller: User
    approver: User


def a_staff() -> Staff:
    """They are made before the browser starts; each has the same password."""

    def person(username: str, first: str, last: str, group: str) -> User:
        names = {"username": username, "first_name": first, "last_name": last}
        return a_user(group, password=PASSWORD, **names)

    return Staff(
        rep=person("rita", "Rita", "Sales", "sales"),
        clerk=person("omar", "Omar", "Delivery", "order team"),
        biller=person("fern", "Fern", "Finance", "finance"),
        approver=person("finn", "Finn", "Finance", "finance"),
    )


def beside(act: Callable[[], Any]) -> Any:
    """What happens beside the browser, in the database: in a thread without Playwright's loop."""

    def work() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def log_in(page: Page, user: User) -> None:
    """Through the page, as people do."""
    page.goto("/login/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {user.first_name}")
