"""How far the charges of items have been billed."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from billing.models import ChargeState
from billing.runs.selectors.history import billed_history
from o2b.asks import BilledSoFar
from o2b.charging import Billed
from o2b.money import EXACT


def billed_of(item_ids: Sequence[int]) -> list[BilledSoFar]:
    """Every charge of the items, whoever pays it, in two queries whatever their number.

    Where several pay, it is what all of them were billed, and how far their customer was.
    """
    states = (
        ChargeState.objects.filter(charge__item__in=item_ids)
        .select_related("charge__terms_charge", "charge__item")
        .order_by("charge_id")
    )
    found = list(states)
    history = billed_history(state.charge_id for state in found)
    rows: dict[tuple[int, int], list[Billed]] = {}
    for state in found:
        whole = rows.setdefault((state.charge.item_id, state.charge.terms_charge_id), [])
        whole.extend(history.get(state.charge_id, ()))
    return [
        BilledSoFar(
            item_id=state.charge.item_id,
            account_id=state.account_id,
            terms_id=state.charge.terms_id,
            key=state.charge.terms_charge.key,
            through=state.billed_through,
            segments=_whole(rows[state.charge.item_id, state.charge.terms_charge_id]),
        )
        for state in found
        if state.account_id == state.charge.item.account_id
    ]


def _whole(
    billed: Iterable[Billed],
) -> list[tuple[date, int, int, Decimal, date, Decimal, Decimal, bool, date | None]]:
    """One of each period and segment, the sum of all payers."""
    found: dict[tuple[date, int], Billed] = {}
    for each in billed:
        place = (each.period_start, each.segment)
        known = found.get(place)
        if known is not None:
            each = each._replace(
                revision=max(known.revision, each.revision),
                amount=EXACT.add(known.amount, each.amount),
                percent=known.percent,
                tax=EXACT.add(known.tax, each.tax),
            )
        found[place] = each
    return [tuple(found[place]) for place in sorted(found)]  # type: ignore[misc]
