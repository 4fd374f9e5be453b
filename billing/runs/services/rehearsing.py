"""A rehearsal is thrown away after some days, if nobody did it before."""

from datetime import datetime, timedelta

from billing.models import BillRun
from billing.runs.selectors.rules import rules_of
from billing.runs.services.steering import cancel_run


def discard_old(*, at: datetime) -> int:
    """Throw away what was drafted longer ago than the legal entity keeps it; how many."""
    found = 0
    kept = BillRun.objects.filter(kind=BillRun.Kind.REHEARSAL, state=BillRun.State.REHEARSED)
    for run in kept.order_by("pk"):
        days = rules_of(run.legal_entity_id).rehearsal_days
        if run.drafted_at is not None and run.drafted_at + timedelta(days=days) <= at:
            cancel_run(run_id=run.pk, at=at)
            found += 1
    return found
