"""What a broken promise does to a run: its account is parked, the breach told."""

from datetime import datetime

from billing.models import BillRun, Breach, Shard
from billing.promises.selectors import Broken
from billing.promises.services import record_breaches
from billing.rules.expecting import CODES
from billing.runs.copying import discard_drafts
from billing.runs.services.parking import Parking, park


def park_broken(
    run: BillRun, shard: Shard, found: dict[int, list[Broken]], *, at: datetime
) -> None:
    """Take the drafts of these accounts out of the run, and say why and to whom."""
    if not found:
        return
    discard_drafts(shard_id=shard.pk, account_ids=found)
    park(run, shard, [_parking(*each) for each in sorted(found.items())], at=at)
    if run.is_rehearsal:
        return
    record_breaches(
        [each for several in found.values() for each in several],
        stage=Breach.Stage.RUN,
        at=at,
        run_id=run.pk,
    )


def _parking(account_id: int, found: list[Broken]) -> Parking:
    found = sorted(found, key=lambda each: CODES.index(each.field))
    facts = [
        {
            "promise": each.promise_id or None,
            "field": each.field,
            "promised": each.promised,
            "actual": each.actual,
            "source": each.source,
        }
        for each in found[:50]
    ]
    reason = "; ".join(dict.fromkeys(each.message for each in found))
    promises = len({each.promise_id for each in found} - {0})
    return Parking(account_id, found[0].field, reason, {"differences": facts, "promises": promises})
