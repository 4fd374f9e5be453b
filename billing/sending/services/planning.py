"""The invoices of a final run are cut into batches, each a message of its own."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from billing.models import BillRun, SendingBatch
from billing.runs.services.booking import ensure_billing_months
from o2b import events
from o2b.errors import Refused
from o2b.sql import ask

AT_ONCE = 50  # half a second of work, in one transaction
LANES = 8  # messages at a time: a run of a million does not keep the next one waiting

# Invoices that were not looked at yet; of sellers that make PDFs on demand only when told so.
CUT = """
SELECT min(id), max(id), count(*) FROM (
    SELECT invoice.id, (row_number() OVER (ORDER BY invoice.id) - 1) / %(at_once)s AS n
        FROM billing_invoice AS invoice
        JOIN customers_account AS account ON account.id = invoice.account_id
        JOIN customers_legalentity AS entity ON entity.id = invoice.legal_entity_id
        WHERE invoice.run_id = %(run)s
            AND (%(everybody)s OR account.sending <> '' OR entity.sending <> 'on_demand')
            AND CASE WHEN %(everybody)s THEN NOT EXISTS (
                    SELECT 1 FROM billing_invoicesending AS sending
                        WHERE sending.invoice_id = invoice.id)
                ELSE invoice.id > %(last)s END
) AS cut
GROUP BY n ORDER BY n
"""


class RunNotFinal(Refused):
    code = "run_not_final"


class NothingToSend(Refused):
    code = "nothing_to_send"


@transaction.atomic
def plan_sending(*, run_id: int, at: datetime) -> int:
    """What is to be made and mailed of a final run; how many invoices. Once for each invoice."""
    run = BillRun.objects.select_for_update(no_key=True).get(pk=run_id)
    return _plan(run, at=at, everybody=False)


@transaction.atomic
def send_run(*, run_id: int, at: datetime, actor_id: int | None = None) -> int:
    """Make the documents of all invoices that have none, whatever the seller usually does."""
    run = BillRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.state != BillRun.State.FINALISED:
        raise RunNotFinal(_("%(run)s is not final, so there is nothing to send.") % {"run": run})
    planned = 0
    if not SendingBatch.objects.filter(run=run, made_at=None).exists():
        planned = _plan(run, at=at, everybody=True, actor_id=actor_id)
    if not planned:
        raise NothingToSend(_("Every invoice of %(run)s has its PDF.") % {"run": run})
    return planned


def _plan(run: BillRun, *, at: datetime, everybody: bool, actor_id: int | None = None) -> int:
    if run.state != BillRun.State.FINALISED:
        return 0
    known = SendingBatch.objects.filter(run=run).aggregate(
        n=Max("n", default=0), last=Max("last_invoice", default=0)
    )
    asked = {
        "run": run.pk,
        "last": known["last"],
        "everybody": everybody,
        "at_once": AT_ONCE,
    }
    cuts = ask(CUT, asked)
    if not cuts:
        return 0
    ensure_billing_months("billing_invoicedocument", run.on, run.on)
    batches = SendingBatch.objects.bulk_create(
        SendingBatch(
            run=run,
            n=n,
            first_invoice=first,
            last_invoice=last,
            invoices=count,
            everybody=everybody,
        )
        for n, (first, last, count) in enumerate(cuts, start=known["n"] + 1)
    )
    events.record_many("sending_batch.planned", batches[:LANES], at=at, actor_id=actor_id)
    return sum(batch.invoices for batch in batches)


def go_on(batch: SendingBatch, *, at: datetime) -> None:
    """The next batch of the lane, once this one is made; in its transaction."""
    following = SendingBatch.objects.filter(run=batch.run_id, n=batch.n + LANES, made_at=None)
    if (found := following.first()) is not None:
        events.record("sending_batch.planned", found, at=at)
