"""A second person approves; each shard gets a block of numbers and becomes final."""

from datetime import datetime
from time import perf_counter

from django.db import transaction
from django.utils.translation import gettext as _

from billing.families.services.gathering import gather_drafts, write_parts
from billing.models import BillRun, Shard
from billing.runs.copying import discard_drafts, finalise_drafts
from billing.runs.selectors.scope import scope_of
from billing.runs.services.booking import books_for, ensure_billing_months, ensure_release_months
from billing.runs.services.closing import finish_if_finalised
from billing.runs.services.drafting import fill_shard
from billing.runs.services.gating import RunNotReady, refuse_unready
from billing.runs.services.numbering import number_shards, numbering_of
from billing.runs.services.reversing import finalise_reversal, refuse_under_way
from billing.wallets.selectors import charges_that_bring_money, money_drafted
from billing.wallets.services.settling import settle_wallets
from o2b import events, fsm
from o2b.errors import Refused
from o2b.periods import add_months
from o2b.sql import ask

MOST_MONTHS = 24  # older lines lie in the default partition

# What was never changed is as it was drafted: most items are not looked at.
STALE = """
SELECT DISTINCT draft.shard_id FROM subscriptions_item AS item
    JOIN billing_charge AS charge ON charge.item_id = item.id
    JOIN billing_draftline AS draft ON draft.charge_id = charge.id
    WHERE item.revision > 1 AND item.revision <> draft.seen_revision
        AND draft.shard_id = ANY(%(shards)s)
UNION
SELECT draft.shard_id FROM billing_chargeshare AS share
    JOIN billing_draftline AS draft
        ON draft.account_id = share.account_id AND draft.charge_id = share.charge_id
    WHERE share.seen < share.mark AND draft.shard_id = ANY(%(shards)s)
        AND NOT EXISTS (
            SELECT FROM billing_draftusage AS told
                WHERE told.shard_id = draft.shard_id AND told.account_id = share.account_id
                AND told.charge_id = share.charge_id AND told.seen_share = share.mark
        )
"""


class OwnRun(Refused):
    code = "own_run"


@transaction.atomic
def approve_run(*, run_id: int, user_id: int, at: datetime) -> BillRun:
    """Let a drafted run become final; not by who opened it.

    Drafts of items that changed meanwhile are made again first. What changes after this moment is
    billed as approved, and its difference by the next run, so that no number is left over.
    """
    run = BillRun.objects.select_for_update().get(pk=run_id)
    if run.opened_by_id == user_id:
        raise OwnRun(_("A run is approved by somebody else than who opened it."))
    if run.state != BillRun.State.TO_APPROVE:
        raise RunNotReady(
            _("%(run)s is %(state)s, so one cannot approve it.")
            % {"run": run, "state": run.get_state_display()}
        )
    shards = list(Shard.objects.filter(run=run).order_by("n").select_for_update())
    if run.is_reversal:
        refuse_under_way(run)
    else:
        _draft_stale_again(run, shards, at=at)
    refuse_unready(run, at=at)
    gather_drafts(run, shards)
    number_shards(run, shards)
    _ensure_partitions(run, shards)
    fsm.apply(run, "approve", at=at, by=user_id, refusal=RunNotReady, actor_id=user_id)
    return run


def _draft_stale_again(run: BillRun, shards: list[Shard], *, at: datetime) -> None:
    by_id = {shard.pk: shard for shard in shards}
    stale = sorted(row[0] for row in ask(STALE, {"shards": list(by_id)}))
    for shard_id in stale:
        fill_shard(run, by_id[shard_id], at=at)


def _ensure_partitions(run: BillRun, shards: list[Shard]) -> None:
    ensure_release_months(run, shards)
    months = [
        month
        for shard in shards
        for month in (shard.first_month, shard.last_month)
        if month is not None
    ]
    if not months:
        return
    oldest = add_months(run.on.replace(day=1), -MOST_MONTHS)
    newest = add_months(run.on.replace(day=1), MOST_MONTHS)
    first, last = max(min(months), oldest), min(max(months), newest)
    if first <= last:
        ensure_billing_months("billing_invoiceline", first, last)
    ensure_billing_months("billing_posting", run.on, run.on)


@transaction.atomic
def finalise_run(*, run_id: int, at: datetime) -> BillRun:
    """Send each numbered shard on its way; a run that is further on stays as it is."""
    run = BillRun.objects.select_for_update().get(pk=run_id)
    if run.state != BillRun.State.APPROVED:
        return run
    run.begin_finalising(at=at)
    run.save(update_fields=["state"])
    shards = list(Shard.objects.filter(run=run, state=Shard.State.DRAFTED).order_by("n"))
    events.record_many("bill_run.shard_numbered", shards, at=at)
    finish_if_finalised(run, at=at)
    return run


@transaction.atomic
def finalise_shard(*, shard_id: int, at: datetime, worker: str = "") -> Shard:
    """Invoices, lines, postings and the charges' standing of one shard, all or nothing, once."""
    began = perf_counter()
    shard = Shard.objects.select_for_update().get(pk=shard_id)
    run = BillRun.objects.select_related("legal_entity", "series", "credit_series").get(
        pk=shard.run_id
    )
    if shard.state != Shard.State.DRAFTED or run.state != BillRun.State.FINALISING:
        return shard
    if run.is_reversal:
        money = money_drafted(shard.pk)
        written = finalise_reversal(run, shard, at=at)
    else:
        money = charges_that_bring_money(scope_of(run, shard))
        written = finalise_drafts(
            run,
            shard,
            numbering=numbering_of(run, shard),
            money=money,
            books=books_for(run, shard),
        )
        if shard.families:
            write_parts(shard)
    if written != shard.invoices:
        raise RuntimeError(f"shard {shard} has {shard.invoices} numbers for {written} invoices")
    settle_wallets(run, shard, money=money, at=at)
    discard_drafts(shard_id=shard.pk)
    shard.state, shard.worker = Shard.State.FINALISED, worker
    shard.final_seconds = perf_counter() - began
    shard.save(update_fields=["state", "worker", "final_seconds"])
    finish_if_finalised(BillRun.objects.select_for_update().get(pk=shard.run_id), at=at)
    return shard
