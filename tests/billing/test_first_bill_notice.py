"""The advocate hears of a first bill; a complaint goes from an invoice to its order line."""

import pytest

from billing.invoices import services
from billing.models import BillRun, Invoice
from o2b.people.models import Notice, User
from orders.models import Complaint, OrderLine
from tests.billing.families.worlds import tied
from tests.billing.worlds import FEBRUARY, JANUARY, finalised, in_service
from tests.factories import a_product, a_user, an_account, monthly
from tests.orders.build import logged_in

pytestmark = pytest.mark.django_db


def first_bills(person: User) -> list[str]:
    found = Notice.objects.filter(user=person, topic="first_bill").order_by("pk")
    return list(found.values_list("title", flat=True))


def test_the_first_bill_is_told_and_no_other() -> None:
    mara = a_user()
    account = an_account(advocate=mara, name="Sunrise")
    in_service([a_product(charges=[monthly("49.90")])], account=account)
    run = finalised(JANUARY)
    assert first_bills(mara) == ["First bill of Sunrise: INV-00000001"]
    notice = Notice.objects.get(user=mara, topic="first_bill")
    assert notice.url == Invoice.objects.get().get_absolute_url()
    assert notice.text.startswith("€49.90.")
    assert notice.at == run.finalised_at
    services.tell_first_bills(run_id=run.pk)
    finalised(FEBRUARY)
    assert len(first_bills(mara)) == 1


def test_many_of_one_advocate_are_one_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_SINGLY", 1)
    mara, jonas = a_user(), a_user()
    product = a_product(charges=[monthly("49.90")])
    for advocate in (mara, mara, jonas):
        in_service([product], account=an_account(advocate=advocate))
    finalised(JANUARY)
    assert first_bills(mara) == ["2 of your accounts have their first bill"]
    assert len(first_bills(jonas)) == 1


def test_a_run_that_is_not_final_tells_nothing() -> None:
    in_service([a_product(charges=[monthly("49.90")])])
    run = finalised(JANUARY)
    BillRun.objects.filter(pk=run.pk).update(finalised_at=None)
    Notice.objects.all().delete()
    assert services.tell_first_bills(run_id=run.pk) == 0


def test_a_complaint_about_an_invoice_is_one_about_its_order_line() -> None:
    mara = a_user("sales")
    account = an_account(advocate=mara)
    in_service([a_product(charges=[monthly("49.90")])], account=account)
    finalised(JANUARY)
    invoice, line = Invoice.objects.get(), OrderLine.objects.get()
    page = f"/billing/invoices/{invoice.pk}/complain/"
    client = logged_in(a_user("finance"))
    assert f"{page}?line={line.pk}" in client.get(invoice.get_absolute_url()).content.decode()
    assert f'value="{line.pk}" selected' in client.get(f"{page}?line={line.pk}").content.decode()
    for junk in ({}, {"line": 10**9, "text": "x"}, {"line": line.pk, "text": "\0"}):
        assert client.post(page, junk).status_code == 422
    assert not Complaint.objects.exists()
    sent = client.post(page, {"line": line.pk, "text": "Too much", "name": "Ann"})
    assert sent["Location"] == invoice.get_absolute_url()
    complaint = Complaint.objects.get()
    assert (complaint.source, complaint.about, complaint.line, complaint.owner) == (
        "invoice",
        invoice.number,
        line,
        mara,
    )
    assert client.get(f"/billing/invoices/{10**9}/complain/").status_code == 404
    assert logged_in(a_user("order team")).get(page).status_code == 403


def test_the_advocate_of_a_member_hears_of_its_first_part_of_a_family_s_document() -> None:
    mara, jonas = a_user(), a_user()
    product = a_product(charges=[monthly("49.90")])
    payer = in_service([product], account=an_account(advocate=mara, name="Head"))
    member = in_service([product], account=an_account(advocate=jonas, name="Branch"))
    tied(member, payer)
    finalised(JANUARY)
    assert first_bills(mara) == ["First bill of Head: INV-00000001"]
    assert first_bills(jonas) == ["First bill of Branch: INV-00000001"]
    assert Notice.objects.get(user=jonas, topic="first_bill").text.startswith("€49.90.")
    tied(member, None)
    finalised(FEBRUARY)
    assert (len(first_bills(mara)), len(first_bills(jonas))) == (1, 1)
