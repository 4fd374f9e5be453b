"""CSV files as records of text: UTF-8, comma, semicolon or tab, each record numbered."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.sheets.files import BOM
from o2b.catalog.exchange.sheets.rows import LONGEST_CELL, Record, too_long

DELIMITERS = ",;\t"
LONGEST_LINE = 4 * 1024 * 1024


def csv_records(stream: BinaryIO) -> Iterator[Record]:
    """Every record with its number, as a spreadsheet counts: the header is row 1."""
    delimiter = sniff_delimiter(stream)
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.forget()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            column = _long_cell("".join(lines.kept), delimiter)
            if column is None:
                raise lines.refusal(str(exc)) from exc
            # Nothing can be read after it: the row of this fault is the last.
            yield lines.record, [], ((column, too_long()),)
            return
        yield lines.record, cells, ()


def sniff_delimiter(stream: BinaryIO) -> str:
    """The delimiter that stands most often in the header, outside quotes."""
    header = stream.readline(LONGEST_LINE).decode("utf-8", "replace")
    stream.seek(0)
    bare = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


class _Lines:
    """The lines of the file as text, keeping those of the record that is being read."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.record = 0
        self.kept: list[str] = []
        if stream.read(len(BOM)) != BOM:
            stream.seek(0)

    def forget(self) -> None:
        """A new record begins."""
        self.record += 1
        self.kept.clear()

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.stream.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        try:
            text = line.decode()
        except UnicodeDecodeError as exc:
            if len(line) < LONGEST_LINE:
                message = _("Not UTF-8 text: save the file as CSV UTF-8.")
                raise SheetRefused.at(self.record, "", "", message) from exc
            text = line.decode("utf-8", "replace")
        self.kept.append(text)
        if len(line) == LONGEST_LINE:
            raise csv.Error("line too long")
        return text

    def refusal(self, problem: str) -> SheetRefused:
        """What csv found, as a person reads it."""
        if "new-line" in problem:
            message = _("Lines end in an old way: save the file as CSV UTF-8.")
        elif "too long" in problem:
            message = _("The row is longer than 4 MB.")
        else:
            message = _("Quotes do not match: write a quote inside a quoted cell twice.")
        return SheetRefused.at(self.record, "", "", message)


def _long_cell(text: str, delimiter: str) -> int | None:
    """The first cell of a record that is too long, if one is."""
    column = begun = 0
    quoted = False
    for i, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == delimiter and not quoted:
            column, begun = column + 1, i
        if i - begun > LONGEST_CELL + 2:
            return column
    return None
