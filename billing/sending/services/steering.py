"""What people do about sending: try again, send once more, note that it was sent otherwise."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import InvoiceDocument, InvoiceSending, SendingBatch
from billing.sending.selectors import recipients
from o2b import events, fsm
from o2b.errors import Invalid, Refused

S = InvoiceSending.State


class CannotSend(Refused):
    code = "cannot_send"


class NobodyToSendTo(Invalid):
    code = "nobody_to_send_to"


class NoteMissing(Invalid):
    code = "note_missing"


@transaction.atomic
def send_again(
    *, invoice_id: int, at: datetime, to: str = "", actor_id: int | None = None
) -> InvoiceSending:
    """Mail an invoice once more, or at last: the very document, to where it goes now or is told."""
    row = _locked(invoice_id)
    if row.state == S.TO_MAIL:
        raise CannotSend(_("It is on its way already."))
    if not InvoiceDocument.objects.filter(invoice=invoice_id).exists():
        return _make_again(row, at=at, actor_id=actor_id)
    row.to = _address(row, to.strip())
    if row.state == S.MAILED:
        row.copies += 1  # another letter, not a copy that mail systems drop
    fsm.apply(row, "queue", at=at, refusal=CannotSend, actor_id=actor_id, facts={"to": row.to})
    events.record("sending_batch.to_mail", row.batch, at=at, actor_id=actor_id)
    return row


def _make_again(row: InvoiceSending, *, at: datetime, actor_id: int | None) -> InvoiceSending:
    events.record("sending_batch.planned", row.batch, at=at, actor_id=actor_id)
    return row


def _address(row: InvoiceSending, to: str) -> str:
    found = to or recipients([row.account])[row.account_id]
    if not found:
        message = _("Nobody is known to mail it to: say where.")
        raise NobodyToSendTo(message, field="to")
    try:
        validate_email(found)
    except ValidationError as exc:
        raise NobodyToSendTo(_("%(to)s is no address.") % {"to": found}, field="to") from exc
    return found


@transaction.atomic
def retry_run(*, run_id: int, at: datetime, actor_id: int | None = None) -> int:
    """Try again what could not be made or mailed of a run; how many are on their way now.

    Who has nobody to mail to stays where it is.
    """
    rows = list(
        InvoiceSending.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account")
        .filter(run=run_id, state__in=InvoiceSending.FALLOUT)
        .order_by("invoice")
    )
    where = recipients([row.account for row in rows])
    broken = {row.batch_id for row in rows if row.state == S.BROKEN}
    stuck = [row for row in rows if row.state == S.STUCK and where[row.account_id]]
    for row in stuck:
        row.to = where[row.account_id]
    InvoiceSending.objects.bulk_update(stuck, ["to"], 500)
    values = {"tries": 0, "tried_at": None, "code": "", "fault": ""}
    fsm.move_locked(stuck, "queue", at=at, actor_id=actor_id, values=values)
    mail = SendingBatch.objects.filter(pk__in={row.batch_id for row in stuck})
    make = SendingBatch.objects.filter(pk__in=broken)
    events.record_many("sending_batch.planned", list(make), at=at, actor_id=actor_id)
    events.record_many("sending_batch.to_mail", list(mail), at=at, actor_id=actor_id)
    tried = len(stuck) + sum(row.state == S.BROKEN for row in rows)
    if not tried:
        raise CannotSend(_("Nothing of it can be tried again: say first where it is mailed to."))
    return tried


@transaction.atomic
def settle_sending(*, invoice_id: int, user_id: int, note: str, at: datetime) -> InvoiceSending:
    """Note how an invoice that could not be mailed reached its customer nevertheless."""
    row = _locked(invoice_id)
    said = " ".join(note.replace("\0", "").split())
    if not said:
        raise NoteMissing(_("Say how it was sent."), field="note")
    fsm.apply(
        row,
        "settle",
        at=at,
        refusal=CannotSend,
        actor_id=user_id,
        facts={"note": said[:250]},
        by=user_id,
        note=said[:250],
    )
    return row


def _locked(invoice_id: int) -> InvoiceSending:
    rows = InvoiceSending.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("account", "batch").get(pk=invoice_id)
