"""manage.py bench_import: how long a book of prices takes beside a bare COPY of its rows."""

import json
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psutil
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from o2b import benching, clock
from o2b.catalog.exchange.services import import_catalog
from o2b.catalog.exchange.sheets import Form, write_csv, write_xlsx
from o2b.catalog.models import Price, PriceBookVersion, Product, ProductVersion

SPEEDS, TERMS = (10, 50, 100, 500, 1000), (1, 2, 3, 4, 5)
CELLS = len(SPEEDS) * len(TERMS) * 2
FEWER = 10
HEADER = (
    "product",
    "key",
    "kind",
    "unit_price",
    "model",
    "interval",
    "tax_code",
    "match.bandwidth_mbps",
    "match.term_years",
)
COLUMNS = """version_id, product_id, key, unit_price, from_version, to_version, discount_limit,
    match, kind, model, tiers, details, interval_unit, interval_count, timing, alignment,
    proration, tax_code, revenue_rule"""
MEGABYTE = 1024 * 1024


class Command(BaseCommand):
    help = "Measure imports of a price book in a database of its own, which is dropped after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rows", type=int, default=50_000)
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rows"] < CELLS * FEWER or options["rows"] % (CELLS * FEWER):
            raise CommandError(f"--rows is a multiple of {CELLS * FEWER}.")
        if benching.is_inside():
            self._bench(options["rows"], as_json=options["json"])
        else:
            benching.run_again_inside()

    def _bench(self, rows: int, *, as_json: bool) -> None:
        _make_products(rows // CELLS)
        with tempfile.TemporaryDirectory(prefix="o2b-bench-") as name:
            folder = Path(name)
            told = {form.value: self._of_form(form, rows, folder) for form in Form}
            copied = _copy_again(folder, rows, triggers=False)
            triggered = _copy_again(folder, rows, triggers=True)
        for each in told.values():
            each["copy_s"] = round(copied, 3)
            each["ratio"] = round(each["import_s"] / copied, 2)
        result = {
            "rows": rows,
            **told[Form.CSV],
            "copy_with_triggers_s": round(triggered, 3),
            "xlsx": told[Form.XLSX],
        }
        if as_json:
            self.stdout.write(json.dumps(result))
            return
        for name, value in result.items():
            self.stdout.write(f"{name}: {value}")

    def _of_form(self, form: Form, rows: int, folder: Path) -> dict[str, Any]:
        """A tenth of the rows first: what the peak of memory grows by after it is the rows'."""
        self.stderr.write(f"importing {form} ...", style_func=str)
        peaks, seconds = [], 0.0
        for size in (rows // FEWER, rows):
            path = folder / f"{size}.{form}"
            write = write_csv if form is Form.CSV else write_xlsx
            with path.open("wb") as file:
                file.writelines(write(HEADER, _rows(size)))
            _forget_peak()
            seconds = _import(path, f"bench-{form}-{size}")
            peaks.append(_peak())
        # The second time there is a version to compare it with.
        again = _import(folder / f"{rows}.{form}", f"bench-{form}-{rows}", "2026-02-01", dry=True)
        return {
            "import_s": round(seconds, 3),
            "import_again_dry_s": round(again, 3),
            "rss_mb": round(peaks[1] / MEGABYTE, 1),
            "rss_growth_mb": round((peaks[1] - peaks[0]) / MEGABYTE, 1),
        }


def _make_products(count: int) -> None:
    specs = [
        {"name": "bandwidth_mbps", "type": "choice", "choices": [str(s) for s in SPEEDS]},
        {"name": "term_years", "type": "integer", "minimum": 1, "maximum": 5},
    ]
    products = Product.objects.bulk_create(
        Product(code=f"line-{n:05}", name=f"Line {n}") for n in range(count)
    )
    ProductVersion.objects.bulk_create(
        ProductVersion(product=product, number=1, characteristics=specs) for product in products
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _rows(count: int) -> Iterator[list[str]]:
    """Speed × term matrices, monthly and once; hardly two prices are equal."""
    for n in range(count // CELLS):
        for speed in SPEEDS:
            for term in TERMS:
                monthly = f"{speed * 3 + n % 977}.{term}5"
                cell = [str(speed), str(term)]
                code = f"line-{n:05}"
                yield [code, "monthly", "recurring", monthly, "per_unit", "month", "full", *cell]
                yield [code, "installation", "one_time", f"{n + term}", "flat", "", "full", *cell]


def _import(path: Path, book: str, valid_from: str = "2026-01-01", *, dry: bool = False) -> float:
    options = {"book": book, "currency": "EUR", "valid_from": date.fromisoformat(valid_from)}
    began = time.perf_counter()
    with path.open("rb") as stream:
        report = import_catalog(
            kind="books",
            stream=stream,
            file_name=path.name,
            options=options | {"valid_from": valid_from},
            by_id=None,
            at=clock.now(),
            dry_run=dry,
        )
    seconds = time.perf_counter() - began
    if report.errors or (not dry and report.import_id is None):
        raise CommandError(f"the import failed: {report.faults[:3]} {report.counts}")
    return seconds


def _copy_again(folder: Path, rows: int, *, triggers: bool) -> float:
    """COPY the rows of the imported book into the same table once more, indexes and checks on.

    Bare, without the triggers of foreign keys and of frozen rows.
    """
    imported = PriceBookVersion.objects.get(book__code=f"bench-csv-{rows}")
    path = folder / "rows"
    with transaction.atomic(), connection.cursor() as cursor:
        with path.open("wb") as file:
            cursor.copy_expert(
                f"COPY (SELECT {COLUMNS} FROM catalog_price WHERE version_id = {imported.pk}"
                " ORDER BY id) TO STDOUT",
                file,
            )
        Price.objects.filter(version=imported).delete()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE catalog_price")
        cursor.execute("CHECKPOINT")
        if not triggers:
            cursor.execute("SET session_replication_role = replica")
        began = time.perf_counter()
        with path.open("rb") as file:
            cursor.copy_expert(f"COPY catalog_price ({COLUMNS}) FROM STDIN", file)
        seconds = time.perf_counter() - began
        cursor.execute("SET session_replication_role = DEFAULT")
    if imported.prices.count() != rows:
        raise CommandError("the bare COPY has not written every row.")
    return seconds


def _forget_peak() -> None:
    """Begin the kernel's high-water mark anew; where it cannot, the mark of before stands."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> int:
    """The high-water mark of this process's memory."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return psutil.Process().memory_info().rss
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
