"""The SQL of whose a subject is: by whom it is had on the day of an event."""

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
EACH = {"join": "CROSS JOIN LATERAL", "alias": "known"}
ALL = EACH | {"most": "OFFSET 0"}
# Of a value that very many services have, some tell that it names none of them.
SOME = EACH | {"most": "LIMIT 20"}

# Whether another service has the subject on that day too. Asked only of subjects that other
# services have on whatever day: of others it costs nothing.
ELSEWHERE = """EXISTS (
    SELECT FROM subscriptions_usagesubject AS other
        JOIN customers_account AS whose ON whose.id = other.account_id
        WHERE other.value = {of}.subject AND other.meter = {of}.meter
          AND other.service_id <> {one}.service_id
          AND ({of}.at AT TIME ZONE whose.time_zone)::date >= other.begins_on
          AND (other.ends_on IS NULL
               OR ({of}.at AT TIME ZONE whose.time_zone)::date < other.ends_on)
)"""

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

# Whose subject an event is: for one that is not staged.
WHOSE = (
    """
WITH asked AS (SELECT %(subject)s AS subject, %(meter)s AS meter, %(at)s::timestamptz AS at),
own AS (SELECT known.* FROM asked"""
    + KNOWN.format(of="asked", **SOME)
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
