"""Count all events again and compare with the totals that billing reads."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction

from subscriptions.pools.statements import REVISE_OF

# One statement is one snapshot: events and totals are written in one transaction.
DIFFERENCES = """
WITH held AS (
    SELECT service_id, meter_id, day, part, min(how) AS how,
           CASE min(how) WHEN 0 THEN sum(amount) WHEN 1 THEN max(amount)
                ELSE (array_agg(amount ORDER BY at DESC, amount DESC))[1] END AS quantity,
           count(*) AS count, max(at) AS last_at
        FROM subscriptions_usageevent AS event
        WHERE kind <> 2 AND NOT EXISTS (
            SELECT FROM subscriptions_usagecorrection AS gone WHERE gone.corrected_id = event.id
        )
        GROUP BY service_id, meter_id, day, part
), total AS (
    SELECT * FROM subscriptions_usagetotal WHERE count <> 0 OR quantity <> 0
)
SELECT service_id, meter_id, day, part, held.quantity, held.count, total.quantity, total.count,
       held.how, held.last_at
    FROM held FULL JOIN total USING (service_id, meter_id, day, part)
    WHERE (held.quantity, held.count) IS DISTINCT FROM (total.quantity, total.count)
    ORDER BY service_id, meter_id, day, part
"""

# Keys are taken in the transaction that stores their event or lets it wait.
EQUATION = """
SELECT (SELECT count(*) FROM subscriptions_usagekey),
       (SELECT count(*) FROM subscriptions_usageevent),
       (SELECT count(*) FROM subscriptions_usagepending),
       (SELECT count(*) FROM subscriptions_usagekey AS known
            WHERE NOT EXISTS (SELECT FROM subscriptions_usageevent WHERE id = known.event_id)
              AND NOT EXISTS (SELECT FROM subscriptions_usagepending WHERE id = known.event_id)
              AND NOT EXISTS (SELECT FROM subscriptions_usagerejected AS gone
                                  WHERE gone.code = 'dismissed' AND gone.source = known.source
                                    AND gone.key = known.key)),
       (SELECT count(*) FROM subscriptions_usagerejected WHERE code = 'dismissed')
"""

MEND = """
INSERT INTO subscriptions_usagetotal
        (service_id, meter_id, day, part, quantity, count, how, last_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (service_id, meter_id, day, part) DO UPDATE
        SET quantity = EXCLUDED.quantity, count = EXCLUDED.count, last_at = EXCLUDED.last_at
"""

EMPTY = """
UPDATE subscriptions_usagetotal SET quantity = 0, count = 0
    WHERE service_id = %s AND meter_id = %s AND day = %s AND part = %s
"""

MARK = """
INSERT INTO subscriptions_usagemark AS mark (service_id, meter_id, revision) VALUES (%s, %s, 1)
    ON CONFLICT (service_id, meter_id) DO UPDATE SET revision = mark.revision + 1
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One total, as the events have it and as it stands."""

    service_id: int
    meter_id: int
    day: date
    part: str
    events: str
    total: str


@dataclass(frozen=True, slots=True)
class Recount:
    """keys = events + pending + dismissed, none lost; totals that their events do not add up to."""

    keys: int
    events: int
    pending: int
    lost: int
    dismissed: int
    differences: tuple[Difference, ...]

    @property
    def holds(self) -> bool:
        found = self.events + self.pending + self.dismissed
        return not self.differences and not self.lost and self.keys == found


@transaction.atomic
def recount_usage(*, write: bool) -> Recount:
    """Compare every total with its events; with `write` totals are made what the events say.

    What is written is marked, so that the next run bills the difference. Meanwhile usage waits.
    """
    with connection.cursor() as cursor:
        if write:
            cursor.execute("LOCK TABLE subscriptions_usagetotal IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(EQUATION)
        equation = cursor.fetchone()
        cursor.execute(DIFFERENCES)
        rows = cursor.fetchall()
        for row in rows if write else ():
            where, (quantity, count), (how, last_at) = row[:4], row[4:6], row[8:]
            if count is None:
                cursor.execute(EMPTY, where)
            else:
                cursor.execute(MEND, [*where, quantity, count, how, last_at])
            cursor.execute(MARK, where[:2])
            cursor.execute(REVISE_OF, [[each] for each in where[:2]])
    keys, events, pending, lost, dismissed = equation
    return Recount(keys, events, pending, lost, dismissed, tuple(map(_difference, rows)))


def _difference(row: tuple[Any, ...]) -> Difference:
    of_events, of_total = (
        f"{quantity or 0} in {count or 0}" for quantity, count in (row[4:6], row[6:8])
    )
    service_id, meter_id, day, part = row[:4]
    return Difference(service_id, meter_id, day, part, of_events, of_total)
