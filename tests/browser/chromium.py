"""The browser of tests and pictures: the system's chromium, told to be quiet.

Debian's chromium-headless-shell is the same engine without a window around each page, which costs
six times the page itself; it is taken where it is installed.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

WITHOUT_A_WINDOW = Path("/usr/bin/chromium-headless-shell")
SYSTEM = WITHOUT_A_WINDOW if WITHOUT_A_WINDOW.exists() else Path("/usr/bin/chromium")
CHROMIUM = Path(os.environ.get("O2B_CHROMIUM", SYSTEM))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for as long as the block lasts; it phones nobody."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=ARGUMENTS
        )
        try:
            yield browser
        finally:
            browser.close()


class SharedChromium:
    """One browser for many tests, one after the other; another one takes its place if it dies.

    Playwright leaves its event loop marked as running in this thread, beside which Django uses no
    database; so the mark stands only while a test has the browser.
    """

    def __init__(self) -> None:
        self._held = ExitStack()
        self._browser: Browser | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def lent(self) -> Iterator[Browser]:
        """The browser, without a page that was open before; what is opened is closed again."""
        with self._beside_its_loop():
            browser = self._well() or self._start()
            try:
                yield browser
            finally:
                with suppress(Error):  # a broken one is replaced before the next test
                    for context in browser.contexts:
                        context.close()

    def stop(self) -> None:
        with self._beside_its_loop():
            self._stop()

    def _start(self) -> Browser:
        self._stop()
        self._browser = self._held.enter_context(chromium())
        return self._browser

    def _stop(self) -> None:
        self._browser = None
        with suppress(Error):
            self._held.close()

    def _well(self) -> Browser | None:
        if self._browser is not None:
            with suppress(Error):
                self._browser.new_context().close()
                return self._browser
        return None

    @contextmanager
    def _beside_its_loop(self) -> Iterator[None]:
        asyncio._set_running_loop(self._loop)
        try:
            yield
        finally:
            self._loop = asyncio._get_running_loop()
            asyncio._set_running_loop(None)
