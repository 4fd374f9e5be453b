"""Ask what was taken under the ids of events."""

from collections.abc import Iterable

from django.db import connection

from subscriptions.usage.rules.known import Known

Identity = tuple[str, str]  # source and id

UNDER = """
SELECT known.source, known.key, taken.kind, COALESCE(meter.code, ''), taken.subject, taken.at,
       taken.value, taken.corrects
    FROM unnest(%s::text[], %s::text[]) AS told (source, key)
    JOIN subscriptions_usagekey AS known ON known.source = told.source AND known.key = told.key
    LEFT JOIN LATERAL (
        SELECT kind, meter_id, subject, at, value, COALESCE((
                SELECT other.key FROM subscriptions_usageevent AS other
                    WHERE other.id = event.corrects_id
            ), '') AS corrects
            FROM subscriptions_usageevent AS event
            WHERE event.id = known.event_id AND event.recorded_at >= known.recorded_on
        UNION ALL
        SELECT kind, meter_id, subject, at, value, corrects
            FROM subscriptions_usagepending AS pending WHERE pending.id = known.event_id
        LIMIT 1
    ) AS taken ON true
    LEFT JOIN catalog_meter AS meter ON meter.id = taken.meter_id
"""


def known_under(identities: Iterable[Identity]) -> dict[Identity, Known | None]:
    """What was taken under those of them that are known; None where it was dismissed since."""
    wanted = sorted(set(identities))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(UNDER, [list(column) for column in zip(*wanted, strict=True)])
        return {
            (source, key): None if kind is None else Known(kind, *rest)
            for source, key, kind, *rest in cursor.fetchall()
        }
