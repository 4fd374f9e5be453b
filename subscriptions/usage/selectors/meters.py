"""What events are judged by: every published version of every meter, in one query."""

from datetime import UTC, date, datetime, time

from o2b.catalog.models import MeterVersion as Stored
from o2b.charging import Aggregation
from subscriptions.usage.rules.judging import Dimension, Meters, MeterVersion


def meters_in_force() -> Meters:
    """The versions of each meter by its code, the latest first."""
    found: dict[str, list[MeterVersion]] = {}
    rows = Stored.objects.exclude(state=Stored.State.DRAFT).select_related("meter")
    for row in rows.order_by("meter", "-starts_on", "-number"):
        version = MeterVersion(
            meter_id=row.meter_id,
            code=row.meter.code,
            unit=row.meter.unit,
            aggregation=Aggregation(row.meter.aggregation),
            begins_at=_midnight(row.starts_on),
            decimals=row.decimals,
            least=row.least,
            most=row.most,
            dimensions=tuple(
                Dimension(
                    each["name"], bool(each.get("required")), tuple(each.get("choices") or ())
                )
                for each in row.dimensions
            ),
            timed=row.timed,
            ends_at=_midnight(row.retired_on) if row.retired_on else None,
        )
        found.setdefault(version.code, []).append(version)
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
