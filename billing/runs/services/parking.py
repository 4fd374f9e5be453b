"""An account that a run leaves out: why, and who looks into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.models import BillRun, ParkedAccount, Shard
from o2b import events
from o2b.customers.models import Account


@dataclass(frozen=True, slots=True)
class Parking:
    """One account and the reason."""

    account_id: int
    code: str
    reason: str
    facts: dict[str, Any]


def park(run: BillRun, shard: Shard, found: Sequence[Parking], *, at: datetime) -> None:
    """Write the accounts down, each for its advocate; their drafts are gone already.

    What a rehearsal finds stays in it: nobody is told.
    """
    if not found:
        return
    ids = [each.account_id for each in found]
    owners = dict(Account.objects.filter(pk__in=ids).values_list("pk", "advocate_id"))
    made = ParkedAccount.objects.bulk_create(
        ParkedAccount(
            run=run,
            shard=shard,
            account_id=each.account_id,
            code=each.code,
            reason=each.reason[:2000],
            owner_id=owners[each.account_id],
            facts=each.facts,
            parked_at=at,
        )
        for each in found
    )
    if not run.is_rehearsal:
        events.record_many(
            "account.parked", made, at=at, facts_of=lambda each: {"code": each.code, "run": run.pk}
        )
