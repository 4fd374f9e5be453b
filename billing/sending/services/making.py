"""Documents are made: each invoice of a batch set as PDF, with its details, and kept as it is."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from time import perf_counter
from typing import NamedTuple

from django.db import DatabaseError, transaction
from django.utils.translation import override

from billing.invoices import pdf
from billing.invoices.details import details_csv
from billing.invoices.document import Document, document_of
from billing.invoices.metered import usage_of_lines
from billing.models import InvoiceDocument, InvoiceSending, SendingBatch
from billing.sending.selectors import ToSet, channel_of, to_make, to_set
from billing.sending.services.notes import tell_fallout
from billing.sending.services.planning import go_on
from o2b import events
from o2b.customers.layouts import Sending
from o2b.customers.selectors import language_of

log = logging.getLogger(__name__)
S = InvoiceSending.State
NO_CONTACT, NO_PDF = "no_contact", "no_pdf"


class Outcome(NamedTuple):
    """What became of an invoice: its document, or why it has none; and where it goes next."""

    each: ToSet
    document: InvoiceDocument | None
    fault: str

    @property
    def next(self) -> tuple[str, str]:
        """The state of its sending, and why where people have to do something."""
        if self.document is None:
            return S.BROKEN, NO_PDF
        if channel_of(self.each.invoice.account) != Sending.MAIL:
            return S.KEPT, ""
        return (S.TO_MAIL, "") if self.each.to else (S.STUCK, NO_CONTACT)


@transaction.atomic
def make_documents(*, batch_id: int, at: datetime, worker: str = "") -> int:
    """Documents of the invoices of a batch that have none yet; how many were made.

    All or nothing, so whoever is killed leaves nothing behind; one that cannot be set (a picture
    or a price that nobody can read) is set aside for people and stops no other.
    """
    began = perf_counter()
    batch = SendingBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
    outcomes = list(_set(to_set(to_make(batch)), at))
    made = [each.document for each in outcomes if each.document is not None]
    InvoiceDocument.objects.bulk_create(made)
    fallen = _note(batch, outcomes, at)
    tell_fallout(fallen, at=at)
    batch.seconds += perf_counter() - began
    batch.made_at, batch.worker = at, worker
    batch.save(update_fields=["seconds", "made_at", "worker"])
    if InvoiceSending.objects.filter(batch=batch, state=S.TO_MAIL).exists():
        events.record("sending_batch.to_mail", batch, at=at)
    go_on(batch, at=at)
    return len(made)


def _document(each: ToSet) -> Document:
    return document_of(
        each.invoice, each.lines, each.prepaid, each.adjustments, each.parts, each.corrections
    )


def _set(found: Sequence[ToSet], at: datetime) -> Iterable[Outcome]:
    usage = usage_of_lines([line for each in found for line in each.lines])
    for each in found:
        invoice = each.invoice
        language = language_of(invoice.account.customer)
        try:
            with override(language):
                page = pdf.render(_document(each))
            details = details_csv(invoice, each.lines, usage, each.adjustments, each.parts)
        except DatabaseError:
            raise
        except Exception as exc:  # whatever it is, it is that of one invoice
            log.warning("invoice %s has no PDF", invoice, exc_info=exc)
            yield Outcome(each, None, f"{type(exc).__name__}: {exc}")
            continue
        document = InvoiceDocument(
            invoice=invoice,
            issued_on=invoice.issued_on,
            account_id=invoice.account_id,
            language=language,
            pdf=page,
            digest=sha256(page).hexdigest(),
            usage_csv=details,
            made_at=at,
        )
        yield Outcome(each, document, "")


def _note(batch: SendingBatch, outcomes: Sequence[Outcome], at: datetime) -> list[InvoiceSending]:
    """A sending for each; what was tried before goes on by its life cycle. Those in fallout."""
    ids = [each.each.invoice.pk for each in outcomes]
    known = InvoiceSending.objects.select_for_update().in_bulk(ids)
    new, fallen = [], []
    for outcome in outcomes:
        invoice, (state, code) = outcome.each.invoice, outcome.next
        row = known.get(invoice.pk)
        if row is None:
            row = InvoiceSending(
                invoice=invoice,
                run_id=batch.run_id,
                batch=batch,
                account=invoice.account,
                state=state,
                to=outcome.each.to,
                code=code,
                fault=outcome.fault[:500],
            )
            new.append(row)
        else:
            _again(row, outcome, at)
        if row.state in InvoiceSending.FALLOUT:
            row.invoice, row.account = invoice, invoice.account
            fallen.append(row)
    InvoiceSending.objects.bulk_create(new)
    return fallen


def _again(row: InvoiceSending, outcome: Outcome, at: datetime) -> None:
    """A document that could not be made before; where it cannot again it stays as it is."""
    state, code = outcome.next
    if row.state != S.BROKEN:  # settled by hand meanwhile
        return
    if state == S.KEPT:
        row.keep(at=at)
    elif state == S.TO_MAIL:
        row.queue(at=at)
    elif state == S.STUCK:
        row.give_up(at=at)
    row.to, row.code, row.fault = outcome.each.to, code, outcome.fault[:500]
    row.save()
