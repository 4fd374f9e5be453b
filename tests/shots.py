"""python -m tests.shots: the pictures of docs/screenshots, taken of the demo as its people see it.

It starts a house of its own (`manage.py up --demo`) in a temporary folder and ends it again;
`--url` names a demo that runs already. Names of pictures are fixed, so that a picture that is
taken anew replaces the old one.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from o2b.people.demo import PASSWORD
from o2b.servers.valkey import free_port
from tests.browser.chromium import chromium

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
MOST_BYTES = 300_000
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Look:
    """How pages are looked at, and which pictures are taken so; none named: all but some."""

    tail: str
    options: dict[str, Any]
    only: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()


LOOKS = (
    Look("", {"viewport": WIDE, "color_scheme": "light"}, but=frozenset({"tracking"})),
    Look(
        "-dark",
        {"viewport": WIDE, "color_scheme": "dark"},
        frozenset({"home-sales", "order", "bill-run"}),
    ),
    Look(
        "-phone",
        {"viewport": PHONE, "color_scheme": "light"},
        frozenset({"quotes", "offer", "change-offer", "order", "queue", "book-grid", "tracking"}),
    ),
)


@dataclass
class Camera:
    """Goes about as one person after another and takes pictures."""

    browser: Browser
    url: str
    look: Look = LOOKS[0]

    def wants(self, *names: str) -> bool:
        wanted = set(names) - self.look.but
        return bool(wanted & self.look.only if self.look.only else wanted)

    @contextmanager
    def seen_by(self, username: str = "") -> Iterator[Page]:
        """A page in a fresh context, logged in as a person of the demo unless nobody is named."""
        context = self.browser.new_context(
            base_url=self.url, reduced_motion="reduce", locale="en-GB", **self.look.options
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

    def take(self, page: Page, name: str, *, tall: int = 0) -> None:
        """One picture of what the window shows, once nothing is on its way any more.

        `tall` lets the window grow with the page, up to so many pixels.
        """
        if not self.wants(name):
            return
        page.wait_for_load_state("networkidle")
        if tall:
            whole = page.evaluate("document.documentElement.scrollHeight")
            width = self.look.options["viewport"]["width"]
            page.set_viewport_size({"width": width, "height": min(tall, whole)})
        page.mouse.move(0, 0)
        path = FOLDER / f"{name}{self.look.tail}.png"
        page.screenshot(path=path, animations="disabled", caret="hide")
        page.set_viewport_size(self.look.options["viewport"])
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


def sales(camera: Camera) -> None:
    """Jonas: his home, the quotes, one being written, one that the customer has."""
    with camera.seen_by("jonas") as page:
        camera.take(page, "home-sales")
        page.goto("/quotes/")
        camera.take(page, "quotes")
        page.goto(first_of(page, "/quotes/?state=sent&kind=new"))
        offer = page.get_by_role("textbox", name="The customer’s link").input_value()
        camera.take(page, "quote")
        page.goto(f"{first_of(page, '/quotes/?state=draft&kind=new')}edit/")
        camera.take(page, "quote-editor")
    with camera.seen_by() as page:
        page.goto(offer[offer.index("/orders/") :])
        camera.take(page, "offer")


def delivery(camera: Camera) -> None:
    """Ada: an order on its way, one that fell out, her queue, all fallout."""
    with camera.seen_by("ada") as page:
        page.goto(first_of(page, "/orders/?state=provisioning&sort=-line_count"))
        camera.take(page, "order")
        page.goto(first_of(page, "/orders/?state=fallout"))
        camera.take(page, "order-fallout")
        page.goto("/orders/queue/")
        if not page.get_by_role("heading", name="I work on").count():
            page.get_by_role("button", name="Claim next").click()
            page.goto("/orders/queue/")
        camera.take(page, "queue")
        page.goto("/orders/fallout/")
        camera.take(page, "fallout")


PLANS = "/catalog/products/circuit/plans/"


def orders(camera: Camera) -> None:
    """Samir: an order with its plan, the board; what its customer sees; Nora: a plan, and tried."""
    with camera.seen_by("samir") as page:
        page.goto("/orders/board/")
        camera.take(page, "board")
        page.goto(first_of(page, "/orders/?product=circuit"))
        tracking = page.get_by_label("Page on which the customer follows").input_value()
        camera.take(page, "order-plan", tall=2000)
    with camera.seen_by() as page:
        page.goto(tracking[tracking.index("/orders/") :])
        camera.take(page, "tracking", tall=2000)
    if not camera.wants("plan-editor", "plan-dry-run"):
        return
    with camera.seen_by("nora") as page:
        page.goto(PLANS)
        if page.get_by_role("button", name="New version").count():
            page.get_by_role("button", name="New version").click()
        else:
            page.goto(page.get_by_role("link", name="Edit draft").get_attribute("href") or "")
        page.locator("#steps-2 summary").click()
        camera.take(page, "plan-editor", tall=1600)
        page.goto(f"{PLANS}1/try/")
        page.get_by_label("From site").fill("Zürich")
        page.get_by_label("To site").fill("Genève")
        page.get_by_role("button", name="Try it").click()
        camera.take(page, "plan-dry-run", tall=1300)


def service(camera: Camera) -> None:
    """Mara: what a customer has."""
    with camera.seen_by("mara") as page:
        page.goto(first_of(page, "/subscriptions/?state=active"))
        camera.take(page, "subscription")


def finance(camera: Camera) -> None:
    """Tomás: a run that waits for him, one that is final, an invoice and its PDF."""
    run = opened_run(camera)
    with camera.seen_by("tomas") as page:
        page.goto(run)
        camera.take(page, "bill-run")
        page.goto(first_of(page, "/billing/runs/?state=finalised"))
        camera.take(page, "bill-run-final")
        page.goto(first_of(page, "/billing/invoices/?state=paid"))
        camera.take(page, "invoice")
        if camera.wants("invoice-pdf"):
            address = page.get_by_role("link", name="PDF").get_attribute("href")
            paper(page.request.get(address or "").body(), "invoice-pdf")


SELLER = "Nordlicht Telecom GmbH"


def month_end() -> date:
    """The last day of this month, up to which the demo's months are billed."""
    first = datetime.now(UTC).date().replace(day=1)
    return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def opened_run(camera: Camera) -> str:
    """The run that waits for approval; Priya opens one if there is none."""
    with camera.seen_by("priya") as page:
        page.goto("/billing/runs/?state=to_approve")
        if not page.locator("#list tbody tr").count():
            page.goto("/billing/runs/new/")
            page.get_by_label("Legal entity").select_option(label=SELLER)
            page.get_by_label("Up to and including").fill(f"{month_end()}")
            page.get_by_role("button", name="Open the run").click()
            expect(page.locator("h1")).to_contain_text("to approve", timeout=60_000)
        return first_of(page, "/billing/runs/?state=to_approve")


def control(camera: Camera) -> None:
    """Priya: against the last bills, who is out and why, what was sent, taken back and posted."""
    run = opened_run(camera)
    with camera.seen_by("priya") as page:
        page.goto(f"{run}variance/?state=outliers")
        camera.take(page, "variance")
        if camera.wants("parked"):
            page.goto(f"{run}parked/")
            if not page.locator("#list tbody tr").count():
                set_aside(page, run)
            page.goto(first_of(page, f"{run}parked/"))
            camera.take(page, "parked")
        page.goto("/billing/sending/?sort=-state")
        camera.take(page, "sending")
        page.goto(first_of(page, "/billing/reversals/"))
        settled(page)
        camera.take(page, "reversal")
        page.goto(first_of(page, "/billing/payers/?state=agreed"))
        camera.take(page, "payers")
        page.goto(first_of(page, "/billing/coupons/?state=published"))
        camera.take(page, "coupon")
        page.goto("/billing/journal/")
        months = page.locator("#f-month option").evaluate_all("all => all.map(it => it.value)")
        page.goto(f"/billing/journal/?sort=-amount&month={months[2:] and months[2]}")
        camera.take(page, "journal")


def papers(camera: Camera) -> None:
    """Priya: a head office with its branches on one bill, and an account with several bills."""
    with camera.seen_by("priya") as page:
        page.goto("/billing/invoices/?q=N-ORDERS")
        camera.take(page, "split-bills")
        page.goto(first_of(page, "/billing/invoices/?q=N-1002"))
        settled(page)
        camera.take(page, "family-invoice", tall=1400)


def set_aside(page: Page, run: str) -> None:
    """The largest change leaves the run, with a reason."""
    page.goto(run)
    page.locator("#outliers").get_by_role("link", name="aside").first.click()
    page.get_by_label("Reason").fill("Half of the last bill: did the second line really end?")
    page.get_by_role("button", name="Set aside").click()
    expect(page.locator("#parked")).to_contain_text("Half of the last bill")


def api(camera: Camera) -> None:
    """Inès: the API's own pages."""
    with camera.seen_by("ines") as page:
        page.goto("/api/v1/docs/")
        expect(page.locator(".opblock").first).to_be_visible(timeout=30_000)
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


def products(camera: Camera) -> None:
    """Nora: the catalog, a draft of prices in the grid, whom it touches, what a line would cost."""
    with camera.seen_by("nora") as page:
        page.on("dialog", lambda dialog: dialog.accept())  # leaves what is not saved
        page.goto("/catalog/")
        suite = page.get_by_label("Versions and components of Growth suite")
        if not suite.is_visible():  # its family is folded
            page.locator("details.family", has=suite).locator("> summary").click()
        suite.click()
        camera.take(page, "catalog-tree")
        begun(page, first_of(page, "/catalog/books/?q=nordlicht"))
        dearer(page)
        tiers = page.locator("#grid tr").filter(has_text="voice-seat").first
        tiers.locator('[data-col="tiers"]').click()
        page.keyboard.press("Enter")
        page.get_by_role("textbox", name="Unit price 2").fill("9.75")
        page.get_by_role("textbox", name="Unit price 3").focus()
        camera.take(page, "book-grid")
        page.get_by_role("link", name="See its impact").click()
        camera.take(page, "book-impact")
        page.goto(first_of(page, "/customers/"))
        number = page.locator(".head p").first.inner_text().split(" ")[0]
        asked = "product=voice-seat&quantity=37&start=2026-12-12&c-edition=basic&discount=10"
        page.goto(f"/catalog/simulator/?account={number}&{asked}")
        camera.take(page, "price-simulator")
        if camera.wants("product-diff"):
            changed(page)
            camera.take(page, "product-diff")


SHEET = """product,key,kind,unit_price,interval
voice-seat,monthly,recurring,"11,50",month
fibre-100,monthly,recurring,41.90,month
fibre-100,setup,once,49.00,
fibre-300,monthly,recurring,49.90,month
fibre-1000,monthly,recurring,=E4*2,month
"""


def sheets(camera: Camera) -> None:
    """Nora: a spreadsheet of prices with some cells to mend."""
    with camera.seen_by("nora") as page:
        book = first_of(page, "/catalog/books/?q=nordlicht").rstrip("/").rpartition("/")[2]
        page.goto("/catalog/import/")
        page.get_by_label("The sheet holds").select_option("price books")
        page.get_by_role("combobox", name="Price book").first.fill(book)
        page.get_by_label("File", exact=True).set_input_files(
            {"name": "prices-2027.csv", "mimeType": "text/csv", "buffer": SHEET.encode()}
        )
        page.get_by_role("button", name="Try it").click()
        camera.take(page, "import-report")


def begun(page: Page, book: str) -> None:
    """The editor of the book's draft; a new version where there is none."""
    page.goto(book)
    if page.get_by_role("link", name="Edit draft").count():
        page.get_by_role("link", name="Edit draft").click()
    else:
        page.get_by_role("button", name="New version").click()
    expect(page.locator("#grid-state")).to_be_visible()
    page.wait_for_load_state("networkidle")


def dearer(page: Page) -> None:
    """Seats by tiers, once, and saved."""
    row = page.locator("#grid tr").filter(has_text="voice-seat").first
    if row.locator('[data-col="tiers"]').inner_text().strip():
        return
    row.locator('[data-col="model"]').dblclick()
    row.get_by_role("combobox").select_option("graduated")
    page.keyboard.press("Enter")
    row.locator('[data-col="tiers"]').focus()
    page.keyboard.type("10:12.00; 50:9.90; *:8.50")
    page.keyboard.press("Enter")
    fibre = page.locator("#grid tr").filter(has_text="fibre-100").last
    fibre.locator('[data-col="unit_price"]').focus()
    page.keyboard.type("59.00")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator(".toast")).to_contain_text("saved")
    page.get_by_role("button", name="Dismiss").click()


def changed(page: Page) -> None:
    """A draft of a product that differs, and what differs."""
    page.goto("/catalog/products/voice-seat/")
    if page.get_by_role("button", name="New version").count():
        page.get_by_role("button", name="New version").click()
        page.get_by_label("Description").fill("A seat of the hosted telephone system.")
        page.get_by_label("Choices").first.fill("basic, plus, contact centre")
        page.get_by_role("button", name="Add component").click()
        page.get_by_label("Product code").first.fill("sip-trunk")
        page.get_by_label("Most", exact=True).last.fill("2")
        page.get_by_role("button", name="Save draft").click()
        page.get_by_role("button", name="Dismiss").click()
    else:
        page.goto("/catalog/products/voice-seat/compare/")


def changes(camera: Camera) -> None:
    """Mara: an offer against what is in service, what comes to its end, who has what."""
    with camera.seen_by("mara") as page:
        page.goto(first_of(page, "/quotes/?state=sent&kind=change"))
        camera.take(page, "change-quote", tall=1700)
        offer = page.get_by_role("textbox", name="The customer’s link").input_value()
        page.goto("/subscriptions/renewals/")
        camera.take(page, "renewals")
        page.goto("/subscriptions/install-base/")
        camera.take(page, "install-base")
        if camera.wants("change-preview"):
            previewed(page)
            camera.take(page, "change-preview", tall=1500)
    with camera.seen_by() as page:
        page.goto(offer)
        camera.take(page, "change-offer", tall=1700)


def usage(camera: Camera) -> None:
    """Tomás: where every event stands, what a service uses now, a file of call records."""
    with camera.seen_by("tomas") as page:
        page.goto("/subscriptions/usage/")
        settled(page)
        camera.take(page, "usage")
        page.goto(first_of(page, "/subscriptions/?product=calls"))
        settled(page)
        page.goto(page.locator('a[href*="/usage/services/"]').first.get_attribute("href") or "/")
        camera.take(page, "usage-service", tall=1500)


def pools(camera: Camera) -> None:
    """Tomás: what a pool holds, when it runs empty, who draws from it."""
    with camera.seen_by("tomas") as page:
        page.goto(first_of(page, "/subscriptions/pools/"))
        settled(page)
        camera.take(page, "pool", tall=1700)


def settled(page: Page) -> None:
    """Whatever htmx loads by itself is there."""
    expect(page.locator(".htmx-request, .htmx-added")).to_have_count(0)


def previewed(page: Page) -> None:
    """An upgrade that holds since some days: what is given back, what is charged, with tax."""
    line = first_of(page, "/subscriptions/install-base/?product=fibre-100&account=N-1006")
    item = line.rstrip("/").rpartition("/")[2]
    page.goto(f"/subscriptions/items/{item}/change/product/")
    page.get_by_label("Product").select_option("fibre-1000")
    page.get_by_label("On this day").check()
    page.get_by_label("Day", exact=True).fill(f"{datetime.now(UTC).date() - timedelta(days=10)}")
    page.get_by_role("button", name="Show what it brings").click()
    brings = page.get_by_role("heading", name="What it brings")
    brings.evaluate("it => { it.scrollIntoView(); scrollBy(0, -80) }")


def clocks(camera: Camera) -> None:
    """Inès: a test clock after a month was lived, and what that month brought."""
    with camera.seen_by("ines") as page:
        page.goto(first_of(page, "/clocks/"))
        page.get_by_role("button", name="1 month").click()
        expect(page.get_by_role("heading", name="Last step")).to_be_visible(timeout=120_000)
        camera.take(page, "test-clock", tall=1400)


ROUNDS = {
    products: (
        "catalog-tree",
        "book-grid",
        "book-impact",
        "price-simulator",
        "product-diff",
    ),
    sheets: ("import-report",),
    sales: ("home-sales", "quotes", "quote", "quote-editor", "offer"),
    delivery: ("order", "order-fallout", "queue", "fallout"),
    orders: ("board", "order-plan", "tracking", "plan-editor", "plan-dry-run"),
    service: ("subscription",),
    changes: ("change-quote", "renewals", "install-base", "change-preview", "change-offer"),
    usage: ("usage", "usage-service"),
    pools: ("pool",),
    clocks: ("test-clock",),
    finance: ("bill-run", "bill-run-final", "invoice", "invoice-pdf"),
    control: ("variance", "parked", "sending", "reversal", "payers", "coupon", "journal"),
    papers: ("split-bills", "family-invoice"),
    api: ("api-docs",),
}


@contextmanager
def a_demo() -> Iterator[str]:
    """A house of our own with the demo in it; gives its address and leaves no process."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="o2b-shots-") as home:
        Path(home).chmod(0o755)  # Postgres, when started by root, walks through it as another user
        house = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--demo", "--port", str(port)],
            cwd=ROOT,
            env=os.environ | {"O2B_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert house.stdout is not None
        try:
            if not any(line.startswith("O2B runs at") for line in house.stdout):
                raise SystemExit("The demo did not start; what it said stands above.")
            yield f"http://localhost:{port}"
        finally:
            house.send_signal(signal.SIGINT)
            house.wait(60)
            house.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.shots", description=__doc__)
    parser.add_argument("--url", help="a demo that runs already")
    parser.add_argument("--only", nargs="*", default=[], help="names of pictures (order, queue …)")
    asked = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with nullcontext(asked.url) if asked.url else a_demo() as url, chromium() as browser:
        for look in LOOKS:
            camera = Camera(browser, url, narrowed(look, asked.only))
            for go, names in ROUNDS.items():
                if camera.wants(*names):
                    go(camera)


def narrowed(look: Look, names: list[str]) -> Look:
    """The same look, but only for pictures that were asked for."""
    if not names:
        return look
    return replace(look, only=(look.only or frozenset(names)) & frozenset(names) or NOTHING)


NOTHING = frozenset({"nothing"})

if __name__ == "__main__":
    main()
