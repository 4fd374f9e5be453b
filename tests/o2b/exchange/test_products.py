"""Products from sheets: new ones, new versions of old ones, and what is refused."""

import json
from typing import Any

import pytest

from o2b.catalog.exchange.selectors import NothingToExport, export_catalog
from o2b.catalog.exchange.services import NotUndoable, undo_import
from o2b.catalog.models import Product, ProductVersion
from tests.factories import NOON, a_product
from tests.o2b.exchange.build import csv, faults, results, take, written, xlsx

pytestmark = pytest.mark.django_db

SPECS = [
    {"name": "speed", "type": "choice", "choices": ["100", "200"], "unit": "Mbit/s"},
    {"name": "years", "type": "integer", "minimum": 1, "maximum": 5, "default": 1},
]
HEADER = "code,name,family,unit,quantity_places,description,requires,excludes,components,successor"


def quoted(value: Any) -> str:
    return '"' + json.dumps(value).replace('"', '""') + '"'


def test_rows_become_products_with_draft_versions() -> None:
    report = take(
        "products",
        csv(
            "code,name,family,unit,quantity_places,description,characteristics,"
            "eligibility_segments,eligibility_countries,requires,excludes,components,successor",
            f"line,Line,access,line,0,A line,{quoted(SPECS)},gold; silver,DE; AT,router,,,fibre",
            "fibre,Fibre,access,,3,,,,,,line,,",
            "router,Router,,,,,,,,,,,",
            'bundle,Bundle,,,,,,,,,,"line:1:1:1:access; router:0::0",',
        ),
    )
    assert faults(report) == []
    assert report.counts == {"new": 4}
    line = ProductVersion.objects.get(product__code="line")
    assert (line.state, line.number, line.description) == ("draft", 1, "A line")
    assert line.characteristics == SPECS
    assert line.eligibility == {"segments": ["gold", "silver"], "countries": ["DE", "AT"]}
    assert line.successor == ProductVersion.objects.get(product__code="fibre")
    assert [(r.kind, r.other.code) for r in line.rules.all()] == [("requires", "router")]
    assert (line.product.family, line.product.unit) == ("access", "line")
    fibre = Product.objects.get(code="fibre")
    assert (fibre.unit, fibre.quantity_places) == ("piece", 3)
    options = ProductVersion.objects.get(product__code="bundle").options.all()
    assert [(o.group, o.component.code, o.minimum, o.maximum, o.default) for o in options] == [
        ("", "router", 0, None, 0),
        ("access", "line", 1, 1, 1),
    ]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_round_trip_changes_nothing(form: str) -> None:
    test_rows_become_products_with_draft_versions()
    before = written()
    sheet = b"".join(export_catalog(kind="products", form=form))
    report = take("products", sheet, file=f"a.{form}")
    assert (report.counts, report.import_id) == ({"unchanged": 4}, None)
    assert written() == before


def test_only_what_changed_gets_a_draft() -> None:
    a_product(code="seat", name="Seat", charges=[], characteristics=SPECS)
    a_product(code="phone", name="Phone", charges=[])
    report = take("products", csv("code,name,description", "seat,Seat,Soft", "phone,Phone,"))
    assert [tuple(each) for each in report.each()] == [
        (2, "changed", "seat", "", "Soft", "description"),
        (3, "unchanged", "phone", "", "", ""),
    ]
    draft = ProductVersion.objects.get(product__code="seat", number=2)
    # A column that is not in the sheet stays what it was.
    assert (draft.state, draft.characteristics) == ("draft", SPECS)
    assert ProductVersion.objects.filter(product__code="phone").count() == 1


BAD = [
    ({"code": "a b"}, "column A (code)", "code"),
    ({"code": ""}, "column A (code)", "code"),
    ({"name": ""}, "column B (name)", "empty"),
    ({"name": "x" * 201}, "column B (name)", "200"),
    ({"code": "seat", "name": "Chair"}, "column B (name)", "does not change"),
    ({"family": "a b"}, "column C (family)", "code"),
    ({"quantity_places": "7"}, "column E (quantity_places)", "0 to 6"),
    ({"quantity_places": "1,5"}, "column E (quantity_places)", "whole number"),
    ({"requires": "nothing"}, "column G (requires)", "no product “nothing”"),
    ({"requires": "new"}, "column G (requires)", "itself"),
    ({"requires": "seat; seat"}, "column G (requires)", "twice"),
    ({"requires": "seat", "excludes": "seat"}, "column H (excludes)", "as well"),
    ({"components": "seat", "excludes": "seat"}, "column H (excludes)", "as well"),
    ({"components": "seat:2:1"}, "column I (components)", "from 2"),
    ({"components": "seat:0:2:3"}, "column I (components)", "default"),
    ({"components": "seat:x"}, "column I (components)", "whole number"),
    ({"components": "a:1:2:1:g:h"}, "column I (components)", "write code"),
    ({"successor": "gone"}, "column J (successor)", "no product “gone”"),
    ({"successor": "new"}, "column J (successor)", "itself"),
    ({"description": "=1+1"}, "column F (description)", "formula"),
]


@pytest.mark.parametrize(("wrong", "where", "words"), BAD)
def test_a_bad_row_is_named_with_its_cell(wrong: dict[str, str], where: str, words: str) -> None:
    a_product(code="seat", name="Seat", charges=[])
    row = dict.fromkeys(HEADER.split(","), "") | {"code": "new", "name": "New"} | wrong
    before = written()
    report = take(
        "products", csv(HEADER, "good,Good,,,,,,,,", ",".join(f'"{c}"' for c in row.values()))
    )
    assert [f.where for f in report.faults] == [f"row 3, {where}"]
    assert words in report.faults[0].message
    assert written() == before


@pytest.mark.parametrize(
    ("characteristics", "words"),
    [
        ("{", "JSON"),
        ("{}", "[…]"),
        ('[{"name": "1"}]', "letter"),
        ('[{"name": "a", "type": "number"}]', "type"),
        ('[{"name": "a"}, {"name": "a"}]', "twice"),
        ('[{"name": "a", "type": "integer", "minimum": 5, "maximum": 1}]', "less than"),
        ('[{"name": "a", "type": "choice"}]', "choose"),
        ('[{"name": "a", "type": "decimal", "minimum": 1.5}]', "quotes"),
        ("[" * 5000, "JSON"),
    ],
)
def test_characteristics_are_checked(characteristics: str, words: str) -> None:
    before = written()
    cell = characteristics.replace('"', '""')
    report = take("products", csv("code,name,characteristics", f'a,A,"{cell}"'))
    assert [f.where for f in report.faults] == ["row 2, column C (characteristics)"]
    assert words in report.faults[0].message
    assert written() == before


def test_a_product_twice_and_a_country_that_is_none() -> None:
    before = written()
    report = take(
        "products", csv("code,name,eligibility_countries", "a,A,DE", "b,B,Germany", "a,A,")
    )
    assert [f.where for f in report.faults] == [
        "row 3, column C (eligibility_countries)",
        "row 4, column A (code)",
    ]
    assert written() == before


def test_a_dry_run_writes_nothing_and_an_undo_takes_all_back() -> None:
    a_product(code="seat", name="Seat", charges=[])
    before = written()
    rows = [["code", "name", "description"], ["seat", "Seat", "Soft"], ["new", "New", None]]
    assert take("products", xlsx(rows), dry_run=True).counts == {"changed": 1, "new": 1}
    assert written() == before
    report = take("products", xlsx(rows))
    undo_import(import_id=report.import_id, by_id=None, at=NOON)
    assert written() == before | {"CatalogImport": 1}


def test_what_something_else_uses_is_not_undone() -> None:
    report = take("products", csv("code,name", "new,New"))
    line = "new,k,one_time,1"
    take("books", csv("product,key,kind,unit_price", line))
    before = written()
    with pytest.raises(NotUndoable, match="in use"):
        undo_import(import_id=report.import_id, by_id=None, at=NOON)
    assert written() == before


def test_an_empty_catalog_has_nothing_to_export() -> None:
    with pytest.raises(NothingToExport):
        export_catalog(kind="products")


def test_results_name_products() -> None:
    report = take("products", csv("code,name", "a,A", "", "b,B"))
    assert results(report) == [(2, "new", "a"), (4, "new", "b")]


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("name", "a\0b"),
        ("unit", "a\0b"),
        ("description", "a\0b"),
        ("requires", "a\0b"),
        ("characteristics", '"[{""name"": ""a"", ""label"": ""\\u0000""}]"'),
        ("characteristics", '"[{""name"": ""a"", ""label"": ""\\ud800""}]"'),
        ("characteristics", '"[{""name"": ""a"", ""type"": ""integer"", ""minimum"": NaN}]"'),
    ],
)
def test_what_postgres_does_not_hold_is_a_fault_of_its_cell(header: str, cell: str) -> None:
    before = written()
    row = {"code": "a", "name": "A"} | {header: cell}
    report = take("products", csv(",".join(row), ",".join(row.values())))
    assert [f.header for f in report.faults] == [header]
    assert written() == before
