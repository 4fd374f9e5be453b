"""Sign contracts, one valid at a time, and keep who carries their fixed monthly amount."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from o2b.catalog.models import Contract, FixedDiscountClaim
from o2b.catalog.services.negotiated import refuse_unsound
from o2b.catalog.services.refusals import ContractOverlaps, NotADraft
from o2b.customers.models import Account


@transaction.atomic
def sign_contract(*, contract_id: int, at: datetime) -> Contract:
    """Freeze a contract; from its first day on it wins over every book.

    Earlier versions of it end on that day; another contract that is valid then is in the way.
    """
    draft = Contract.objects.get(pk=contract_id)
    # One signature an account at a time, so that two of them see each other.
    Account.objects.select_for_update(no_key=True).get(pk=draft.account_id)
    contract = Contract.objects.select_for_update().get(pk=contract_id)
    try:
        contract.sign(at=at)
    except TransitionNotAllowed as exc:
        raise NotADraft(f"{contract} is {contract.state}; only a draft can be signed") from exc
    refuse_unsound(contract)
    for other in overlapping(contract):
        if other.code != contract.code or other.number > contract.number:
            raise _overlap(other)
        other.end(on=contract.valid_from)
        other.save()
    contract.save()
    return contract


def refuse_overlaps(contracts: Sequence[Contract]) -> None:
    """Refuse contracts that share a day with each other or with a signed one of their account."""
    drafts = sorted(contracts, key=lambda c: (c.account_id, c.valid_from))
    for before, after in pairwise(drafts):
        same = before.account_id == after.account_id
        if same and (before.valid_to is None or before.valid_to > after.valid_from):
            raise _overlap(before)
    accounts = {contract.account_id for contract in drafts}
    signed = Contract.objects.filter(account__in=accounts, state=Contract.State.SIGNED)
    by_account = defaultdict(list)
    for other in signed:
        by_account[other.account_id].append(other)
    for draft in drafts:
        for other in by_account[draft.account_id]:
            if _share_a_day(draft, other):
                raise _overlap(other)


def _share_a_day(one: Contract, other: Contract) -> bool:
    return (one.valid_to is None or one.valid_to > other.valid_from) and (
        other.valid_to is None or other.valid_to > one.valid_from
    )


def _overlap(other: Contract) -> ContractOverlaps:
    return ContractOverlaps(
        _("%(other)s is valid then already: end it first, or choose other days.")
        % {"other": other},
        field="valid_from",
    )


def overlapping(contract: Contract) -> list[Contract]:
    """The account's signed contracts that share a day with this one, locked."""
    others = Contract.objects.filter(account=contract.account_id, state=Contract.State.SIGNED)
    others = others.exclude(pk=contract.pk)
    others = others.filter(Q(valid_to=None) | Q(valid_to__gt=contract.valid_from))
    if contract.valid_to:
        others = others.filter(valid_from__lt=contract.valid_to)
    return list(others.order_by("pk").select_for_update(of=("self",)))


def claim_fixed_discounts(*, contract_ids: Iterable[int]) -> None:
    """From now on no other offer or order gets these contracts' fixed monthly amounts."""
    FixedDiscountClaim.objects.bulk_create(
        [FixedDiscountClaim(contract_id=pk) for pk in sorted(set(contract_ids))],
        ignore_conflicts=True,
    )


def release_fixed_discount(*, contract_id: int) -> None:
    """What carried it was cancelled: the next offer or order gets it."""
    FixedDiscountClaim.objects.filter(contract=contract_id).delete()
