"""Whatever the order of grants, changes, corrections and runs: the sum is that of one late run."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import InvoiceAdjustment, InvoiceLine
from subscriptions.changes.refusals import NothingChanges
from subscriptions.models import Act, Item
from tests.billing.adjustments.build import a_coupon, committed, has, total
from tests.billing.again import assert_re_executed
from tests.factories import a_product, a_tax_rate, monthly, reprice
from tests.scenarios.world import World
from tests.subscriptions.serving import told

pytestmark = pytest.mark.django_db
D = Decimal

DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("percent"), st.integers(1, 100), st.integers(0, 80)),
        st.tuples(st.just("amount"), st.integers(1, 90), st.integers(0, 80)),
        st.tuples(st.just("minimum"), st.integers(50, 400), st.integers(0, 80)),
        st.tuples(st.just("quantity"), st.integers(1, 4), st.integers(0, 60)),
        st.tuples(st.just("price"), st.integers(1, 99), st.integers(0, 60)),
        st.tuples(st.just("sell"), st.integers(1, 99), st.integers(0, 60)),
    ),
    min_size=2,
    max_size=4,
)
RUNS = st.lists(st.booleans(), min_size=4, max_size=4)


def done(world: World, verb: str, size: int, on: date) -> None:
    account = world.account
    deeds: dict[str, Callable[[], Any]] = {
        "percent": lambda: has(account, a_coupon(f"{size}", periods=2), f"{on}"),
        "amount": lambda: has(account, a_coupon(f"{size}", "amount", months=3), f"{on}"),
        "minimum": lambda: committed(account, f"{size}", f"{on}"),
        "quantity": lambda: told(
            world, Item.objects.earliest("pk"), Act.QUANTITY, quantity=D(size), on=on
        ),
        "price": lambda: repriced(world, f"{size}.03", on),
        "sell": lambda: world.sell(
            products=[a_product(charges=[monthly(f"{size}.07")])], start_on=on
        ),
    }
    with suppress(NothingChanges):
        deeds[verb]()


def repriced(world: World, price: str, on: date) -> None:
    item = Item.objects.earliest("pk")
    reprice(item.product_version, charges=[monthly(price)])
    told(world, item, Act.TERMS, on=on)


def lived(world: World, deeds: Any, runs: list[bool]) -> tuple[Decimal, Any]:
    """What is billed in all by a run in June: (total, net by month and kind)."""
    a_tax_rate("19")
    first = date(2026, 1, 1)
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("33.33")])])
    for n, (verb, size, day) in enumerate(deeds):
        world.on(f"2026-0{2 + n}-01")
        done(world, verb, size, first + timedelta(days=min(day, (world.today - first).days)))
        if runs[n]:
            world.bill()
    world.on("2026-06-01").bill()
    assert world.parked() == []
    assert_re_executed()
    sums: dict[Any, Decimal] = {}
    for kind in (InvoiceLine, InvoiceAdjustment):
        for row in kind.objects.all():
            key = kind.__name__, row.period_start
            sums[key] = sums.get(key, D(0)) + row.amount
    return total(world.account), {key: amount for key, amount in sums.items() if amount}


@given(DEEDS, RUNS)
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_sum_is_that_of_one_late_run(world: World, deeds: Any, runs: list[bool]) -> None:
    found = []
    for cadence in (runs, [False] * 4):
        with transaction.atomic():
            found.append(lived(world, deeds, cadence))
            transaction.set_rollback(True)
    assert found[0] == found[1]
