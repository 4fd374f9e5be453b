"""Sheets as rows of text by header: CSV and XLSX alike, streamed both ways."""

from collections.abc import Iterator
from typing import BinaryIO

from o2b.catalog.exchange.sheets.csv_files import csv_records
from o2b.catalog.exchange.sheets.files import Form, check_size, form_of
from o2b.catalog.exchange.sheets.layout import Layout
from o2b.catalog.exchange.sheets.rows import Row, rows_of
from o2b.catalog.exchange.sheets.writing import write_csv, write_xlsx
from o2b.catalog.exchange.sheets.xlsx_files import xlsx_records

__all__ = ["Form", "Layout", "Row", "read_sheet", "write_csv", "write_xlsx"]


def read_sheet(stream: BinaryIO, *, name: str, layout: Layout) -> Iterator[Row]:
    """The rows of a CSV or XLSX file, one by one; SheetRefused where it is no such sheet.

    A cell that cannot stand (a formula, a NUL, too long) is a fault of its row, not of the file.
    """
    check_size(stream)
    form = form_of(stream, name)
    records = csv_records(stream) if form is Form.CSV else xlsx_records(stream)
    return rows_of(records, layout)
