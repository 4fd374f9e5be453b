"""A run is paused, resumed, or thrown away before it is approved."""

from datetime import datetime

from django.db import connection, transaction

from billing.models import BillRun, ParkedAccount, Shard, Variance
from billing.runs.services.closing import ask_approval_if_drafted, finish_if_finalised
from billing.runs.services.gating import RunNotReady
from o2b import events, fsm


@transaction.atomic
def pause_run(*, run_id: int, at: datetime, actor_id: int | None = None) -> BillRun:
    """Let shards that are under way end, and begin no other."""
    run = BillRun.objects.select_for_update().get(pk=run_id)
    fsm.apply(run, "pause", at=at, refusal=RunNotReady, actor_id=actor_id)
    return run


@transaction.atomic
def resume_run(*, run_id: int, at: datetime, actor_id: int | None = None) -> BillRun:
    """Go on where the run was paused: every shard that is left is owed again."""
    run = BillRun.objects.select_for_update().get(pk=run_id)
    finalising = run.paused_from == BillRun.State.FINALISING
    name = "resume_finalising" if finalising else "resume_drafting"
    fsm.apply(run, name, at=at, refusal=RunNotReady, actor_id=actor_id)
    left = Shard.State.DRAFTED if finalising else Shard.State.PLANNED
    shards = list(Shard.objects.filter(run=run, state=left).order_by("n"))
    news = "bill_run.shard_numbered" if finalising else "bill_run.shard_planned"
    events.record_many(news, shards, at=at)
    (finish_if_finalised if finalising else ask_approval_if_drafted)(run, at=at)
    return run


@transaction.atomic
def cancel_run(*, run_id: int, at: datetime, actor_id: int | None = None) -> BillRun:
    """Throw a run's drafts away; once it is approved this is refused."""
    run = BillRun.objects.select_for_update().get(pk=run_id)
    name = "cancel_paused" if run.state == BillRun.State.PAUSED else "cancel"
    fsm.apply(run, name, at=at, refusal=RunNotReady, actor_id=actor_id)
    with connection.cursor() as cursor:
        for table in ("billing_draftinvoice", "billing_draftline", "billing_draftadjustment"):
            cursor.execute(f"DELETE FROM {table} WHERE run_id = %s", [run.pk])
        cursor.execute(
            "DELETE FROM billing_draftusage"
            " WHERE shard_id IN (SELECT id FROM billing_shard WHERE run_id = %s)",
            [run.pk],
        )
    ParkedAccount.objects.filter(run=run).delete()
    Variance.objects.filter(run=run).delete()
    # A shard that is being drafted now is locked; it discards itself when it sees this.
    idle = list(Shard.objects.select_for_update(skip_locked=True).filter(run=run))
    for shard in idle:
        shard.state = Shard.State.DISCARDED
    Shard.objects.bulk_update(idle, ["state"])
    return run
