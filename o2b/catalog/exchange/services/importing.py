"""One file, one transaction: read, check, write drafts; all of it or nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import file_digest
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.layouts import LAYOUTS
from o2b.catalog.exchange.options import BookOptions, OptionInvalid
from o2b.catalog.exchange.report import Report, Tally
from o2b.catalog.exchange.services.books import take_book
from o2b.catalog.exchange.services.contracts import take_contracts
from o2b.catalog.exchange.services.products import take_products
from o2b.catalog.exchange.sheets import read_sheet
from o2b.catalog.models import CatalogImport
from o2b.catalog.models.exchange import SheetKind

LONGEST_FILE_NAME = 200


def import_catalog(
    *,
    kind: str,
    stream: BinaryIO,
    file_name: str,
    options: Mapping[str, Any] | None = None,
    by_id: int | None,
    at: datetime,
    dry_run: bool = False,
) -> Report:
    """Write the drafts that a sheet describes, or, dry, only say what would be written.

    Rows at fault are in the report, with nothing written; a file that is no such sheet at all is
    SheetRefused.
    """
    kind = _kind(kind)
    told = dict(options or {})
    file_name = file_name.replace("\0", "").rpartition("/")[2][-LONGEST_FILE_NAME:] or "sheet"
    try:
        return _import(kind, stream, file_name, told, by_id, at, dry_run=dry_run)
    except IntegrityError as exc:
        # Numbers and codes are looked up first; somebody else took one of them since.
        raise SheetRefused(_("The catalog was changed meanwhile: try again.")) from exc


def _import(
    kind: SheetKind,
    stream: BinaryIO,
    file_name: str,
    told: dict[str, Any],
    by_id: int | None,
    at: datetime,
    *,
    dry_run: bool,
) -> Report:
    tally = Tally()
    with transaction.atomic():
        made = _take(kind, stream, file_name, told, by_id, tally)
        report = Report(
            kind=kind,
            file_name=file_name,
            rows=tally.rows,
            counts=dict(tally.counts),
            faults=tuple(tally.faults),
            results=tally.packed(),
            dry_run=dry_run,
            made=made,
        )
        if dry_run or report.errors or not report.changes_something:
            transaction.set_rollback(True)
            return replace(report, made={})
        written = CatalogImport.objects.create(
            kind=kind,
            file_name=file_name,
            sha256=_digest(stream),
            options=told,
            by_id=by_id,
            at=at,
            rows=report.rows,
            made=made,
            report=report.summary,
            results=report.results,
        )
    return replace(report, import_id=written.pk)


def _kind(told: str) -> SheetKind:
    try:
        return SheetKind(told)
    except ValueError:
        known = ", ".join(SheetKind.values)
        raise OptionInvalid(f"{told!r}: {known}", field="kind") from None


def _take(
    kind: SheetKind,
    stream: BinaryIO,
    file_name: str,
    told: dict[str, Any],
    by_id: int | None,
    tally: Tally,
) -> dict[str, list[int]]:
    rows = read_sheet(stream, name=file_name, layout=LAYOUTS[kind])
    try:
        if kind is SheetKind.BOOKS:
            options = BookOptions.read({"note": file_name} | told)
            return take_book(rows, options=options, by_id=by_id, tally=tally)
        if told:
            raise OptionInvalid(_("Only a price book has options."), field=min(told))
        if kind is SheetKind.CONTRACTS:
            return take_contracts(rows, tally=tally)
        again = read_sheet(stream, name=file_name, layout=LAYOUTS[kind])
        return take_products(rows, again, by_id=by_id, tally=tally)
    except SheetRefused as refused:
        # The file breaks off in the midst: what its rows had before that is worth knowing too.
        refused.faults = (*tally.faults, *refused.faults)
        raise


def _digest(stream: BinaryIO) -> str:
    stream.seek(0)
    return file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
