"""Invoices of a final run are made once, mailed once, and wait for people where that fails."""

import smtplib
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from billing.invoices import pdf
from billing.models import Invoice, InvoiceDocument, InvoiceSending, SendingBatch
from billing.sending import services
from billing.sending.selectors import progress_of
from billing.sending.services import mailing, making, planning
from o2b import events
from o2b.customers.models import Account, Contact
from o2b.fsm import law
from o2b.models import Event, Outbox
from o2b.people.models import Notice
from tests.billing.sending.build import (
    AT,
    State,
    a_client,
    a_final_run,
    a_seller,
    document,
    letters,
    sending,
)
from tests.factories import a_user

pytestmark = pytest.mark.django_db


def test_the_life_of_a_sending() -> None:
    assert law(InvoiceSending) == {
        ("broken", "keep", "filed"),
        ("broken", "queue", "to_mail"),
        ("stuck", "queue", "to_mail"),
        ("filed", "queue", "to_mail"),
        ("mailed", "queue", "to_mail"),
        ("settled", "queue", "to_mail"),
        ("to_mail", "note_mailed", "mailed"),
        ("broken", "give_up", "stuck"),
        ("to_mail", "give_up", "stuck"),
        ("broken", "settle", "settled"),
        ("stuck", "settle", "settled"),
    }


def test_a_final_run_is_mailed_with_the_very_document_that_is_kept() -> None:
    a_seller()
    account = a_client()

    run = a_final_run()

    invoice = Invoice.objects.get()
    kept, row = document(invoice), sending(account)
    (letter,) = letters()
    assert (row.state, row.to, row.mailed_at is not None) == (State.MAILED, "ada@acme.test", True)
    assert letter.to == ["ada@acme.test"]
    assert invoice.number in letter.subject
    assert "€49.90" in letter.body
    assert str(account.advocate) in letter.body
    ((name, body, kind),) = letter.attachments
    assert (name, kind) == (f"{invoice.number}.pdf", "application/pdf")
    assert body == bytes(kept.pdf)
    assert sha256(body).hexdigest() == kept.digest
    assert letter.extra_headers["Message-ID"] == f"<invoice-{invoice.pk}-0@localhost>"
    assert (kept.language, kept.issued_on) == ("en", run.on)
    assert Event.objects.filter(name="invoice_sending.mailed", account_id=account.pk).count() == 1
    assert not Outbox.objects.exists()


def test_a_document_is_never_changed() -> None:
    a_seller("portal")
    a_client()
    a_final_run()
    for verb in (
        "UPDATE billing_invoicedocument SET language = 'de'",
        "DELETE FROM billing_invoicedocument",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(verb)
    with pytest.raises(DatabaseError, match="what_it_was"), transaction.atomic():
        InvoiceDocument.objects.bulk_create(
            [
                InvoiceDocument(
                    invoice_id=Invoice.objects.get().pk,
                    issued_on=AT.date().replace(year=2020),
                    account_id=1,
                    language="en",
                    pdf=b"another",
                    digest="0" * 64,
                    made_at=AT,
                )
            ]
        )


@pytest.mark.parametrize(
    ("seller", "account", "state", "mails"),
    [
        ("mail", "", State.MAILED, 1),
        ("mail", "portal", State.KEPT, 0),
        ("mail", "post", State.KEPT, 0),
        ("portal", "", State.KEPT, 0),
        ("portal", "mail", State.MAILED, 1),
        ("on_demand", "mail", State.MAILED, 1),
        ("on_demand", "", None, 0),
    ],
)
def test_who_is_mailed_is_said_by_the_account_else_by_the_seller(
    seller: str, account: str, state: str | None, mails: int
) -> None:
    a_seller(seller)
    client = a_client(sending=account)

    a_final_run()

    rows = InvoiceSending.objects.filter(account=client)
    assert [row.state for row in rows] == ([state] if state else [])
    assert len(letters()) == mails
    assert InvoiceDocument.objects.count() == len(rows)


def test_the_account_says_where_its_invoices_go() -> None:
    a_seller()
    a_client(bill_to="bills@acme.test")
    a_final_run()
    assert letters()[0].to == ["bills@acme.test"]


def test_who_has_no_address_waits_for_people_and_the_advocate_hears_of_it() -> None:
    a_seller()
    account = a_client(email="")
    other = a_client()

    run = a_final_run()

    row = sending(account)
    assert (row.state, row.code) == (State.STUCK, "no_contact")
    assert sending(other).state == State.MAILED
    (note,) = Notice.objects.filter(user=account.advocate, topic="fallout")
    assert Invoice.objects.get(account=account).number in note.title
    with pytest.raises(services.CannotSend):
        services.retry_run(run_id=run.pk, at=AT)

    Contact.objects.create(customer=account.customer, name="Bo", email="bo@acme.test")
    assert services.retry_run(run_id=run.pk, at=AT) == 1
    events.drain()
    assert sending(account).state == State.MAILED
    assert [each.to for each in letters()] == [["ada@acme.test"], ["bo@acme.test"]]


def no(*_: Any, **__: Any) -> None:
    raise smtplib.SMTPRecipientsRefused({"ada@acme.test": (550, b"no such user")})


def later(*_: Any, **__: Any) -> None:
    raise smtplib.SMTPRecipientsRefused({"ada@acme.test": (450, b"greylisted")})


def away(*_: Any, **__: Any) -> None:
    raise ConnectionRefusedError("nobody there")


def test_what_the_server_refuses_for_good_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    a_seller()
    account = a_client()
    monkeypatch.setattr(EmailMessage, "send", no)

    a_final_run()

    row = sending(account)
    assert (row.state, row.code, "no such user" in row.fault) == (State.STUCK, "refused", True)
    assert Notice.objects.filter(user=account.advocate, topic="fallout").count() == 1
    services.settle_sending(invoice_id=row.pk, user_id=a_user().pk, note=" by  post ", at=AT)
    row = sending(account)
    assert (row.state, row.note) == (State.SETTLED, "by post")
    assert letters() == []


@pytest.mark.parametrize("fault", [later, away])
def test_what_is_put_off_is_tried_again_and_given_up_after_two_days(
    fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_seller()
    account = a_client()
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", fault)
        with pytest.raises(services.MailWaits):
            a_final_run()
        row = sending(account)
        assert (row.state, row.tries, row.code) == (State.TO_MAIL, 1, "waits")
        owed = Outbox.objects.get()
        assert (owed.task, owed.attempts, owed.leased_until is not None) == (
            "billing.mail_invoices",
            1,
            True,
        )
        asked = {"batch_id": row.batch_id, "outbox_ids": [owed.pk]}
        with pytest.raises(services.MailWaits):
            services.mail_invoices(machine_now=row.tried_at + timedelta(hours=47), **asked)
        services.mail_invoices(machine_now=row.tried_at + timedelta(hours=49), **asked)
    row = sending(account)
    assert (row.state, row.code) == (State.STUCK, "too_long")
    assert Notice.objects.filter(user=account.advocate, topic="fallout").count() == 1
    assert not Outbox.objects.filter(task="billing.mail_invoices").exists()

    services.send_again(invoice_id=row.pk, at=AT)
    events.drain()
    assert sending(account).state == State.MAILED
    assert len(letters()) == 1


def test_a_server_that_is_back_gets_each_letter_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes away after the second letter; who was mailed is not mailed again."""
    a_seller()
    for n in range(4):
        a_client(email=f"n{n}@acme.test")
    real, sent = EmailMessage.send, []

    def breaks(message: EmailMessage, *given: Any, **more: Any) -> int:
        if len(sent) == 2:
            raise ConnectionResetError("gone")
        sent.append(message.to)
        return real(message, *given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", breaks)
        with pytest.raises(services.MailWaits):
            a_final_run()
    assert len(letters()) == 2
    events.drain()
    assert sorted(each.to[0] for each in letters()) == [f"n{n}@acme.test" for n in range(4)]
    assert not Outbox.objects.exists()


def test_killed_after_the_server_took_it_sends_a_copy_that_mail_systems_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SMTP has no more to offer than the same Message-ID: at least once, and a copy is known."""
    a_seller()
    account = a_client()

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(mailing, "_note", killed)
        with pytest.raises(Killed):
            a_final_run()
    assert sending(account).state == State.TO_MAIL
    events.drain()
    one, other = letters()
    assert one.extra_headers["Message-ID"] == other.extra_headers["Message-ID"]
    assert one.attachments == other.attachments
    assert sending(account).state == State.MAILED


def test_killed_while_making_leaves_nothing_and_makes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    a_seller()
    for _ in range(3):
        a_client()
    real, calls = pdf.render, []

    class Killed(BaseException):
        pass

    def killed(document: Any) -> bytes:
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        return real(document)

    with monkeypatch.context() as patch:
        patch.setattr(pdf, "render", killed)
        with pytest.raises(Killed):
            a_final_run()
    assert InvoiceDocument.objects.count() == InvoiceSending.objects.count() == 0
    events.drain()
    assert InvoiceDocument.objects.count() == 3
    assert len(letters()) == 3


def test_tasks_that_come_twice_do_their_work_once() -> None:
    a_seller()
    a_client()
    run = a_final_run()
    (batch,) = SendingBatch.objects.all()

    assert services.plan_sending(run_id=run.pk, at=AT) == 0
    assert services.make_documents(batch_id=batch.pk, at=AT) == 0
    assert services.mail_invoices(batch_id=batch.pk, outbox_ids=[], machine_now=AT) == 0
    events.drain()
    assert len(letters()) == 1


def test_two_that_mail_one_batch_do_not_meet(django_db_blocker: Any) -> None:
    a_seller()
    account = a_client()
    a_final_run()
    row = sending(account)
    services.send_again(invoice_id=row.pk, at=AT)
    mail.outbox.clear()
    other = connection.copy()
    key = [mailing.LOCK, row.batch_id]
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
            assert services.mail_invoices(batch_id=row.batch_id, outbox_ids=[], machine_now=AT) == 0
            assert letters() == []
            # A session that is closed ends a moment later.
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
    finally:
        other.close()
    assert services.mail_invoices(batch_id=row.batch_id, outbox_ids=[], machine_now=AT) == 1


def test_a_document_that_cannot_be_set_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    a_seller()
    bad, good = a_client(name="Bad"), a_client(email="good@acme.test")
    real = making.document_of

    def breaks(invoice: Invoice, *given: Any) -> Any:
        if invoice.account_id == bad.pk:
            raise ValueError("nobody can read this")
        return real(invoice, *given)

    with monkeypatch.context() as patch:
        patch.setattr(making, "document_of", breaks)
        run = a_final_run()
    row = sending(bad)
    assert (row.state, row.fault) == (State.BROKEN, "ValueError: nobody can read this")
    assert sending(good).state == State.MAILED
    assert Notice.objects.filter(user=bad.advocate, topic="fallout").count() == 1
    told = progress_of(run_id=run.pk)
    assert (told.invoices, told.made, told.broken, told.mailed, told.waiting) == (2, 1, 1, 1, 0)

    services.retry_run(run_id=run.pk, at=AT)
    events.drain()
    assert sending(bad).state == State.MAILED
    assert len(letters()) == 2


def test_mailing_again_sends_the_kept_document_as_another_letter() -> None:
    a_seller()
    account = a_client()
    a_final_run()
    row = sending(account)
    account.customer.language = "de"  # what is kept stays
    account.customer.save()

    services.send_again(invoice_id=row.pk, to="cfo@acme.test", at=AT)
    with pytest.raises(services.CannotSend):
        services.send_again(invoice_id=row.pk, at=AT)
    events.drain()

    one, other = letters()
    assert other.to == ["cfo@acme.test"]
    assert one.attachments == other.attachments
    assert one.extra_headers["Message-ID"] != other.extra_headers["Message-ID"]
    assert "Invoice" in PdfReader(BytesIO(other.attachments[0][1])).pages[0].extract_text()


@pytest.mark.parametrize("to", ["nobody", "a@b@c", "x@acme.test\nBcc: y@acme.test"])
def test_an_address_that_is_none_is_refused(to: str) -> None:
    a_seller()
    account = a_client()
    a_final_run()
    with pytest.raises(services.NobodyToSendTo) as caught:
        services.send_again(invoice_id=sending(account).pk, to=to, at=AT)
    assert caught.value.field == "to"
    assert sending(account).state == State.MAILED


def test_a_seller_on_demand_makes_all_when_asked() -> None:
    a_seller("on_demand")
    account, asked = a_client(), a_client(sending="portal")
    run = a_final_run()
    assert progress_of(run_id=run.pk).unasked == 1

    assert services.send_run(run_id=run.pk, at=AT) == 1
    events.drain()
    with pytest.raises(services.NothingToSend):
        services.send_run(run_id=run.pk, at=AT)
    assert {sending(each).state for each in (account, asked)} == {State.KEPT}
    assert progress_of(run_id=run.pk).unasked == 0


def test_the_customers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    a_seller()
    german, english = a_client(email="de@acme.test"), a_client(email="en@acme.test")
    german.customer.country = "AT"
    german.customer.save()
    english.customer.country, english.customer.language = "DE", "en"
    english.customer.save()
    a_final_run()
    texts = {
        each.to[0]: PdfReader(BytesIO(each.attachments[0][1])).pages[0].extract_text()
        for each in letters()
    }
    assert "Rechnung" in texts["de@acme.test"]
    assert "49,90\xa0€" in texts["de@acme.test"]
    assert "31.01.2026" in texts["de@acme.test"]
    assert "Invoice" in texts["en@acme.test"]
    assert "€49.90" in texts["en@acme.test"]


def test_queries_do_not_grow_with_the_invoices(monkeypatch: pytest.MonkeyPatch) -> None:
    a_seller("portal")
    one = a_client()
    a_final_run(account_ids=[one.pk])
    many = [a_client() for _ in range(6)]
    a_final_run(account_ids=[each.pk for each in many])
    costs = []
    for batch in SendingBatch.objects.order_by("pk"):
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM billing_invoicedocument")
            cursor.execute("DELETE FROM billing_invoicesending")
            cursor.execute("SET session_replication_role = DEFAULT")
        with CaptureQueriesContext(connection) as captured:
            made = services.make_documents(batch_id=batch.pk, at=AT)
        costs.append((made, len(captured)))
    assert [made for made, _ in costs] == [1, 6]
    assert costs[0][1] == costs[1][1]


def test_a_big_run_is_cut_into_batches_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "AT_ONCE", 2)
    monkeypatch.setattr(planning, "LANES", 2)
    a_seller()
    for _ in range(7):
        a_client()
    run = a_final_run()
    batches = SendingBatch.objects.filter(run=run).order_by("n")
    assert [batch.invoices for batch in batches] == [2, 2, 2, 1]
    assert all(batch.made_at for batch in batches)
    assert len(letters()) == 7


def test_nobody_is_told_of_accounts_of_others() -> None:
    a_seller()
    one, other = a_client(email=""), a_client(email="")
    a_final_run()
    for account in (one, other):
        (note,) = Notice.objects.filter(user=account.advocate, topic="fallout")
        assert account.name in note.title
    assert Account.objects.count() == 2
