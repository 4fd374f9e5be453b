"""Sheets to be taken home: CSV line by line, XLSX in openpyxl's write-only way."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from tempfile import TemporaryFile

from openpyxl import Workbook

from o2b.web.csv import Echo

# What a spreadsheet takes for a formula is marked by an apostrophe, which reading takes off again.
_MARKED = re.compile(r"'*[=+\-@]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
CHUNK = 64 * 1024


def harmless(text: str) -> str:
    """The text so that no spreadsheet runs it, and reading gives it back.

    >>> [harmless(t) for t in ("=1+1", "'=x", "-12.50", "-x", "plain")]
    ["'=1+1", "''=x", '-12.50', "'-x", 'plain']
    """
    return f"'{text}" if _MARKED.match(text) and not _NUMBER.match(text) else text


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, so that spreadsheets know it; one piece a row."""
    write = csv.writer(Echo(), lineterminator="\r\n").writerow
    yield b"\xef\xbb\xbf" + write(header).encode()
    for row in rows:
        yield write([harmless(cell) for cell in row]).encode()


def write_xlsx(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """All cells as text, so that nothing is rounded or read as a date."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("o2b")
    sheet.append(list(header))
    for row in rows:
        sheet.append([harmless(cell) or None for cell in row])
    with TemporaryFile() as file:
        workbook.save(file)
        file.seek(0)
        while piece := file.read(CHUNK):
            yield piece
