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


# What each person shows


def sales(camera: Camera, *, dark: bool = False, phone: bool = False) -> None:
    """Jonas: his home, the quotes, one being written, one that the customer has."""
    name = named(dark=dark, phone=phone)
    with camera.seen_by("jonas", dark=dark, phone=phone) as page:
        page.goto("/")
        camera.take(page, name("home-sales"))
        page.goto("/quotes/")
        camera.take(page, name("quotes"))
        sent = first_of(page, "/quotes/?state=sent")
        page.goto(sent)
        offer = page.get_by_label("The customer’s link").input_value()
        camera.take(page, name("quote"))
        page.goto(f"{first_of(page, '/quotes/?state=draft')}edit/")
        camera.take(page, name("quote-editor"))
    with camera.seen_by(dark=dark, phone=phone) as page:
        page.goto(offer[offer.index("/orders/") :])
        camera.take(page, name("offer"))


def delivery(camera: Camera, *, dark: bool = False, phone: bool = False) -> None:
    """Ada: an order on its way, one that fell out, her queue, all fallout."""
    name = named(dark=dark, phone=phone)
    with camera.seen_by("ada", dark=dark, phone=phone) as page:
        page.goto(first_of(page, "/orders/?state=provisioning"))
        camera.take(page, name("order"))
        page.goto(first_of(page, "/orders/?state=fallout"))
        camera.take(page, name("order-fallout"))
        page.goto("/orders/queue/")
        if not page.get_by_role("heading", name="I work on").count():
            page.get_by_role("button", name="Claim next").click()
            page.goto("/orders/queue/")
        camera.take(page, name("queue"))
        page.goto("/orders/fallout/")
        camera.take(page, name("fallout"))


def service(camera: Camera, *, dark: bool = False, phone: bool = False) -> None:
    """Mara: what a customer has."""
    with camera.seen_by("mara", dark=dark, phone=phone) as page:
        page.goto(first_of(page, "/subscriptions/?state=active"))
        camera.take(page, named(dark=dark, phone=phone)("subscription"))


def finance(camera: Camera, *, dark: bool = False, phone: bool = False) -> None:
    """Tomás: a run that waits for him, one that is final, an invoice and its PDF."""
    name = named(dark=dark, phone=phone)
    run = opened_run(camera)
    with camera.seen_by("tomas", dark=dark, phone=phone) as page:
        page.goto(run)
        camera.take(page, name("bill-run"))
        page.goto(first_of(page, "/billing/runs/?state=finalised"))
        camera.take(page, name("bill-run-final"))
        page.goto(first_of(page, "/billing/invoices/?state=paid"))
        camera.take(page, name("invoice"))
        if not dark and not phone:
            address = page.get_by_role("link", name="PDF").get_attribute("href")
            paper(page.request.get(address or "").body(), name("invoice-pdf"))


def opened_run(camera: Camera) -> str:
    """The run that waits for approval; Priya opens one if there is none."""
    with camera.seen_by("priya") as page:
        page.goto("/billing/runs/?state=to_approve")
        if not page.locator("#list tbody tr").count():
            page.goto("/billing/runs/new/")
            page.get_by_role("button", name="Open the run").click()
            expect(page.locator("h1")).to_contain_text("To approve", timeout=60_000)
        return first_of(page, "/billing/runs/?state=to_approve")


def api(camera: Camera) -> None:
    """Inès: the API's own pages."""
    with camera.seen_by("ines") as page:
        page.goto("/api/v1/docs/")
        expect(page.locator(".opblock").first).to_be_visible()
        camera.take(page, "api-docs")


def paper(pdf: bytes, name: str) -> None:
    """The first page of a PDF as a picture, by poppler where it is installed."""
    tool = shutil.which("pdftoppm")
    if tool is None:
        sys.stderr.write(f"  {name}.png is left as it is: pdftoppm (poppler-utils) is missing\n")
        return
    command = [tool, "-png", "-r", "96", "-f", "1", "-singlefile", "-", str(FOLDER / name)]
    subprocess.run(command, input=pdf, check=True)
    checked(FOLDER / f"{name}.png")


def named(*, dark: bool, phone: bool) -> Callable[[str], str]:
    """order → order, order-dark, order-phone."""
    tail = "-phone" if phone else "-dark" if dark else ""
    return lambda name: f"{name}{tail}"
