"""Sheets for tests: as CSV and as XLSX, from rows of text."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook

from o2b.catalog.exchange.report import Report
from o2b.catalog.exchange.services import import_catalog
from o2b.catalog.models import (
    CatalogImport,
    CatalogUpload,
    Contract,
    ContractPrice,
    Price,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
)
from tests.factories import NOON

BOOK = {"book": "list", "currency": "EUR", "valid_from": "2026-01-01"}
TABLES = (
    CatalogImport,
    CatalogUpload,
    Contract,
    ContractPrice,
    Price,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
)


def written() -> dict[str, int]:
    """How many rows each table of the catalog holds."""
    return {model.__name__: model._base_manager.count() for model in TABLES}


def csv(*lines: str) -> bytes:
    return "\r\n".join([*lines, ""]).encode()


def xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook as a spreadsheet program would write it, with numbers, days and formulas."""
    workbook = Workbook()
    sheet = workbook.active
    for row in rows:
        sheet.append(list(row))
    file = BytesIO()
    workbook.save(file)
    return file.getvalue()


def take(
    kind: str, data: bytes, *, file: str = "sheet.csv", dry_run: bool = False, **options: Any
) -> Report:
    """Import bytes; prices go to the book "list" unless told otherwise."""
    told = BOOK | options if kind == "books" else options
    return import_catalog(
        kind=kind,
        stream=BytesIO(data),
        file_name=file,
        options=told,
        by_id=None,
        at=NOON,
        dry_run=dry_run,
    )


def results(report: Report) -> list[tuple[int, str, str]]:
    """Each row's fate: number, what it became, what it is."""
    return [(each.row, str(each.became), each.what) for each in report.each()]


def faults(report: Report) -> list[str]:
    return [str(fault) for fault in report.faults]
