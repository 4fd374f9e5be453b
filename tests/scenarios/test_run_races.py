"""Two at one bill run in the same moment: each thing is done once, what was missed is billed next.

Who meets is made to meet: a lock is held until the other one stands before it.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg2
import pytest
from celery import current_app
from django.db import connection
from django.db.models import Sum

from billing.models import BillRun, Invoice, InvoiceLine, ParkedAccount, Posting, Shard
from billing.runs.selectors import counts_of
from billing.runs.selectors.numbers import faults_of_numbers
from billing.runs.services import RunNotReady, approve_run, finalise_run, finalise_shard, open_run
from o2b import clock, events
from o2b.models import Outbox
from orders.acceptance.services import place_order
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item
from tests.billing.worlds import (
    AT,
    FEBRUARY,
    JANUARY,
    bills,
    drafted,
    finalised,
    in_service,
    numbers,
    parked,
    taken_over,
)
from tests.factories import a_product, a_sent_quote, a_user, an_account, an_entity, monthly, reprice
from tests.scenarios.house import ROOT
from tests.workers import database_url

pytestmark = pytest.mark.django_db(transaction=True)

GATE = 4711
# Both processes are there before either may open.
OPEN = """
import sys, json
import django; django.setup()
from datetime import date
from django.db import connection
from billing.runs.services import RunOverlaps, open_run
from o2b import clock
entity, by, gate = map(int, sys.argv[1:])
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_advisory_lock_shared(%s)", [gate])
try:
    open_run(legal_entity_id=entity, on=date(2026, 1, 31), opened_by_id=by, at=clock.now())
    print("opened")
except RunOverlaps as refusal:
    print(refusal.code)
"""
WAITS_IN_COPY = f"""
CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NEW; END';
CREATE TRIGGER waits_at_gate BEFORE INSERT ON {{table}} FOR EACH ROW EXECUTE FUNCTION wait_at_gate()
"""


class Doing(threading.Thread):
    """Something done with a connection of its own; what it raised is kept."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.fault: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.act()
        except Exception as fault:  # for the test to see
            self.fault = fault
        finally:
            connection.close()

    def ended(self) -> Exception | None:
        self.join(30)
        assert not self.is_alive()
        return self.fault


@contextmanager
def another() -> Iterator[Any]:
    """A transaction of somebody else; committed at the end."""
    there = psycopg2.connect(database_url())
    try:
        with there, there.cursor() as cursor:
            yield cursor
    finally:
        there.close()


def wait_until_blocked(*, seconds: float = 20) -> None:
    """Somebody stands before a lock."""
    until = time.monotonic() + seconds
    ask = (
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database()"
    )
    while True:
        with connection.cursor() as cursor:
            cursor.execute(ask)
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.02)


def test_of_two_processes_that_open_at_once_one_opens() -> None:
    in_service([a_product(charges=[monthly("10.00")])])
    entity, by = an_entity().pk, a_user().pk
    with another() as gate:
        gate.execute("SELECT pg_advisory_lock(%s)", [GATE])
        both = [
            subprocess.Popen(
                [sys.executable, "-c", OPEN, str(entity), str(by), str(GATE)],
                cwd=ROOT,
                env=process_environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        until = time.monotonic() + 60
        gate_keepers = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        waiting = 0
        while waiting < 2 and time.monotonic() < until:
            gate.execute(gate_keepers + " AND objid = %s", [GATE])
            waiting = gate.fetchone()[0]
            time.sleep(0.05)
        gate.execute("SELECT pg_advisory_unlock(%s)", [GATE])
    said = [process.communicate(timeout=60) for process in both]
    assert sorted(out.strip() for out, _ in said) == ["opened", "run_overlaps"], said
    assert waiting == 2
    assert BillRun.objects.count() == 1
    events.drain()
    assert Shard.objects.count() == 1


def process_environment() -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "o2b.settings",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }


def test_a_run_approved_and_made_final_by_several_at_once_is_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("billing.runs.services.opening.MOST_ACCOUNTS", 2)  # three shards
    product = a_product(charges=[monthly("10.00")])
    accounts = [in_service([product]) for _ in range(6)]
    run = drafted()
    people = [a_user().pk for _ in range(3)]
    faults = at_once([lambda by=by: approve_run(run_id=run.pk, user_id=by, at=AT) for by in people])
    assert [type(fault) for fault in faults if fault] == [RunNotReady] * 2
    shards = list(run.shards.values_list("pk", flat=True))
    assert len(shards) == 3

    def carry() -> None:
        finalise_run(run_id=run.pk, at=AT)
        for shard in shards:
            finalise_shard(shard_id=shard, at=AT)

    assert at_once([carry] * 4) == [None] * 4
    events.drain()
    run.refresh_from_db()
    assert run.state == BillRun.State.FINALISED
    assert numbers() == [f"INV-0000000{n}" for n in range(1, 7)]
    assert faults_of_numbers() == []
    assert [bills(account) for account in accounts] == [[("2026-01-01", "2026-02-01", "10.00")]] * 6
    assert Posting.objects.count() == 6


def at_once(acts: list[Callable[[], object]]) -> list[Exception | None]:
    ready = threading.Barrier(len(acts))
    running = [Doing(lambda act=act: (ready.wait(20), act())) for act in acts]
    return [each.ended() for each in running]


def end_on_the_eleventh(item: Item) -> None:
    change(item, Act.END, on=date(2026, 1, 11))


def correct_the_price(item: Item) -> None:
    reprice(item.product_version, charges=[monthly("62.00")])
    change(item, Act.TERMS, on=date(2026, 1, 1))


def one_more(item: Item) -> None:
    change(item, Act.QUANTITY, on=date(2026, 1, 17), quantity=Decimal(2))


def activate_another(item: Item) -> None:
    """An order of the same account is delivered, in service since 17 January."""
    quote = a_sent_quote(
        account=item.subscription.account,
        products=[item.product_version],
        quantity="1",
        at=AT,
        start_on=date(2026, 1, 17),
    )
    place_order(quote_id=quote.pk, by="the customer", at=taken_over(date(2026, 1, 17)))
    settle()


def change(item: Item, act: Act, **given: Any) -> None:
    wish = Wish(item_id=item.pk, act=act, when=When.ON, **given)
    change_services(account_id=item.account_id, wishes=[wish], at=clock.now(), actor_id=None)
    settle()


def settle() -> None:
    """What is owed to orders and services; bill runs are left to the test."""
    for _ in range(200):
        row = Outbox.objects.exclude(task__startswith="billing.finalise").order_by("pk").first()
        if row is None:
            return
        current_app.tasks[row.task](key=row.key, outbox_id=row.pk)


MEANWHILE = [
    (end_on_the_eleventh, "10.00"),
    (correct_the_price, "62.00"),
    (one_more, "46.00"),  # 31 + 15 days of the second
    (activate_another, "46.00"),
]


@pytest.mark.parametrize(("act", "owed"), MEANWHILE)
@pytest.mark.parametrize("first", ["the run", "the change"])
def test_what_comes_while_a_shard_becomes_final_is_the_next_runs_difference(
    act: Callable[[Item], None], owed: str, first: str
) -> None:
    account = in_service([a_product(charges=[monthly("31.00")])])
    item = Item.objects.get()
    run = drafted()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    finalise_run(run_id=run.pk, at=AT)
    shard = run.shards.get()
    with another() as held:
        # The last thing that a shard needs: all of it is written then, and nobody sees it.
        held.execute("SELECT FROM billing_billrun WHERE id = %s FOR UPDATE", [run.pk])
        final = Doing(lambda: finalise_shard(shard_id=shard.pk, at=AT))
        wait_until_blocked()
        changing = Doing(lambda: act(item))
        changing.join(10 if first == "the change" else 0.05)
    assert (final.ended(), changing.ended()) == (None, None)
    events.drain()
    assert [amount for *_, amount in bills(account)] == ["31.00"]
    assert parked(finalised(JANUARY)) == {}
    assert net(account.pk, JANUARY) == Decimal(owed)
    assert finalised(JANUARY).invoices.count() == 0
    assert parked(finalised(FEBRUARY)) == {}
    assert net(account.pk, JANUARY) == Decimal(owed)
    assert faults_of_numbers() == []


def net(account_id: int, until: date) -> Decimal:
    lines = InvoiceLine.objects.filter(account_id=account_id, period_start__lte=until)
    return Decimal(lines.aggregate(net=Sum("amount"))["net"])


@pytest.mark.parametrize(
    ("table", "task"),
    [
        ("billing_draftinvoice", "billing.draft_shard"),
        ("billing_invoice", "billing.finalise_shard"),
    ],
)
def test_a_shard_that_loses_a_deadlock_is_done_again_and_nobody_is_parked(
    table: str, task: str
) -> None:
    product = a_product(charges=[monthly("10.00")])
    accounts = [in_service([product]) for _ in range(3)]
    run = open_run(legal_entity_id=an_entity().pk, on=JANUARY, opened_by_id=a_user().pk, at=AT)
    settle_until(task, run)
    owed = Outbox.objects.get(task=task)
    with connection.cursor() as cursor:
        cursor.execute(WAITS_IN_COPY.format(table=table))
    with another() as held:
        held.execute("SET deadlock_timeout = '60s'")  # so that it is the shard that loses
        held.execute("SELECT pg_advisory_xact_lock(%s)", [GATE])
        loser = Doing(lambda: work(owed))
        wait_until_blocked()
        held.execute("SELECT FROM billing_shard WHERE id = %s FOR UPDATE", [owed.key])
        assert "deadlock" in str(loser.ended())
    assert ParkedAccount.objects.count() == Invoice.objects.count() == 0
    left = Outbox.objects.get(pk=owed.pk)
    assert left.attempts == 1
    assert "deadlock" in left.last_error
    events.drain()
    if task == "billing.draft_shard":
        approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
        events.drain()
    run.refresh_from_db()
    assert (run.state, parked(run)) == (BillRun.State.FINALISED, {})
    assert counts_of(run_id=run.pk).holds
    assert numbers() == ["INV-00000001", "INV-00000002", "INV-00000003"]
    assert [len(bills(account)) for account in accounts] == [1, 1, 1]


def work(row: Outbox) -> None:
    current_app.tasks[row.task](key=row.key, outbox_id=row.pk)


def settle_until(task: str, run: BillRun) -> None:
    """Work until this task is the one that is owed."""
    while not Outbox.objects.filter(task=task).exists():
        row = Outbox.objects.order_by("pk").first()
        if row is None:
            approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
            continue
        work(row)


def test_a_clock_that_is_set_back_bills_the_same_once() -> None:
    """Approved before it was drafted, final before it was approved: only these moments say so."""
    account = in_service([a_product(charges=[monthly("10.00")])])
    an_account()
    run = drafted()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT.replace(year=2025))
    finalise_run(run_id=run.pk, at=AT.replace(year=2024))
    for shard in run.shards.all():
        finalise_shard(shard_id=shard.pk, at=AT.replace(year=2024))
    events.drain()
    invoice = Invoice.objects.get()
    assert (invoice.issued_on, invoice.number) == (JANUARY, "INV-00000001")
    assert invoice.due_on >= JANUARY
    assert [posting.on for posting in Posting.objects.all()] == [JANUARY]
    assert finalised(JANUARY).invoices.count() == 0
    assert bills(account) == [("2026-01-01", "2026-02-01", "10.00")]
    assert finalised(FEBRUARY).invoices.count() == 1
    assert faults_of_numbers() == []
