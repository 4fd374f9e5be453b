"""Usage of a hard pool asks before it is counted whether anything would cover it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from o2b import clock
from o2b.money import EXACT
from subscriptions.models import Pool, PoolService
from subscriptions.pools.limits import Limit, Wanted
from subscriptions.pools.rules import Ref, joined
from subscriptions.pools.selectors import PoolState, pool_states
from subscriptions.usage.rules.metering import Total

# The day of an event may be tomorrow by the clock of the pool, where another account uses it.
AHEAD = timedelta(days=2)


class BeyondLimit(Exception):
    """A hard pool would have to cover more than it holds."""


def beyond_limits(rows: Iterable[tuple[Any, ...]]) -> set[int]:
    """Which events no hard pool covers, told as number, meter, service, day, part, amount, moment.

    In a transaction: their pools stay locked until it ends, so that of several that come at once
    each sees what the others took. A service that draws from no hard pool on the day is not held
    back.
    """
    by_meter: dict[str, list[Wanted]] = defaultdict(list)
    for n, meter, service, day, part, amount, at in rows:
        by_meter[meter].append(Wanted(n, service, Total(day, part, amount, 1, at)))
    services = {each.service for several in by_meter.values() for each in several}
    hard = _lock(services, by_meter)
    last = max(
        (each.total.day for several in by_meter.values() for each in several), default=date.min
    )
    refused: set[int] = set()
    for state in _states(hard, last):
        refused |= _beyond(state, by_meter[state.pool.meter])
    return refused


def _beyond(state: PoolState, wanted: Sequence[Wanted]) -> set[int]:
    drawers = defaultdict(list)
    for drawer in state.drawers:
        drawers[drawer.service].append(drawer.draws)
    mine = [
        each
        for each in wanted
        if any(draws.on(each.total.day) == state.pool.pk for draws in drawers[each.service])
    ]
    return Limit(state.pool.pk, state.lots, state.drawers, state.on).beyond(mine) if mine else set()


@contextmanager
def hard_pools_hold(services: Collection[int], meters: Collection[str]) -> Iterator[None]:
    """Whatever is done meanwhile to usage of these services, no hard pool covers less than before.

    Raises BeyondLimit at the end if one does; in a transaction, so that it is taken back.
    """
    hard = _lock(services, meters)
    before = _uncovered(hard)
    yield
    if any(units > before[pool] for pool, units in _uncovered(hard).items()):
        raise BeyondLimit


@contextmanager
def covered_stays(pool_ids: Collection[int]) -> Iterator[None]:
    """Whatever is said meanwhile of who draws from these pools, what a hard one covered stays so.

    They are locked in the order in which all lock them. Raises BeyondLimit at the end if somebody
    would be covered less on a day than a hard pool did; in a transaction, so that it is taken back.
    """
    locked = Pool.objects.filter(pk__in=pool_ids).order_by("pk")
    locked = locked.select_for_update(no_key=True, of=["self"])
    pools = list(locked.select_related("account__test_clock"))
    before = _covered([pool for pool in pools if pool.hard])
    yield
    if before:
        after = _covered(pools)
        if any(units > after.get(use, 0) for use, units in before.items()):
            raise BeyondLimit


def _covered(pools: Collection[Pool]) -> dict[tuple[Ref, date], Decimal]:
    """What these pools cover of each charge and day."""
    covered = joined(state.covered for state in _states(pools, date.min))
    found: dict[tuple[Ref, date], Decimal] = {}
    for ref, prepaid in covered.items():
        for day, units in prepaid:
            found[ref, day] = EXACT.add(found.get((ref, day), Decimal(0)), units)
    return found


def _uncovered(pools: Collection[Pool]) -> dict[int, Decimal]:
    """What nothing covers of all that was used of each pool."""
    return {
        state.pool.pk: sum((use.units for use in state.drawing.uncovered), Decimal(0))
        for state in _states(pools, date.min)
    }


def _states(pools: Collection[Pool], last: date) -> list[PoolState]:
    """Pools with all that was used of them up to a day and today."""
    if not pools:
        return []
    until = {pool.pk: max(last, clock.today(pool.account)) + AHEAD for pool in pools}
    return pool_states(until, until=until)


def _lock(services: Collection[int], meters: Collection[str]) -> list[Pool]:
    """The hard pools that these services may draw from, in the order in which all lock them."""
    drawn = PoolService.objects.filter(service_id__in=services, pool__meter__in=meters)
    wanted = Pool.objects.filter(pk__in=drawn.values("pool"), hard=True).order_by("pk")
    locked = wanted.select_for_update(no_key=True, of=["self"])
    return list(locked.select_related("account__test_clock"))
