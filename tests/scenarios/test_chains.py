"""Services that go on under other prices, by parts and to other accounts, are billed what is owed.

Each history is one service: facts of it are told on their day, early or late, and bill runs come
daily, seldom or once. In the end each account, price and month was billed what is owed by hand.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from billing.models import InvoiceLine
from billing.promises.services import open_promises_of
from o2b.catalog.models import Terms
from o2b.charging import StartRule
from orders.models import DeliveredPart, OrderLine, Task
from subscriptions.models import Act, Item
from subscriptions.parts import take_parts_of
from tests.factories import a_product, monthly
from tests.o2b.charging.owed import Stood, Way, owed, per_unit
from tests.scenarios.test_any_order import History, tell
from tests.scenarios.world import World
from tests.subscriptions.build import a_line, an_order, terms_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("re_executed"),
]
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 1)
SERVICES, RUNS = 6, 4
PRICES = [("31", "none"), ("32.50", "full"), ("29.99", "day"), ("-7.77", "full"), ("40", "day")]


@dataclass
class Service:
    """What is to be told of a service, by the day on which it is; and what is told already."""

    history: History
    line: OrderLine
    units: int
    terms: Terms
    to_tell: list[tuple[date, date, dict[str, Any]]]
    told: list[tuple[date, dict[str, Any]]] = field(default_factory=list)


def services_of(world: World, rng: random.Random) -> list[Service]:
    products = [a_product(charges=[monthly(price, proration=how)]) for price, how in PRICES]
    accounts = [(world.an_account(), world.an_account()) for _ in range(SERVICES)]
    each_part = [
        terms_for(accounts[0][0], product, start_rule=StartRule.EACH_PART) for product in products
    ]
    found = []
    for own, to in accounts:
        order, n, units = an_order(own), rng.randrange(len(products)), rng.randint(1, 5)
        line = a_line(
            order,
            products[n],
            quantity=str(units),
            start_rule=StartRule.EACH_PART,
            delivered_on=None,
            state=OrderLine.State.PROVISIONING,
        )
        facts = facts_for(rng, each_part, to.pk)
        found.append((line, units, each_part[n], facts, [own, to]))
    open_promises_of(order_ids=[line.order_id for line, *_ in found], at=world.now)
    services = []
    for line, units, terms, facts, parties in found:
        part = rng.choice(["0.25", "0.5"])
        deliver(world, line, FIRST, part)
        item = Item.objects.get(order_line=line)
        first = [(FIRST, {"part": part})]
        services.append(Service(History(item, parties, []), line, units, terms, facts, first))
    return services


def facts_for(
    rng: random.Random, terms: Sequence[Terms], to: int
) -> list[tuple[date, date, dict[str, Any]]]:
    """(known on, holds from, what) each, on days of their own."""
    days = rng.sample(range(1, 58), 6)
    what = [{"act": Act.QUANTITY, "quantity": Decimal(rng.randint(1, 6))} for _ in range(2)]
    what += [other(rng.choice(terms)) for _ in range(3)]
    what.append({"act": Act.TRANSFER, "account_id": to})
    found = []
    for n, each in zip(days, rng.sample(what, rng.randint(2, 6)), strict=False):
        on = FIRST + timedelta(days=n)
        found.append((on + timedelta(days=rng.choice([0, 0, -4, 8])), on, {**each, "on": on}))
    for n, part in zip(sorted(rng.sample(range(1, 58), 2)), ["0.75", "1"], strict=True):
        on = FIRST + timedelta(days=n)
        found.append((on, on, {"part": part}))
    return sorted(found, key=lambda each: each[:2])


def other(terms: Terms) -> dict[str, Any]:
    told = {"product_version_id": terms.product_version_id, "terms_id": terms.pk}
    return {"act": Act.TERMS, **told}


def deliver(world: World, line: OrderLine, on: date, fraction: str) -> None:
    task = Task.objects.create(
        order=line.order, line=line, account_id=line.account_id, key=f"at {fraction}", kind="manual"
    )
    DeliveredPart.objects.create(
        line=line, task=task, fraction=Decimal(fraction), on=on, at=world.now
    )
    take_parts_of(order_ids=[line.order_id], at=world.now)


def test_what_is_owed_is_billed(world: World) -> None:
    rng = random.Random(1)
    services = services_of(world, rng)
    world.settle()
    runs = sorted(rng.sample(range((LAST - FIRST).days), RUNS))
    for day in [FIRST, *(FIRST + timedelta(days=n) for n in runs), LAST + timedelta(days=8)]:
        world.on(f"{day}")
        for each in services:
            catch_up(world, each, day)
        world.settle()
        run = world.bill(f"{day}")
        assert (run.state, world.parked()) == ("finalised", [])
    for each in services:
        assert billed(each) == wanted(each), each.told


def catch_up(world: World, service: Service, day: date) -> None:
    """Tell what is known by a day."""
    while service.to_tell and service.to_tell[0][0] <= day:
        _, on, what = service.to_tell.pop(0)
        if "part" in what:
            deliver(world, service.line, on, what["part"])
        else:
            tell(world, [(service.history, what)])
        service.told.append((on, what))


def wanted(service: Service) -> dict[tuple[int, int, date], Fraction]:
    """(account, Terms, month) → what is owed, by hand."""
    account, terms, units, part = service.line.account_id, service.terms.pk, service.units, "0"
    places: list[tuple[int, int]] = []
    stood: list[Stood] = []
    for on, what in sorted(service.told, key=lambda each: each[0]):
        account = what.get("account_id", account)
        terms = what.get("terms_id", terms)
        units = what.get("quantity", units)
        part = what.get("part", part)
        if (account, terms) not in places:
            places.append((account, terms))
        way = places.index((account, terms))
        stood.append(Stood(on, way, Fraction(units), Fraction(part)))
    prices = {
        pk: Way(per_unit(price), how)
        for pk, price, how in Terms.objects.values_list(
            "pk", "charges__unit_price", "charges__proration"
        )
    }
    found = owed(stood, [prices[pk] for _, pk in places], until=LAST)
    return {(*places[way], month): amount for (way, month), amount in found.items() if amount}


def billed(service: Service) -> dict[tuple[int, int, date], Fraction]:
    found: dict[tuple[int, int, date], Fraction] = defaultdict(Fraction)
    items = Item.objects.filter(order_line=service.line) | Item.objects.filter(
        root__order_line=service.line
    )
    lines = InvoiceLine.objects.filter(charge__item__in=items, period_start__lt=LAST)
    for line in lines.select_related("charge"):
        found[line.account_id, line.charge.terms_id, line.period_start] += Fraction(line.amount)
    return {key: amount for key, amount in found.items() if amount}
