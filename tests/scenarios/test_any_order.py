"""Any order of arrival, same money: the same facts, told in any order, with runs in between.

Each history is one account: what it has, and dated facts about it, told in an order of their own,
late and early, with a bill run between any two. In the end every charge and period has been billed
what it should cost by the facts alone, rounded once, whatever was billed and credited on the way.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from billing.models import ChargeState, InvoiceLine
from billing.promises.services import open_promises_of
from o2b.catalog.models import Terms
from o2b.charging import ChargeFacts, Kind, Segment, draft, from_canonical
from o2b.charging.begun import Begun
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from orders.changing.services import ChangeLine, ChangeOrder, write_change_orders
from orders.laying.services import lock_accounts
from orders.models import Order
from subscriptions.models import Act, Item, ItemChange, ItemVersion
from subscriptions.rules.checks import check_facts
from subscriptions.rules.facts import Fact
from subscriptions.rules.timeline import spans_of
from subscriptions.services import start_items_of
from subscriptions.timelines.chains import chains_of, fact_of, start_of
from subscriptions.timelines.services import NewFact, tell_facts
from subscriptions.timelines.turning import turn_due
from tests.factories import a_product, monthly, reprice, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.build import a_line, an_order, terms_for

# Each step commits, so that every fact is known from a moment of its own.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("re_executed"),
]

FIRST, LAST = date(2026, 1, 1), date(2026, 8, 31)
HISTORIES = 170


@dataclass
class History:
    """One account with one service, and the facts that are still to be told of it."""

    item: Item
    accounts: list[Any]
    facts: list[dict[str, Any]]
    told: list[Fact] = field(default_factory=list)


def some_day(rng: random.Random, since: date = FIRST) -> date:
    return since + timedelta(days=rng.randrange(1, 200))


def facts_for(rng: random.Random, start: date, terms: list[Terms], to: int) -> list[dict[str, Any]]:
    """Between two and six facts that can all hold, in an order of arrival of their own."""
    chosen = rng.choice(terms)
    offered = [
        {"act": Act.QUANTITY, "on": some_day(rng, start), "quantity": Decimal(rng.randint(1, 9))},
        {"act": Act.QUANTITY, "on": some_day(rng, start), "quantity": Decimal(rng.randint(1, 9))},
        _other(chosen, some_day(rng, start)),
        _other(rng.choice(terms), some_day(rng, start)),
        {"act": Act.TRANSFER, "on": some_day(rng, start), "account_id": to},
        {"act": Act.END, "on": some_day(rng, start)},
    ]
    facts = rng.sample(offered, rng.randint(1, 5))
    if rng.random() < 0.6:
        since = some_day(rng, start)
        until = since + timedelta(days=rng.randrange(1, 60))
        how = rng.choice(["none", "full", "fee"])
        pause: dict[str, Any] = {"act": Act.SUSPEND, "on": since, "billing": how}
        if how == "fee":
            pause["terms_id"] = terms[-1].pk
        facts += [pause, {"act": Act.RESUME, "on": until}]
    rng.shuffle(facts)
    return facts


def _other(terms: Terms, on: date) -> dict[str, Any]:
    return {
        "act": Act.TERMS,
        "on": on,
        "product_version_id": terms.product_version_id,
        "terms_id": terms.pk,
    }


def histories(world: World, rng: random.Random) -> list[History]:
    products = [
        a_product(charges=[monthly("30.00"), setup_fee("25.00")]),
        a_product(charges=[monthly("19.99", timing="arrears")]),
        a_product(charges=[monthly("70.00", alignment="anniversary"), setup_fee("40.00")]),
        a_product(charges=[monthly("301.00", interval_count=3)]),
        a_product(charges=[monthly("31.00", proration="none")]),
        a_product(charges=[monthly("23.00", proration="full")]),
        a_product(charges=[monthly("7.77")]),
    ]
    accounts = [
        (world.an_account(bill_day=rng.choice([1, 15, 28, 29, 30, 31])), world.an_account())
        for _ in range(HISTORIES)
    ]
    terms = [terms_for(accounts[0][0], product) for product in products]
    reprice(products[0], charges=[monthly("33.00"), setup_fee("25.00")])
    reprice(products[4], charges=[monthly("35.00", proration="none")])
    terms[:0] = [terms_for(accounts[0][0], products[n]) for n in (0, 4)]
    orders = []
    for own, _to in accounts:
        day = date(2026, 1, rng.randint(1, 31))
        order, product = an_order(own), rng.choice(products[:6])
        a_line(order, product, delivered_on=day, quantity=str(rng.randint(1, 9)))
        orders.append(order)
    open_promises_of(order_ids=[order.pk for order in orders], at=world.now)
    start_items_of(order_ids=[order.pk for order in orders], at=world.now)
    items = {item.account_id: item for item in Item.objects.select_related("order_line")}
    return [
        History(
            items[own.pk],
            [own, to],
            facts_for(rng, items[own.pk].started_on, terms, to.pk),
            [start_of(items[own.pk])],
        )
        for own, to in accounts
    ]


def next_of(history: History) -> dict[str, Any] | None:
    """The next fact that can hold by itself; one that cannot yet waits, one that never can goes."""
    for given in list(history.facts):
        fact = _as_fact(given, len(history.told) + 1)
        try:
            check_facts([*history.told, fact])
        except Refused:
            continue
        history.facts.remove(given)
        history.told.append(fact)
        return given
    history.facts.clear()
    return None


def _as_fact(given: dict[str, Any], key: int) -> Fact:
    return fact_of_new(NewFact(order_line_id=0, **given), key)


def fact_of_new(new: NewFact, key: int) -> Fact:
    fields = {name: getattr(new, name) for name in NewFact.__dataclass_fields__}
    return fact_of(ItemChange(revision=key, **fields))


@transaction.atomic
def tell(world: World, several: list[tuple[History, dict[str, Any]]]) -> None:
    """One more fact of each history, each by an order of its own, all at once."""
    if not several:
        return
    lock_accounts(account_ids=[history.accounts[0].pk for history, _ in several])
    chains = chains_of([history.item.pk for history, _ in several])
    orders = []
    for history, given in several:
        chain = chains[history.item.pk]
        line = ChangeLine(
            action=str(given["act"]),
            change_on=given["on"],
            in_service={"revision": chain.root.revision},
            product_version_id=given.get("product_version_id") or chain.root.product_version_id,
            delivery_plan_id=chain.root.order_line.delivery_plan_id,
            quantity=given.get("quantity") or chain.root.order_line.quantity,
            terms_id=given.get("terms_id") or chain.root.order_line.terms_id,
            characteristics={},
        )
        orders.append(ChangeOrder(history.accounts[0], Order.Kind.CHANGE, [line]))
    lines = write_change_orders(orders=orders, channel="screen", at=world.now)
    facts = {
        history.item.pk: [NewFact(order_line_id=own[0].pk, **given)]
        for (history, given), own in zip(several, lines, strict=True)
    }
    tell_facts(facts, at=world.now)


def wanted(history: History) -> dict[tuple[int, int, str, date], Decimal]:
    """(account, Terms, charge, period) → what it should cost, from the facts alone."""
    spans = spans_of(history.told)
    found: dict[tuple[int, int, str, date], Decimal] = defaultdict(Decimal)
    start, anchor = history.item.anchor_on, history.accounts[0].bill_day
    goes_on = {span.period.start for span in spans if span.billed}
    for account in history.accounts:
        own = [span for span in spans if span.account == account.pk and span.billed]
        for terms_id in {span.terms for span in own}:
            days = [span for span in own if span.terms == terms_id]
            for charge in _charges(terms_id):
                served, began = days, start
                if charge.kind is Kind.ONE_TIME:
                    served = [span for span in days if span.opens]
                    began = served[0].period.start if served else start
                segments = tuple(
                    Segment(s.period, s.quantity, s.period.end not in goes_on) for s in served
                )
                begun = _begun(spans, (account.pk, terms_id), charge)
                facts = ChargeFacts(0, charge, began, anchor, segments, None, (), begun=begun)
                for line in draft([facts], until=LAST):
                    key = (account.pk, terms_id, charge.key, line.full_period.start)
                    found[key] += line.target
    return {key: amount for key, amount in found.items() if amount}


def _begun(spans: list[Any], own: tuple[int, int], charge: Any) -> tuple[Begun, ...]:
    """The days of the service under other charges of this key and grid; a holding fee is none."""
    used = {span.terms for span in spans if span.in_use}
    if charge.kind is not Kind.RECURRING or own[1] not in used:
        return ()
    found = [
        Begun(span.period, span.quantity, other.proration != "day", span.delivered)
        for span in spans
        if span.billed and span.terms in used and (span.account, span.terms) != own
        for other in _charges(span.terms)
        if (other.key, other.interval, other.alignment)
        == (charge.key, charge.interval, charge.alignment)
    ]
    return tuple(found) if any(each.whole for each in found) else ()


_bodies: dict[int, Any] = {}


def _charges(terms_id: int) -> Any:
    if terms_id not in _bodies:
        _bodies[terms_id] = from_canonical(Terms.objects.get(pk=terms_id).body).charges
    return _bodies[terms_id]


def billed() -> dict[tuple[int, int, str, date], Decimal]:
    """The same of everything that was finalised and credited."""
    found: dict[tuple[int, int, str, date], Decimal] = defaultdict(Decimal)
    lines = InvoiceLine.objects.select_related("charge__terms_charge")
    for line in lines:
        key = (
            line.account_id,
            line.charge.terms_id,
            line.charge.terms_charge.key,
            line.period_start,
        )
        found[key] += line.amount
    return {key: amount for key, amount in found.items() if amount}


@pytest.mark.parametrize(("seed", "last_day_billed"), [(1, False), (2, False), (3, True)])
def test_any_order_of_arrival_same_money(world: World, seed: int, last_day_billed: bool) -> None:
    _bodies.clear()
    if last_day_billed:
        LegalEntity.objects.update(conventions={"last_day_billed": True})
    rng = random.Random(seed)
    told = histories(world, rng)
    world.settle()
    day, count = date(2026, 1, 20), 0
    while True:
        several = [(h, given) for h in told if (given := next_of(h)) is not None]
        count += len(several)
        run = world.bill(f"{min(day, LAST)}")
        assert world.parked() == [], "a run parked somebody"
        assert run.state == "finalised"
        if not several:
            break
        tell(world, several)
        world.settle()
        # Some runs are early, some late, some for a day that is past.
        day += timedelta(days=rng.choice([-10, 3, 40, 70]))
    world.bill(f"{LAST}")
    assert count > 2 * HISTORIES
    expected: dict[tuple[int, int, str, date], Decimal] = {}
    for history in told:
        expected |= wanted(history)
    assert billed() == expected
    rebuild_from_facts(world)


def rebuild_from_facts(world: World) -> None:
    """What is derived comes back the same, row for row, once it is thrown away."""
    world.on(f"{LAST}")
    while turn_due(machine_now=world.now):
        pass
    call_command("rebuild", "--verify")
    out = StringIO()
    call_command("recheck_charges", "--dry-run", stdout=out)
    assert out.getvalue().startswith("0 charges of 0 accounts differ")
    before = (_versions(), _items(), _charge_states())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL o2b.rebuilds = 'on'")
        cursor.execute("DELETE FROM subscriptions_itemversion")
        cursor.execute("UPDATE subscriptions_item SET next_turn_on = NULL, ended_on = NULL")
    with pytest.raises(CommandError):
        call_command("rebuild", "--verify")
    call_command("rebuild")
    call_command("rebuild", "--verify")
    # A run that is told nothing of earlier ones bills nothing twice, and finds the same standing.
    ChargeState.objects.update(billed_through=None, next_due_on=FIRST, seen_revision=0)
    lines = InvoiceLine.objects.count()
    world.bill(f"{LAST}")
    assert InvoiceLine.objects.count() == lines
    assert (_versions(), _items(), _charge_states()) == before


def _versions() -> list[tuple[Any, ...]]:
    names = [f.attname for f in ItemVersion._meta.concrete_fields if f.attname != "id"]
    return sorted(ItemVersion.objects.values_list(*names), key=str)


def _items() -> list[tuple[Any, ...]]:
    return list(Item.objects.order_by("pk").values_list())


def _charge_states() -> list[tuple[Any, ...]]:
    return list(ChargeState.objects.order_by("pk").values_list())
