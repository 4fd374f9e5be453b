"""A shard of families: one tax for a document, and nobody gets a part of it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from billing.families.rules import taxed_as_one
from billing.families.selectors import families_in
from billing.models import BillRun, ParkedAccount, Shard
from billing.rules.drafting import AccountDraft, Taxing
from billing.runs.copying import discard_drafts
from billing.runs.selectors.scope import Scope
from o2b.charging.tax import TaxRounding
from o2b.customers.models import Account

WAITS = "family"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An account that could be billed, but for one of its family."""

    account_id: int
    reason: str
    facts: dict[str, Any]


def tax_families(
    run: BillRun,
    shard: Shard,
    drafts: dict[int, AccountDraft],
    *,
    taxing: Taxing,
    currencies: Mapping[int, str],
) -> None:
    """Where tax is rounded for more than a line, round it for each family's document as a whole."""
    if not shard.families or taxing.per is TaxRounding.LINE:
        return
    together: dict[int, list[int]] = defaultdict(list)
    for account_id, payer_id in families_in(run, drafts).items():
        if account_id in drafts and drafts[account_id].bills:
            together[payer_id].append(account_id)
    for payer_id, ids in together.items():
        if len(ids) > 1:
            ids.sort(key=lambda pk, payer=payer_id: (pk != payer, pk))  # type: ignore[misc]
            own = [drafts[pk] for pk in ids]
            taxed = taxed_as_one(own, currency=currencies[ids[0]], per=taxing.per)
            drafts.update(zip(ids, taxed, strict=True))


def with_kin(run: BillRun, shard: Shard, account_ids: Collection[int]) -> set[int]:
    """These accounts and all of their families."""
    if not shard.families:
        return set(account_ids)
    return families_in(run, account_ids).keys() | set(account_ids)


def hold_families(
    run: BillRun,
    shard: Shard,
    scope: Scope,
    *,
    drafts: Mapping[int, AccountDraft],
    out: Collection[int],
) -> list[Waiting]:
    """Take the drafts of those out whose family lacks somebody, and say whom.

    `out` are accounts of the scope that are left out; those beside it that are out count as well.
    """
    if not shard.families:
        return []
    billed = {pk for pk, draft in drafts.items() if draft.bills}
    beside = ParkedAccount.objects.filter(run=run, shard=shard)
    beside = beside.exclude(account__in=scope.only or ())
    lacking = set(out) | set(beside.values_list("account_id", flat=True))
    payers = families_in(run, lacking)
    culprits = {payers[pk]: pk for pk in sorted(lacking, reverse=True) if pk in payers}
    waiting = {
        pk: culprits[payer]
        for pk, payer in sorted(payers.items())
        if pk in billed and pk not in lacking
    }
    if not waiting:
        return []
    discard_drafts(shard_id=shard.pk, account_ids=waiting)
    known = Account.objects.in_bulk(set(waiting.values()))
    text = _("Waits for %(member)s of its family, who is out of this run: they share one bill.")
    return [
        Waiting(pk, text % {"member": known[culprit]}, {"family": culprit})
        for pk, culprit in waiting.items()
    ]
