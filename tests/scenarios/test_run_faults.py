"""Workers, beat, Redis and Postgres are killed while a run bills: it ends as if nobody had been.

Two copies of one world are billed: one is left alone, in the other something dies at random points
from the first shard to the last number. `make test-faults` runs the whole form (20 deaths).
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256

import pytest

from tests.scenarios.ownhouse import OwnHouse

pytestmark = pytest.mark.workers

WHOLE = os.environ.get("O2B_FAULTS") == "whole"
ACCOUNTS, LINES, SHARD, DEATHS = (2000, 4, 50, 20) if WHOLE else (240, 2, 20, 4)
KINDS = ["worker", "beat", "redis", "postgres"]
SEED = int(os.environ.get("O2B_SEED", "7"))
MOST_SECONDS = 1200 if WHOLE else 240
STALLED_SECONDS = 2.0

BUILD = """
import sys
from billing.runs.bench import world
accounts, lines = map(int, sys.argv[1:])
world.build(accounts=accounts, lines=lines, faults=1)
"""
# Small shards, so that something can die between many of them.
OPEN = """
import json, sys
from django.db import transaction
from billing.runs.services import open_run, opening
from o2b import clock
from o2b.customers.models import LegalEntity
from o2b.people.services import ensure_service_user
from billing.runs.bench import world
opening.MOST_ACCOUNTS = int(sys.argv[1])
entity = LegalEntity.objects.get(code="bench")
by = ensure_service_user(username="opener")
with transaction.atomic():  # or a worker cuts it first, as large as ever
    run = open_run(legal_entity_id=entity.pk, on=world.ON, opened_by_id=by.pk, at=clock.now())
    opening.plan_run(run_id=run.pk, at=clock.now())
print(json.dumps(run.pk))
"""
APPROVE = """
import sys
from billing.runs.services import approve_run
from o2b import clock
from o2b.people.services import ensure_service_user
by = ensure_service_user(username="approver")
approve_run(run_id=int(sys.argv[1]), user_id=by.pk, at=clock.now())
"""
LEFT = """
SELECT invoice.number, invoice.account_id, invoice.issued_on, invoice.due_on, invoice.net,
       invoice.tax, invoice.total, line.position, line.charge_id, line.period_start,
       line.period_end, line.served_from, line.served_to, line.segment, line.revision,
       line.quantity, line.amount, line.tax_code, line.tax_rate, line.tax, line.cause, line.text,
       line.basis::text, invoice.currency, invoice.kind
    FROM billing_invoice AS invoice JOIN billing_invoiceline AS line ON line.invoice_id = invoice.id
    ORDER BY invoice.serial, line.position
"""
POSTED = """
SELECT invoice.number, posting.debit, posting.credit, posting.amount, posting."on",
       posting.currency, posting.legal_entity_id, posting.account_id
    FROM billing_posting AS posting JOIN billing_invoice AS invoice
        ON invoice.id = posting.invoice_id
    ORDER BY 1, 2, 3, 4
"""
STANDING = """
SELECT charge_id, billed_through, next_due_on, seen_revision FROM billing_chargestate ORDER BY 1
"""
COUNTED = "SELECT n, state, looked_at, drafted, nothing_due, parked, invoices, lines, totals::text"
# What nobody holds any more is owed again, as a minute of waiting would have it.
A_MINUTE_PASSES = """
UPDATE o2b_outbox SET recorded_at = recorded_at - interval '1 minute', leased_until = NULL
    WHERE recorded_at < now() - interval '1 second'
"""
# Who has done a shard waits, not committed yet, until somebody has died: on a busy machine too what
# dies dies in the middle of one, and finalising does not end before the test looks.
WAITS_AT_THE_GATE = """
CREATE TABLE gate AS SELECT 1 AS upto;
CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WHILE (SELECT count(*) FILTER (WHERE state = 'drafted')
                + 2 * count(*) FILTER (WHERE state = 'finalised') FROM billing_shard)
            >= (SELECT upto FROM gate) LOOP
        PERFORM pg_sleep(0.02);
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER waits_at_the_gate BEFORE UPDATE ON billing_shard FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION wait_at_the_gate()
"""
OPEN_THE_GATE = "UPDATE gate SET upto = {}"


@pytest.fixture
def house(django_db_setup: None) -> Iterator[OwnHouse]:
    own = OwnHouse()
    try:
        own.migrate()
        yield own
    finally:
        own.close()


def test_whatever_dies_the_run_is_the_same(house: OwnHouse) -> None:
    house.python(BUILD, ACCOUNTS, LINES)
    house.copy_database("disturbed")
    calm = billed(house, [])
    house.database = "disturbed"
    chance = random.Random(SEED)
    steps = 2 * ACCOUNTS // SHARD
    # One while the last numbers are written, by two workers side by side; the others anywhere.
    deaths = sorted([*chance.sample(range(1, steps - 2), DEATHS - 1), steps - 2])
    assert any(steps // 2 < each for each in deaths[:-1]) or not WHOLE
    kinds = (KINDS * DEATHS)[:DEATHS]
    chance.shuffle(kinds)
    house.sql(WAITS_AT_THE_GATE)
    house.sql(OPEN_THE_GATE.format(deaths[0]))
    assert billed(house, list(zip(deaths, kinds, strict=True))) == calm


def billed(house: OwnHouse, deaths: list[tuple[int, str]]) -> dict[str, str]:
    """Bill the world of the database at hand; the digests of everything that is left."""
    chance = random.Random(SEED)
    for kind in ("worker", "worker", "beat"):
        house.start(kind)
    run = house.python(OPEN, SHARD)
    until = time.monotonic() + MOST_SECONDS
    seen, moved, approved = -1, time.monotonic(), False
    told: list[tuple[str, int]] = []
    while (state := state_of(house)) != "finalised":
        assert time.monotonic() < until, f"{state}, {steps_done(house)} steps\n{house.words()}"
        if state == "to_approve" and not approved:
            approve(house, run)
            approved = True
        done = steps_done(house)
        told.append((state, done))
        if deaths and done >= deaths[0][0]:
            time.sleep(chance.random() / 20)  # somewhere within the steps that run now
            house.kill9(deaths.pop(0)[1], chance)
            house.sql(OPEN_THE_GATE.format(deaths[0][0] if deaths else 10**6))
        if done != seen:
            seen, moved = done, time.monotonic()
        elif time.monotonic() - moved > STALLED_SECONDS:
            house.sql(A_MINUTE_PASSES)
            moved = time.monotonic()
        time.sleep(0.02)
    assert not deaths, f"{deaths} after {told}"
    house.wait_until(lambda: not house.sql("SELECT FROM billing_draftline LIMIT 1"), seconds=60)
    house.stop_processes()
    return left(house)


def approve(house: OwnHouse, run: int) -> None:
    """By another person; who is told that the database is away asks again."""
    for _ in range(5):
        with suppress(AssertionError):
            house.python(APPROVE, run)
            return
        if state_of(house) != "to_approve":
            return
    house.python(APPROVE, run)


def state_of(house: OwnHouse) -> str:
    return str(house.sql("SELECT state FROM billing_billrun")[0][0])


def steps_done(house: OwnHouse) -> int:
    """Shards drafted and shards final, of twice their number."""
    rows = dict(house.sql("SELECT state, count(*) FROM billing_shard GROUP BY 1"))
    return int(rows.get("drafted", 0) + 2 * rows.get("finalised", 0))


def left(house: OwnHouse) -> dict[str, str]:
    """Numbers, lines, amounts, postings, how each charge and each shard stands."""
    rows = {
        "lines": house.sql(LEFT),
        "postings": house.sql(POSTED),
        "standing": house.sql(STANDING),
        "shards": house.sql(f"{COUNTED} FROM billing_shard ORDER BY n"),
        "parked": house.sql("SELECT account_id, code, reason FROM billing_parkedaccount"),
    }
    assert len(rows["lines"]) == (ACCOUNTS - 1) * LINES
    assert len(rows["parked"]) == 1
    return {name: sha256(repr(found).encode()).hexdigest() for name, found in rows.items()}
