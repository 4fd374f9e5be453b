"""Bills below the minimum of their account are taken out of a run: the next one drafts them anew.

Nothing of them becomes final and no charge moves on, so that difference bills them later.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from django.db import connection

from billing.documents.rules.carrying import minimum_of, small_bills, waits
from billing.documents.selectors.carried import waiting_of
from billing.models import BillRun, CarriedBill, Shard
from billing.rules.drafting import AccountDraft
from billing.runs.copying import discard_drafts
from billing.runs.selectors.due import AccountFacts
from billing.runs.selectors.scope import Scope
from o2b.money import EXACT

NO_BILL = "DELETE FROM billing_variance WHERE run_id = %s AND account_id = ANY(%s)"


def carry_over(
    run: BillRun,
    shard: Shard,
    scope: Scope,
    drafts: Mapping[int, AccountDraft],
    accounts: Mapping[int, AccountFacts],
    *,
    out: Collection[int],
) -> set[int]:
    """Take small bills out of the run and write them down; which accounts. `out` are so already.

    A run of accounts that somebody named, as for a bill now or a final bill, carries nothing.
    """
    if shard.carried:
        before = CarriedBill.objects.filter(shard=shard)
        (before if scope.only is None else before.filter(account__in=scope.only)).delete()
    minimums = _minimums(run, accounts)
    if not minimums:
        return set()
    billed = {
        pk: EXACT.add(drafts[pk].net, drafts[pk].tax)
        for pk in minimums.keys() & drafts.keys()
        if pk not in out and drafts[pk].bills
    }
    small = small_bills(billed, minimums)
    if not small:
        return set()
    months = run.legal_entity.carrying.months
    waiting = {
        pk: facts
        for pk, facts in waiting_of(run, shard.pk, sorted(small)).items()
        if waits(facts, on=run.on, months=months)
    }
    if not waiting:
        return set()
    CarriedBill.objects.bulk_create(
        (
            CarriedBill(
                run=run,
                shard=shard,
                account_id=pk,
                currency=accounts[pk].currency,
                net=drafts[pk].net,
                tax=drafts[pk].tax,
                total=billed[pk],
                minimum=small[pk],
                since=facts.since or run.on,
            )
            for pk, facts in sorted(waiting.items())
        ),
        batch_size=2000,
    )
    discard_drafts(shard_id=shard.pk, account_ids=waiting)
    with connection.cursor() as cursor:  # no bill is no outlier
        cursor.execute(NO_BILL, [run.pk, list(waiting)])
    return set(waiting)


def _minimums(run: BillRun, accounts: Mapping[int, AccountFacts]) -> dict[int, Decimal]:
    if run.account_ids is not None and not run.scope:
        return {}
    seller = run.legal_entity.currency, run.legal_entity.carrying.minimum
    if seller[1] is None:
        own = ((pk, each.minimum) for pk, each in accounts.items() if each.minimum)
        return dict(own)
    found = ((pk, minimum_of(each.minimum, each.currency, seller)) for pk, each in accounts.items())
    return {pk: minimum for pk, minimum in found if minimum is not None}
