"""Families on pages and paper: sections that add up, panels, details; no query a member."""

import csv
from datetime import date
from io import BytesIO, StringIO
from typing import Any

import pytest
from pypdf import PdfReader

from billing.invoices.document import document_of
from billing.invoices.parts import parts_of
from billing.invoices.selectors import lines_of
from billing.models import Invoice, InvoiceDocument
from billing.sending.selectors import details_of_invoice
from o2b import asks
from o2b.customers.models import LegalEntity
from subscriptions.models import Item
from tests.billing.adjustments.build import a_coupon, has
from tests.billing.families.worlds import a_family, an_account_with, tied
from tests.billing.pages import client_of, queries, text_of
from tests.billing.worlds import drafted, finalised, in_service
from tests.factories import a_product, a_tax_rate, a_user, an_account
from tests.subscriptions.usage.build import a_meter, an_event, by_meter, taken

pytestmark = pytest.mark.django_db


def the_bill(payer: Any) -> Invoice:
    return Invoice.objects.get(account=payer)


def test_the_page_of_a_document_shows_each_account_and_the_equation() -> None:
    a_tax_rate("19")
    payer, first, second = a_family("10.00", "20.00", "30.00")
    has(second, a_coupon("10"))
    finalised()
    page = client_of("finance").get(the_bill(payer).get_absolute_url())
    text = text_of(page)
    for account in (payer, first, second):
        assert f"{account.name} {account.reference}" in text
    assert "Together = €57.00 tax €10.83" in text
    html = page.content.decode()
    assert html.count('class="part"') == 3
    # the discount stands with its member, after the headings of all others
    assert html.index(second.reference) < html.index("Discount: Coupon 1")


def test_a_plain_document_looks_as_ever() -> None:
    account = an_account_with("10.00")
    payer, member = a_family("10.00", "20.00")
    tied(member, None)
    finalised()
    for each in (account, payer):
        page = client_of("finance").get(the_bill(each).get_absolute_url()).content.decode()
        assert 'class="part"' not in page
        assert "family-title" not in page


def test_a_payer_billed_alone_in_his_family_gets_a_plain_document() -> None:
    payer = an_account_with("10.00")
    tied(an_account(), payer)
    finalised()
    page = client_of("finance").get(the_bill(payer).get_absolute_url()).content.decode()
    assert 'class="part"' not in page


def test_the_paper_has_a_section_for_each() -> None:
    payer, first, second = a_family("10.00", "20.00", "30.00")
    finalised()
    bill = the_bill(payer)
    document = document_of(bill, list(lines_of(invoice_id=bill.pk)), (), (), parts_of(bill))
    heads = [(group["title"], group["sum"]) for group in document["groups"] if group["sum"]]
    assert heads == [(payer.name, "€10.00"), (first.name, "€20.00"), (second.name, "€30.00")]
    page = client_of("finance").get(f"/billing/invoices/{bill.pk}/pdf/")
    text = PdfReader(BytesIO(page.content)).pages[0].extract_text()
    for account in (payer, first, second):
        assert account.reference in text


def test_what_is_sent_is_what_is_shown() -> None:
    payer, first, _second = a_family("10.00", "20.00", "30.00")
    LegalEntity.objects.update(sending="portal")
    finalised()
    kept = InvoiceDocument.objects.get(invoice=the_bill(payer))
    text = PdfReader(BytesIO(bytes(kept.pdf))).pages[0].extract_text()
    assert first.reference in text


def test_usage_details_name_the_account() -> None:
    a_meter()
    product = a_product(charges=[by_meter(price="0.50")])
    payer, member = an_account(), in_service([product])
    tied(member, payer)
    item = Item.objects.get(account=member)
    taken(an_event(item, "7", "2026-01-05T12:00:00Z"))
    finalised(date(2026, 2, 28))
    _number, text = details_of_invoice(invoice_id=the_bill(payer).pk)
    assert text is not None
    rows = list(csv.DictReader(StringIO(text.decode("utf-8-sig"))))
    assert {row["account"] for row in rows} == {member.reference}


def test_the_panel_of_a_family() -> None:
    payer, first, second = a_family("10.00", "20.00", "30.00")
    finalised()
    number = the_bill(payer).number
    client = client_of("finance")
    of_payer = text_of(client.get(f"/billing/of-account/{payer.pk}/family/"))
    assert "It has bills of its own." in of_payer
    assert first.reference in of_payer
    assert second.reference in of_payer
    of_member = text_of(client.get(f"/billing/of-account/{first.pk}/family/"))
    assert f"It is billed on the bills of {payer.name}" in of_member
    assert f"{number} {payer.name}" in of_member
    assert "€20.00" in of_member


def test_who_has_a_family_has_its_panel() -> None:
    payer, member = a_family("10.00", "20.00")
    loner = an_account()
    user = a_user("finance")
    for account, there in ((payer, True), (member, True), (loner, False)):
        titles = [panel.title for panel in asks.ask("account_panels", user, account.pk)]
        assert ("Family" in titles) is there


def test_a_member_has_no_bill_now_and_is_refused_with_the_remedy() -> None:
    payer, member = a_family("10.00", "20.00")
    client = client_of("finance")
    button = f"/billing/of-account/{member.pk}/bill/"
    assert button not in client.get(f"/billing/of-account/{member.pk}/").content.decode()
    answer = client.post(button)
    assert answer.status_code == 422
    assert payer.reference in text_of(answer)
    opened = client.post(f"/billing/of-account/{payer.pk}/bill/")
    assert opened.status_code == 302


def test_the_run_tells_of_its_families() -> None:
    a_family("10.00", "20.00")
    run = drafted()
    page = text_of(client_of("finance").get(run.get_absolute_url()))
    assert "1 family: its payer gets one document for all of it." in page


def test_larger_families_cost_no_more_queries() -> None:
    small, *_ = a_family("1.00", "2.00")
    large, *_ = a_family(*["1.00"] * 7)
    finalised()
    client = client_of("finance")
    for address in ("/billing/invoices/{bill}/", "/billing/of-account/{payer}/family/"):
        counted = {
            queries(client, address.format(bill=the_bill(payer).pk, payer=payer.pk))
            for payer in (small, large)
        }
        assert len(counted) == 1, address
