"""What billing tells the advocates: the first bill of each of their accounts."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.invoices.selectors import first_bills_of_run, first_parts_of_run
from billing.models import BillRun, Invoice
from o2b.customers.models import Account
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many
from o2b.web.show import money_text

# More of them from one run are one notice with the way to the run.
MOST_SINGLY = 20


class FirstBill(NamedTuple):
    """The document on which an account is billed for the first time, and what it comes to there."""

    account: Account
    invoice: Invoice
    total: Decimal


def tell_first_bills(*, run_id: int) -> int:
    """Tell each advocate whose accounts got the first bill of their lives in this run."""
    run = BillRun.objects.get(pk=run_id)
    if run.finalised_at is None:
        return 0
    by_advocate: dict[int, list[FirstBill]] = defaultdict(list)
    for bill in _first_bills(run_id):
        by_advocate[bill.account.advocate_id].append(bill)
    notes: list[Note] = []
    for advocate_id, invoices in by_advocate.items():
        if len(invoices) > MOST_SINGLY:
            notes.append(_of_all(run, advocate_id, len(invoices)))
        else:
            notes += [_of_one(run, bill) for bill in invoices]
    return tell_many(notes)


def _first_bills(run_id: int) -> Iterator[FirstBill]:
    for invoice in first_bills_of_run(run_id=run_id).iterator(chunk_size=2000):
        yield FirstBill(invoice.account, invoice, invoice.total)
    for part in first_parts_of_run(run_id=run_id).iterator(chunk_size=2000):
        yield FirstBill(part.account, part.invoice, part.net + part.tax)


def _of_one(run: BillRun, bill: FirstBill) -> Note:
    account, invoice, total = bill
    told = {"account": account.name, "number": invoice.number}
    amount = money_text(total, invoice.currency)
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.FIRST_BILL,
        key=f"first_bill:{account.pk}",
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
