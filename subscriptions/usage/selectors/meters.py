"""What events are judged by: every published version of every meter, in one query."""

from datetime import UTC, date, datetime, time

from o2b.catalog.selectors import MeterRow, meter_versions
from subscriptions.usage.rules.judging import Dimension, Meters, MeterVersion


def meters_to_judge_by() -> Meters:
    """The versions of each meter by its code, the latest first."""
    return {
        code: [_version(row) for row in reversed(rows)] for code, rows in meter_versions().items()
    }


def _version(row: MeterRow) -> MeterVersion:
    return MeterVersion(
        meter_id=row.id,
        code=row.code,
        unit=row.unit,
        aggregation=row.aggregation,
        begins_at=_midnight(row.starts_on),
        decimals=row.decimals,
        least=row.least,
        most=row.most,
        dimensions=tuple(Dimension(*each) for each in row.dimensions),
        timed=row.timed,
        ends_at=_midnight(row.ends_on) if row.ends_on else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
