"""The sheet of a bulk order as it is sent: its columns, its limits, its rows as they are kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO

from django.utils.translation import gettext as _

from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.sheets import Layout, Row, read_sheet

CHARACTERISTIC = "characteristic."
OF_THE_ORDER = ("account", "start_on", "work_from", "promised_on", "priority", "note")
OF_THE_LINE = ("start_rule", "characteristics")  # beside what each needs
REQUIRED = ("account", "product", "quantity")
LAYOUT = Layout(
    required=REQUIRED,
    optional=("order", *OF_THE_ORDER[1:], *OF_THE_LINE),
    many=(CHARACTERISTIC,),
)
# As people read them: whose order it is, then what, then when.
COLUMNS = ("order", *REQUIRED, *OF_THE_ORDER[1:], *OF_THE_LINE)
MOST_ROWS = 20_000
LARGEST_FILE = 10 * 1024 * 1024
LONGEST_KEPT = 4000
LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """A row as it is kept: its cells, and the first thing that is wrong with how they are made."""

    number: int
    key: str
    told: list[str]
    field: str = ""
    problem: str = ""


def read_rows(stream: BinaryIO, *, name: str) -> list[Kept]:
    """Every row of the sheet; SheetRefused where it is none, or too much at once."""
    stream.seek(0, SEEK_END)
    if stream.tell() > LARGEST_FILE:
        raise SheetRefused(_("The file is larger than 10 MB: order in parts."))
    stream.seek(0)
    found: list[Kept] = []
    for row in read_sheet(stream, name=name, layout=LAYOUT):
        if len(found) == MOST_ROWS:
            message = _("The sheet has more than 20,000 rows: order in parts.")
            raise SheetRefused.at(row.number, "", "", message)
        found.append(_kept(row))
    return found


def _kept(row: Row) -> Kept:
    bad = {fault.header for fault in row.faults}
    told = [
        f"{header}={cell[:LONGEST_KEPT]}"
        for header, cell in row.cells.items()
        if cell and header not in bad
    ]
    field, problem = next(_faults(row), ("", ""))
    key = "" if "order" in bad else row.get("order")[:LONGEST_KEY]
    return Kept(row.number, key, told, field, problem)


def _faults(row: Row) -> Iterator[tuple[str, str]]:
    for fault in row.faults:
        yield fault.header, fault.message
    for header, cell in row.cells.items():
        longest = LONGEST_KEY if header == "order" else LONGEST_KEPT
        if len(cell) > longest:
            yield header, _("At most %(longest)s characters.") % {"longest": longest}
