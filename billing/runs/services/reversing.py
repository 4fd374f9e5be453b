"""A final document, or all of a run, is taken back: a run whose drafts mirror what was billed.

It lives as every run does: opened with a reason, drafted, approved by a second person, numbered,
made final shard by shard. What is still due of it, the next bill run bills by difference.
"""

from datetime import date, datetime
from time import perf_counter

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from billing.families.services.gathering import mirror_parts
from billing.models import (
    BillRun,
    Invoice,
    InvoiceLine,
    InvoicePart,
    ParkedAccount,
    Payment,
    Shard,
)
from billing.runs.copying import discard_drafts
from billing.runs.mirroring import (
    Freed,
    count_originals,
    finalise_mirrors,
    months_of,
    write_mirrors,
)
from billing.runs.selectors.progress import overlapping_runs
from billing.runs.services.made import count_drafts
from billing.runs.services.numbering import lock_numbers, numbering_of
from billing.wallets.services.settling import lock_accounts
from o2b import clock, events
from o2b.errors import Invalid, Refused

LONGEST_REASON = 2000


class ReasonMissing(Invalid):
    code = "reason_missing"


class NotReversible(Refused):
    code = "not_reversible"


class RunUnderWay(Refused):
    code = "run_under_way"


@transaction.atomic
def reverse_invoice(*, invoice_id: int, reason: str, opened_by_id: int, at: datetime) -> BillRun:
    """Ask for one document to be taken back; a second person approves it as they do a run."""
    text = _reason(reason)
    invoice = Invoice.objects.select_related("account__test_clock").get(pk=invoice_id)
    lock_numbers(invoice.legal_entity_id)
    if invoice.reverses_id is not None:
        raise NotReversible(
            _("%(number)s reverses another document; what is due again, the next run bills.")
            % {"number": invoice}
        )
    undone = Invoice.objects.filter(reverses=invoice_id).first()
    if undone is not None:
        raise NotReversible(
            _("%(number)s was reversed already, by %(by)s.") % {"number": invoice, "by": undone}
        )
    _refuse_asked(Q(reverses_invoice=invoice_id) | Q(reverses_run=invoice.run_id))
    accounts = {invoice.account_id, *_accounts_of_lines(invoice_id)}
    day = clock.day(invoice.account, at)
    return _open(
        BillRun(
            legal_entity_id=invoice.legal_entity_id,
            account_ids=sorted(accounts),
            reverses_invoice=invoice,
        ),
        on=max(day, invoice.issued_on),
        reason=text,
        opened_by_id=opened_by_id,
        at=at,
    )


@transaction.atomic
def reverse_run(*, run_id: int, reason: str, opened_by_id: int, at: datetime) -> BillRun:
    """Ask for all documents of a final run to be taken back, but those that were already."""
    text = _reason(reason)
    run = BillRun.objects.get(pk=run_id)
    lock_numbers(run.legal_entity_id)
    if run.is_reversal or run.state != BillRun.State.FINALISED:
        raise NotReversible(_("Only a bill run that is final can be reversed."))
    _refuse_asked(Q(reverses_run=run_id) | Q(reverses_invoice__run=run_id))
    documents = Invoice.objects.filter(run_id=run_id)
    undone = Invoice.objects.filter(reverses__run_id=run_id)
    if documents.count() == undone.count():
        raise NotReversible(_("%(run)s has no document left to reverse.") % {"run": run})
    return _open(
        BillRun(legal_entity_id=run.legal_entity_id, account_ids=run.account_ids, reverses_run=run),
        on=max(at.date(), run.on),
        reason=text,
        opened_by_id=opened_by_id,
        at=at,
    )


def _open(reversal: BillRun, *, on: date, reason: str, opened_by_id: int, at: datetime) -> BillRun:
    reversal.on, reversal.reason = on, reason
    reversal.opened_by_id, reversal.opened_at = opened_by_id, at
    reversal.save()
    events.record(
        "bill_run.opened",
        reversal,
        at=at,
        actor_id=opened_by_id,
        on=on.isoformat(),
        reverses_invoice=reversal.reverses_invoice_id,
        reverses_run=reversal.reverses_run_id,
    )
    return reversal


def _reason(text: str) -> str:
    text = text.strip()
    if not text or "\0" in text:
        raise ReasonMissing(_("Say why it is taken back."), field="reason")
    if len(text) > LONGEST_REASON:
        raise ReasonMissing(_("At most %(n)s characters.") % {"n": LONGEST_REASON}, field="reason")
    return text


def _refuse_asked(which: Q) -> None:
    """One reversal at a time; whoever asks holds the seller's numbers."""
    asked = BillRun.objects.filter(which).exclude(state__in=BillRun.OVER).first()
    if asked is not None:
        raise NotReversible(
            _("%(run)s is asked to take it back already; approve or cancel that.") % {"run": asked},
            run=asked.pk,
        )


def _accounts_of_lines(invoice_id: int) -> set[int]:
    """A parent's invoice may bill what others owe."""
    rows = InvoiceLine.objects.filter(invoice_id=invoice_id).order_by()
    parts = InvoicePart.objects.filter(invoice_id=invoice_id)
    return {
        *rows.values_list("charge__account_id", flat=True).distinct(),
        *parts.values_list("account_id", flat=True),
    }


def refuse_under_way(reversal: BillRun) -> None:
    """No run that bills the same accounts may be unfinished when a reversal is approved.

    Its drafts have read the standing that the reversal changes. The other way round, a run is not
    opened while a reversal becomes final (`overlapping_runs`).
    """
    lock_numbers(reversal.legal_entity_id)
    others = overlapping_runs(
        legal_entity_id=reversal.legal_entity_id, account_ids=reversal.account_ids
    )
    other = others.exclude(pk=reversal.pk).first()
    if other is not None:
        raise RunUnderWay(
            _("%(run)s is not finished and bills the same accounts; finish or cancel it first.")
            % {"run": other},
            run=other.pk,
        )


def fill_reversal(run: BillRun, shard: Shard, *, worker: str = "") -> None:
    """Draft the mirrors of a shard, and count them against what there is to take back."""
    began = perf_counter()
    discard_drafts(shard_id=shard.pk)
    ParkedAccount.objects.filter(shard=shard).delete()
    write_mirrors(run, shard)
    shard.looked_at, documents = count_originals(run, shard)
    shard.planned_accounts = shard.looked_at
    count_drafts(shard)
    if shard.invoices != documents:
        raise RuntimeError(f"shard {shard} mirrors {shard.invoices} of {documents} documents")
    shard.drafted = shard.to_finalise
    shard.first_month, shard.last_month = months_of(shard)
    shard.state, shard.worker, shard.error = Shard.State.DRAFTED, worker, ""
    shard.draft_seconds = perf_counter() - began
    shard.save()


def finalise_reversal(run: BillRun, shard: Shard, *, at: datetime) -> int:
    """Make the mirrors of a shard final, and give back to its accounts what they had paid."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT account_id FROM billing_draftinvoice WHERE shard_id = %s", [shard.pk]
        )
        accounts = {row[0] for row in cursor.fetchall()}
    lock_accounts(accounts)
    written, freed = finalise_mirrors(run, shard, numbering_of(run, shard), at=at)
    mirror_parts(shard)
    _tell(freed, at=at, actor_id=run.approved_by_id)
    return written


def _tell(freed: list[Freed], *, at: datetime, actor_id: int | None) -> None:
    """One event a payment, with the documents that it no longer settles."""
    told: dict[int, dict[str, str]] = {}
    numbers = dict(
        Invoice.objects.filter(pk__in={each.invoice_id for each in freed}).values_list(
            "pk", "number"
        )
    )
    for each in freed:
        told.setdefault(each.payment_id, {})[numbers[each.invoice_id]] = f"{each.amount:f}"
    payments = Payment.objects.filter(pk__in=told).order_by("pk")
    events.record_many(
        "payment.freed",
        list(payments),
        at=at,
        actor_id=actor_id,
        facts_of=lambda payment: {"invoices": told[payment.pk]},
    )
