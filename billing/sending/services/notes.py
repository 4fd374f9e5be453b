"""What advocates hear: which of their customers' invoices could not be made or mailed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.models import InvoiceSending
from billing.sending.words import reason_of
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many

MOST_NAMED = 20


def tell_fallout(rows: Sequence[InvoiceSending], *, at: datetime) -> int:
    """One notice an advocate for what of one batch could not be sent; `rows` with their account."""
    by_advocate: dict[int, list[InvoiceSending]] = defaultdict(list)
    for row in rows:
        by_advocate[row.account.advocate_id].append(row)
    return tell_many([_note(who, own, at) for who, own in sorted(by_advocate.items())])


def _note(advocate_id: int, rows: Sequence[InvoiceSending], at: datetime) -> Note:
    first, n = rows[0], len(rows)
    title = _("%(n)s invoices of your accounts could not be sent") % {"n": n}
    if n == 1:
        told = {"number": first.invoice.number, "account": first.account.name}
        title = _("An invoice could not be sent: %(number)s, %(account)s") % told
    named = [f"{row.invoice.number}, {row.account.name}: {reason_of(row)}" for row in rows]
    if n > MOST_NAMED:
        named[MOST_NAMED:] = [_("… and %(n)s more.") % {"n": n - MOST_NAMED}]
    url = f"{reverse('billing:sending-list')}?state=fallout"
    return Note(
        user_ids=[advocate_id],
        topic=Topic.FALLOUT,
        key=f"invoice-unsent-{first.invoice_id}-{first.copies}-{int(at.timestamp())}",
        title=title,
        text="\n".join(named),
        url=first.get_absolute_url() if n == 1 else url,
        tone="bad",
        at=at,
    )
