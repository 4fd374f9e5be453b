"""How long a month of usage takes to draft and to check, whatever number of events it had."""

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from billing.models import BillRun
from billing.runs.selectors import counts_of
from billing.runs.services import cancel_run, open_run
from o2b import clock, events
from o2b.customers.models import LegalEntity
from o2b.people.services import ensure_service_user
from subscriptions.usage.services import recount_usage

BILLED_ON = date(2025, 2, 1)
DAYS = 31

# Evenly over services, days and meters; as ingest leaves them.
EVENTS = """
WITH service AS (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM subscriptions_item
), measured AS (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM catalog_meter
), counted AS (
    SELECT k, service.id AS service_id, measured.id AS meter_id,
           date '2025-01-01' + ((k / %(items)s) %% 31)::int AS day
        FROM generate_series(%(first)s, %(last)s - 1) AS k
        JOIN service ON service.n = k %% %(items)s
        JOIN measured ON measured.n = (k / (%(items)s * 31)) %% (SELECT count(*) FROM measured)
), stored AS (
    INSERT INTO subscriptions_usageevent
            (id, recorded_at, source, key, kind, meter_id, subject, at, day, service_id, value,
             amount, part, how)
        SELECT -k - 1, now(), 'month', k::text, 0, meter_id, 'S', day + time '12:00', day,
               service_id, 1, 1, '', 0
            FROM counted
)
INSERT INTO subscriptions_usagetotal AS total
        (service_id, meter_id, day, part, quantity, count, how, last_at)
    SELECT service_id, meter_id, day, '', count(*), count(*), 0, max(day) + time '12:00'
        FROM counted GROUP BY service_id, meter_id, day
    ON CONFLICT (service_id, meter_id, day, part) DO UPDATE
        SET quantity = total.quantity + EXCLUDED.quantity, count = total.count + EXCLUDED.count
"""


def measure(entity: LegalEntity, *, items: int, counts: Sequence[int]) -> dict[str, Any]:
    """Seconds to draft and check the month at each number of events; the most over the least."""
    seconds: dict[str, float] = {}
    known = 0
    for count in sorted(counts):
        with connection.cursor() as cursor:
            cursor.execute(EVENTS, {"items": items, "first": known, "last": count})
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        known = count
        seconds[f"{count}"] = round(_draft(entity), 3)
    found = recount_usage(write=False)
    if found.differences:
        raise CommandError(f"{len(found.differences)} totals are not what the events say.")
    return {
        "draft_seconds": seconds,
        "draft_ratio": round(max(seconds.values()) / min(seconds.values()), 2),
    }


def _draft(entity: LegalEntity) -> float:
    """Open a run, draft and check all of it in this process, and throw it away."""
    opener = ensure_service_user(username="bench-opener")
    began = time.perf_counter()
    run = open_run(legal_entity_id=entity.pk, on=BILLED_ON, opened_by_id=opener.pk, at=clock.now())
    events.drain()
    took = time.perf_counter() - began
    run.refresh_from_db()
    counts = counts_of(run_id=run.pk)
    if run.state != BillRun.State.TO_APPROVE or counts.parked or not counts.invoices:
        raise CommandError(f"{run} is {run.state}: {counts.text}.")
    cancel_run(run_id=run.pk, at=clock.now(), actor_id=opener.pk)
    return took
