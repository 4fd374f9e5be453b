"""Published tariffs become products and books; what is there already stays as it is."""

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from django.db import transaction

from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.report import Report
from o2b.catalog.exchange.services.importing import import_catalog
from o2b.catalog.exchange.tariffs import (
    CURRENCY,
    Tariff,
    TariffVersion,
    price_sheet,
    product_sheet,
    read_tariffs,
)
from o2b.catalog.models import PriceBookVersion, ProductVersion
from o2b.catalog.models.exchange import SheetKind
from o2b.catalog.services import publish_price_book_version, publish_product_version


@transaction.atomic
def import_tariffs(
    *, folder: Path, segment: str, prefix: str, at: datetime, publish: bool
) -> list[Report]:
    """A product and a book for each service, the book's versions in the order of their days.

    Drafts, unless the program that asks may publish them.
    """
    tariffs = read_tariffs(folder)
    reports = [_take(SheetKind.PRODUCTS, product_sheet(tariffs), "tariffs.csv", at)]
    if publish:
        for pk in _made(reports[0], ProductVersion):
            publish_product_version(version_id=pk, at=at)
    for tariff, version in _missing(tariffs, prefix):
        options = {
            "book": prefix + tariff.code,
            "name": tariff.name,
            "currency": CURRENCY,
            "segment": segment,
            "valid_from": version.valid_from.isoformat(),
            "note": version.note,
        }
        if version.valid_to:
            options["valid_to"] = version.valid_to.isoformat()
        file = f"{tariff.code}-{version.valid_from}.csv"
        reports.append(_take(SheetKind.BOOKS, price_sheet(tariff, version), file, at, options))
        if publish:
            for pk in _made(reports[-1], PriceBookVersion):
                publish_price_book_version(version_id=pk, at=at)
    return reports


def _missing(tariffs: list[Tariff], prefix: str) -> Iterator[tuple[Tariff, TariffVersion]]:
    for tariff in tariffs:
        there = PriceBookVersion.objects.filter(book__code=prefix + tariff.code)
        days = set(there.values_list("valid_from", flat=True))
        yield from ((tariff, v) for day, v in tariff.versions.items() if day not in days)


def _take(
    kind: str, sheet: bytes, file: str, at: datetime, options: dict[str, Any] | None = None
) -> Report:
    report = import_catalog(
        kind=kind, stream=BytesIO(sheet), file_name=file, options=options, by_id=None, at=at
    )
    if report.faults:
        raise SheetRefused(f"{file}: {report.faults[0]}", faults=report.faults)
    return report


def _made(report: Report, model: Any) -> list[int]:
    return report.made.get(model._meta.label_lower, [])
