"""What a browser test may ask for: people, a web process, a chromium, and visits that are watched.

Playwright runs an event loop in the thread of the test, and Django refuses to use the database
beside one. So rows are made by fixtures that come before the browser; afterwards a test does and
sees everything through pages, as a person would.
"""

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from o2b.people.models import User
from tests.browser.chromium import CHROMIUM, chromium
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


@pytest.fixture
def web(request: pytest.FixtureRequest, staff: Staff, rows: Any) -> Iterator[Web]:
    """A web process; it publishes to the workers of the test where it asks for some."""
    with_workers = "workers" in request.fixturenames
    prefix = request.getfixturevalue("workers").prefix if with_workers else _nobody()
    process = Web(queue_prefix=prefix)
    try:
        yield process
    finally:
        process.stop()


def _nobody() -> str:
    """Queues that nobody listens to."""
    return f"test-{secrets.token_hex(4)}-"


@pytest.fixture
def browser(web: Web) -> Iterator[Browser]:
    """A chromium of this test's own."""
    with chromium() as running:
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
