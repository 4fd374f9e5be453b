"""Count what came on days that are over, once: the desk looks at two weeks of them each time."""

from datetime import date

from django.db import connection, transaction

from o2b.sql import ask

LOOKS_BACK = 31  # days; what is older is counted where somebody asks for it

# Days of the clock of Postgres, by which events are recorded. A day is over an hour after it ended,
# and not while a transaction runs that began in it.
OVER = """
SELECT day::date
    FROM generate_series((now() AT TIME ZONE 'UTC')::date - %s,
                         ((now() - interval '1 hour') AT TIME ZONE 'UTC')::date - 1,
                         interval '1 day') AS day
    WHERE NOT EXISTS (SELECT FROM subscriptions_usageday WHERE "on" = day::date AND source = '')
      AND NOT EXISTS (
          SELECT FROM pg_stat_activity AS other
              WHERE other.xact_start < (day + interval '1 day') AT TIME ZONE 'UTC'
                AND other.datname = current_database() AND other.pid <> pg_backend_pid()
      )
    ORDER BY day DESC
"""

CLAIM = """
INSERT INTO subscriptions_usageday ("on", source, received, rated) VALUES (%(on)s, '', 0, 0)
    ON CONFLICT DO NOTHING
"""

COUNT = """
INSERT INTO subscriptions_usageday ("on", source, received, rated)
    SELECT %(on)s, source, sum(received), sum(rated)
        FROM (
            SELECT source, count(*) AS received, 0 AS rated
                FROM subscriptions_usagekey WHERE recorded_on = %(on)s AND source <> ''
                GROUP BY source
            UNION ALL
            SELECT source, 0, count(*)
                FROM subscriptions_usageevent
                WHERE recorded_at >= %(on)s::timestamp AT TIME ZONE 'UTC'
                  AND recorded_at < (%(on)s::date + 1)::timestamp AT TIME ZONE 'UTC'
                  AND received_on IS NULL AND source <> ''
                GROUP BY source
        ) AS found (source, received, rated)
        GROUP BY source
"""


def count_days() -> int:
    """Count each day that is over and was not counted yet, the newest first; return how many."""
    days = [day for (day,) in ask(OVER, [LOOKS_BACK])]
    return sum(_count(day) for day in days)


@transaction.atomic
def _count(day: date) -> int:
    """One day; whoever comes second waits for the first, and finds it done."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"on": day})
        if not cursor.rowcount:
            return 0
        cursor.execute(COUNT, {"on": day})
    return 1
