"""A visit as an iCalendar file (RFC 5545), for the calendar in somebody's pocket."""

from collections.abc import Iterator
from datetime import UTC, datetime

from orders.models import Appointment

LONGEST_LINE = 75  # octets, without the end of the line


def as_ical(visit: Appointment, *, title: str, url: str, at: datetime) -> bytes:
    """One event; a visit that was moved keeps its UID, so that calendars move it too."""
    if visit.begins_at is None or visit.ends_at is None:
        raise ValueError("a visit without a time is in no calendar")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//O2B//visits//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:visit-{visit.pk}@o2b",
        f"DTSTAMP:{_moment(at)}",
        f"DTSTART:{_moment(visit.begins_at)}",
        f"DTEND:{_moment(visit.ends_at)}",
        f"SUMMARY:{_text(title)}",
        *([f"LOCATION:{_text(visit.place)}"] if visit.place else []),
        *([f"DESCRIPTION:{_text(visit.note)}"] if visit.note else []),
        f"URL:{url}",
        f"STATUS:{'CANCELLED' if visit.state == 'cancelled' else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    r"""A text as a value: what means something to iCalendar is escaped.

    >>> print(_text("Mill Lane 1;\nback door, left"))
    Mill Lane 1\;\nback door\, left
    """
    clean = "\n".join(value.splitlines()).replace("\\", "\\\\")
    return clean.replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[bytes]:
    """A line in parts of at most 75 octets, never through the middle of a letter."""
    part, room = "", LONGEST_LINE
    for letter in line:
        if len((part + letter).encode()) > room:
            yield part.encode()
            part, room = " ", LONGEST_LINE
        part += letter
    yield part.encode()
