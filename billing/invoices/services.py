"""What billing tells the advocates: the first bill of each of their accounts."""

from collections import defaultdict
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.invoices.selectors import first_bills_of_run
from billing.models import BillRun
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many
from o2b.web.show import money_text

# More of them from one run are one notice with the way to the run.
MOST_SINGLY = 20


def tell_first_bills(*, run_id: int) -> int:
    """Tell each advocate whose accounts got the first bill of their lives in this run."""
    run = BillRun.objects.get(pk=run_id)
    if run.finalised_at is None:
        return 0
    by_advocate: dict[int, list[Any]] = defaultdict(list)
    for invoice in first_bills_of_run(run_id=run_id).iterator(chunk_size=2000):
        by_advocate[invoice.account.advocate_id].append(invoice)
    notes: list[Note] = []
    for advocate_id, invoices in by_advocate.items():
        if len(invoices) > MOST_SINGLY:
            notes.append(_of_all(run, advocate_id, len(invoices)))
        else:
            notes += [_of_one(run, invoice) for invoice in invoices]
    return tell_many(notes)


def _of_one(run: BillRun, invoice: Any) -> Note:
    told = {"account": invoice.account.name, "number": invoice.number}
    amount = money_text(invoice.total, invoice.currency)
    return Note(
        user_ids=[invoice.account.advocate_id],
        topic=Topic.FIRST_BILL,
        key=f"first_bill:{invoice.account_id}",
        title=_("First bill of %(account)s: %(number)s") % told,
        text=_("%(amount)s. Look at it before your customer does.") % {"amount": amount},
        url=invoice.get_absolute_url(),
        at=run.finalised_at,  # type: ignore[arg-type]
    )


def _of_all(run: BillRun, advocate_id: int, n: int) -> Note:
    title = ngettext(
        "%(n)s of your accounts has its first bill",
        "%(n)s of your accounts have their first bill",
        n,
    )
    return Note(
        user_ids=[advocate_id],
        topic=Topic.FIRST_BILL,
        key=f"first_bills:{run.pk}",
        title=title % {"n": n},
        text=_("They come from %(run)s.") % {"run": run.number},
        url=reverse("billing:invoice-list"),
        at=run.finalised_at,  # type: ignore[arg-type]
    )
