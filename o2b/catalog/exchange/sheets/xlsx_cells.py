"""One worksheet's XML as rows of text: no object is made for a cell, no formula is computed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, XMLPullParser

from django.utils.translation import gettext as _
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.xml.constants import SHEET_MAIN_NS

from o2b.catalog.exchange.faults import CellInvalid
from o2b.catalog.exchange.sheets.rows import Problem, Record, formula

PIECE = 8 * 1024  # so few elements at once stay in the processor's cache: twice as fast as 64
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
DIGITS = 15  # what a spreadsheet keeps of a number
DECIMALS = "0123456789"
ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
SHEET, ROW, INLINE, VALUE, FORMULA, TEXT, RUN = (
    f"{{{SHEET_MAIN_NS}}}{name}" for name in ("worksheet", "row", "is", "v", "f", "t", "r")
)
_FRACTION = re.compile(r"[.eE]")


@dataclass(frozen=True, slots=True)
class Book:
    """What the cells of a sheet refer to: texts by number, and which styles make a number a day."""

    texts: Sequence[str]
    dates: frozenset[int]
    durations: frozenset[int]
    epoch: datetime


def worksheet_records(part: BinaryIO, book: Book) -> Iterator[Record]:
    """Every row that is there, with its number. ValueError, and whatever else: the part is broken.

    Rows stand in their order, and so do cells: what stood out of it would be lost unseen.
    """
    columns: dict[str, int] = {}
    number, tag = 0, ""
    parser: Any = XMLPullParser(("end",))
    while piece := part.read(PIECE):
        parser.feed(piece)
        for _end, element in parser.read_events():
            tag = element.tag
            if tag == ROW:
                before, number = number, int(element.get("r", number + 1))
                if not before < number <= LAST_ROW:
                    raise ValueError(f"row {number} after row {before}")
                yield _record(number, element, book, columns)
                element.clear()
    parser.close()
    if tag != SHEET:
        raise ValueError(f"{tag} is no worksheet")


def _record(number: int, row: Element, book: Book, columns: dict[str, int]) -> Record:
    cells: list[str] = []
    problems: list[Problem] = []
    for cell in row:
        if place := cell.get("r"):
            letters = place.rstrip(DECIMALS)
            column = columns.get(letters, -1)
            if column < 0:
                column = columns[letters] = _column(letters)
            if column != len(cells):
                if column < len(cells):
                    raise ValueError(f"{place} after column {len(cells)}")
                cells += [""] * (column - len(cells))
        try:
            cells.append(_text(cell, book))
        except CellInvalid as exc:
            problems.append((len(cells), str(exc)))
            cells.append("")
    return number, cells, problems


def _column(letters: str) -> int:
    index = column_index_from_string(letters)
    if index > LAST_COLUMN:
        raise ValueError(f"no column {letters}")
    return index - 1


def _text(cell: Element, book: Book) -> str:
    """A cell's value as a CSV file would say it."""
    value = inline = ""
    for part in cell:
        tag = part.tag
        if tag == INLINE:
            inline = _inline(part)
        elif tag == VALUE:
            value = part.text or ""
        elif tag == FORMULA:
            raise CellInvalid(formula())
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        value = inline
    elif value and kind not in ("str", "e"):
        return _read(kind, value, cell.get("s"), book)
    return _said(value)


def _inline(text: Element) -> str:
    """The text without its formatting, and without what says how it is pronounced."""
    found = []
    for part in text:
        if part.tag == TEXT:
            found.append(part.text or "")
        elif part.tag == RUN:
            found.append(part.findtext(TEXT) or "")
    return found[0] if len(found) == 1 else "".join(found)


def _said(text: str) -> str:
    if text in ERRORS:
        raise CellInvalid(_("The cell shows an error: write the value itself."))
    return text


def _read(kind: str, value: str, style: str | None, book: Book) -> str:
    """What is stored as something else than the text that it says."""
    if kind == "n":
        if style and int(style) in book.dates:
            return _dated(_cast(value), int(style), book)
        return _number(value)
    if kind == "s":
        if int(value) < 0:
            raise ValueError(f"no text {value}")
        return _said(book.texts[int(value)])
    if kind == "b":
        return "true" if int(value) else "false"
    if kind == "d":
        return _day(from_ISO8601(value))
    raise ValueError(f"no type of cell: {kind}")


def _dated(value: int | float, style: int, book: Book) -> str:
    try:
        return _day(from_excel(value, book.epoch, timedelta=style in book.durations))
    except CellInvalid:
        raise
    except (OverflowError, ValueError):
        return _said("#VALUE!")  # what a spreadsheet shows for a day that it does not know


def _day(value: Any) -> str:
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        return value.date().isoformat()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise CellInvalid(_("The cell holds a time: write a day as YYYY-MM-DD, or plain text."))


def _number(told: str) -> str:
    """The shortest decimal that the stored number stands for: what was typed."""
    if len(told) <= DIGITS and told.isascii() and told.isdecimal():
        return told.lstrip("0") or "0"
    number = Decimal(repr(_cast(told)))
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > DIGITS:
        raise CellInvalid(
            _("The number has more than 15 digits, which sheets do not keep: format it as text.")
        )
    return format(number, "f").removesuffix(".0")


def _cast(told: str) -> int | float:
    return float(told) if _FRACTION.search(told) else int(told)
