"""python -m tests.shots: the pictures of docs/screenshots, taken of the demo as its people see it.

It starts a house of its own (`manage.py up --demo`) in a temporary folder and ends it again;
`--url` names a demo that runs already. Names of pictures are fixed, so that a picture that is
taken anew replaces the old one.
"""

import argparse
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from o2b.people.demo import PASSWORD
from o2b.servers.valkey import free_port
from tests.browser.chromium import chromium

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
MOST_BYTES = 300_000
START_SECONDS = 600
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Camera:
    """Goes about as one person after another and takes pictures."""

    browser: Browser
    url: str

    @contextmanager
    def seen_by(
        self, username: str = "", *, dark: bool = False, phone: bool = False
    ) -> Iterator[Page]:
        """A page in a fresh context, logged in as a person of the demo unless nobody is named."""
        context = self.browser.new_context(
            base_url=self.url,
            viewport=PHONE if phone else WIDE,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en",
        )
        page = context.new_page()
        if username:
            page.goto("/login/")
            page.get_by_label("Username").fill(username)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            expect(page.locator("main h1")).to_contain_text("Hello")
        yield page
        context.close()

    def take(self, page: Page, name: str) -> None:
        """One picture of what the window shows, once nothing is on its way any more."""
        page.wait_for_load_state("networkidle")
        page.evaluate("document.activeElement?.blur()")
        page.mouse.move(0, 0)
        path = FOLDER / f"{name}.png"
        page.screenshot(path=path, animations="disabled", caret="hide")
        checked(path)


def checked(path: Path) -> None:
    """Say what was written; a picture that makes the repository heavy is a fault."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {size} bytes; a picture may have {MOST_BYTES}.")
    sys.stderr.write(f"  {path.name} {size // 1000} kB\n")


def first_of(page: Page, address: str) -> str:
    """The address that the first row of a list leads to."""
    page.goto(address)
    link = page.locator("#list tbody tr").first.get_by_role("link").first
    return link.get_attribute("href") or ""
