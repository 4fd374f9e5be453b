"""Bills below the minimum of who pays them are taken out of a run: the next drafts them anew.

Nothing of them becomes final and no charge moves on, so that difference bills them later. The bill
of a family is one: it waits with all of its accounts, or none of them.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from django.db import connection

from billing.documents.rules.carrying import Waiting, minimum_of, small_bills, together, waits
from billing.documents.selectors.carried import waiting_of
from billing.families.selectors import families_in
from billing.models import BillRun, CarriedBill, Shard
from billing.rules.drafting import AccountDraft
from billing.runs.copying import discard_drafts
from billing.runs.selectors.due import AccountFacts, accounts_of
from billing.runs.selectors.scope import Scope
from o2b.money import EXACT, sum_of

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
    if run.is_by_name:
        return set()
    payers = families_in(run, drafts) if shard.families else {}
    minimums = _minimums(run, _of_payers(scope, accounts, payers) if shard.families else accounts)
    if not minimums:
        return set()
    bills = _bills(drafts, payers, minimums, out)
    totals = {
        payer: sum_of(EXACT.add(drafts[pk].net, drafts[pk].tax) for pk in ids)
        for payer, ids in bills.items()
    }
    small = small_bills(totals, minimums)
    if not small:
        return set()
    known = _known(run, shard, small, payers)
    months = run.legal_entity.carrying.months
    rows = [
        CarriedBill(
            run=run,
            shard=shard,
            account_id=pk,
            payer_id=payer if payers else None,
            currency=accounts[pk].currency,
            net=drafts[pk].net,
            tax=drafts[pk].tax,
            total=EXACT.add(drafts[pk].net, drafts[pk].tax),
            whole=totals[payer] if payers else None,
            minimum=small[payer],
            since=known[pk].since or run.on,
        )
        for payer in sorted(small)
        if waits(_facts(known, payer, payers), on=run.on, months=months)
        for pk in sorted(bills[payer])
    ]
    _take_out(run, shard, rows)
    return {row.account_id for row in rows}


def _take_out(run: BillRun, shard: Shard, rows: Sequence[CarriedBill]) -> None:
    if not rows:
        return
    CarriedBill.objects.bulk_create(rows, batch_size=2000)
    ids = [row.account_id for row in rows]
    discard_drafts(shard_id=shard.pk, account_ids=ids)
    with connection.cursor() as cursor:  # no bill is no outlier
        cursor.execute(NO_BILL, [run.pk, ids])


def _of_payers(
    scope: Scope, accounts: Mapping[int, AccountFacts], payers: Mapping[int, int]
) -> dict[int, AccountFacts]:
    """The payers of these families; one of whom nothing was due may lie outside the scope."""
    asked = set(payers.values())
    beside = asked - accounts.keys()
    found = accounts_of(scope.narrowed(sorted(beside))) if beside else {}
    return found | {pk: accounts[pk] for pk in asked - beside}


def _bills(
    drafts: Mapping[int, AccountDraft],
    payers: Mapping[int, int],
    minimums: Mapping[int, Decimal],
    out: Collection[int],
) -> dict[int, list[int]]:
    """Who pays → the accounts of whose drafts the bill is made; of those with a minimum."""
    ids = drafts.keys() if payers else minimums.keys() & drafts.keys()
    found: dict[int, list[int]] = {}
    for pk in ids:
        payer = payers.get(pk, pk)
        if payer in minimums and pk not in out and drafts[pk].bills:
            found.setdefault(payer, []).append(pk)
    return found


def _known(
    run: BillRun, shard: Shard, small: Collection[int], payers: Mapping[int, int]
) -> dict[int, Waiting]:
    """What is known of who pays small bills, and of all of their families."""
    kin = {pk for pk, payer in payers.items() if payer in small}
    return waiting_of(run, shard.pk, sorted(kin.union(small)))


def _facts(known: Mapping[int, Waiting], payer: int, payers: Mapping[int, int]) -> Waiting:
    if not payers:
        return known[payer]
    return together(known[payer], (known[pk] for pk, each in payers.items() if each == payer))


def _minimums(run: BillRun, accounts: Mapping[int, AccountFacts]) -> dict[int, Decimal]:
    seller = run.legal_entity.currency, run.legal_entity.carrying.minimum
    if seller[1] is None:
        own = ((pk, each.minimum) for pk, each in accounts.items() if each.minimum)
        return dict(own)
    found = ((pk, minimum_of(each.minimum, each.currency, seller)) for pk, each in accounts.items())
    return {pk: minimum for pk, minimum in found if minimum is not None}
