"""Bills split by purchase order, site or item: each a document of its own, together the whole."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from billing.invoices import pdf
from billing.invoices.selectors import invoice as read_invoice
from billing.invoices.selectors import lines_of
from billing.models import Invoice, InvoiceLine, ParkedAccount, Posting
from billing.runs.selectors import counts_of
from billing.runs.services import approve_run, cancel_run, reverse_invoice
from billing.sending.pages import in_its_language
from o2b import events
from o2b.customers.models import Account, LegalEntity
from orders.services import name_po_number
from tests.billing.adjustments.build import a_coupon, committed, given_to, has
from tests.billing.documents.build import papers, sited, sold, split_by, taxes
from tests.billing.worlds import (
    AT,
    FEBRUARY,
    JANUARY,
    MARCH,
    drafted,
    finalised,
    numbers,
)
from tests.factories import a_product, a_tax_rate, a_user, an_account, an_entity, setup_fee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal


def test_each_purchase_order_has_its_document() -> None:
    account = split_by("purchase_order")
    sold(account, "10.00", po_number="PO-2")
    sold(account, "20.00", po_number="PO-1")
    sold(account, "3.00")
    sold(account, "1.00", po_number=" po-2 ")  # spaces and case make no other one
    run = finalised()
    assert papers(account) == [("", "3.00"), ("PO-1", "20.00"), ("PO-2", "11.00")]
    assert numbers() == ["INV-00000001", "INV-00000002", "INV-00000003"]
    counts = counts_of(run_id=run.pk)
    assert (counts.drafted, counts.invoices, counts.holds) == (1, 3, True)
    for each in Invoice.objects.all():
        assert each.split == "purchase_order"
        assert each.due_on == date(2026, 2, 14)
        positions = InvoiceLine.objects.filter(invoice=each).order_by("position")
        assert list(positions.values_list("position", flat=True)) == [
            *range(1, each.line_count + 1)
        ]
        assert Posting.objects.get(invoice=each).amount == each.net


def test_each_site_has_its_document_and_each_item() -> None:
    sites, items = split_by("site"), split_by("item")
    for account in (sites, items):
        sold(account, "10.00", site="Berlin")
        sold(account, "20.00", site="Aachen")
        sold(account, "5.00", site="berlin")
    finalised()
    assert papers(sites) == [("Aachen", "20.00"), ("Berlin", "15.00")]
    assert [net for _, net in papers(items)] == ["10.00", "20.00", "5.00"]
    assert all(" · S-" in about for about, _ in papers(items))


def test_a_plain_account_has_one_document_about_nothing() -> None:
    account = an_account()
    sold(account, "10.00", po_number="PO-1", site="Berlin")
    sold(account, "20.00", po_number="PO-2", site="Aachen")
    finalised()
    assert papers(account) == [("", "30.00")]
    assert Invoice.objects.get().split == ""


def test_a_correction_goes_where_the_charge_is_now_and_what_was_billed_stays() -> None:
    account = split_by("purchase_order")
    order = sold(account, "10.00", po_number="OLD")
    finalised(JANUARY)
    name_po_number(order_id=order.pk, po_number="NEW", at=AT)
    assert papers(account) == [("OLD", "10.00")]
    finalised(FEBRUARY)
    assert papers(account) == [("OLD", "10.00"), ("NEW", "10.00")]


def test_discounts_go_with_their_charge_and_a_true_up_on_the_first_document() -> None:
    split, whole = split_by("purchase_order"), an_account()
    for account in (split, whole):
        has(account, a_coupon("10"))
        has(account, a_coupon("5", "amount"))
        committed(account, "100.00")
        sold(account, "10.01", po_number="A")
        sold(account, "20.02", po_number="B")
    finalised(FEBRUARY)
    finalised(MARCH)
    assert parked_of(split) == parked_of(whole) == []
    assert sorted(given_to(split)) == sorted(given_to(whole))
    nets = [D(net) for _, net in papers(split)]
    assert sum(nets) == sum(D(net) for _, net in papers(whole))
    first = Invoice.objects.filter(account=split, about="A").earliest("pk")
    assert first.adjustments.filter(kind="minimum").exists()
    assert not Invoice.objects.filter(
        account=split, about="B", adjustments__kind="minimum"
    ).exists()


def parked_of(account: Account) -> list[str]:
    return list(ParkedAccount.objects.filter(account=account).values_list("reason", flat=True))


@pytest.mark.parametrize(
    ("per", "whole"), [("line", "0.04"), ("rate", "0.04"), ("invoice", "0.04")]
)
def test_tax_is_rounded_for_each_document(per: str, whole: str) -> None:
    a_tax_rate("19")
    LegalEntity.objects.filter(pk=an_entity().pk).update(conventions={"tax_rounding": per})
    account = split_by("purchase_order")
    version = sited("0.08")  # 0.0152 each
    for number in ("A", "A", "A", "B"):
        sold(account, version, po_number=number)
    has(account, a_coupon("1"))
    finalised()
    together = "0.05" if per != "line" else "0.06"
    assert taxes(account) == [together, "0.02"]


def test_one_of_several_is_reversed_and_billed_again() -> None:
    account = split_by("purchase_order")
    sold(account, "10.00", po_number="A")
    sold(account, "20.00", po_number="B")
    finalised(JANUARY)
    wrong = Invoice.objects.get(about="B")
    run = reverse_invoice(invoice_id=wrong.pk, opened_by_id=a_user().pk, reason="wrong", at=AT)
    events.drain()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    mirror = Invoice.objects.get(reverses=wrong)
    assert (mirror.split, mirror.about, mirror.net) == ("purchase_order", "B", D("-20.00"))
    finalised(JANUARY)
    assert papers(account) == [("A", "10.00"), ("B", "20.00"), ("B", "-20.00"), ("B", "20.00")]


def test_a_document_below_zero_is_a_credit_note_beside_an_invoice() -> None:
    account = split_by("purchase_order")
    sold(account, a_product(charges=[setup_fee("-7.00")]), po_number="A")
    sold(account, "20.00", po_number="B")
    finalised()
    kinds = list(Invoice.objects.order_by("serial").values_list("about", "kind"))
    assert kinds == [("A", "credit_note"), ("B", "invoice")]


def test_pdf_and_page_say_what_it_is_for() -> None:
    account = split_by("purchase_order")
    sold(account, "10.00", po_number="4711")
    finalised()
    found = read_invoice(invoice_id=Invoice.objects.get().pk, on=JANUARY)
    document = in_its_language(found, list(lines_of(invoice_id=found.pk)), [], [], [])
    text = PdfReader(BytesIO(pdf.render(document))).pages[0].extract_text()
    assert "Purchase order" in text
    assert "4711" in text


def test_plain_accounts_pay_no_query_and_many_documents_no_more_than_few() -> None:
    plain = an_account()
    sold(plain, "10.00", po_number="A")

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            run = drafted()
        cancel_run(run_id=run.pk, at=AT)
        return sum("orders_order AS placed" in each["sql"] for each in found)

    assert queries() == 0
    for _ in range(3):
        account = split_by("purchase_order")
        sold(account, "10.00", po_number="A")
        sold(account, "10.00", po_number="B")
    assert queries() == 1


def test_postgres_refuses_what_nobody_knows_and_a_changed_subject() -> None:
    account = split_by("purchase_order")
    sold(account, "10.00", po_number="A")
    finalised()
    with pytest.raises(IntegrityError, match="split_is_known"), transaction.atomic():
        Account.objects.filter(pk=account.pk).update(invoice_split="colour")
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.update(about="B")
    copy = Invoice.objects.get()
    copy.pk, copy.number, copy.split = None, "X-1", ""
    with pytest.raises(IntegrityError, match="is_split_by_it"), transaction.atomic():
        copy.save(force_insert=True)
