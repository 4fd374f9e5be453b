"""Whatever the order of grants, purchases, usage, runs and corrections: the sums hold."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.payments.selectors import account_balance
from billing.wallets.services.lapsing import lapse_due
from subscriptions.models import Item
from tests.billing.wallets.build import agrees, booked, buy, credits, granted
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = pytest.mark.django_db

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.integers(1, 40), st.integers(1, 60)),
        st.tuples(st.just("use"), st.integers(1, 50), st.integers(0, 6)),
        st.tuples(st.just("undo"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("buy"), st.integers(1, 100), st.just(0)),
        st.tuples(st.just("bill"), st.integers(1, 20), st.just(0)),
    ),
    min_size=4,
    max_size=9,
)


class Life:
    """A service, its events, and what happens to its wallet."""

    def __init__(self, world: World) -> None:
        self.world = world
        a_meter()
        self.item: Item = a_metered_service(world, by_meter(price="1.00"))
        self.product = credits(lasts=["month", 1])
        self.events: list[Any] = []

    def step(self, verb: str, n: int, more: int) -> None:
        world = self.world
        match verb:
            case "grant":
                granted(world, str(n), ends_on=world.today + timedelta(days=more))
            case "use":
                at = f"{world.today - timedelta(days=more)}T09:00:00Z"
                self.events.append(an_event(self.item, str(n), at))
                taken(self.events[-1], now=world.now.isoformat())
            case "undo":
                if self.events:
                    gone = self.events.pop(n % len(self.events))
                    undone = an_event("", meter="", value="0", retracts=gone.id)
                    taken(undone, now=world.now.isoformat())
            case "buy":
                buy(world, self.product, str(n))
            case "bill":
                world.on(f"{world.today + timedelta(days=n)}")
                lapse_due(machine_now=world.now)
                world.bill()


@given(STEPS)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_lots_movements_and_books_agree(world: World, steps: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        life = Life(world)
        for step in steps:
            life.step(*step)
            agrees(world.account)
        world.on("2026-12-01").bill()
        agrees(world.account)
        owed = account_balance(world.account).owed.amount
        assert booked(world.account).get("receivable", "0.00") == (f"{owed:.2f}")
        transaction.set_rollback(True)
    world.clock.refresh_from_db()
