"""The SQL that counts what waited, once it can be counted."""

from subscriptions.pools.statements import REVISE_LATE
from subscriptions.usage.statements.known import ALL, BETWEEN, KNOWN, SOME
from subscriptions.usage.statements.totals import ADD_TO_TOTALS, MARK_LATE

# What waited and can be counted now: its subject has appeared, and its moment has come.
FOUND = (
    """
WITH own AS (
    SELECT pending.id, known.* FROM subscriptions_usagepending AS pending"""
    + KNOWN.format(of="pending", **SOME)
    + """ WHERE pending.kind = 0 AND pending.account = ''
    UNION ALL
    SELECT pending.id, known.* FROM subscriptions_usagepending AS pending"""
    + KNOWN.format(of="pending", **ALL)
    + """ WHERE pending.kind = 0 AND pending.account = known.reference
), found AS (
    SELECT * FROM own UNION ALL
    SELECT pending.id, known.* FROM subscriptions_usagepending AS pending"""
    + BETWEEN.format(of="pending")
    + """ WHERE pending.kind = 0 AND pending.account IN ('', known.reference)
        AND NOT EXISTS (SELECT FROM own WHERE own.id = pending.id)
), one AS (
    SELECT DISTINCT ON (id) id, service_id, day, zone, now, limited FROM found
        WHERE id IN (SELECT id FROM found GROUP BY id HAVING min(service_id) = max(service_id))
        ORDER BY id, begins_on DESC
)"""
)
RELEASE = (
    FOUND
    + """, ready AS (
    SELECT pending.*, one.service_id, one.day, one.zone, one.now
        FROM subscriptions_usagepending AS pending JOIN one ON one.id = pending.id
        WHERE pending.at <= one.now + %(skew)s::interval
          AND (NOT one.limited OR pending.id = ANY(%(covered)s))
        ORDER BY pending.id LIMIT %(most)s
        FOR UPDATE OF pending SKIP LOCKED
), gone AS (
    DELETE FROM subscriptions_usagepending WHERE id IN (SELECT id FROM ready) RETURNING id
), counted AS (
    SELECT ready.id AS event_id, source, key, meter_id, subject, at, day, service_id, value,
           amount, how, properties, zone, now,
           (ready.recorded_at AT TIME ZONE 'UTC')::date AS received_on,
           CASE WHEN timed THEN part || to_char(at AT TIME ZONE zone, '"@"HH24:MI:SS.US')
                ELSE part END AS part
        FROM ready JOIN gone ON gone.id = ready.id
), added AS ("""
    + ADD_TO_TOTALS.format(events="counted")
    + "), revised AS ("
    + REVISE_LATE.format(events="counted")
    + "), marked AS ("
    + MARK_LATE.format(events="counted")
    + """), stored AS (
    INSERT INTO subscriptions_usageevent
            (id, recorded_at, received_on, source, key, kind, meter_id, subject, at, day,
             service_id, value, amount, part, how, properties)
        SELECT event_id, now(), received_on, source, key, 0, meter_id, subject, at, day,
               service_id, value, amount, part, how, properties
            FROM counted
)
SELECT count(*) FROM counted
"""
)

# What waits and draws from a hard pool, first what was not looked at for the longest time: what it
# would add to whose total.
RELEASE_LIMITED = (
    FOUND
    + """
SELECT pending.id, pending.meter, one.service_id, one.day,
       CASE WHEN timed THEN part || to_char(at AT TIME ZONE zone, '"@"HH24:MI:SS.US')
            ELSE part END,
       pending.amount, at AT TIME ZONE zone
    FROM subscriptions_usagepending AS pending JOIN one ON one.id = pending.id
    WHERE one.limited AND pending.at <= one.now + %(skew)s::interval
    ORDER BY pending.tried_at NULLS FIRST, pending.id LIMIT %(most)s
    FOR UPDATE OF pending SKIP LOCKED
"""
)

# What waits says whose its subject must be, and the subject has turned out to be another's.
MARK_OTHERS = (
    """
WITH named AS (
    SELECT pending.id, pending.account = known.reference AS fits
        FROM subscriptions_usagepending AS pending"""
    + KNOWN.format(of="pending", **ALL)
    + """ WHERE pending.kind = 0 AND pending.account <> '' AND pending.reason <> 'other_account'
), others AS (
    SELECT id FROM subscriptions_usagepending
        WHERE id IN (SELECT id FROM named GROUP BY id HAVING NOT bool_or(fits))
        ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE subscriptions_usagepending SET reason = 'other_account'
    WHERE id IN (SELECT id FROM others)
"""
)
