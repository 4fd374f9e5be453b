"""XLSX files as records of text, read row by row; formulas are seen and never computed."""

from collections.abc import Iterator
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from django.utils.translation import gettext as _
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet

from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.sheets.rows import Record
from o2b.catalog.exchange.sheets.xlsx_cells import Book, worksheet_records

LARGEST_UNPACKED = 400 * 1024 * 1024
LARGEST_TEXTS = 64 * 1024 * 1024  # the shared strings are held in memory
MOST_PARTS = 1000
PIECE = 1024 * 1024
# In UTF-8 and in both forms of UTF-16: all that the parser knows.
DECLARATIONS = tuple("<!DOCTYPE".encode(e) for e in ("utf-8", "utf-16-le", "utf-16-be"))
LONGEST_DECLARATION = 18


def xlsx_records(stream: BinaryIO) -> Iterator[Record]:
    """Every row with its number; refuses a file that is encrypted, broken or a zip bomb."""
    try:
        _check_parts(stream)
        reader = ExcelReader(stream, read_only=True, data_only=False, keep_links=False)
        with reader.archive as archive, archive.open(_only_sheet(reader)) as part:
            yield from worksheet_records(part, _book(reader))
    except SheetRefused:
        raise
    except Exception as exc:  # whatever the parts of a broken file make openpyxl stumble over
        raise _broken() from exc


def _only_sheet(reader: ExcelReader) -> str:
    """The name of the sheet's part.

    By openpyxl's own steps, without its last: it would look through all rows for the sheet's size.
    """
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    sheets = [
        relation.target
        for _sheet, relation in reader.parser.find_sheets()
        if relation.target in reader.valid_files and "chartsheet" not in relation.Type
    ]
    if len(sheets) != 1:
        raise SheetRefused(
            _("The file holds %(count)s sheets: keep only the one to import.")
            % {"count": len(sheets)}
        )
    return sheets[0]


def _book(reader: ExcelReader) -> Book:
    workbook = reader.wb
    return Book(
        texts=reader.shared_strings,
        dates=frozenset(workbook._date_formats),
        durations=frozenset(workbook._timedelta_formats),
        epoch=workbook.epoch,
    )


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
