"""Invoices are mailed: outside any transaction, each noted at once, tried again, then given up."""

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction

from billing.models import InvoiceDocument, InvoiceSending
from billing.sending.gateways import Letter, ServerAway, Took, post
from billing.sending.services.letters import letter_of
from billing.sending.services.notes import tell_fallout
from o2b import events, fsm
from o2b.errors import Refused

S = InvoiceSending.State
GIVEN_UP_AFTER = timedelta(days=2)
AT_ONCE = 10  # documents in memory
LOCK = 0x706F7374  # the name of the lock: "post"


class MailWaits(Exception):
    """Something is still to be mailed; the outbox calls again, each time after twice as long."""


class AlreadySent(Refused):
    code = "already_sent"


def mail_invoices(*, batch_id: int, outbox_ids: Collection[int], machine_now: datetime) -> int:
    """Mail what is to be mailed of a batch; how many letters went out.

    Two that mail one batch do not meet: who comes second leaves it to the first. A letter is noted
    right after the server took it; who is killed between the two sends it again, under the same
    Message-ID. What the server refuses for good is for people; what it puts off is tried again for
    two days.
    """
    with _alone_with(batch_id) as alone:
        if not alone:
            return 0
        sent, away = _mail(batch_id, machine_now)
        waiting = _to_mail(batch_id)
        late = [row for row in waiting if _is_late(row, machine_now)]
        _give_up(late, machine_now)
    if len(late) == len(waiting):
        events.done(outbox_ids)
    elif away or all(row.tries for row in waiting):
        raise MailWaits(away or waiting[0].fault)
    else:  # the time was up
        events.hand_back(outbox_ids)
    return sent


def _to_mail(batch_id: int) -> Sequence[InvoiceSending]:
    related = ("invoice__legal_entity", "account__customer", "account__advocate")
    rows = InvoiceSending.objects.select_related(*related, "account__test_clock")
    return list(rows.filter(batch=batch_id, state=S.TO_MAIL).order_by("invoice"))


def _mail(batch_id: int, now: datetime) -> tuple[int, str]:
    """How many letters went out, and why no further one could, if so."""
    rows = _to_mail(batch_id)
    sent = tried = 0
    try:
        with closing(_letters(rows)) as letters:
            for took, said in post(letters) if rows else ():
                sent += _note(rows[tried], took, said, now)
                tried += 1
    except ServerAway as exc:
        _put_off(rows[tried:], str(exc), now)
        return sent, str(exc)
    return sent, ""


def _letters(rows: Sequence[InvoiceSending]) -> Generator[Letter, None, None]:
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        documents = InvoiceDocument.objects.in_bulk([row.invoice_id for row in some])
        for row in some:
            yield letter_of(row, documents[row.invoice_id])


@transaction.atomic
def _note(told: InvoiceSending, took: Took, said: str, now: datetime) -> bool:
    """What became of one letter; whether it went out."""
    at = told.account.test_now or now
    row = InvoiceSending.objects.select_for_update().get(pk=told.pk)
    if row.state != S.TO_MAIL:
        return False
    if took is Took.YES:
        fsm.apply(row, "note_mailed", at=at, refusal=AlreadySent, facts={"to": told.to})
        return True
    row.tries += 1
    row.tried_at = row.tried_at or now
    row.code, row.fault = ("waits" if took is Took.LATER else "refused"), said[:500]
    if took is Took.LATER:
        row.save()
        return False
    fsm.apply(row, "give_up", at=at, refusal=AlreadySent, facts={"said": said[:500]})
    row.invoice, row.account = told.invoice, told.account
    tell_fallout([row], at=now)
    return False


def _put_off(rows: Sequence[InvoiceSending], said: str, now: datetime) -> None:
    for row in rows:
        row.tries += 1
        row.tried_at = row.tried_at or now
        row.code, row.fault = "waits", said[:500]
    InvoiceSending.objects.bulk_update(rows, ["tries", "tried_at", "code", "fault"], 500)


def _is_late(row: InvoiceSending, now: datetime) -> bool:
    return row.tried_at is not None and row.tried_at < now - GIVEN_UP_AFTER


@transaction.atomic
def _give_up(rows: Sequence[InvoiceSending], now: datetime) -> None:
    fallen = []
    for told in rows:
        row = InvoiceSending.objects.select_for_update().get(pk=told.pk)
        if row.state == S.TO_MAIL:
            row.code = "too_long"
            fsm.apply(row, "give_up", at=told.account.test_now or now, refusal=AlreadySent)
            row.invoice, row.account = told.invoice, told.account
            fallen.append(row)
    tell_fallout(fallen, at=now)


@contextmanager
def _alone_with(batch_id: int) -> Iterator[bool]:
    """Whether nobody else mails it; a lock of the session, as mail goes in no transaction.

    It ends with the session, so kill -9 frees it.
    """
    key = [LOCK, batch_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        free = bool(cursor.fetchone()[0])
    try:
        yield free
    finally:
        if free:
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
