"""How pools stand: what came in, who used what, and which lot covered which day of whom."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

from django.db.models import Q, QuerySet

from o2b import clock
from o2b.catalog.models import Meter
from o2b.charging.facts import Prepaid
from o2b.charging.pooling import Drawing, Lot
from o2b.customers.models import Account
from o2b.sql import ask
from subscriptions.models import Item, Pool, PoolMember, PoolService
from subscriptions.pools.incoming import Source, lots_into
from subscriptions.pools.rules import (
    Drawer,
    Draws,
    Membership,
    Ref,
    covered_by,
    drawn_from,
    joined,
)
from subscriptions.pools.statements import OVER
from subscriptions.usage.metered import Metered, metered, where_of, with_usage

A_DAY = timedelta(days=1)
LONGEST_KEY = 18  # digits that always fit into a bigint


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool at the end of a day; `sources` by the part of a lot's reference before the colon."""

    pool: Pool
    meter: Meter | None
    on: date
    lots: tuple[Lot, ...]
    drawing: Drawing
    drawers: tuple[Drawer, ...]
    sources: dict[str, Source]

    @property
    def covered(self) -> dict[Ref, tuple[Prepaid, ...]]:
        return covered_by(self.drawing)

    def source_of(self, lot: str) -> Source:
        """Where a lot comes from, by its reference."""
        return self.sources[lot.partition(":")[0]]


def pools_of_services(services: Collection[int], meters: Collection[str] = ()) -> set[int]:
    """The pools that these services (first of their chains) may ever draw from; one query."""
    rows = PoolService.objects.filter(service_id__in=services)
    if meters:
        rows = rows.filter(pool__meter__in=meters)
    return set(rows.values_list("pool_id", flat=True))


def prepaid_of(
    pool_ids: Collection[int], *, until: Mapping[int, date] | None = None
) -> dict[Ref, tuple[Prepaid, ...]]:
    """What pools cover of each charge, by day: before a day of each pool, or up to today."""
    return joined(each.covered for each in pool_states(pool_ids, until=until))


def first_days_open(pool_ids: Collection[int]) -> dict[int, date]:
    """The first day of each pool that is not over everywhere it is drawn from; one query."""
    if not pool_ids:
        return {}
    return dict(ask(OVER, {"pools": sorted(pool_ids)}))


def pool_states(
    pool_ids: Collection[int], *, until: Mapping[int, date] | None = None
) -> list[PoolState]:
    """Pools as they stand before a day each, or today; so many queries a meter, not a pool."""
    pools = list(
        Pool.objects.filter(pk__in=pool_ids).select_related("account__test_clock").order_by("pk")
    )
    by_meter: dict[str, list[Pool]] = defaultdict(list)
    for pool in pools:
        by_meter[pool.meter].append(pool)
    meters = {each.code: each for each in Meter.objects.filter(code__in=by_meter)}
    found: list[PoolState] = []
    for code, several in by_meter.items():
        on = {
            pool.pk: until[pool.pk] - A_DAY if until is not None else clock.today(pool.account)
            for pool in several
        }
        found += _Reading(several, meters.get(code), on).states()
    return sorted(found, key=lambda each: each.pool.pk)


class _Reading:
    """Pools of one meter, read together."""

    def __init__(self, pools: Sequence[Pool], meter: Meter | None, on: dict[int, date]) -> None:
        self.pools, self.meter, self.on = pools, meter, on
        self.code = pools[0].meter

    def states(self) -> list[PoolState]:
        lots, sources = lots_into(self.pools, self.code, self.on)
        earliest = min((lot.begins for lot in chain(*lots.values())), default=None)
        drawers = self._drawers(earliest) if earliest is not None else {}
        return [
            PoolState(
                pool,
                self.meter,
                self.on[pool.pk],
                tuple(lots[pool.pk]),
                drawn_from(pool.pk, lots[pool.pk], drawers.get(pool.pk, ()), on=self.on[pool.pk]),
                tuple(drawers.get(pool.pk, ())),
                sources,
            )
            for pool in self.pools
        ]

    def _drawers(self, earliest: date) -> dict[int, list[Drawer]]:
        """Every charge that may draw, by pool, in the order of drawing."""
        rows = PoolService.objects.filter(pool__in=self.pools).values_list("service_id", "pool_id")
        pools_of: dict[int, set[int]] = defaultdict(set)
        for service_id, pool_id in rows:
            pools_of[service_id].add(pool_id)
        items = list(_items_of(pools_of))
        charges = metered(items, meter=self.code)
        told = with_usage(charges, [_since(each, earliest) for each in charges])
        draws = self._draws(items)
        found: dict[int, list[Drawer]] = defaultdict(list)
        for each in sorted(told, key=_order):
            service = each.item.root_id_or_own
            where = where_of(each.terms)
            drawer = Drawer(each.ref, each.facts, draws(each.item), service, where, each.by_deck)
            for pool_id in pools_of[service]:
                found[pool_id].append(drawer)
        return found

    def _draws(self, items: Collection[Item]) -> Callable[[Item], Draws]:
        accounts = {item.account_id for item in items}
        own = dict(
            Pool.objects.filter(account__in=accounts, meter=self.code).values_list(
                "account_id", "pk"
            )
        )
        by_service: dict[tuple[int, int | None], list[Membership]] = defaultdict(list)
        by_account: dict[int, list[Membership]] = defaultdict(list)
        services = {item.root_id_or_own for item in items}
        members = PoolMember.objects.filter(meter=self.code).filter(
            Q(service__in=services) | Q(account__in=accounts)
        )
        for each in members:
            membership = Membership(each.pool_id, each.begins_on, each.ends_on)
            if each.service_id is not None:
                by_service[each.service_id, each.holder_id].append(membership)
            elif each.account_id is not None:
                by_account[each.account_id].append(membership)

        def draws_of(item: Item) -> Draws:
            return Draws(
                by_service.get((item.root_id_or_own, item.account_id), ()),
                by_account.get(item.account_id, ()),
                own.get(item.account_id),
            )

        return draws_of


def _items_of(services: Collection[int]) -> QuerySet[Item]:
    """Every item of these chains, with its account."""
    chained = Item.objects.filter(Q(pk__in=services) | Q(root__in=services))
    return chained.select_related("account__test_clock", "subscription").order_by("pk")


def _since(charge: Metered, earliest: date) -> date | None:
    """An allowance is used before a pool is, from the first day of its period or of service."""
    return None if charge.terms.allowance is not None else earliest


def _order(charge: Metered) -> tuple[int, Ref]:
    return charge.item.root_id_or_own, charge.ref


def _of_account(account_id: int) -> QuerySet[Pool]:
    services = PoolService.objects.filter(
        service_id__in=Item.objects.filter(account=account_id, root=None).values("pk")
    )
    return Pool.objects.filter(Q(account=account_id) | Q(pk__in=services.values("pool")))


def pools_of_account(account: Account) -> list[Pool]:
    """An account's own pools, and those that it or one of its services draws from."""
    return list(_of_account(account.pk).select_related("account").distinct().order_by("pk"))


def has_pools(account_id: int) -> bool:
    """Whether there is one of them."""
    return _of_account(account_id).exists()


def find_pools(*, text: str) -> QuerySet[Pool]:
    """The pool of a number (U-3), and pools whose name holds the words."""
    words = text.replace("\0", "").strip()
    named = Q(name__icontains=words) if len(words) > 2 else Q(pk__in=())
    digits = words[2:] if words.upper().startswith("U-") else ""
    if digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_KEY:
        named |= Q(pk=int(digits))
    return Pool.objects.filter(named).select_related("account").order_by("-pk")[:5]
