"""Units given by hand and taken back: what is left leaves the pool, what was drawn stays drawn."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from subscriptions.models import Item, Pool, PoolGrant
from subscriptions.pools.movements import movements_of
from subscriptions.pools.selectors import PoolState, pool_states
from subscriptions.pools.services import end_grant, grant_units, set_hard
from subscriptions.pools.services.sharing import EndRefused
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_plan, sold
from tests.subscriptions.usage.build import a_meter, an_event, statuses, taken

pytestmark = pytest.mark.django_db


def used(world: World, item: Item, units: str, at: str) -> list[str]:
    return statuses(taken(an_event(item, units, at), now=world.now.isoformat()))


def state() -> PoolState:
    (found,) = pool_states([Pool.objects.get().pk])
    return found


def a_pool(world: World, units: str = "1") -> tuple[Item, PoolGrant]:
    """A plan of few units a month, and 50 more that were given on 10 January; it is the 20th."""
    a_meter()
    sold(world, a_plan(units))
    item = a_drawer(world)
    world.on("2026-01-20")
    grant = grant_units(
        pool_id=Pool.objects.get().pk,
        units=Decimal(50),
        reason="an outage",
        begins_on=date(2026, 1, 10),
        at=world.now,
        by=a_user("finance").pk,
    )
    return item, grant


def ended(world: World, grant: PoolGrant) -> PoolGrant:
    return end_grant(grant_id=grant.pk, reason="a mistake", at=world.now, by=a_user("finance").pk)


@pytest.mark.parametrize("hard", [True, False])
def test_what_was_drawn_today_stays_drawn(world: World, hard: bool) -> None:
    item, grant = a_pool(world)
    set_hard(pool_id=grant.pool_id, hard=hard, at=world.now, by=a_user("order team").pk)
    assert used(world, item, "30", "2026-01-20T00:30:00Z") == ["accepted"]
    found = ended(world, grant)
    assert (found.kept, found.ends_on) == (29, date(2026, 1, 21))
    assert (state().drawing.left, state().drawing.uncovered) == (0, [])
    world.on("2026-01-21")
    assert (state().drawing.left, state().drawing.uncovered) == (0, [])


def test_the_statement_says_what_came_and_what_was_taken_back(world: World) -> None:
    item, grant = a_pool(world)
    used(world, item, "30", "2026-01-20T00:30:00Z")
    ended(world, grant)
    now = state()
    moves = movements_of(now.lots, now.drawing, now.drawers, on=now.on)
    assert [(f"{m.day:%d}", str(m.what), int(m.units), int(m.left)) for m in moves] == [
        ("01", "came_in", 1, 1),
        ("10", "came_in", 50, 51),
        ("20", "lapsed", -21, 30),
        ("20", "drawn", -29, 1),
        ("20", "drawn", -1, 0),
    ]


def test_units_that_nobody_drew_are_all_gone_and_those_of_the_plan_are_not(world: World) -> None:
    """The plan's end first: that it then would have lasted longer gives nobody units."""
    item, grant = a_pool(world, "100")
    used(world, item, "30", "2026-01-15T12:00:00Z")
    assert state().drawing.left == 120
    assert ended(world, grant).kept == 0
    assert state().drawing.left == 70


def test_usage_told_later_does_not_find_what_was_taken_back(world: World) -> None:
    item, grant = a_pool(world)
    used(world, item, "30", "2026-01-20T00:30:00Z")
    ended(world, grant)
    used(world, item, "5", "2026-01-15T12:00:00Z")
    assert sum(use.units for use in state().drawing.uncovered) == 5


def test_they_are_taken_back_once(world: World) -> None:
    _, grant = a_pool(world)
    ended(world, grant)
    with pytest.raises(EndRefused):
        ended(world, grant)
    with pytest.raises(DatabaseError), transaction.atomic():
        PoolGrant.objects.filter(pk=grant.pk).update(kept=51)
    with pytest.raises(DatabaseError), transaction.atomic():
        PoolGrant.objects.filter(pk=grant.pk).update(units=51)


def test_units_of_a_later_day_never_come(world: World) -> None:
    _, grant = a_pool(world)
    later = grant_units(
        pool_id=grant.pool_id,
        units=Decimal(7),
        reason="soon",
        begins_on=date(2026, 2, 1),
        at=world.now,
        by=a_user("finance").pk,
    )
    assert ended(world, later).ends_on == date(2026, 2, 1)
    world.on("2026-02-03")
    assert state().drawing.left == 51
