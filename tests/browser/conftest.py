"""What a browser test may ask for: people, a web process, a chromium, and visits that are watched.

Playwright runs an event loop in the thread of the test, and Django refuses to use the database
beside one. So rows are made by fixtures that come before the browser; afterwards a test does and
sees everything through pages, as a person would.

The web process and chromium are started once and serve one test after the other.
"""

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from o2b.people.models import User
from tests.browser.chromium import CHROMIUM, SharedChromium
from tests.browser.people import Staff, Visit, a_staff, log_in
from tests.browser.watch import Watch
from tests.browser.web import Web

PATIENCE_MS = 20_000  # two cores may be busy with other tests


@pytest.fixture(scope="session")
def has_chromium() -> None:
    """Without the browser its tests are skipped, but where O2B_TEST_BROWSER=required."""
    if CHROMIUM.exists():
        return
    missing = f"there is no {CHROMIUM}; O2B_CHROMIUM names another one"
    if os.environ.get("O2B_TEST_BROWSER") == "required":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture
def staff(has_chromium: None, transactional_db: None) -> Staff:
    """People to log in as."""
    return a_staff()


@pytest.fixture
def rows() -> None:
    """What stands in the database before the browser starts; a test module says what."""


@pytest.fixture(scope="session")
def queue_prefix() -> str:
    """One for all browser tests, for the web process publishes under it from first to last."""
    return f"test-{secrets.token_hex(4)}-"


@pytest.fixture(scope="session")
def webs(django_db_setup: None) -> Iterator[list[Web]]:
    """The web process of all browser tests, from when one asks for it; a dead one is followed."""
    started: list[Web] = []
    yield started
    for process in started:
        process.stop()


@pytest.fixture
def web(webs: list[Web], queue_prefix: str, staff: Staff, rows: Any) -> Web:
    """A web process; it publishes to the workers of the test where it asks for some."""
    if not webs or not webs[-1].is_running:
        webs.append(Web(queue_prefix=queue_prefix))
    return webs[-1]


@pytest.fixture(scope="session")
def shared_chromium() -> Iterator[SharedChromium]:
    """The browser of all tests of this process."""
    shared = SharedChromium()
    yield shared
    shared.stop()


@pytest.fixture
def browser(shared_chromium: SharedChromium, web: Web) -> Iterator[Browser]:
    """A chromium in which nothing is open and nothing is known."""
    with shared_chromium.lent() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, web: Web) -> Iterator[Visit]:
    """visit(user) → a page of a fresh context, logged in if a user is given; all are watched."""
    watch = Watch()
    expect.set_options(timeout=PATIENCE_MS)

    def begin(user: User | None = None, **options: Any) -> Page:
        context = browser.new_context(
            **{"base_url": web.url, "locale": "en", "reduced_motion": "reduce"} | options
        )
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context)
        page = context.new_page()
        if user:
            log_in(page, user)
        return page

    yield begin
    assert watch.faults == []
