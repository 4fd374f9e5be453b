"""The SQL that corrects one event by another: both stay, the total follows."""

CLAIM = """
WITH fresh AS (
    INSERT INTO subscriptions_usagekey (source, key, event_id, recorded_on)
        VALUES (%(source)s, %(key)s, %(event)s, (now() AT TIME ZONE 'UTC')::date)
        ON CONFLICT DO NOTHING
        RETURNING source
), named AS (
    INSERT INTO subscriptions_usagesource (name) SELECT source FROM fresh ON CONFLICT DO NOTHING
)
SELECT source FROM fresh
"""

CORRECT = """
INSERT INTO subscriptions_usagecorrection (corrected_id, event_id) VALUES (%s, %s)
    ON CONFLICT DO NOTHING
"""

STORE = """
INSERT INTO subscriptions_usageevent
        (id, recorded_at, received_on, source, key, kind, meter_id, subject, at, day, service_id,
         value, amount, part, how, corrects_id, properties)
    VALUES (%(event)s, now(), %(received_on)s, %(source)s, %(key)s, %(kind)s, %(meter_id)s,
            %(subject)s, %(at)s, %(day)s, %(service)s, %(value)s, %(amount)s, %(part)s, %(how)s,
            %(corrected)s, %(properties)s)
"""

LOCK_TOTAL = """
SELECT how FROM subscriptions_usagetotal
    WHERE service_id = %(service)s AND meter_id = %(meter_id)s AND day = %(day)s AND part = %(part)s
    FOR UPDATE
"""

SUBTRACT = """
UPDATE subscriptions_usagetotal SET quantity = quantity - %(amount)s, count = count - 1
    WHERE service_id = %(service)s AND meter_id = %(meter_id)s AND day = %(day)s AND part = %(part)s
"""

# The highest or latest of those that hold: what is corrected does not.
RECOUNT_ONE = """
UPDATE subscriptions_usagetotal AS total
    SET quantity = COALESCE(held.quantity, 0), count = held.count,
        last_at = COALESCE(held.last_at, total.last_at)
    FROM (
        SELECT CASE WHEN %(how)s = 1 THEN max(amount)
                    ELSE (array_agg(amount ORDER BY at DESC, amount DESC))[1] END AS quantity,
               count(*) AS count, max(at) AS last_at
            FROM subscriptions_usageevent AS event
            WHERE service_id = %(service)s AND day = %(day)s AND meter_id = %(meter_id)s
              AND part = %(part)s AND kind <> 2
              AND NOT EXISTS (SELECT FROM subscriptions_usagecorrection AS gone
                                  WHERE gone.corrected_id = event.id)
    ) AS held
    WHERE total.service_id = %(service)s AND total.meter_id = %(meter_id)s
      AND total.day = %(day)s AND total.part = %(part)s
"""

ONE = """
(SELECT %(service)s::bigint AS service_id, %(meter_id)s::bigint AS meter_id, %(day)s::date AS day,
        %(part)s AS part, %(amount)s::numeric AS amount, %(how)s::smallint AS how,
        %(at)s::timestamptz AS at) AS one
"""

MARK = """
INSERT INTO subscriptions_usagemark AS mark (service_id, meter_id, revision)
    SELECT service_id, meter_id, 1
        FROM unnest(%s::bigint[], %s::bigint[]) AS touched (service_id, meter_id)
        ORDER BY service_id, meter_id
    ON CONFLICT (service_id, meter_id) DO UPDATE SET revision = mark.revision + 1
"""
