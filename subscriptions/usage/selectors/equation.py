"""received = rated + pending + dismissed: what came in on a day, each figure from its own table."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from o2b.sql import ask
from subscriptions.models import UsageDay, UsageSource

MOST_SOURCES = 200

# Days are those of UTC. An event that waited is of the day on which it came, not of the one on
# which it was counted. One statement is one snapshot, so that it holds while events come in. What
# came, and was rated at once, on days that are over stays so, and was counted then: `live` are the
# days of which it is counted now, `done` those of which it is known.
BY_DAY = """
SELECT day, source, sum(received)::bigint, sum(rated)::bigint, sum(pending)::bigint,
       sum(dismissed)::bigint, sum(rejected)::bigint, max(counted_at)
    FROM (
        SELECT recorded_on AS day, source, count(*) AS received, 0 AS rated, 0 AS pending,
               0 AS dismissed, 0 AS rejected, NULL::timestamptz AS counted_at
            FROM subscriptions_usagekey
            WHERE recorded_on BETWEEN %(first)s AND %(last)s AND recorded_on = ANY(%(live)s)
              AND {source}
            GROUP BY 1, 2
        UNION ALL
        SELECT day, source, 0, sum(count), 0, 0, 0, NULL
            FROM (
                SELECT (recorded_at AT TIME ZONE 'UTC')::date AS day, source, count(*) AS count
                    FROM subscriptions_usageevent
                    WHERE recorded_at >= %(first)s::timestamp AT TIME ZONE 'UTC'
                      AND recorded_at < (%(last)s::date + 1)::timestamp AT TIME ZONE 'UTC'
                      AND received_on IS NULL AND {source}
                    GROUP BY 1, 2
            ) AS at_once
            WHERE day = ANY(%(live)s)
            GROUP BY 1, 2
        UNION ALL
        SELECT "on", source, received, rated, 0, 0, 0, counted_at
            FROM subscriptions_usageday
            WHERE "on" = ANY(%(done)s) AND source <> '' AND {source}
        UNION ALL
        SELECT received_on, source, 0, count(*), 0, 0, 0, NULL
            FROM subscriptions_usageevent
            WHERE received_on BETWEEN %(since)s AND %(on)s
              AND recorded_at >= %(since)s::timestamp AT TIME ZONE 'UTC' AND {source}
            GROUP BY 1, 2
        UNION ALL
        SELECT (recorded_at AT TIME ZONE 'UTC')::date, source, 0, 0, count(*), 0, 0, NULL
            FROM subscriptions_usagepending
            WHERE recorded_at >= %(since)s::timestamp AT TIME ZONE 'UTC'
              AND recorded_at < (%(on)s::date + 1)::timestamp AT TIME ZONE 'UTC' AND {source}
            GROUP BY 1, 2
        UNION ALL
        SELECT (recorded_at AT TIME ZONE 'UTC')::date, source, 0, 0, 0,
               count(*) FILTER (WHERE code = 'dismissed'),
               count(*) FILTER (WHERE code <> 'dismissed'), NULL
            FROM subscriptions_usagerejected
            WHERE recorded_at >= %(since)s::timestamp AT TIME ZONE 'UTC'
              AND recorded_at < (%(on)s::date + 1)::timestamp AT TIME ZONE 'UTC' AND {source}
            GROUP BY 1, 2
    ) AS found (day, source, received, rated, pending, dismissed, rejected, counted_at)
    GROUP BY day, source
    ORDER BY day DESC, source
"""


@dataclass(frozen=True, slots=True)
class Equation:
    """What came on a day (UTC) from a source, or from all of them (an empty text)."""

    on: date
    source: str
    received: int = 0
    rated: int = 0
    pending: int = 0
    dismissed: int = 0
    rejected: int = 0
    counted_at: datetime | None = None

    @property
    def holds(self) -> bool:
        return not self.missing

    @property
    def missing(self) -> int:
        """Events that were received and stand nowhere; below zero: that stand there too often."""
        return self.received - self.rated - self.pending - self.dismissed


def equations(*, since: date, on: date, source: str = "", live: bool = False) -> list[Equation]:
    """By day, the newest first, and source; days without any event have none.

    Of days that are over, what came and was rated at once is what was counted then, unless all of
    it is to be counted `live`.
    """
    days = [since + timedelta(days=n) for n in range((on - since).days + 1)]
    known = UsageDay.objects.filter(on__in=days, source="").values_list("on", flat=True)
    done = [] if live else list(known)
    left = [day for day in days if day not in done]
    values: dict[str, Any] = {
        "since": since,
        "on": on,
        "source": source,
        "done": done,
        "live": left,
        "first": min(left, default=on),
        "last": max(left, default=since),
    }
    asked = BY_DAY.format(source="source = %(source)s" if source else "true")
    return [Equation(*row) for row in ask(asked, values)]


def equation(*, on: date, source: str = "") -> Equation:
    """Of one day and source, or of all sources together: all of it counted now."""
    found = equations(since=on, on=on, source=source, live=True)
    names = ("received", "rated", "pending", "dismissed", "rejected")
    return Equation(on, source, *(sum(getattr(each, name) for each in found) for name in names))


def known_sources() -> list[str]:
    """Every source of which an event was taken, by name; at most MOST_SOURCES."""
    return list(UsageSource.objects.order_by("pk").values_list("pk", flat=True)[:MOST_SOURCES])


def recorded_today() -> date:
    """The day on which an event would be recorded now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (now() AT TIME ZONE 'UTC')::date")
        today: date = cursor.fetchone()[0]
        return today
