"""How far the charges of items have been billed."""

from collections import defaultdict
from collections.abc import Sequence

from billing.models import ChargeState
from billing.runs.selectors.history import billed_history
from o2b.asks import BilledSoFar


def billed_of(item_ids: Sequence[int]) -> list[BilledSoFar]:
    """Every charge of the items, in two queries whatever their number."""
    states = (
        ChargeState.objects.filter(charge__item__in=item_ids)
        .select_related("charge__terms_charge")
        .order_by("charge_id")
    )
    found = list(states)
    history = defaultdict(tuple, billed_history(state.charge_id for state in found))
    return [
        BilledSoFar(
            item_id=state.charge.item_id,
            account_id=state.account_id,
            terms_id=state.charge.terms_id,
            key=state.charge.terms_charge.key,
            through=state.billed_through,
            segments=[tuple(each) for each in history[state.charge_id]],  # type: ignore[misc]
        )
        for state in found
    ]
