"""One pool as its page and the API tell it: what it holds, the pace, who draws, every movement."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import QuerySet

from o2b import clock
from o2b.charging.pooling import Drawing, Lot, draw
from o2b.models import Event
from o2b.money import EXACT
from orders.models import Order, OrderLine
from orders.selectors import with_standing
from subscriptions.models import Item, Pool, PoolMember, PoolRefill, PoolRefillOrder
from subscriptions.pools.movements import Movement, movements_of
from subscriptions.pools.pace import Pace, empty_on, pace_of, standing_of, uncovered_to_end
from subscriptions.pools.rules import Draws, uses_of
from subscriptions.pools.selectors import PoolState, Source, pool_states

A_DAY = timedelta(days=1)
AHEAD = 92  # days that the forecast looks ahead
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class LotShown:
    """A lot as it stands today; `ends` is the first day on which it is gone."""

    lot: Lot
    left: Decimal
    ends: date
    source: Source
    order_id: int | None


@dataclass(frozen=True, slots=True)
class DrawerShown:
    """A service that draws, or drew, from the pool, and what it drew in the running month.

    `by` says why it does today: service, account or own; empty: it does no more.
    """

    item: Item
    drawn: Decimal
    uncovered: Decimal
    by: str


class Scene:
    """A pool on a day. It is read once, some months ahead: units that come later matter too."""

    def __init__(self, state: PoolState, today: date) -> None:
        self.pool, self.meter, self.today = state.pool, state.meter, today
        self.sources = state.sources
        self.drawers = state.drawers
        self.all_lots = state.lots
        self.until = state.on
        self._uses = uses_of(state.pool.pk, state.drawers, on=today)

    @property
    def unit(self) -> str:
        return str(self.meter.unit) if self.meter else ""

    @cached_property
    def drawing(self) -> Drawing:
        return draw(self.all_lots, self._uses, on=self.today)

    @property
    def left(self) -> Decimal:
        return self.drawing.left

    @cached_property
    def pace(self) -> Pace:
        return pace_of(self.drawing, self.today)

    @property
    def standing(self) -> str:
        return standing_of(self.left, self.pace.a_day)

    @cached_property
    def empty_on(self) -> date | None:
        """When it is empty at the pace so far; None: not before `until`, or nothing is wanted."""
        return empty_on(
            self.all_lots, self._uses, a_day=self.pace.a_day, today=self.today, until=self.until
        )

    @cached_property
    def uncovered_to_end(self) -> Decimal:
        """What nothing covers to the end of the month at the pace so far."""
        return uncovered_to_end(self.all_lots, self._uses, pace=self.pace, today=self.today)

    @cached_property
    def movements(self) -> list[Movement]:
        """The newest first."""
        found = movements_of(self.all_lots, self.drawing, self.drawers, on=self.today)
        return found[::-1]

    @cached_property
    def items(self) -> dict[int, Item]:
        """Every item whose charge may draw, with its account and product."""
        rows = items_shown().filter(pk__in={drawer.ref[0] for drawer in self.drawers})
        return {item.pk: item for item in rows}

    @cached_property
    def orders(self) -> dict[int, int]:
        """Which order brought a line's units into service, by line."""
        lines = {each.item.order_line_id for each in self.sources.values() if each.item}
        return dict(OrderLine.objects.filter(pk__in=lines).values_list("pk", "order_id"))

    @cached_property
    def taken_back(self) -> dict[int, str]:
        """Why units given by hand were taken back, by grant."""
        told = Event.objects.filter(
            subject_type="subscriptions.pool", subject_id=self.pool.pk, name="pool.grant_ended"
        )
        return {
            facts["grant"]: facts.get("reason", "")
            for facts in told.values_list("facts", flat=True)
        }

    def source_of(self, lot: str) -> Source:
        return self.sources[lot.partition(":")[0]]

    def lots(self) -> list[LotShown]:
        """Those that hold units today, in the order of drawing."""
        return [self._shown(each.lot, each.left, each.ends) for each in self.drawing.held]

    def every_lot(self) -> list[LotShown]:
        """All that have begun, the newest first; also those that are used up or gone."""
        held = {each.lot.ref: each for each in self.drawing.held}
        found = []
        for lot in sorted(self.all_lots, key=lambda lot: (lot.begins, lot.ref), reverse=True):
            if lot.begins <= self.today:
                now = held.get(lot.ref)
                left, ends = (now.left, now.ends) if now else (_ZERO, lot.ends)
                found.append(self._shown(lot, left, ends))
        return found

    def _shown(self, lot: Lot, left: Decimal, ends: date) -> LotShown:
        source = self.source_of(lot.ref)
        order = self.orders.get(source.item.order_line_id) if source.item else None
        return LotShown(lot, left, ends, source, order)

    def who_draws(self) -> list[DrawerShown]:
        """The services that draw today or drew this month; who drew most comes first."""
        first = self.pace.month.start
        drawn = _by_ref((each.ref, each.units) for each in self.drawing.draws if each.day >= first)
        beyond = _by_ref(
            (each.ref, each.units) for each in self.drawing.uncovered if each.day >= first
        )
        rows: dict[int, DrawerShown] = {}
        for drawer in self.drawers:
            item = self.items[drawer.ref[0]]
            units, uncovered = drawn[drawer.ref], beyond[drawer.ref]
            by = self._why(drawer.draws) if self._is_served(item) else ""
            before = rows.get(item.pk)
            if before is not None:
                units = EXACT.add(before.drawn, units)
                uncovered = EXACT.add(before.uncovered, uncovered)
            elif not (by or units or uncovered):
                continue
            rows[item.pk] = DrawerShown(item, units, uncovered, by)
        return sorted(rows.values(), key=lambda row: (-row.drawn, -row.uncovered, row.item.pk))

    def _is_served(self, item: Item) -> bool:
        return item.ended_on is None or item.ended_on > self.today

    def _why(self, draws: Draws) -> str:
        return draws.by(self.today) if draws.on(self.today) == self.pool.pk else ""


def _by_ref(rows: Iterable[tuple[object, Decimal]]) -> Mapping[object, Decimal]:
    found: dict[object, Decimal] = defaultdict(Decimal)
    for ref, units in rows:
        found[ref] = EXACT.add(found[ref], units)
    return found


def scene_of(pool_id: int) -> Scene:
    """A pool as it stands today where its account lives. Raises DoesNotExist."""
    pool = Pool.objects.select_related("account__test_clock").get(pk=pool_id)
    return scenes_of([pool])[pool.pk]


def scenes_of(pools: Sequence[Pool]) -> dict[int, Scene]:
    """Pools (with their account and its clock) as they stand today; so many queries a meter."""
    today = {pool.pk: clock.today(pool.account) for pool in pools}
    until = {pk: day + timedelta(days=AHEAD) + A_DAY for pk, day in today.items()}
    states = pool_states(today.keys(), until=until)
    return {state.pool.pk: Scene(state, today[state.pool.pk]) for state in states}


def items_shown() -> QuerySet[Item]:
    """Items with what is shown of them."""
    return Item.objects.select_related("account", "product_version__product", "subscription")


def members_of(pool_id: int) -> QuerySet[PoolMember]:
    """With whom it is or was shared, who draws today first."""
    related = (
        *("account", "added_by", "pool__account__test_clock"),
        *("service__account", "service__product_version__product"),
    )
    rows = PoolMember.objects.filter(pool=pool_id).select_related(*related)
    return rows.order_by("ends_on", "pk")


def refill_of(pool_id: int) -> PoolRefill | None:
    """The standing order of a pool, if it ever had one."""
    related = ("product", "set_by")
    return PoolRefill.objects.select_related(*related).filter(pool=pool_id).first()


def orders_of(refill: PoolRefill, *, most: int) -> list[PoolRefillOrder]:
    """The last orders of a refill, the newest first, each with the `standing` of its order."""
    rows = list(refill.orders.select_related("order")[:most])
    orders = with_standing(Order.objects.filter(pk__in=[row.order_id for row in rows]))
    standing = {order.pk: order.standing for order in orders}  # type: ignore[attr-defined]
    for row in rows:
        row.standing = standing[row.order_id]  # type: ignore[attr-defined]
    return rows


# many pools at once


def pools_for_list() -> QuerySet[Pool]:
    """Every pool with its account."""
    return Pool.objects.select_related("account__test_clock", "account__customer")


@dataclass(frozen=True, slots=True)
class PoolShown:
    """A pool of a list as it stands today."""

    pool: Pool
    unit: str
    left: Decimal
    pace: Pace

    @property
    def standing(self) -> str:
        return standing_of(self.left, self.pace.a_day)


def shown_of(pool_ids: Sequence[int]) -> dict[int, PoolShown]:
    """How these pools stand today, by pool; so many queries a meter, however many pools."""
    return {
        state.pool.pk: PoolShown(
            state.pool,
            str(state.meter.unit) if state.meter else "",
            state.drawing.left,
            pace_of(state.drawing, state.on),
        )
        for state in pool_states(pool_ids)
    }


def standing_like(rows: QuerySet[Pool], standing: str, *, most: int) -> tuple[list[int], bool]:
    """Those of the rows that stand so today; the second: there were more than `most` to look at."""
    keys = list(rows.order_by("-pk").values_list("pk", flat=True)[: most + 1])
    found = [
        pk
        for some in _chunks(keys[:most])
        for pk, shown in shown_of(some).items()
        if shown.standing == standing
    ]
    return found, len(keys) > most


def _chunks(keys: Sequence[int], size: int = 500) -> Iterator[Sequence[int]]:
    for n in range(0, len(keys), size):
        yield keys[n : n + size]
