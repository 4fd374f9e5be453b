"""Files of calls in the three shapes, and what they come to."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from subscriptions.models import UsageFile, UsageFileRow
from subscriptions.usage.files import services
from subscriptions.usage.files.rules.mapping import Mapping
from subscriptions.usage.files.selectors import suggested_mapping

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)


def asterisk(
    subject: str, billsec: int, unique: str, disposition: str = "ANSWERED", day: str = "2026-02-09"
) -> str:
    """A row of Master.csv with unique id and user field."""
    answer = f"{day} 14:00:04" if disposition == "ANSWERED" else ""
    return (
        f'"{subject}","4930111","4930222","out","""Ann"" <4930111>","SIP/ann-01","SIP/trunk-02",'
        f'"Dial","SIP/trunk/4930222","{day} 14:00:00","{answer}","{day} 14:10:00",'
        f'{billsec + 4},{billsec},"{disposition}","DOCUMENTATION","{unique}",""'
    )


def freeswitch(
    subject: str, billsec: int, uuid: str, cause: str = "NORMAL_CLEARING", day: str = "2026-02-09"
) -> str:
    """A row of mod_cdr_csv, template example."""
    answer = f"{day} 14:00:04" if billsec else ""
    return (
        f'"Ann","4930111","4930222","default","{day} 14:00:00","{answer}","{day} 14:10:00",'
        f'"{billsec + 4}","{billsec}","{cause}","{uuid}","","{subject}","PCMA","PCMA"'
    )


HEADER = "id;subject;time;seconds"


def plain(subject: str, seconds: str, key: str, time: str = "09.02.2026 14:00:04") -> str:
    return f"{key};{subject};{time};{seconds}"


def uuid(number: int) -> str:
    return f"8d3c1f5e-0000-4000-8000-{number:012d}"


def body(*rows: str) -> bytes:
    return "\n".join([*rows, ""]).encode()


def uploaded(data: bytes, **given: Any) -> UsageFile:
    fields: dict[str, Any] = {"file_name": "calls.csv", "at": NOW, "by_id": None}
    return services.take_file(stream=BytesIO(data), **fields | given)


def mapped(data: bytes, *, meter: str = "calls", zone: str = "UTC", **given: Any) -> UsageFile:
    """The file under the mapping that is suggested, with what a person adds to it."""
    file = uploaded(data)
    said = suggested_mapping(file)
    said.meter, said.time_zone = meter, zone
    for name, value in given.items():
        setattr(said, name, value)
    return services.map_file(file_id=file.pk, mapping=said, at=NOW, by_id=None)


def loaded(data: bytes, *, at: datetime = NOW, **given: Any) -> UsageFile:
    """The file, loaded to its end."""
    file = mapped(data, **given)
    services.start_file(file_id=file.pk, at=at, by_id=None)
    while services.take_part(file_id=file.pk, at=at):
        pass
    file.refresh_from_db()
    return file


def counts(file: UsageFile) -> dict[str, int]:
    """What became of its rows, without what became of none."""
    names = ("accepted", "duplicate", "pending", "rejected", "skipped")
    return {name: count for name in names if (count := getattr(file, name))}


def rows(file: UsageFile) -> list[tuple[int, str, str, str, str]]:
    """Number, id, status, code and message of every row."""
    found = UsageFileRow.objects.filter(file=file).order_by("number")
    return [(r.number, r.key, r.status, r.code, r.message) for r in found]


def a_mapping(**given: Any) -> Mapping:
    fields: dict[str, Any] = {"source": "file", "id": "id", "subject": "subject", "time": "time"}
    return Mapping(**fields | {"value": "seconds", "meter": "calls", "time_zone": "UTC"} | given)
