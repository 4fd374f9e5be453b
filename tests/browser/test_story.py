"""The whole thread in chromium: quoted, accepted on the link, delivered, billed, paid."""

import io
import re

import pypdf
import pytest
from playwright.sync_api import Locator, Page, expect

from orders.models import Queue, QueueMember
from tests.browser.people import Staff, Visit
from tests.factories import INSTALL, a_product, an_account, monthly, setup_fee
from tests.workers import Workers

pytestmark = [
    pytest.mark.browser,
    pytest.mark.workers,
    pytest.mark.django_db(transaction=True),
]
BY_ITSELF = 60_000  # milliseconds until the workers are done and a page has shown it


@pytest.fixture
def rows(staff: Staff) -> None:
    """A customer, a router to be installed by hand and seats that a machine activates.

    Charges run from the day of delivery, so that the amounts are the same on every day.
    """
    from_delivery = {"alignment": "anniversary"}
    an_account(reference="A-100", name="Sunrise Clinics", advocate=staff.rep)
    a_product(
        code="router",
        name="Router",
        charges=[monthly("40.00", **from_delivery), setup_fee("99.00")],
        tasks=INSTALL,
    )
    field = Queue.objects.create(code="field", name="Field service")
    QueueMember.objects.create(queue=field, user=staff.clerk)
    a_product(code="seat", name="Voice seat", charges=[monthly("10.00", **from_delivery)])


def test_from_quote_to_paid_invoice(staff: Staff, workers: Workers, visit: Visit) -> None:
    rep = visit(staff.rep, permissions=["clipboard-read", "clipboard-write"])
    link = _quote_and_send(rep)
    _accept_on_the_link(visit(), link)
    order = _follow_to_the_order(rep)
    _deliver(visit(staff.clerk))
    _see_it_completed(rep, order)

    biller, approver = visit(staff.biller), visit(staff.approver)
    run = _open_a_run(biller)
    _approve(approver, run)
    expect(biller.get_by_role("heading", level=1)).to_contain_text("finalised", timeout=BY_ITSELF)
    invoice = _read_the_invoice(approver)
    _pay(approver, invoice)


def _quote_and_send(page: Page) -> str:
    page.get_by_role("link", name="Quotes").first.click()
    page.get_by_role("link", name="New quote").first.click()
    page.wait_for_load_state()  # a person is slower than the scripts; Playwright is not
    page.get_by_label("Account").fill("A-100")
    page.get_by_label("Product").select_option("Router")
    totals = page.locator("#totals")
    expect(totals).to_contain_text("40.00")
    page.get_by_role("button", name="Add line").click()
    second = page.get_by_role("group", name="Line 2")
    expect(second).to_be_visible()
    _settled(page)
    second.get_by_label("Product").select_option("Voice seat")
    expect(totals).to_contain_text("50.00")
    _settled(page)
    second.get_by_label("Quantity").fill("3")
    expect(totals).to_contain_text("70.00")
    second.get_by_label("Discount %").fill("10")
    expect(_sums(totals.locator("dl"))).to_have_text(["€67.00", "€99.00", "€166.00"])
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link: str = page.evaluate("navigator.clipboard.readText()")
    assert link == page.get_by_role("textbox", name="The customer’s link").input_value()
    return link


def _accept_on_the_link(page: Page, link: str) -> None:
    assert page.context.cookies() == []
    page.goto(link)
    expect(page.locator("#offer")).to_contain_text("€67.00")
    page.get_by_role("button", name="Accept and order").click()
    expect(page.get_by_text("Please tick this to order.")).to_be_visible()
    page.get_by_label("Your name").fill("Dr. P. Hall")
    page.get_by_label("I accept this offer").check()
    page.get_by_role("button", name="Accept and order").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def _follow_to_the_order(page: Page) -> str:
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("accepted")
    page.locator("#order-of-quote").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order")
    return page.url


def _deliver(page: Page) -> None:
    """The wrong version is refused beside its field, the right one is taken."""
    page.get_by_role("link", name="My queue").first.click()
    page.get_by_role("button", name=re.compile("^Claim Install on site of")).click()
    work = page.get_by_role("listitem").filter(has_text="Install on site").first
    work.get_by_label("Version installed").fill("9")
    work.get_by_label("Serial number").fill("SN-1")
    work.get_by_role("button", name="Complete", exact=True).click()
    wrong = page.locator(".field.wrong")
    expect(wrong).to_have_count(1)
    expect(wrong.get_by_label("Version installed")).to_have_value("9")
    expect(wrong.locator(".errorlist")).to_contain_text("1")
    expect(work.get_by_label("Serial number")).to_have_value("SN-1")
    wrong.get_by_label("Version installed").fill("1")
    work.get_by_role("button", name="Complete", exact=True).click()
    expect(page.get_by_text("Install on site is done.")).to_be_visible()


def _see_it_completed(page: Page, order: str) -> None:
    """Nobody touches the page: it asks for itself until both lines are completed."""
    live = page.locator("#order-live")
    expect(live).to_contain_text("2 of 2 lines completed", timeout=BY_ITSELF)
    assert page.url == order
    page.reload()
    expect(page.get_by_text("SN-1").first).to_be_attached()


def _open_a_run(page: Page) -> str:
    page.get_by_role("link", name="Bill runs").first.click()
    page.get_by_role("link", name="Open a run").first.click()
    page.get_by_role("button", name="Open the run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("to approve", timeout=BY_ITSELF)
    expect(page.locator("#run")).to_contain_text(
        "You opened this run, so somebody else has to approve it."
    )
    expect(page.locator("summary", has_text="Approve")).to_have_count(0)
    expect(page.locator("#run")).to_contain_text("€166.00")
    refused = page.request.post(
        f"{page.url}approve/", headers=_headers_of_htmx(page) | {"Referer": page.url}
    )
    assert refused.status == 409
    return page.url


def _approve(page: Page, run: str) -> None:
    page.goto(run)
    page.locator("summary", has_text="Approve").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 invoice gets its number")
    dialog.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("finalised", timeout=BY_ITSELF)


def _read_the_invoice(page: Page) -> str:
    page.locator("#run").get_by_role("row").filter(has_text="Sunrise Clinics").get_by_role(
        "link"
    ).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice")
    expect(page.get_by_role("main")).to_contain_text("Voice seat")
    pdf = page.request.get(page.get_by_role("link", name="PDF").get_attribute("href") or "")
    assert pdf.status == 200
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.body().startswith(b"%PDF")
    text = "".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(pdf.body())).pages)
    assert "Sunrise Clinics" in text
    assert "166.00" in text
    return page.url


def _pay(page: Page, invoice: str) -> None:
    page.get_by_role("link", name="Record a payment").click()
    expect(page.get_by_label("Amount")).to_have_value("166.00")
    page.get_by_label("Reference").fill("RF18 5390")
    page.get_by_role("button", name="Record it").click()
    page.goto(invoice)
    expect(page.get_by_role("heading", level=1)).to_contain_text("paid")
    standing = page.locator("[aria-labelledby=standing-title] .facts")
    expect(_sums(standing).nth(2)).to_have_text("€0.00")
    page.get_by_role("main").get_by_role("link", name="Sunrise Clinics").click()
    expect(page.get_by_role("main")).to_contain_text("€0.00")


def _settled(page: Page) -> None:
    """Until htmx knows what it has just put there; a person is never as quick as Playwright."""
    expect(page.locator(".htmx-added, .htmx-request")).to_have_count(0)


def _sums(of: Locator) -> Locator:
    return of.locator("dd")


def _headers_of_htmx(page: Page) -> dict[str, str]:
    """What htmx sends along from this page: the token against forged requests."""
    headers: dict[str, str] = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))")
    return headers | {"HX-Request": "true"}
