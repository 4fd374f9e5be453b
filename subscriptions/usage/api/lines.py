"""Events by lines, however many: JSON, or CSV under a header of the fields of an event."""

import csv
import json
from collections.abc import Iterator, Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _

from o2b.api.problems import Malformed
from subscriptions.usage.bodies import LONGEST_LINE, lines
from subscriptions.usage.rules.told import Told, Unreadable, read_one

FIELDS = frozenset(Told.__struct_fields__) - {"properties", "specversion"}
MUST = ("id", "source")
BOM = b"\xef\xbb\xbf"

Event = Told | Unreadable


def json_lines(http: HttpRequest) -> Iterator[Event]:
    """An event a line."""
    for line in lines(http):
        yield _too_long(line) or read_one(line)


def csv_lines(http: HttpRequest) -> Iterator[Event]:
    """An event a row; columns that are no field of an event are kept as properties.

    Raises Malformed where the first row is no such header, or a quote is not closed.
    """
    rows = csv.reader(_texts(http))
    columns = [name.strip() for name in _next(rows) or ()]
    _check(columns)
    while (cells := _next(rows)) is not None:
        yield _event(columns, cells)


def _event(columns: Sequence[str], cells: Sequence[str]) -> Event:
    """What stands in a row; what is empty is not said."""
    text = ",".join(cells).encode("utf-8", "replace")
    if len(cells) != len(columns):
        told = {"value": len(cells), "columns": len(columns)}
        message = _("It has %(value)s cells; the file has %(columns)s columns.") % told
        return Unreadable(message, text=text)
    full = {name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()}
    said: dict[str, object] = {name: full[name].strip() for name in full if name in FIELDS}
    if more := {name: cell for name, cell in full.items() if name not in FIELDS}:
        said["properties"] = more
    line = json.dumps({"id": "", "source": ""} | said).encode()
    return _too_long(line) or read_one(line)


def _texts(http: HttpRequest) -> Iterator[str]:
    """Lines as text; what is no UTF-8 stays half a character, by which its row is refused."""
    for number, line in enumerate(lines(http)):
        whole = line.removeprefix(BOM) if number == 0 else line
        yield whole.decode("utf-8", "surrogateescape") + "\n"


def _next(rows: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(rows, None)
    except csv.Error as exc:
        raise Malformed(_("A row cannot be read: %(why)s") % {"why": exc}) from exc


def _check(columns: Sequence[str]) -> None:
    for name in MUST:
        if name not in columns:
            raise Malformed(
                _("The first row names the columns; “%(name)s” is missing.") % {"name": name}
            )
    if len(set(columns)) < len(columns) or not all(columns):
        raise Malformed(_("Each column has a name of its own."))


def _too_long(line: bytes) -> Unreadable | None:
    if len(line) <= LONGEST_LINE:
        return None
    message = _("A line is longer than %(most)s bytes.") % {"most": LONGEST_LINE}
    return Unreadable(message, text=line)
