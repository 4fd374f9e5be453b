"""The SQL of usage: the one statement that takes a batch, and what else counts or asks.

Rows are written in the order of their keys, and keys before sources before marks before totals, so
that batches that meet wait for each other and never in a circle. Postgres runs the parts of a
statement that nobody reads from the last to the first: totals, for which batches wait most, are
locked last and not for long.

What is prepared has one plan for any batch. `IN (…) IS TRUE` keeps it a look-up in a hash table,
where a planner that takes ten rows for granted may choose a loop over all for each.
"""

from o2b.prepared import Prepared
from subscriptions.pools.statements import REVISE_LATE

# Who has the subject by this meter on the day of the event, where the account lives: one row each,
# most often one. OFFSET 0 keeps it a look-up by index: no plan reads all subjects for a few.
KNOWN = """
    {join} (
        SELECT known.service_id, local.day, account.time_zone AS zone, account.reference,
               CASE WHEN account.test_clock_id IS NULL THEN %(now)s ELSE (
                   SELECT clock.now FROM o2b_testclock AS clock
                       WHERE clock.id = account.test_clock_id
               ) END AS now, known.shared, known.begins_on, known.limited
            FROM subscriptions_usagesubject AS known
            JOIN customers_account AS account ON account.id = known.account_id
            CROSS JOIN LATERAL (
                SELECT ({of}.at AT TIME ZONE account.time_zone)::date AS day OFFSET 0
            ) AS local
            WHERE known.value = {of}.subject AND known.meter = {of}.meter
              AND local.day >= known.begins_on
              AND (known.ends_on IS NULL OR local.day < known.ends_on)
            ORDER BY known.begins_on DESC {most}
    ) AS {alias}
"""
EACH = {"join": "CROSS JOIN LATERAL", "most": "OFFSET 0", "alias": "known"}

# Where a service passes between accounts of two time zones there may be hours that are no longer
# a day of the one and not yet of the other: they belong to the last day of who gave it away.
# Asked only of what waits, under whichever name the event has the service; the same columns.
BETWEEN = """
    CROSS JOIN LATERAL (
        SELECT gave.service_id, gave.ends_on - 1 AS day, giver.time_zone AS zone, giver.reference,
               COALESCE(clock.now, %(now)s) AS now, known.shared, gave.begins_on,
               gave.limited
            FROM subscriptions_usagesubject AS known
            JOIN subscriptions_usagesubject AS gave
                ON gave.service_id = known.service_id AND gave.meter = known.meter
            JOIN subscriptions_usagesubject AS took
                ON took.service_id = gave.service_id AND took.meter = gave.meter
                AND took.begins_on = gave.ends_on AND took.account_id <> gave.account_id
            JOIN customers_account AS giver ON giver.id = gave.account_id
            JOIN customers_account AS taker ON taker.id = took.account_id
            LEFT JOIN o2b_testclock AS clock ON clock.id = giver.test_clock_id
            WHERE known.value = {of}.subject AND known.meter = {of}.meter
              AND known.id IN (gave.id, took.id)
              AND ({of}.at AT TIME ZONE giver.time_zone)::date >= gave.ends_on
              AND ({of}.at AT TIME ZONE taker.time_zone)::date < took.begins_on
            OFFSET 0
    ) AS known
"""

# An event of a totals row: new ones, and those that waited.
ADD_TO_TOTALS = """
INSERT INTO subscriptions_usagetotal AS total
        (service_id, meter_id, day, part, quantity, count, how, last_at)
    SELECT service_id, meter_id, day, part,
           CASE how WHEN 0 THEN sum(amount) WHEN 1 THEN max(amount)
                ELSE (max(ARRAY[extract(epoch FROM at), amount]) FILTER (WHERE how = 2))[2] END,
           count(*), how, max(at)
        FROM {events}
        GROUP BY service_id, meter_id, day, part, how
        ORDER BY service_id, meter_id, day, part
    ON CONFLICT (service_id, meter_id, day, part) DO UPDATE SET
        quantity = CASE
            WHEN EXCLUDED.how = 0 THEN total.quantity + EXCLUDED.quantity
            WHEN total.count = 0 THEN EXCLUDED.quantity
            WHEN EXCLUDED.how = 1 THEN GREATEST(total.quantity, EXCLUDED.quantity)
            WHEN (EXCLUDED.last_at, EXCLUDED.quantity) > (total.last_at, total.quantity)
                THEN EXCLUDED.quantity
            ELSE total.quantity END,
        count = total.count + EXCLUDED.count,
        last_at = CASE WHEN total.count = 0 THEN EXCLUDED.last_at
            ELSE GREATEST(total.last_at, EXCLUDED.last_at) END
"""

# A day that is over may have been billed.
MARK_LATE = """
INSERT INTO subscriptions_usagemark AS mark (service_id, meter_id, revision)
    SELECT DISTINCT service_id, meter_id, 1 FROM {events}
        WHERE day < (now AT TIME ZONE zone)::date
        ORDER BY service_id, meter_id
    ON CONFLICT (service_id, meter_id) DO UPDATE SET revision = mark.revision + 1
"""

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
                WHEN one.shared THEN 'ambiguous_subject'
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

# What waited and can be counted now: its subject has appeared, and its moment has come.
FOUND = (
    """
WITH own AS (
    SELECT pending.id, known.* FROM subscriptions_usagepending AS pending"""
    + KNOWN.format(of="pending", **EACH)
    + """ WHERE pending.kind = 0 AND pending.account IN ('', known.reference)
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

# What waits and draws from a hard pool, the oldest first: what it would add to whose total.
RELEASE_LIMITED = (
    FOUND
    + """
SELECT pending.id, pending.meter, one.service_id, one.day,
       CASE WHEN timed THEN part || to_char(at AT TIME ZONE zone, '"@"HH24:MI:SS.US')
            ELSE part END,
       pending.amount, at AT TIME ZONE zone
    FROM subscriptions_usagepending AS pending JOIN one ON one.id = pending.id
    WHERE one.limited AND pending.at <= one.now + %(skew)s::interval
    ORDER BY pending.id LIMIT %(most)s
    FOR UPDATE OF pending SKIP LOCKED
"""
)

# Whose subject an event is: for one that is not staged.
WHOSE = (
    """
WITH asked AS (SELECT %(subject)s AS subject, %(meter)s AS meter, %(at)s::timestamptz AS at),
own AS (SELECT known.* FROM asked"""
    + KNOWN.format(of="asked", **EACH)
    + """), found AS (
    SELECT * FROM own UNION ALL SELECT known.* FROM asked"""
    + BETWEEN.format(of="asked")
    + """ WHERE NOT EXISTS (SELECT FROM own)
)
SELECT min(service_id), max(service_id),
       (array_agg(zone ORDER BY begins_on DESC))[1],
       (array_agg(reference ORDER BY begins_on DESC))[1], min(now),
       (array_agg(day ORDER BY begins_on DESC))[1]
    FROM found
"""
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
        SELECT meter_id, subject, at, value FROM subscriptions_usageevent AS event
            WHERE event.id = known.event_id AND event.recorded_at >= known.recorded_on
        UNION ALL
        SELECT meter_id, subject, at, value FROM subscriptions_usagepending AS pending
            WHERE pending.id = known.event_id
        LIMIT 1
    ) AS taken
    WHERE (taken.meter_id, taken.subject, taken.at, taken.value)
          IS DISTINCT FROM (told.meter_id, told.subject, told.at, told.value)
""",
    TOLD_TYPES,
)
