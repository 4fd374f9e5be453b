"""A bill run at the desk of finance: watched, an outlier set aside, one drafted again, approved."""

import io
from datetime import date, timedelta
from decimal import Decimal

import pypdf
import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from billing.models import BillRun
from billing.runs.services import approve_run, open_run
from o2b import clock, events
from o2b.customers.models import Account
from tests.billing.worlds import by_hand, in_service
from tests.browser.people import Staff, Visit, beside
from tests.factories import a_product, a_user, an_account, an_entity, monthly
from tests.workers import Workers

pytestmark = [
    pytest.mark.browser,
    pytest.mark.workers,
    pytest.mark.django_db(transaction=True),
]
BY_ITSELF = 60_000
SPOIL = """UPDATE catalog_termscharge SET kind = %s WHERE id =
           (SELECT terms_charge_id FROM billing_charge WHERE account_id =
            (SELECT id FROM customers_account WHERE reference = 'A-SPOILT'))"""
THIS_MONTH = clock.today().replace(day=1)
LAST_MONTH = (THIS_MONTH - timedelta(days=1)).replace(day=1)


def _spoilt(kind: str) -> None:
    by_hand(SPOIL, [kind])


@pytest.fixture
def rows(staff: Staff) -> None:
    """Last month is billed; this month one grew, one cannot be computed, one stayed, one is new."""
    said = {"advocate": staff.rep}
    products = {price: a_product(charges=[monthly(price)]) for price in ("100.00", "50.00")}

    def sold(name: str, reference: str, price: str, start: date = LAST_MONTH) -> Account:
        account = an_account(name=name, reference=reference, **said)
        return in_service([products[price]], account=account, start_on=start)

    grew = sold("Atlas Freight", "A-GREW", "100.00")
    sold("Kestrel Energy", "A-SAME", "50.00")
    in_service(
        [a_product(charges=[monthly("30.00")])],
        account=an_account(name="Solveig Marine", reference="A-SPOILT", **said),
        start_on=LAST_MONTH,
    )
    run = open_run(
        legal_entity_id=an_entity().pk,
        on=LAST_MONTH,
        opened_by_id=a_user().pk,
        at=clock.now(),
    )
    events.drain()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=clock.now())
    events.drain()
    assert BillRun.objects.get().state == "finalised"
    in_service([a_product(charges=[monthly("900.00")])], account=grew, start_on=THIS_MONTH)
    sold("Harbour Labs", "A-NEW", "50.00", THIS_MONTH)
    _spoilt("usage")
    connection.close()


def test_finance_controls_a_run(staff: Staff, workers: Workers, visit: Visit) -> None:
    biller, approver, rep = visit(staff.biller), visit(staff.approver), visit(staff.rep)
    run = _open(biller)
    _see(biller)
    _set_aside(biller)
    _retry(biller)
    _advocate_looks(rep)
    _approve(approver, run)
    expect(biller.get_by_role("heading", level=1)).to_contain_text("finalised", timeout=BY_ITSELF)
    _read(approver)
    assert beside(lambda: BillRun.objects.count()) == 2


def _open(page: Page) -> str:
    page.get_by_role("link", name="Bill runs").first.click()
    page.get_by_role("link", name="Open a run").first.click()
    page.get_by_label("Up to and including").fill(str(THIS_MONTH))
    page.get_by_role("button", name="Open the run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("to approve", timeout=BY_ITSELF)
    return page.url


def _see(page: Page) -> None:
    run = page.locator("#run")
    expect(run).to_contain_text("4 looked at = 3 drafted + 0 nothing due + 1 parked")
    expect(run).to_contain_text("3 drafted = 3 to finalise + 0 set aside")
    expect(run).to_contain_text("accounts/s")
    expect(page.locator("#outliers")).to_contain_text("Atlas Freight")
    expect(page.locator("#outliers")).to_contain_text("€1,000.00")
    expect(page.locator("#parked")).to_contain_text("Solveig Marine")


def _set_aside(page: Page) -> None:
    page.get_by_role("link", name="Set Atlas Freight aside").click()
    page.get_by_role("button", name="Set aside").click()
    expect(page.locator(".field.wrong")).to_have_count(1)
    page.get_by_label("Reason").fill("Ten times the usual bill.")
    page.get_by_role("button", name="Set aside").click()
    expect(page.locator("#run")).to_contain_text("3 drafted = 2 to finalise + 1 set aside")
    expect(page.locator("#parked")).to_contain_text("Ten times the usual bill.")


def _retry(page: Page) -> None:
    """The account is mended beside the browser; the page shows it joining by itself."""
    beside(lambda: _spoilt("recurring"))
    page.get_by_role("button", name="Retry Solveig Marine").click()
    expect(page.locator("#run")).to_contain_text(
        "4 looked at = 4 drafted + 0 nothing due + 0 parked", timeout=BY_ITSELF
    )
    expect(page.locator("#parked")).not_to_contain_text("Solveig Marine")


def _advocate_looks(page: Page) -> None:
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Bills to look at").click()
    page.get_by_role("link", name="Bill run").click()
    bill = page.locator(".look").filter(has_text="Harbour Labs")
    expect(bill).to_contain_text("first bill")
    bill.get_by_role("button", name="The bill of Harbour Labs is right").click()
    expect(page.locator(".look").filter(has_text="Harbour Labs")).to_contain_text("looked at")


def _approve(page: Page, run: str) -> None:
    page.goto(run)
    expect(page.locator("#looks")).to_contain_text("were looked at")
    page.locator("summary", has_text="Approve").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 invoices get their numbers")
    dialog.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("finalised", timeout=BY_ITSELF)


def _read(page: Page) -> None:
    page.locator("#run").get_by_role("row").filter(has_text="Kestrel Energy").get_by_role(
        "link"
    ).first.click()
    pdf = page.request.get(page.get_by_role("link", name="PDF").get_attribute("href") or "")
    assert pdf.headers["content-type"] == "application/pdf"
    text = "".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(pdf.body())).pages)
    assert "Kestrel Energy" in text
    assert f"{Decimal(50):.2f}" in text
