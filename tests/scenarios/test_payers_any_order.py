"""Whoever pays, the same money: each service has a twin that one account pays alone.

Both are told the same facts, in any order, and use the same. Of the one, others pay parts by
agreements that begin, follow each other and end on any day, past ones too; runs bill some of the
payers or all, for early and late days. In the end all payers of a service together were billed what
its twin was, for every charge and period, to the cent.
"""

import copy
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.models import BillRun, InvoiceLine, PayerAgreement
from billing.payers.services import end_payers
from billing.promises.services import open_promises_of
from billing.runs.services import approve_run, open_run
from o2b.customers.models import Account
from o2b.errors import Refused
from subscriptions.models import Item
from subscriptions.services import start_items_of
from subscriptions.timelines.chains import start_of
from tests.billing.payers import agreed
from tests.factories import a_product, a_user, monthly, setup_fee
from tests.scenarios.test_any_order import History, facts_for, next_of, tell
from tests.scenarios.world import World
from tests.subscriptions.build import a_line, an_order, terms_for
from tests.subscriptions.usage.build import a_meter, an_event, by_meter, taken

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("re_executed"),
]

LAST = date(2026, 8, 31)
PAIRS, PAYERS, ROUNDS = 30, 5, 8


@dataclass
class Pair:
    """A service that several pay, and its twin."""

    shared: History
    twin: History

    @property
    def both(self) -> tuple[History, History]:
        return self.shared, self.twin


def pairs(world: World, rng: random.Random) -> list[Pair]:
    a_meter()
    products = [
        a_product(charges=[monthly("33.33"), setup_fee("25.01")]),
        a_product(charges=[monthly("19.99", timing="arrears"), by_meter(price="0.013")]),
        a_product(charges=[monthly("70.05", alignment="anniversary"), setup_fee("40.00")]),
        a_product(charges=[monthly("301.01", interval_count=3)]),
        a_product(charges=[monthly("7.77")]),
    ]
    accounts = []
    for _ in range(PAIRS):
        day = rng.choice([1, 15, 28, 31])
        accounts.append([world.an_account(bill_day=day) for _ in range(4)])
    terms = [terms_for(accounts[0][0], product) for product in products]
    orders = []
    for own, _to, twin, _twins_to in accounts:
        started = date(2026, 1, rng.randint(1, 31))
        product, quantity = rng.choice(products[:4]), str(rng.randint(1, 9))
        for account in (own, twin):
            order = an_order(account)
            a_line(order, product, delivered_on=started, quantity=quantity)
            orders.append(order)
    open_promises_of(order_ids=[order.pk for order in orders], at=world.now)
    start_items_of(order_ids=[order.pk for order in orders], at=world.now)
    items = {item.account_id: item for item in Item.objects.select_related("order_line")}
    found = []
    for own, to, twin, twins_to in accounts:
        facts = facts_for(rng, items[own.pk].started_on, terms, to.pk)
        twins = [
            fact | ({"account_id": twins_to.pk} if "account_id" in fact else {})
            for fact in copy.deepcopy(facts)
        ]
        shared = History(items[own.pk], [own, to], facts, [start_of(items[own.pk])])
        other = History(items[twin.pk], [twin, twins_to], twins, [start_of(items[twin.pk])])
        found.append(Pair(shared, other))
    return found


@transaction.atomic
def agree(rng: random.Random, pair: Pair, payers: list[Account]) -> bool:
    """A new agreement, or the end of one; what is refused was nothing."""
    account = rng.choice(pair.shared.accounts)
    day = date(2026, 1, 1) + timedelta(days=rng.randrange(220))
    known = list(PayerAgreement.objects.filter(account=account))
    try:
        with transaction.atomic():
            if known and rng.random() < 0.35:
                _end(rng.choice(known), day)
            else:
                service = pair.shared.item if rng.random() < 0.3 else None
                if service is not None and account != pair.shared.accounts[0]:
                    service = None
                chosen = rng.sample(payers, rng.randint(1, 3))
                percents = rng.choice(
                    [["60", "33.333333", "6.666667"], ["33.333333"] * 3, ["12.5", "0.000001", "50"]]
                )
                ends_on = day + timedelta(days=rng.randrange(1, 90)) if rng.random() < 0.3 else None
                agreed(
                    account,
                    *zip(chosen, percents, strict=False),
                    starts_on=day,
                    ends_on=ends_on,
                    service=service,
                )
    except Refused:
        return False
    return True


def _end(agreement: PayerAgreement, day: date) -> None:
    end_payers(
        agreement_id=agreement.pk,
        ends_on=day,
        reason="over",
        user_id=a_user().pk,
        at=datetime.combine(LAST, time(9)).astimezone(),
    )


def change(world: World, pair: Pair) -> None:
    """The next fact of both that can hold."""
    given = [next_of(history) for history in pair.both]
    told = [(history, each) for history, each in zip(pair.both, given, strict=True) if each]
    if len(told) == 2:
        tell(world, told)


def some_accounts(rng: random.Random) -> list[int] | None:
    """All, or half of them."""
    if rng.random() < 0.5:
        return None
    everybody = [each.pk for each in Account.objects.order_by("pk")]
    return rng.sample(everybody, len(everybody) // 2)


def use(world: World, rng: random.Random, pair: Pair) -> None:
    """The same minutes on the same day for both, maybe of a month that was billed."""
    day = date(2026, 1, 5) + timedelta(days=rng.randrange((world.today - date(2026, 1, 5)).days))
    value = str(rng.randint(1, 500))
    for history in pair.both:
        taken(
            an_event(history.item, value, f"{day}T12:00:00Z"),
            now=world.now.isoformat(),
        )


def bill(world: World, on: date, accounts: list[int] | None = None) -> None:
    run = open_run(
        legal_entity_id=world.account.legal_entity_id,
        on=on,
        opened_by_id=world.opener.pk,
        at=world.now,
        account_ids=accounts,
    )
    world.settle()
    approve_run(run_id=run.pk, user_id=world.approver.pk, at=world.now)
    world.settle()
    assert world.parked() == [], "a run parked somebody"
    run.refresh_from_db()
    assert run.state == BillRun.State.FINALISED


def billed() -> dict[int, dict[tuple[Any, ...], Decimal]]:
    """Root of the service → (first account or a later one, Terms, charge, period) → its sum."""
    found: dict[int, dict[tuple[Any, ...], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in InvoiceLine.objects.select_related("charge__terms_charge", "charge__item"):
        item = line.charge.item
        key = (
            item.root_id is None,
            line.charge.terms_id,
            line.charge.terms_charge.key,
            line.period_start,
        )
        found[item.root_id or item.pk][key] += line.amount
    return {root: {k: v for k, v in each.items() if v} for root, each in found.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_all_payers_together_are_billed_what_one_would_be(world: World, seed: int) -> None:
    rng = random.Random(seed)
    told = pairs(world, rng)
    payers = [world.an_account(bill_day=rng.choice([1, 15])) for _ in range(PAYERS)]
    world.settle()
    day, agreements = date(2026, 1, 20), 0
    for _ in range(ROUNDS):
        world.on(f"{min(max(day, date(2026, 1, 20)), LAST)}")
        for pair in told:
            change(world, pair)
        world.settle()
        for pair in told:
            if rng.random() < 0.5:
                agreements += agree(rng, pair, payers)
            if rng.random() < 0.3:
                use(world, rng, pair)
        world.settle()
        bill(world, min(day, LAST), some_accounts(rng))
        day += timedelta(days=rng.choice([-10, 10, 40, 60]))
    world.on("2026-10-01")
    bill(world, LAST)
    assert agreements > PAIRS
    found = billed()
    for pair in told:
        shared, twin = (found.get(each.item.pk, {}) for each in pair.both)
        assert shared == twin, f"{pair.shared.item} {pair.shared.told}"
    by_others = InvoiceLine.objects.filter(account_id__in=[each.pk for each in payers])
    assert by_others.count() > PAIRS
    assert by_others.filter(charge__terms_charge__kind="usage").exists()
