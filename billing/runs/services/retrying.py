"""Accounts that were left out are drafted and checked again, and join the same run."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from billing.families.selectors import families_in
from billing.models import BillRun, BillWord, ParkCode, ParkedAccount, Shard
from billing.runs.selectors import expected
from billing.runs.selectors.scope import scope_of
from billing.runs.services.drafting import make_drafts
from billing.runs.services.gating import RunNotReady
from billing.runs.services.made import Made, count_drafts, months_of
from o2b import events

# Shards of one run may be drafted again side by side; whoever approves or cancels waits for them.
SHARE_RUN = "SELECT 1 FROM billing_billrun WHERE id = %s FOR SHARE"


@transaction.atomic
def ask_retry(
    *,
    run_id: int,
    at: datetime,
    actor_id: int | None = None,
    account_ids: Collection[int] | None = None,
    lift: bool = False,
) -> int:
    """Owe it to these parked accounts, or to all that a person did not take out; how many.

    `lift` lets them pass the fuses of this run. Who waits for it already is not asked for twice. A
    family shares one bill: all of it that is out comes along, and none of it while a person took
    one out.
    """
    run = reviewed(run_id)
    rows = ParkedAccount.objects.select_for_update().filter(run=run, retry_asked_at=None)
    if account_ids is None:
        parked = [each for each in rows.order_by("pk") if not each.is_by_hand]
        parked = _but_families_out_by_hand(run, parked)
    else:
        kin = families_in(run, account_ids).keys()
        parked = list(rows.filter(account__in={*account_ids, *kin}).order_by("pk"))
    for each in parked:
        each.retry_asked_at = at
    ParkedAccount.objects.bulk_update(parked, ["retry_asked_at"], 500)
    lifted = {each.account_id for each in parked} if lift else set()
    if account_ids is not None:
        lifted &= set(account_ids)
    BillWord.objects.bulk_create(
        BillWord(run=run, account_id=each.account_id, kind=kind, by_id=actor_id, at=at)
        for each in parked
        for kind in (BillWord.Kind.RETRIED, BillWord.Kind.LIFTED)
        if kind == BillWord.Kind.RETRIED or each.account_id in lifted
    )
    shards = list(Shard.objects.filter(pk__in={each.shard_id for each in parked}).order_by("n"))
    events.record_many("bill_run.shard_retried", shards, at=at, actor_id=actor_id)
    return len(parked)


def _but_families_out_by_hand(run: BillRun, parked: list[ParkedAccount]) -> list[ParkedAccount]:
    """Without those whose family waits for a word of a person."""
    if not run.families:
        return parked
    by_hand = ParkedAccount.objects.filter(run=run, code__in=ParkCode.values)
    waiting = families_in(run, list(by_hand.values_list("account_id", flat=True)))
    return [each for each in parked if each.account_id not in waiting]


def reviewed(run_id: int) -> BillRun:
    """The run, locked; refused unless all is drafted and nothing is approved."""
    run = BillRun.objects.select_for_update().get(pk=run_id)
    if not run.is_reviewed:
        raise RunNotReady(
            _("%(run)s is %(state)s: its accounts cannot leave or join it now.")
            % {"run": run, "state": run.get_state_display()}
        )
    return run


@transaction.atomic
def retry_shard(*, shard_id: int, at: datetime) -> Shard:
    """Draft again the accounts of a shard that this is owed to; nobody else's drafts change."""
    shard = Shard.objects.get(pk=shard_id)
    with connection.cursor() as cursor:
        cursor.execute(SHARE_RUN, [shard.run_id])
    run = BillRun.objects.select_related("legal_entity").get(pk=shard.run_id)
    shard = Shard.objects.select_for_update().get(pk=shard_id)
    owed = ParkedAccount.objects.filter(shard=shard, retry_asked_at__isnull=False)
    if not run.is_reviewed:
        owed.update(retry_asked_at=None)
        return shard
    parked = list(owed.order_by("account_id"))
    if parked:
        _draft_again(run, shard, parked, at=at)
    return shard


def _draft_again(
    run: BillRun, shard: Shard, parked: Sequence[ParkedAccount], *, at: datetime
) -> None:
    """What these accounts counted as before goes, what they count as now comes."""
    by_hand = sum(each.is_by_hand for each in parked)
    scope = scope_of(run, shard).narrowed([each.account_id for each in parked])
    made = make_drafts(run, shard, scope, at=at)
    now = len(made.parked)
    before = shard.to_finalise
    count_drafts(shard)
    shard.looked_at += expected.looked_at(scope, shared=made.drafted.shared) - len(parked)
    shard.parked += now - (len(parked) - by_hand)
    shard.set_aside -= by_hand
    shard.drafted += shard.to_finalise - before - by_hand
    shard.nothing_due += made.nothing_due
    shard.carried += len(made.carried)
    broken = sum(int(each.facts.get("promises", 0)) for each in parked)
    kept = shard.promises_kept + broken - made.promises_broken
    shard.promises_kept = min(kept, shard.promises)  # one broken for two payers counted once
    shard.first_month, shard.last_month = _widened(shard, made)
    shard.save()


def _widened(shard: Shard, made: Made) -> tuple[date | None, date | None]:
    first, last = months_of(made)
    firsts = [day for day in (shard.first_month, first) if day]
    lasts = [day for day in (shard.last_month, last) if day]
    return min(firsts, default=None), max(lasts, default=None)
