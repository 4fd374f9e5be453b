"""Usage of a hard pool asks before it is counted whether anything would cover it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from subscriptions.models import Pool, PoolService
from subscriptions.pools.limits import Limit, Wanted
from subscriptions.pools.selectors import pool_states

A_DAY = timedelta(days=1)


def beyond_hard_pools(wanted: Sequence[Wanted], *, meter: str) -> set[int]:
    """Which of these events no hard pool covers; in a transaction.

    Their pools stay locked until it ends, so that of several that come at once each sees what the
    others took. A service that draws from no hard pool on the day is not held back.
    """
    hard = _lock({each.service for each in wanted}, meter)
    if not hard:
        return set()
    last = max(each.total.day for each in wanted) + A_DAY
    refused: set[int] = set()
    for state in pool_states(hard, until=dict.fromkeys(hard, last + A_DAY)):
        drawers: dict[int, list[int]] = defaultdict(list)
        for place, drawer in enumerate(state.drawers):
            drawers[drawer.service].append(place)
        mine = [
            each
            for each in wanted
            if any(
                state.drawers[place].draws.on(each.total.day) == state.pool.pk
                for place in drawers[each.service]
            )
        ]
        limit = Limit(state.pool.pk, state.lots, state.drawers, state.on)
        refused |= limit.beyond(mine)
    return refused


def _lock(services: set[int], meter: str) -> list[int]:
    drawn = PoolService.objects.filter(service_id__in=services, pool__meter=meter)
    wanted = Pool.objects.filter(pk__in=drawn.values("pool"), hard=True).order_by("pk")
    return list(wanted.select_for_update(no_key=True).values_list("pk", flat=True))
