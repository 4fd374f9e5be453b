"""The commands: in, out, back; and the sheets that docs/import.md shows."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from o2b.catalog.models import CatalogImport, PriceBookVersion
from tests.factories import a_product, a_user, an_account
from tests.o2b.exchange.build import csv, take, written

pytestmark = pytest.mark.django_db

SHEET = csv("product,key,kind,unit_price,interval", "seat,k,recurring,9.90,month")
BOOK = {"book": "list", "currency": "EUR", "valid_from": "2026-01-01"}


def run(name: str, *args: Any, **options: Any) -> str:
    out = StringIO()
    call_command(name, *map(str, args), stdout=out, stderr=out, **options)
    return out.getvalue()


def test_in_out_and_back(tmp_path: Path) -> None:
    a_product(code="seat", charges=[])
    person = a_user("administrator")
    sheet = tmp_path / "prices.csv"
    sheet.write_bytes(SHEET)
    before = written()
    told = json.loads(run("import_catalog", "books", sheet, dry_run=True, json=True, **BOOK))
    assert told == {
        "rows": 1,
        "counts": {"new": 1},
        "import": None,
        "dry_run": True,
        "made": {},
        "errors": [],
    }
    assert written() == before
    assert "1 rows: 1 new; import" in run(
        "import_catalog", "books", sheet, by=person.username, **BOOK
    )
    taken = CatalogImport.objects.get()
    assert (taken.by, PriceBookVersion.objects.get().prepared_by) == (person, person)
    for ending in ("csv", "xlsx"):
        out = tmp_path / f"out.{ending}"
        run("export_catalog", "books", out, book="list")
        assert "1 unchanged; nothing written" in run("import_catalog", "books", out, **BOOK)
    sheet.write_bytes(SHEET.replace(b"9.90", b"12"))
    told = run("import_catalog", "books", sheet, dry_run=True, **BOOK)
    assert "row 2: changed seat k 9.9 → 12" in told
    run("import_catalog", undo=taken.pk)
    assert written() == before | {"CatalogImport": 1}


@pytest.mark.parametrize(
    ("body", "options", "words"),
    [
        (SHEET.replace(b"9.90", b"x"), {}, "nothing was written"),
        (SHEET.replace(b"key", b"keys"), {}, "row 1, column B"),
        (SHEET, {"currency": ""}, "currency"),
        (SHEET, {"by": "nobody"}, "no user"),
        (None, {}, "No such file"),
    ],
)
def test_a_refusal_is_a_sentence(
    tmp_path: Path, body: bytes | None, options: dict[str, Any], words: str
) -> None:
    a_product(code="seat", charges=[])
    sheet = tmp_path / "prices.csv"
    if body is not None:
        sheet.write_bytes(body)
    before = written()
    with pytest.raises(CommandError, match=re.escape(words)):
        run("import_catalog", "books", sheet, **BOOK | options)
    assert written() == before


def test_an_export_that_cannot_be(tmp_path: Path) -> None:
    for args, options, words in (
        (("products", tmp_path / "a.pdf"), {}, ".csv or .xlsx"),
        (("products", tmp_path / "a.csv"), {}, "nothing to export"),
        (("books", tmp_path / "a.csv"), {"book": "no"}, "no such version"),
        (("contracts", tmp_path / "a.csv"), {"account": "no"}, "nothing to export"),
    ):
        with pytest.raises(CommandError, match=re.escape(words)):
            run("export_catalog", *args, **options)
    assert list(tmp_path.iterdir()) == []


def test_the_sheets_of_the_manual_are_good_ones() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "import.md").read_text()
    products, books, contracts = re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    an_account(reference="A-77")
    for kind, sheet in (("products", products), ("books", books), ("contracts", contracts)):
        report = take(kind, sheet.encode())
        assert [str(fault) for fault in report.faults] == []
        assert set(report.counts) == {"new"}
