"""Usage in any order, same money: each accepted unit is billed exactly once, whatever came when.

Each history is one service, sold by unit and peak, by tiers, beyond an allowance that rolls over,
or at a price a zone: events, duplicates, corrections and corrections of these, told early, late and
out of order, some before anybody knew whose subject it is, and some after a run has drafted and
before it is final. In the end every charge and month was billed what a sum made here by hand says.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from billing.models import InvoiceLine
from billing.runs.services import approve_run
from subscriptions.models import Item, UsagePending, UsageSubject
from subscriptions.usage.rules.told import Told
from subscriptions.usage.services import recount_usage, release_waiting, take_usage
from tests.factories import a_product
from tests.scenarios.world import World
from tests.seeds import WHICH, a_rng
from tests.subscriptions.usage.build import a_meter, by_meter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]

OF_EACH_SHAPE = 12
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = [BEGIN + timedelta(days=12 * n, hours=12) for n in range(1, 13)]
MONTHS = [f"2026-{month:02}" for month in range(1, 6)]
PRICES = {"minutes": "0.10", "peak": "2", "mobile": "0.30", "fixed": "0.02"}
FIRST, DEAR, CHEAP = Decimal(30), Decimal("0.20"), Decimal("0.05")
INCLUDED, ROLLS_OVER = Decimal(25), Decimal(15)

# What a service is sold by, and the meters of its events.
SHAPES: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "units": (
        [by_meter("minutes", PRICES["minutes"]), by_meter("peak", PRICES["peak"])],
        ["minutes", "minutes", "peak"],
    ),
    "tiers": (
        [
            by_meter(
                "minutes",
                "0",
                model="graduated",
                tiers=[
                    {"up_to": f"{FIRST}", "unit_price": f"{DEAR}"},
                    {"up_to": None, "unit_price": f"{CHEAP}"},
                ],
            )
        ],
        ["minutes"],
    ),
    "allowance": (
        [
            by_meter(
                "minutes",
                PRICES["minutes"],
                details={"allowance": {"units": f"{INCLUDED}", "rollover": f"{ROLLS_OVER}"}},
            )
        ],
        ["minutes"],
    ),
    "zones": (
        [
            by_meter(zone, PRICES[zone], details={"meter": "calls", "where": {"zone": [zone]}})
            for zone in ("mobile", "fixed")
        ],
        ["calls"],
    ),
}


@dataclass
class Fact:
    """One event and its corrections; `last` is what holds in the end, if anything."""

    chain: list[Told]
    last: Told | None


def some_event(rng: random.Random, subject: str, key: str, meter: str) -> Told:
    """Used at some minute of the first four months and a bit."""
    at = BEGIN + timedelta(minutes=rng.randrange(130 * 1440))
    value = Decimal(rng.randrange(1, 4000)) / 100
    told = Told(id=key, source="pbx", meter=meter, subject=subject, time=at, value=value)
    if meter == "calls":
        told.properties = {"zone": rng.choice(["mobile", "fixed"])}
    return told


def some_facts(rng: random.Random, subjects: list[str], name: str, meters: list[str]) -> list[Fact]:
    """Between three and nine events, a third of them corrected, some more than once."""
    found = []
    for n in range(rng.randint(3, 9)):
        meter = rng.choice(meters)
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


def by_hand(shape: str, facts: list[Fact]) -> dict[tuple[str, str], Decimal]:
    """What each charge costs in each month, added up in the plainest way."""
    values: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for fact in facts:
        if fact.last is not None:
            assert fact.last.value is not None
            key = str((fact.last.properties or {}).get("zone", fact.last.meter))
            values[key, f"{fact.last.time:%Y-%m}"].append(fact.last.value)
    used = {
        where: max(some) if where[0] == "peak" else sum(some, Decimal(0))
        for where, some in values.items()
    }
    if shape == "allowance":
        used = beyond(used)
    found = {}
    for (key, month), quantity in used.items():
        if shape == "tiers":
            amount = min(quantity, FIRST) * DEAR + max(quantity - FIRST, Decimal(0)) * CHEAP
        else:
            amount = quantity * Decimal(PRICES[key])
        found[key, month] = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {where: cents for where, cents in found.items() if cents}


def beyond(used: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Decimal]:
    """What no included unit covers, month after month; some of what is left goes on."""
    found, carried = {}, Decimal(0)
    for month in MONTHS:
        wanted, free = used.get(("minutes", month), Decimal(0)), INCLUDED + carried
        found["minutes", month] = max(wanted - free, Decimal(0))
        carried = min(max(free - wanted, Decimal(0)), ROLLS_OVER)
    return found


def billed(item: Item) -> dict[tuple[str, str], Decimal]:
    """What was billed and credited of each meter and month, without what came to nothing."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    rows = InvoiceLine.objects.filter(charge__item=item)
    for key, start, amount in rows.values_list(
        "charge__terms_charge__key", "period_start", "amount"
    ):
        sums[key, f"{start:%Y-%m}"] += amount
    return {where: amount for where, amount in sums.items() if amount}


@pytest.mark.parametrize("which", WHICH)
def test_each_accepted_unit_is_billed_exactly_once(world: World, which: str) -> None:
    rng = a_rng(which, 6)
    a_meter()
    a_meter("peak", aggregation="max", unit="Mbit")
    a_meter("calls", dimensions=[{"name": "zone"}])
    items: dict[Item, str] = {}
    for shape, (charges, _) in SHAPES.items():
        product = a_product(charges=charges)
        world.on("2026-01-01").sell(products=[product] * OF_EACH_SHAPE)
        new = Item.objects.exclude(pk__in=[item.pk for item in items]).order_by("pk")
        items |= dict.fromkeys(new, shape)
    assert len(items) == OF_EACH_SHAPE * len(SHAPES)
    facts, rounds, appears = {}, {}, {}
    for item, shape in items.items():
        alias = f"phone {item.pk}"
        facts[item] = some_facts(rng, [item.number, alias], f"{item.pk}", SHAPES[shape][1])
        rounds[item] = some_rounds(rng, facts[item])
        appears[item] = rng.randrange(len(ROUNDS))
    for n, now in enumerate(ROUNDS):
        world.clock.now = now
        world.clock.save()
        for item in (item for item in items if appears[item] == n):
            _known_as(item, f"phone {item.pk}")
        told = [event for item in items for event in rounds[item][n]]
        rng.shuffle(told)
        early = rng.randrange(len(told) + 1)
        _tell(told[:early], now)
        if rng.random() < 0.7:
            _release(now)
        _bill(world, now, lambda late=told[early:], now=now: _tell(late, now))  # type: ignore[misc]
    _release(ROUNDS[-1])
    assert not UsagePending.objects.exists()
    assert recount_usage(write=False).holds
    world.on("2026-06-01").bill("2026-06-01")
    for item, shape in items.items():
        assert billed(item) == by_hand(shape, facts[item]), (shape, item)
    if which == "known":
        assert InvoiceLine.objects.filter(cause="late_usage", revision__gt=2).exists()


def _bill(world: World, now: datetime, meanwhile: Callable[[], None]) -> None:
    """A run, in the midst of which something happens: it has drafted and is not final."""
    run = world.bill(f"{now:%Y-%m-%d}", approve=False)
    meanwhile()
    approve_run(run_id=run.pk, user_id=world.approver.pk, at=now)
    world.settle()
    run.refresh_from_db()
    assert (run.state, world.parked()) == ("finalised", [])


def _release(now: datetime) -> None:
    while release_waiting(machine_now=now):
        pass


def _tell(told: list[Told], now: datetime) -> None:
    for start in range(0, len(told), 60):
        take_usage(told[start : start + 60], at=now)


def _known_as(item: Item, name: str) -> None:
    """The service is found by another name from now on, for all of its days."""
    for known in UsageSubject.objects.filter(item=item, value=item.number):
        known.pk, known.value = None, name
        known.save()
