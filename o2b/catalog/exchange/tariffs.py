"""Published tariffs as the sheets that an import reads: matrices by speed and term, port prices."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.faults import CellInvalid, SheetRefused
from o2b.catalog.exchange.sheets import write_csv

MATRIX = ("service", "config", "bandwidth_mbps", "term_years", "mrc_usd", "nrc_usd")
PORTS = ("price_book", "port_kbps", "mrc_usd")
CURRENCY = "USD"
FRAME_RELAY = "Frame Relay"
SPECS: dict[str, dict[str, str]] = {
    "bandwidth_mbps": {"label": "Bandwidth", "unit": "Mbit/s"},
    "term_years": {"label": "Term", "unit": "years"},
    "port_kbps": {"label": "Port speed", "unit": "kbit/s"},
}
PRODUCT_HEADER = ("code", "name", "family", "unit", "characteristics")
PRICE_HEADER = ("product", "key", "kind", "unit_price", "interval", "timing")
_YEARS = re.compile(r"_(\d{4})(?:_(\d{4}))?(?:_|$)", re.ASCII)
_FROM = re.compile(r"\(from (\d{4}-\d{2}-\d{2})\)", re.ASCII)


@dataclass(slots=True)
class TariffVersion:
    """The prices of a tariff from a day on: (key, price, cell of the matrix)."""

    valid_from: date
    valid_to: date | None = None
    note: str = ""
    prices: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@dataclass(slots=True)
class Tariff:
    """One service: a product, and a book with a version for each time its prices changed."""

    name: str
    versions: dict[date, TariffVersion] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return slugify(self.name)

    def version(self, valid_from: date, valid_to: date | None, note: str) -> TariffVersion:
        return self.versions.setdefault(valid_from, TariffVersion(valid_from, valid_to, note))

    def specs(self) -> list[dict[str, Any]]:
        """A choice for each side of the matrix, of all values that a version prices."""
        found: dict[str, set[str]] = {}
        for version in self.versions.values():
            for _key, _price, match in version.prices:
                for name, value in match.items():
                    found.setdefault(name, set()).add(value)
        return [
            {"name": name, "type": "choice", "choices": sorted(values, key=int), "required": True}
            | SPECS[name]
            for name, values in found.items()
        ]


def read_tariffs(folder: Path) -> list[Tariff]:
    """Every tariff of a folder, its versions in the order of their days."""
    found: dict[str, Tariff] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = tuple(reader.fieldnames or ())
            if header == MATRIX:
                _take_matrix(found, path, reader)
            elif header == PORTS:
                _take_ports(found, path, reader)
            else:
                raise SheetRefused(
                    _("%(name)s is no tariff: its header is neither that of a matrix nor of ports.")
                    % {"name": path.name}
                )
    if not found:
        raise SheetRefused(_("There is no tariff in %(folder)s.") % {"folder": folder})
    for tariff in found.values():
        tariff.versions = dict(sorted(tariff.versions.items()))
    return list(found.values())


def product_sheet(tariffs: list[Tariff]) -> bytes:
    """All products, as an import of products reads them."""
    rows = (
        [tariff.code, tariff.name, "access", "line", json.dumps(tariff.specs())]
        for tariff in tariffs
    )
    return b"".join(write_csv(PRODUCT_HEADER, rows))


def price_sheet(tariff: Tariff, version: TariffVersion) -> bytes:
    """One version of its book, as an import of prices reads it."""
    names = [spec["name"] for spec in tariff.specs()]
    header = [*PRICE_HEADER, *(f"match.{name}" for name in names)]

    def rows() -> Iterator[list[str]]:
        for key, price, match in version.prices:
            how = ("recurring", price, "month", "advance")
            if key == "installation":
                how = ("one_time", price, "", "")
            yield [tariff.code, key, *how, *(match.get(name, "") for name in names)]

    return b"".join(write_csv(header, rows()))


def _take_matrix(found: dict[str, Tariff], path: Path, rows: csv.DictReader) -> None:
    """Monthly and one-time charges of a cell; the file's name says the years."""
    years = _YEARS.search(path.stem)
    if years is None:
        raise SheetRefused(_("The name of %(name)s says no year.") % {"name": path.name})
    valid_from = date(int(years[1]), 1, 1)
    valid_to = date(int(years[2]) + 1, 1, 1) if years[2] else None
    for row in rows:
        service = row["service"]
        tariff = found.setdefault(service, Tariff(service))
        version = tariff.version(valid_from, valid_to, row["config"])
        match = {name: row[name] for name in ("bandwidth_mbps", "term_years")}
        version.prices.append(("monthly", _number(path, rows, row, "mrc_usd"), match))
        version.prices.append(("installation", _number(path, rows, row, "nrc_usd"), match))


def _take_ports(found: dict[str, Tariff], path: Path, rows: csv.DictReader) -> None:
    """Monthly charges of a port; the name of the price book says from when."""
    tariff = found.setdefault(FRAME_RELAY, Tariff(FRAME_RELAY))
    for row in rows:
        told = _FROM.search(row["price_book"])
        if told is None:
            raise SheetRefused.at(
                rows.line_num, "A", "price_book", _("Say from when: (from YYYY-MM-DD).")
            )
        version = tariff.version(date.fromisoformat(told[1]), None, row["price_book"])
        match = {"port_kbps": row["port_kbps"]}
        version.prices.append(("monthly", _number(path, rows, row, "mrc_usd"), match))


def _number(path: Path, rows: csv.DictReader, row: Mapping[str, str], name: str) -> str:
    try:
        return cells.number(row[name] or "")
    except CellInvalid as fault:
        column = chr(ord("A") + list(row).index(name))
        message = f"{path.name}: {fault}"
        raise SheetRefused.at(rows.line_num, column, name, message) from fault
