"""The bytes of a file as numbered rows; what cannot be read is refused by row and column."""

import csv
from collections.abc import Iterator, Sequence
from io import SEEK_END
from itertools import islice
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from o2b.errors import Invalid
from subscriptions.usage.files.rules.shapes import LEAST, Layout, delimiter_of, layout_of

LARGEST_FILE = 100 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_COLUMNS = 200
LONGEST_CELL = 32_767  # what a spreadsheet can hold
LONGEST_LINE = 1024 * 1024
MOST_LINES = 200  # of one row, with breaks inside its quotes
LOOKED_AT = 20  # rows that tell the shape
BOM = b"\xef\xbb\xbf"
UTF8, LATIN1 = "utf-8", "latin-1"
ENCODINGS = (UTF8, LATIN1)
NO_TEXT = ((b"PK\x03\x04", "XLSX"), (b"\xd0\xcf\x11\xe0", "XLS"), (b"\x1f\x8b", "gzip"))
UTF16 = (b"\xff\xfe", b"\xfe\xff")

Numbered = tuple[int, list[str]]


class FileRefused(Invalid):
    """A file that cannot be read: nothing of it is kept. `row` and `column` say where, if told."""

    code = "file_refused"

    def __init__(self, message: str, *, row: int = 0, column: str = "", reason: str = "") -> None:
        extra: dict[str, object] = {"row": row} if row else {}
        if column:
            extra["column"] = column
        if reason:
            extra["reason"] = reason
        super().__init__(_at(row, column, message), field="file", **extra)
        self.reason = reason


class Opened(NamedTuple):
    """A file that is begun to be read: its layout, its delimiter, its rows after the header."""

    layout: Layout
    delimiter: str
    rows: Iterator[Numbered]


def open_file(stream: BinaryIO, *, shape: str = "", encoding: str = UTF8) -> Opened:
    """Look at the first rows; the others are read as they are asked for.

    Raises FileRefused, here or later, where a row cannot be read.
    """
    _check(stream)
    delimiter = _delimiter(stream, encoding)
    numbered = _rows(stream, delimiter, encoding)
    first = list(islice(numbered, LOOKED_AT))
    if not first:
        raise FileRefused(_("The file has no rows."))
    layout = layout_of([cells for _number, cells in first], shape=shape)
    if layout.has_header:
        _check_header(layout.columns, first.pop(0)[0])
    elif len(first[0][1]) < LEAST[layout.shape]:
        message = _("It has %(count)s cells; a row of this shape has %(least)s or more.")
        told = {"count": len(first[0][1]), "least": LEAST[layout.shape]}
        raise FileRefused(message % told, row=first[0][0])
    return Opened(layout, delimiter, _limited(first, numbered, layout.columns))


def _limited(
    first: Sequence[Numbered], others: Iterator[Numbered], columns: Sequence[str]
) -> Iterator[Numbered]:
    count = 0
    for rows in (first, others):
        for number, cells in rows:
            count += 1
            if count > MOST_ROWS:
                raise FileRefused(_("More than 1,000,000 rows: load the file in parts."))
            _check_cells(number, cells, columns)
            yield number, cells
    if not count:
        raise FileRefused(_("The file has a header, and no rows."))


def _check(stream: BinaryIO) -> None:
    """Size and kind, by the first bytes."""
    stream.seek(0, SEEK_END)
    size = stream.tell()
    stream.seek(0)
    if not size:
        raise FileRefused(_("The file is empty."))
    if size > LARGEST_FILE:
        raise FileRefused(_("The file is larger than 100 MB: load it in parts."))
    head = stream.read(8)
    stream.seek(0)
    for magic, name in NO_TEXT:
        if head.startswith(magic):
            raise FileRefused(_("This is a file of kind %(kind)s: send CSV.") % {"kind": name})
    if head.startswith(UTF16):
        raise FileRefused(_("The file is UTF-16 text: save it as CSV UTF-8."))


def _check_header(columns: Sequence[str], row: int) -> None:
    """Every column has a name of its own, and they are names."""
    if len(columns) < 2:
        raise FileRefused(
            _("One column only: the first row names the columns, by comma, semicolon or tab."),
            row=row,
        )
    seen: set[str] = set()
    for number, name in enumerate(columns, start=1):
        if not name:
            raise FileRefused(_("The header has no name."), row=row, column=str(number))
        if name.lower() in seen:
            raise FileRefused(_("The header names it twice."), row=row, column=name)
        if len(name) > 100 or not name.isprintable():
            message = _("A name has at most 100 characters that can be printed.")
            raise FileRefused(message, row=row, column=str(number))
        seen.add(name.lower())
    if not any(any(letter.isalpha() for letter in name) for name in columns):
        raise FileRefused(
            _("The first row names the columns; these are no names, and no call records known."),
            row=row,
        )


def _check_cells(number: int, cells: Sequence[str], columns: Sequence[str]) -> None:
    if len(cells) > MOST_COLUMNS:
        raise FileRefused(_("At most 200 columns."), row=number)
    if max(map(len, cells)) <= LONGEST_CELL and "\0" not in "".join(cells):
        return
    for place, cell in enumerate(cells):
        if len(cell) > LONGEST_CELL or "\0" in cell:
            message = _("It holds a NUL.") if "\0" in cell else _too_long()
            raise FileRefused(message, row=number, column=_name(columns, place))


def _rows(stream: BinaryIO, delimiter: str, encoding: str) -> Iterator[Numbered]:
    """Rows with the number of their first line; empty ones are left out.

    Quotes that nobody doubled stay where they are: FreeSWITCH writes them so.
    """
    lines = _Lines(stream, delimiter, encoding)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        number = lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            raise FileRefused(_too_long(), row=number) from exc
        if any(cells):
            yield number, cells


class _Lines:
    """The lines of the file as text, never more of them in one row than MOST_LINES."""

    def __init__(self, stream: BinaryIO, delimiter: str, encoding: str) -> None:
        self.stream, self.delimiter, self.encoding = stream, delimiter, encoding
        self.number = self.first = 0
        _past_bom(stream)

    def begin(self) -> int:
        """A row begins; the number of its line."""
        self.first = self.number + 1
        return self.first

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.stream.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if self.number - self.first >= MOST_LINES:
            raise FileRefused(_("A quote that begins here is not closed."), row=self.first)
        try:
            text = line.decode(self.encoding)
        except UnicodeDecodeError as exc:
            if len(line) <= LONGEST_LINE:
                column = line[: exc.start].decode(self.encoding, "replace").count(self.delimiter)
                message = _("It is no UTF-8: choose Latin-1, or save the file as CSV UTF-8.")
                raise FileRefused(
                    message, row=self.number, column=str(column + 1), reason="encoding"
                ) from exc
            text = line.decode(self.encoding, "replace")
        if len(text) > LONGEST_CELL:
            self._look_for_long_cell(text, too_long=len(line) > LONGEST_LINE)
        return text

    def _look_for_long_cell(self, text: str, *, too_long: bool) -> None:
        column, begun, quoted = 1, 0, False
        for place, letter in enumerate(text):
            if letter == '"':
                quoted = not quoted
            elif letter == self.delimiter and not quoted:
                column, begun = column + 1, place
            if place - begun > LONGEST_CELL + 2:
                raise FileRefused(_too_long(), row=self.number, column=str(column))
        if too_long:
            raise FileRefused(_("The row is longer than 1 MB."), row=self.number)


def _delimiter(stream: BinaryIO, encoding: str) -> str:
    """By the first lines; leaves the stream at its beginning."""
    _past_bom(stream)
    lines = [stream.readline(LONGEST_LINE).decode(encoding, "replace") for _n in range(5)]
    stream.seek(0)
    return delimiter_of(lines)


def _past_bom(stream: BinaryIO) -> None:
    if stream.read(len(BOM)) != BOM:
        stream.seek(0)


def _name(columns: Sequence[str], place: int) -> str:
    return columns[place] if place < len(columns) else str(place + 1)


def _too_long() -> str:
    return _("A cell has at most 32,767 characters.")


def _at(row: int, column: str, message: str) -> str:
    """The message after the place that it is about."""
    if not row:
        return message
    told = {"row": row, "column": column, "message": message}
    if not column:
        return _("Row %(row)s: %(message)s") % told
    return _("Row %(row)s, column %(column)s: %(message)s") % told
