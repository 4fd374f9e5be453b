"""The SQL that takes a batch: one statement, and what else is asked of it.

Rows are written in the order of their keys, and keys before sources before marks before totals, so
that batches that meet wait for each other and never in a circle. Postgres runs the parts of a
statement that nobody reads from the last to the first: totals, for which batches wait most, are
locked last and not for long.

What is prepared has one plan for any batch. `IN (…) IS TRUE` keeps it a look-up in a hash table,
where a planner that takes ten rows for granted may choose a loop over all for each.
"""

from o2b.prepared import Prepared
from subscriptions.pools.statements import REVISE_LATE
from subscriptions.usage.statements.known import ELSEWHERE, KNOWN
from subscriptions.usage.statements.totals import ADD_TO_TOTALS, MARK_LATE

# An event a row, from columns: arrays that are shorter than the batch end in NULL. What a meter's
# usage has in common is said once a kind.
TOLD = """
    SELECT n, COALESCE(source, %(source)s) AS source, key, (%(meter_ids)s)[kind] AS meter_id,
           (%(meters)s)[kind] AS meter, subject, COALESCE(account, '') AS account,
           to_timestamp((%(moments)s)[n] / 1e6::float8) AS at, value,
           CASE WHEN (%(counts)s)[kind] THEN 1 ELSE value END AS amount,
           COALESCE(part, '') AS part, (%(hows)s)[kind] AS how, (%(timed)s)[kind] AS timed,
           properties
        FROM (
            SELECT *, (%(kinds)s)[n] AS kind FROM (
                SELECT generate_series(1, %(count)s) AS n, unnest(%(sources)s) AS source,
                       unnest(%(keys)s) AS key, unnest(%(subjects)s) AS subject,
                       unnest(%(accounts)s) AS account, unnest(%(values)s) AS value,
                       unnest(%(parts)s) AS part, unnest(%(properties)s) AS properties
            ) AS columns
        ) AS rows OFFSET 0
"""
TOLD_TYPES = {
    "count": "int",
    "source": "text",
    "sources": "text[]",
    "keys": "text[]",
    "kinds": "smallint[]",
    "subjects": "text[]",
    "accounts": "text[]",
    "moments": "bigint[]",
    "values": "numeric[]",
    "parts": "text[]",
    "properties": "jsonb[]",
    "meter_ids": "bigint[]",
    "meters": "text[]",
    "hows": "smallint[]",
    "timed": "bool[]",
    "counts": "bool[]",
}

TAKE = Prepared(
    "usage_take",
    """
WITH batch AS (
    SELECT nextval('subscriptions_usage_batch') * 16384 AS base
), mapped AS MATERIALIZED (
    SELECT told.*, (SELECT base FROM batch) + told.n AS event_id, one.service_id, one.zone,
           one.day, COALESCE(one.now, %(now)s) AS now,
           CASE WHEN told.at > COALESCE(one.now, %(now)s) + %(skew)s THEN 'in_the_future'
                WHEN one.service_id IS NULL THEN 'unknown_subject'
                WHEN one.shared AND """
    + ELSEWHERE.format(of="told", one="one")
    + """ THEN 'ambiguous_subject'
                WHEN told.account <> '' AND told.account <> one.reference THEN 'other_account'
                WHEN one.limited AND NOT %(covered)s THEN 'limited'
                ELSE '' END AS verdict
        FROM ("""
    + TOLD
    + ") AS told"
    + KNOWN.format(of="told", join="LEFT JOIN LATERAL", most="LIMIT 1", alias="one ON true")
    + """
), fresh AS (
    INSERT INTO subscriptions_usagekey (source, key, event_id, recorded_on)
        SELECT source, key, event_id, (now() AT TIME ZONE 'UTC')::date
            FROM mapped WHERE verdict NOT IN ('in_the_future', 'other_account', 'limited')
            ORDER BY key, source, n
        ON CONFLICT DO NOTHING
        RETURNING event_id
), counted AS MATERIALIZED (
    SELECT event_id, source, key, meter_id, subject, at, day, service_id, value, amount, how,
           properties, zone, now,
           CASE WHEN timed THEN part || to_char(at AT TIME ZONE zone, '"@"HH24:MI:SS.US')
                ELSE part END AS part
        FROM mapped
        WHERE verdict = '' AND (event_id IN (SELECT event_id FROM fresh)) IS TRUE
        ORDER BY service_id, meter_id, day, part
), added AS ("""
    + ADD_TO_TOTALS.format(events="counted")
    + "), revised AS ("
    + REVISE_LATE.format(events="counted")
    + "), marked AS ("
    + MARK_LATE.format(events="counted")
    + """), stored AS (
    INSERT INTO subscriptions_usageevent
            (id, recorded_at, source, key, kind, meter_id, subject, at, day, service_id, value,
             amount, part, how, properties)
        SELECT event_id, now(), source, key, 0, meter_id, subject, at, day, service_id, value,
               amount, part, how, properties
            FROM counted
), waiting AS (
    INSERT INTO subscriptions_usagepending
            (id, recorded_at, source, key, kind, meter_id, meter, subject, account, at, value,
             amount, part, how, timed, corrects, properties, reason)
        SELECT event_id, now(), source, key, 0, meter_id, meter, subject, account, at, value,
               amount, part, how, timed, '', properties, verdict
            FROM mapped
            WHERE verdict IN ('unknown_subject', 'ambiguous_subject')
              AND (event_id IN (SELECT event_id FROM fresh)) IS TRUE
), named AS (
    INSERT INTO subscriptions_usagesource (name)
        SELECT DISTINCT source FROM mapped
            WHERE (event_id IN (SELECT event_id FROM fresh)) IS TRUE
        ORDER BY source
        ON CONFLICT DO NOTHING
), judged AS (
    SELECT n, CASE WHEN verdict IN ('in_the_future', 'other_account', 'limited') THEN verdict
                   WHEN event_id IN (SELECT event_id FROM fresh) THEN verdict
                   ELSE 'duplicate' END AS verdict
        FROM mapped
)
SELECT n, verdict FROM judged WHERE verdict <> ''
""",
    TOLD_TYPES | {"now": "timestamptz", "skew": "interval", "covered": "bool"},
)

# What events would add to whose totals, but for those that are known already: of services that
# may draw from a hard pool.
LIMITED = Prepared(
    "usage_limited",
    """
SELECT told.n, told.meter, one.service_id, one.day,
       CASE WHEN told.timed
           THEN told.part || to_char(told.at AT TIME ZONE one.zone, '"@"HH24:MI:SS.US')
           ELSE told.part END,
       told.amount, told.at AT TIME ZONE one.zone
    FROM ("""
    + TOLD
    + ") AS told"
    + KNOWN.format(of="told", join="JOIN LATERAL", most="LIMIT 1", alias="one ON true")
    + """
    WHERE NOT EXISTS (
        SELECT FROM subscriptions_usagekey AS known
            WHERE known.source = told.source AND known.key = told.key
    )
    ORDER BY told.n
""",
    TOLD_TYPES | {"now": "timestamptz"},
)

NEXT_BATCH = "SELECT nextval('subscriptions_usage_batch') * 16384"

# Which duplicates say something else than what was taken, as far as that is still there.
DIFFERENT = Prepared(
    "usage_different",
    """
SELECT told.n
    FROM ("""
    + TOLD
    + """) AS told
    CROSS JOIN LATERAL (
        SELECT event_id, recorded_on FROM subscriptions_usagekey AS known
            WHERE known.source = told.source AND known.key = told.key LIMIT 1
    ) AS known
    CROSS JOIN LATERAL (
        SELECT kind, meter_id, subject, at, value FROM subscriptions_usageevent AS event
            WHERE event.id = known.event_id AND event.recorded_at >= known.recorded_on
        UNION ALL
        SELECT kind, meter_id, subject, at, value FROM subscriptions_usagepending AS pending
            WHERE pending.id = known.event_id
        LIMIT 1
    ) AS taken
    WHERE (taken.kind, taken.meter_id, taken.subject, taken.at, taken.value)
          IS DISTINCT FROM (0, told.meter_id, told.subject, told.at, told.value)
""",
    TOLD_TYPES,
)
