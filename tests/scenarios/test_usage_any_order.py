"""Usage in any order, same money: each accepted unit is billed exactly once, whatever came when.

Each history is one service: events, duplicates, corrections and corrections of these, told early,
late and out of order, some before anybody knew whose subject it is, with a run between any two
rounds. In the end every meter and month was billed what a sum made here by hand says.
"""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from billing.models import InvoiceLine
from subscriptions.models import Item, UsagePending, UsageSubject
from subscriptions.usage.rules.told import Told
from subscriptions.usage.services import recount_usage, release_waiting, take_usage
from tests.factories import a_product
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, by_meter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]

HISTORIES = 80
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = [BEGIN + timedelta(days=12 * n, hours=12) for n in range(1, 13)]
PRICES = {"minutes": Decimal("0.10"), "peak": Decimal(2)}


@dataclass
class Fact:
    """One event and its corrections; `last` is what holds in the end, if anything."""

    chain: list[Told]
    last: Told | None


def some_event(rng: random.Random, subject: str, key: str, meter: str) -> Told:
    """Used at some minute of the first four months and a bit."""
    at = BEGIN + timedelta(minutes=rng.randrange(130 * 1440))
    value = Decimal(rng.randrange(1, 4000)) / 100
    return Told(id=key, source="pbx", meter=meter, subject=subject, time=at, value=value)


def some_facts(rng: random.Random, subjects: list[str], name: str) -> list[Fact]:
    """Between three and nine events, a third of them corrected, some more than once."""
    found = []
    for n in range(rng.randint(3, 9)):
        meter = rng.choice(["minutes", "minutes", "peak"])
        last: Told | None = some_event(rng, rng.choice(subjects), f"{name}-{n}", meter)
        assert last is not None
        chain = [last]
        for again in range(rng.choice([0, 0, 0, 0, 1, 2])):
            key = f"{name}-{n}-{again}"
            if rng.random() < 0.4:
                chain.append(Told(id=key, source="pbx", retracts=chain[-1].id))
                last = None
                break
            last = some_event(rng, rng.choice(subjects), key, meter)
            last.replaces = chain[-1].id
            chain.append(last)
        found.append(Fact(chain, last))
    return found


def some_rounds(rng: random.Random, facts: list[Fact]) -> list[list[Told]]:
    """When what is told: never before it happened, often late, a third of it twice."""
    rounds: list[list[Told]] = [[] for _ in ROUNDS]
    for event in [event for fact in facts for event in fact.chain]:
        first = next(n for n, now in enumerate(ROUNDS) if event.time is None or event.time <= now)
        late = rng.choice([0, 0, 1, 3, 11])
        for _ in range(rng.choice([1, 1, 2])):
            rounds[min(first + late, len(ROUNDS) - 1)].append(event)
            late += rng.choice([0, 1])
    for each in rounds:
        rng.shuffle(each)
    return rounds


def by_hand(facts: list[Fact]) -> dict[tuple[str, str], Decimal]:
    """What each meter costs in each month, added up in the plainest way."""
    values: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for fact in facts:
        if fact.last is not None:
            assert fact.last.value is not None
            values[fact.last.meter, f"{fact.last.time:%Y-%m}"].append(fact.last.value)
    found = {}
    for (meter, month), some in values.items():
        quantity = max(some) if meter == "peak" else sum(some, Decimal(0))
        cents = (quantity * PRICES[meter]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        found[meter, month] = cents
    return {where: cents for where, cents in found.items() if cents}


def billed(item: Item) -> dict[tuple[str, str], Decimal]:
    """What was billed and credited of each meter and month, without what came to nothing."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    rows = InvoiceLine.objects.filter(charge__item=item)
    for key, start, amount in rows.values_list(
        "charge__terms_charge__key", "period_start", "amount"
    ):
        sums[key, f"{start:%Y-%m}"] += amount
    return {where: amount for where, amount in sums.items() if amount}


def test_each_accepted_unit_is_billed_exactly_once(world: World) -> None:
    rng = random.Random(6)
    a_meter()
    a_meter("peak", aggregation="max", unit="Mbit")
    product = a_product(charges=[by_meter(m, str(price)) for m, price in PRICES.items()])
    world.on("2026-01-01").sell(products=[product] * HISTORIES)
    items = list(Item.objects.order_by("pk"))
    assert len(items) == HISTORIES
    facts, rounds, appears = {}, {}, {}
    for item in items:
        alias = f"phone {item.pk}"
        facts[item] = some_facts(rng, [item.number, alias], f"{item.pk}")
        rounds[item] = some_rounds(rng, facts[item])
        appears[item] = rng.randrange(len(ROUNDS))
    for n, now in enumerate(ROUNDS):
        world.clock.now = now
        world.clock.save()
        for item in (item for item in items if appears[item] == n):
            _known_as(item, f"phone {item.pk}")
        _tell([event for item in items for event in rounds[item][n]], now, rng)
        if rng.random() < 0.7 or n == len(ROUNDS) - 1:
            while release_waiting(machine_now=now):
                pass
        run = world.bill(f"{now:%Y-%m-%d}")
        assert (run.state, world.parked()) == ("finalised", [])
    assert not UsagePending.objects.exists()
    assert recount_usage(write=False).holds
    world.on("2026-06-01").bill("2026-06-01")
    for item in items:
        assert billed(item) == by_hand(facts[item]), item
    assert InvoiceLine.objects.filter(cause="late_usage", revision__gt=2).exists()


def _tell(told: list[Told], now: datetime, rng: random.Random) -> None:
    rng.shuffle(told)
    for start in range(0, len(told), 60):
        take_usage(told[start : start + 60], at=now)


def _known_as(item: Item, name: str) -> None:
    """The service is found by another name from now on, for all of its days."""
    for known in UsageSubject.objects.filter(item=item, value=item.number):
        known.pk, known.value = None, name
        known.save()
