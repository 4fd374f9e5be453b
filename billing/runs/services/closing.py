"""The last shard closes its stage of the run; two that end at once meet on the run's row."""

from datetime import datetime

from billing.models import BillRun, Shard
from billing.runs.copying import discard_drafts
from o2b import events


def close_drafting(shard: Shard, *, at: datetime) -> None:
    """Ask for approval once every shard is drafted; what a cancelled run drafted late goes."""
    run = BillRun.objects.select_for_update().get(pk=shard.run_id)
    if run.state == BillRun.State.CANCELLED:
        discard_drafts(shard_id=shard.pk)
        shard.state = Shard.State.DISCARDED
        shard.save(update_fields=["state"])
        return
    ask_approval_if_drafted(run, at=at)


def ask_approval_if_drafted(run: BillRun, *, at: datetime) -> None:
    """The run's row is locked by the caller."""
    if run.state != BillRun.State.DRAFTING or _left(run, Shard.State.PLANNED):
        return
    if run.is_rehearsal:
        run.show_rehearsal(at=at)
        run.save()
        events.record("bill_run.rehearsed", run, at=at)
        return
    run.ask_approval(at=at)
    run.save()
    events.record("bill_run.drafted", run, at=at)


def finish_if_finalised(run: BillRun, *, at: datetime) -> None:
    """The run's row is locked by the caller."""
    if run.state != BillRun.State.FINALISING or _left(run, Shard.State.DRAFTED):
        return
    run.finish(at=at)
    run.save()
    events.record("bill_run.finalised", run, at=at)


def _left(run: BillRun, state: Shard.State) -> bool:
    return Shard.objects.filter(run=run, state=state).exists()
