"""Whatever is billed, changed and taken back, in any order: in the end all is billed, once."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import BillRun, Invoice, InvoiceLine, Posting
from billing.payments.selectors import account_balance
from billing.runs.selectors.numbers import faults_of_numbers
from billing.runs.services import NotReversible, approve_run, open_run, reverse_invoice, reverse_run
from o2b.customers.models import Account
from o2b.errors import Refused
from subscriptions.models import Act, Item
from tests.billing import again
from tests.factories import a_product, a_tax_rate, monthly, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, an_event, by_meter, taken

pytestmark = pytest.mark.django_db

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("bill"), st.integers(1, 40)),
        st.tuples(st.just("reverse"), st.integers(0, 9)),
        st.tuples(st.just("reverse"), st.integers(0, 9)),
        st.tuples(st.just("reverse_run"), st.integers(0, 9)),
        st.tuples(st.just("quantity"), st.integers(1, 5)),
        st.tuples(st.just("use"), st.integers(0, 30)),
        st.tuples(st.just("end"), st.integers(0, 5)),
    ),
    min_size=5,
    max_size=12,
)


class Life:
    """Two accounts of equal services; one is billed and taken back at will, one only at the end."""

    def __init__(self, world: World) -> None:
        self.world = world
        a_tax_rate("19")
        a_meter()
        world.on("2026-01-01")
        self.busy, self.twin = world.an_account(), world.an_account()
        charges: list[dict[str, Any]] = [monthly("31.00"), setup_fee("9.99"), by_meter()]
        product = a_product(charges=charges)
        arrears = a_product(charges=[monthly("7.77", timing="arrears")])
        self.items: dict[int, list[Item]] = {}
        for account in (self.busy, self.twin):
            world.sell(products=[product, arrears], account=account)
            found = Item.objects.filter(account=account).order_by("pk")
            self.items[account.pk] = list(found)

    def step(self, verb: str, n: int) -> None:  # noqa: C901 (one case a verb)
        world = self.world
        match verb:
            case "bill":
                world.on(f"{world.today + timedelta(days=n)}")
                self.bill([self.busy.pk])
            case "reverse":
                bills = Invoice.objects.filter(account=self.busy, reverses=None).order_by("pk")
                if bills:
                    self.take_back(reverse_invoice, invoice_id=bills[n % len(bills)].pk)
            case "reverse_run":
                runs = BillRun.objects.filter(reverses_invoice=None, reverses_run=None)
                if runs:
                    self.take_back(reverse_run, run_id=runs.order_by("pk")[n % len(runs)].pk)
            case "quantity":
                self.both(Act.QUANTITY, n, quantity=Decimal(n))
            case "end":
                self.both(Act.END, n)
            case "use":
                at = f"{max(world.today - timedelta(days=n), date(2026, 1, 2))}T09:00:00Z"
                for own in self.items.values():
                    taken(an_event(own[0], str(n + 1), at), now=world.now.isoformat())

    def both(self, act: Act, n: int, **given: Any) -> None:
        """The same change of both, of the first or the second service, from a day on; or none."""
        for own in self.items.values():
            try:
                with transaction.atomic():
                    item = own[n % 2]
                    item = Item.objects.filter(account=item.account_id).order_by("pk")[n % 2]
                    told(self.world, item, act, on=self.world.today - timedelta(days=n), **given)
            except Refused:
                return

    def bill(self, accounts: list[int]) -> BillRun:
        world = self.world
        run = open_run(
            legal_entity_id=self.busy.legal_entity_id,
            on=world.today,
            opened_by_id=world.opener.pk,
            at=world.now,
            account_ids=accounts,
        )
        return self.approve(run)

    def approve(self, run: BillRun) -> BillRun:
        self.world.settle()
        approve_run(run_id=run.pk, user_id=self.world.approver.pk, at=self.world.now)
        self.world.settle()
        run.refresh_from_db()
        assert run.state == BillRun.State.FINALISED
        assert self.world.parked() == []
        return run

    def take_back(self, ask: Any, **which: int) -> None:
        try:
            with transaction.atomic():
                run = ask(**which, reason="x", opened_by_id=self.world.opener.pk, at=self.world.now)
        except NotReversible:
            return
        self.approve(run)


def sums_of(account: Account) -> dict[tuple[str, str, int], Decimal]:
    """Charge key, period and segment → all that was billed of it, net and tax."""
    found: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    rows = InvoiceLine.objects.filter(account_id=account.pk).select_related("charge__terms_charge")
    for row in rows:
        key = f"{row.charge.terms_charge.key}:{row.charge.terms_charge.timing}"
        found[key, str(row.period_start), row.segment] += row.amount + row.tax
    return {key: amount for key, amount in found.items() if amount}


@given(STEPS)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_in_the_end_all_is_billed_once(world: World, steps: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        life = Life(world)
        for step in steps:
            life.step(*step)
        world.on(f"{world.today + timedelta(days=70)}")
        life.bill([life.busy.pk, life.twin.pk])
        assert sums_of(life.busy) == sums_of(life.twin)
        assert account_balance(life.busy).owed == account_balance(life.twin).owed
        assert not any(_ledger(life.busy)[name] for name in ("deferred", "bank"))
        assert _ledger(life.busy)["receivable"] == account_balance(life.busy).owed.amount
        assert faults_of_numbers() == []
        again.assert_re_executed()
        transaction.set_rollback(True)
    world.clock.refresh_from_db()


def _ledger(account: Account) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in Posting.objects.filter(account_id=account.pk):
        found[row.debit] += row.amount
        found[row.credit] -= row.amount
    assert not sum(found.values())
    return found
