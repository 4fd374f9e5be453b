"""XLSX files as records of text, read row by row; formulas are seen and never computed."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO
from zipfile import ZipFile, ZipInfo

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.sheets.rows import Problem, Record

LARGEST_UNPACKED = 400 * 1024 * 1024
LARGEST_TEXTS = 64 * 1024 * 1024  # the shared strings are held in memory
MOST_PARTS = 1000
LAST_ROW = 1_048_576
DIGITS = 15  # what a spreadsheet keeps of a number
PIECE = 1024 * 1024
# In UTF-8 and in both forms of UTF-16: all that the parser knows.
DECLARATIONS = tuple("<!DOCTYPE".encode(e) for e in ("utf-8", "utf-16-le", "utf-16-be"))
LONGEST_DECLARATION = 18
ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})


def xlsx_records(stream: BinaryIO) -> Iterator[Record]:
    """Every row with its number; refuses a file that is encrypted, broken or a zip bomb."""
    try:
        _check_parts(stream)
        workbook = load_workbook(stream, read_only=True, data_only=False, keep_links=False)
    except SheetRefused:
        raise
    except Exception as exc:  # whatever the parts of a broken file make openpyxl stumble over
        raise _broken() from exc
    try:
        yield from _read(workbook)
    finally:
        workbook.close()


def _read(workbook: Any) -> Iterator[Record]:
    if len(workbook.worksheets) != 1:
        raise SheetRefused(
            _("The file holds %(count)s sheets: keep only the one to import.")
            % {"count": len(workbook.worksheets)}
        )
    sheet = workbook.worksheets[0]
    # What the file says about its own size may be wrong.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=LAST_ROW, values_only=True)
    number = 0
    while True:
        try:
            values = next(rows, None)
        except Exception as exc:  # see above: rows are parsed only now
            raise _broken() from exc
        if values is None or number == LAST_ROW:
            return
        number += 1
        yield _record(number, values)


def _record(number: int, values: tuple[Any, ...]) -> Record:
    cells: list[str] = []
    problems: list[Problem] = []
    for i, value in enumerate(values):
        try:
            cells.append(_text(value))
        except ValueError as exc:
            cells.append("")
            problems.append((i, str(exc)))
    return number, cells, problems


def _text(value: Any) -> str:
    """A cell's value as a CSV file would say it."""
    if value is None:
        return ""
    if isinstance(value, str):
        if value in ERRORS:
            raise ValueError(_("The cell shows an error: write the value itself."))
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        return value.date().isoformat()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise ValueError(_("The cell holds a time: write a day as YYYY-MM-DD, or plain text."))


def _number(value: int | float) -> str:
    """The shortest decimal that the stored number stands for: what was typed."""
    number = Decimal(repr(value))
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > DIGITS:
        raise ValueError(
            _("The number has more than 15 digits, which sheets do not keep: format it as text.")
        )
    return format(number, "f").removesuffix(".0")


def _check_parts(stream: BinaryIO) -> None:
    """Before anything is unpacked: is it a workbook, and how large will it become?"""
    with ZipFile(stream) as archive:
        parts = archive.infolist()
        _check_sizes(parts)
        if any(_has_entities(archive, part) for part in parts):
            raise _broken()
    stream.seek(0)


def _check_sizes(parts: list[ZipInfo]) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise SheetRefused(
            _("The file is protected by a password: save it as XLSX without a password.")
        )
    texts = sum(p.file_size for p in parts if p.filename.lower().endswith("sharedstrings.xml"))
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED or texts > LARGEST_TEXTS:
        raise SheetRefused(_("The file unpacks to more than can be read: import it in parts."))


def _has_entities(archive: ZipFile, part: ZipInfo) -> bool:
    """Whether a part declares entities, which no workbook does: expanded they fill the memory.

    Looked for as bytes, so that openpyxl can use the fast parser; a "<" in text is escaped.
    """
    rest = b""
    with archive.open(part) as file:
        while piece := file.read(PIECE):
            piece = rest + piece
            if any(mark in piece for mark in DECLARATIONS):
                return True
            rest = piece[-LONGEST_DECLARATION:]
    return False


def _broken() -> SheetRefused:
    return SheetRefused(_("The file is broken: it is no XLSX file. Save it again as XLSX."))
