"""Workers die while invoices are made and mailed: each is made once, and reaches its customer."""

import email
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from billing.models import BillRun, InvoiceDocument, InvoiceSending, SendingBatch
from billing.runs.services import approve_run
from o2b import events
from o2b.events import outbox
from o2b.models import Event
from tests.billing.sending.build import State, a_client, a_seller
from tests.billing.worlds import AT, drafted
from tests.factories import a_user
from tests.workers import Workers

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

INVOICES = 12


def swept() -> None:
    """Sends again what was lost, as beat does."""
    events.sweep(older_than=timedelta(seconds=1))


def all_mailed() -> bool:
    swept()
    return InvoiceSending.objects.filter(state=State.MAILED).count() == INVOICES


def mailboxes() -> set[Path]:
    """What workers wrote to the folder that stands for a mail server."""
    return set(Path(settings.O2B_HOME, "mail").glob("*.log"))


def letters(paths: set[Path]) -> list[str]:
    """The Message-IDs of the letters there."""
    found = []
    for path in paths:
        for text in path.read_text(errors="replace").split("-" * 79):
            letter = email.message_from_string(text.strip())
            if "@acme.test" in str(letter["To"]):
                found.append(str(letter["Message-ID"]))
    return found


def test_killed_between_pdf_and_mail(monkeypatch: pytest.MonkeyPatch, workers: Workers) -> None:
    monkeypatch.setattr(outbox, "LEASE", timedelta(seconds=2))
    a_seller()
    for n in range(INVOICES):
        a_client(email=f"n{n}@acme.test")
    of_others = mailboxes()
    run = drafted()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)

    def batches() -> bool:
        swept()
        return SendingBatch.objects.exists()

    workers.wait_until(batches, seconds=90)
    workers.kill9(0)
    workers.empty_redis()
    workers.wait_until(lambda: swept() or InvoiceSending.objects.exists(), seconds=90)
    workers.kill9(1)
    workers.add()
    workers.wait_until(all_mailed, seconds=120)

    assert BillRun.objects.get(pk=run.pk).state == "finalised"
    assert InvoiceDocument.objects.count() == INVOICES
    assert Event.objects.filter(name="invoice_sending.mailed").count() == INVOICES
    copies = Counter(letters(mailboxes() - of_others))
    assert len(copies) == INVOICES
    # Who dies right after the server's yes sends one letter again, under the same name.
    assert sum(copies.values()) <= INVOICES + 1
