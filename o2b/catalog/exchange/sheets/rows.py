"""Records become rows by header; what no cell may hold is found here, for every form of file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from o2b.catalog.exchange.faults import Fault, SheetRefused
from o2b.catalog.exchange.sheets.layout import Layout, letter_of

LONGEST_CELL = 32_767  # what a spreadsheet can hold
TOO_MANY_ROWS = 100_000  # the header counted

Problem = tuple[int, str]
Record = tuple[int, list[str], Sequence[Problem]]

_SEPARATOR = "\x1f"
_ODD = re.compile(r"(?:^|\x1f)\s*['=+\-@]|\x00")
_ESCAPED = re.compile(r"'+[=+\-@]")
_SIGNED = re.compile(r"[+-]\s*[\d.,]")


@dataclass(slots=True)
class Row:
    """One row: the cells by header, and what is wrong with them so far."""

    number: int
    cells: Mapping[str, str]
    columns: Mapping[str, str]  # header → letter
    faults: list[Fault]

    def fault(self, header: str, message: str) -> Fault:
        """Say what is wrong with a cell; of the whole row where the column is not there."""
        known = header in self.columns
        fault = Fault(self.number, self.columns.get(header, ""), header if known else "", message)
        self.faults.append(fault)
        return fault

    def get(self, header: str) -> str:
        return self.cells.get(header, "")


def rows_of(records: Iterator[Record], layout: Layout) -> Iterator[Row]:
    """Rows below the header that are not empty; SheetRefused for a wrong header or too many."""
    headers: list[str] = []
    columns: dict[str, str] = {}
    any_row = False
    for number, raw, problems in records:
        cells = [cell.strip() for cell in raw]
        if not any(cells) and not problems:
            continue
        if number >= TOO_MANY_ROWS:
            raise SheetRefused.at(
                number, "", "", _("A sheet has fewer than 100,000 rows: import it in parts.")
            )
        if not headers:
            for i, message in problems:
                raise SheetRefused.at(number, letter_of(i), "", message)
            headers = layout.read_header(number, cells)
            columns = {header: letter_of(i) for i, header in enumerate(headers)}
            continue
        any_row = True
        yield _row(number, cells, problems, headers, columns)
    if not headers:
        raise SheetRefused(_("The file is empty."))
    if not any_row:
        raise SheetRefused(_("The sheet has a header and no rows."))


def too_long() -> str:
    return _("The cell holds more than 32,767 characters. Is a closing quote missing?")


def formula() -> str:
    return _(
        "The cell holds a formula: write its value instead, or begin a text with an apostrophe."
    )


def _row(
    number: int,
    cells: list[str],
    problems: Sequence[Problem],
    headers: list[str],
    columns: Mapping[str, str],
) -> Row:
    faults = [
        Fault(number, letter_of(i), headers[i] if i < len(headers) else "", message)
        for i, message in problems
    ]
    joined = _SEPARATOR.join(cells)
    if len(joined) > LONGEST_CELL or _ODD.search(joined):
        for i, cell in enumerate(cells):
            try:
                cells[i] = _looked_at(cell)
            except ValueError as exc:
                header = headers[i] if i < len(headers) else ""
                faults.append(Fault(number, letter_of(i), header, str(exc)))
    if len(cells) > len(headers) and any(cells[len(headers) :]):
        column = next(i for i in range(len(headers), len(cells)) if cells[i])
        message = _("A cell without a header. Does a number before it hold a decimal comma?")
        faults.append(Fault(number, letter_of(column), "", message))
    return Row(number, dict(zip(headers, cells, strict=False)), columns, faults)


def _looked_at(cell: str) -> str:
    """The text of a cell that may be odd: without the mark of a harmless text, or ValueError."""
    if len(cell) > LONGEST_CELL:
        raise ValueError(too_long())
    if "\0" in cell:
        raise ValueError(_("The cell holds a NUL character: delete it."))
    if cell.startswith("=") or (cell.startswith(("+", "-", "@")) and not _SIGNED.match(cell)):
        raise ValueError(formula())
    return cell[1:] if _ESCAPED.match(cell) else cell
