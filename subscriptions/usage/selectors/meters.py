"""What events are judged by: every published version of every meter, read when one was written."""

from datetime import UTC, date, datetime, time

from o2b.catalog.selectors import MeterRow, meter_versions, meters_stamp
from subscriptions.usage.rules.judging import Dimension, Meters, MeterVersion

_kept: tuple[str, Meters] = ("", {})  # of this process, with the stamp that was asked for before


def meters_to_judge_by() -> Meters:
    """The versions of each meter by its code, the latest first; nobody changes what is returned."""
    global _kept
    stamp = meters_stamp()
    if stamp != _kept[0]:
        versions = meter_versions().items()
        _kept = (stamp, {code: [*map(_version, reversed(rows))] for code, rows in versions})
    return _kept[1]


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
