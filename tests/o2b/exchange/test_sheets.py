"""Reading: every kind of bad sheet is refused with row and cell named."""

from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import load_workbook

from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.sheets import Layout, read_sheet, write_csv, write_xlsx
from o2b.catalog.exchange.sheets.rows import TOO_MANY_ROWS
from o2b.catalog.exchange.sheets.writing import harmless
from tests.o2b.exchange.build import csv, xlsx

SHEET = "xl/worksheets/sheet1.xml"
LAYOUT = Layout(("product", "unit_price"), ("tiers",), ("match.",))


def read(data: bytes, name: str = "sheet.csv") -> list[tuple[int, dict[str, str]]]:
    rows = list(read_sheet(BytesIO(data), name=name, layout=LAYOUT))
    assert [str(fault) for row in rows for fault in row.faults] == []
    return [(row.number, dict(row.cells)) for row in rows]


def faulty(data: bytes, name: str = "sheet.csv") -> list[str]:
    rows = read_sheet(BytesIO(data), name=name, layout=LAYOUT)
    return [str(fault) for row in rows for fault in row.faults]


def refused(data: bytes, name: str = "sheet.csv") -> SheetRefused:
    with pytest.raises(SheetRefused) as caught:
        list(read_sheet(BytesIO(data), name=name, layout=LAYOUT))
    return caught.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_delimiter_and_the_byte_order_mark_are_found(delimiter: str, mark: bytes) -> None:
    lines = ("product,unit_price,match.speed", "a,1.50,100", "", '"b c",2,')
    data = mark + csv(*(line.replace(",", delimiter) for line in lines))
    assert read(data) == [
        (2, {"product": "a", "unit_price": "1.50", "match.speed": "100"}),
        (4, {"product": "b c", "unit_price": "2", "match.speed": ""}),
    ]


def test_headers_are_known_in_any_case_and_order() -> None:
    assert read(csv("Unit_Price, PRODUCT ,Match.Speed", "1,a,9")) == [
        (2, {"unit_price": "1", "product": "a", "match.Speed": "9"})
    ]


def test_a_quoted_cell_holds_lines_and_counts_as_one_row() -> None:
    assert [n for n, _ in read(csv("product,unit_price", '"a\nb",1', "c,2"))] == [2, 3]


@pytest.mark.parametrize(
    ("data", "where", "words"),
    [
        (b"", "file", "empty"),
        (b"\r\n\r\n", "file", "empty"),
        (csv("product,unit_price"), "file", "no rows"),
        (csv("product,price", "a,1"), "row 1, column B (price)", "no column of this sheet"),
        (csv("product", "a"), "row 1", "lacks: unit_price"),
        (csv("a,1", "b,2"), "row 1, column A (a)", "lacks: product, unit_price"),
        (csv("product,unit_price,product", "a,1,b"), "row 1, column C (product)", "twice"),
        (csv("product,,unit_price", "a,,1"), "row 1, column B", "no header"),
        (csv("product,unit_price,match.", "a,1,2"), "row 1, column C (match.)", "no column"),
        (csv("product,unit_price", "a,1", "b,2\xfc").decode().encode("latin-1"), "row 3", "UTF-8"),
        ("product,unit_price\na,1\n".encode("utf-16"), "file", "UTF-16"),
        (csv("product,unit_price", 'a,"1"x'), "row 2", "Quotes"),
        (csv("product,unit_price", 'a,"1'), "row 2", "Quotes"),
        (b"product,unit_price\ra,1\rb,2\r", "row 1", "old way"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "file", "password"),
        (b"PK\x03\x04 no zip at all", "file", "broken"),
    ],
)
def test_a_file_that_is_no_such_sheet(data: bytes, where: str, words: str) -> None:
    refusal = refused(data)
    assert words in refusal.message
    assert refusal.field == where
    assert refusal.status == 422


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("=1+1", "formula"),
        ("=cmd|' /C calc'!A0", "formula"),
        ("+SUM(A1)", "formula"),
        ("-x", "formula"),
        ("@now", "formula"),
        ("  =1", "formula"),
        ("a\0b", "NUL"),
        ("x" * 32_768, "32,767"),
        ("x" * 140_000, "32,767"),
        ("x" * 1024 * 1024, "32,767"),
    ],
)
def test_a_cell_that_cannot_stand(cell: str, words: str) -> None:
    found = faulty(csv("product,unit_price", "a,1", f'"{cell}",2'))
    assert len(found) == 1
    assert found[0].startswith("row 3, column A (product): ")
    assert words in found[0]


def test_a_megabyte_over_many_lines() -> None:
    cell = "\n".join(["x" * 99] * 10_000)
    found = faulty(csv("product,unit_price", f'a,"{cell}"'))
    assert [each.partition(":")[0] for each in found] == ["row 2, column B (unit_price)"]


def test_a_long_line_of_short_cells_is_refused_all_the_same() -> None:
    refusal = refused(b"product,unit_price\na,1" + b",x" * 3_000_000)
    assert refusal.field == "row 2"


@pytest.mark.parametrize("cell", ["-1.50", "+3", "- 4", "-1,50", "'=x", "''=x"])
def test_signs_of_numbers_and_marked_texts_are_no_formulas(cell: str) -> None:
    shown = cell[1:] if cell.startswith("'") else cell
    assert read(csv("product;unit_price", f"{cell};1")) == [
        (2, {"product": shown, "unit_price": "1"})
    ]


def test_an_unquoted_decimal_comma_is_a_cell_too_many() -> None:
    assert faulty(csv("product,unit_price", "a,1,50")) == [
        "row 2, column C: A cell without a header. Does a number before it hold a decimal comma?"
    ]


def test_too_many_rows() -> None:
    def lines(count: int) -> bytes:
        return b"product,unit_price\n" + b"a,1\n" * (count - 1)

    assert len(read(lines(TOO_MANY_ROWS - 1))) == TOO_MANY_ROWS - 2
    for count in (TOO_MANY_ROWS, 100_001):
        assert refused(lines(count)).field == "row 100000"


def test_a_file_past_its_size() -> None:
    class Large(BytesIO):
        def tell(self) -> int:
            return 51 * 1024 * 1024

    with pytest.raises(SheetRefused, match="50 MB"):
        read_sheet(Large(b"x"), name="a.csv", layout=LAYOUT)


# XLSX


def test_an_xlsx_sheet_says_what_was_typed() -> None:
    rows = [
        ["product", "unit_price", "match.x"],
        ["a", 49.9, 150],
        [None, None, None],
        [True, 1e-7, date(2026, 2, 1)],
        ["b", "0.30", datetime.fromisoformat("2026-02-01")],
        ["c", -12345678.25, 1.0],
    ]
    assert read(xlsx(rows), "sheet.xlsx") == [
        (2, {"product": "a", "unit_price": "49.9", "match.x": "150"}),
        (4, {"product": "true", "unit_price": "0.0000001", "match.x": "2026-02-01"}),
        (5, {"product": "b", "unit_price": "0.30", "match.x": "2026-02-01"}),
        (6, {"product": "c", "unit_price": "-12345678.25", "match.x": "1"}),
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("=A1*2", "formula"),
        ("=1+1", "formula"),
        ("#REF!", "error"),
        (time(3), "time"),
        (datetime.fromisoformat("2026-01-01T12:30"), "time"),
        (1234567890123456789, "15 digits"),
        ("x" * 32_768, "32,767"),
        ("+SUM(A1)", "formula"),
    ],
)
def test_an_xlsx_cell_that_cannot_stand(value: Any, words: str) -> None:
    if isinstance(value, str) and len(value) > 32_767:
        data = _with_text(value)
    else:
        data = xlsx([["product", "unit_price"], ["a", 1], ["b", value]])
    found = faulty(data, "sheet.xlsx")
    assert [each.partition(":")[0] for each in found] == ["row 3, column B (unit_price)"]
    assert words in found[0]


def _with_text(text: str) -> bytes:
    """openpyxl cuts long texts itself, so it is put into the file by hand."""
    return _changed(
        xlsx([["product", "unit_price"], ["a", 1], ["b", "PLACE"]]),
        SHEET,
        lambda body: body.replace(b"PLACE", text.encode()),
    )


def _changed(data: bytes, name: str, change: Any) -> bytes:
    out = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for part in old.namelist():
            body = old.read(part)
            new.writestr(part, change(body) if part == name else body)
    return out.getvalue()


def test_a_row_far_below_and_a_header_column_without_end_do_no_harm() -> None:
    far = _changed(
        xlsx([["product", "unit_price"], ["a", 1]]),
        "xl/worksheets/sheet1.xml",
        lambda body: body.replace(b'r="2"', b'r="1048576"').replace(b'"A1:B2"', b'"A1:XFD9"'),
    )
    assert refused(far, "sheet.xlsx").field == "row 1048576"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    out = BytesIO(xlsx([["product", "unit_price"], ["a", 1]]))
    name = "xl/worksheets/sheet2.xml"
    with ZipFile(out, "a", ZIP_DEFLATED) as archive, archive.open(name, "w") as part:
        for _ in range(410):
            part.write(b"0" * 1024 * 1024)
    assert len(out.getvalue()) < 2 * 1024 * 1024
    assert "unpacks" in refused(out.getvalue(), "sheet.xlsx").message


def test_entities_do_not_explode() -> None:
    lol = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    lol += b"".join(
        b'<!ENTITY %c "%s">' % (ord("b") + i, b"&%c;" % (ord("a") + i) * 10) for i in range(9)
    )
    bomb = _changed(
        xlsx([["product", "unit_price"], ["a", 1]]),
        SHEET,
        lambda body: lol + b"]>" + body.replace(b">a<", b">&j;<"),
    )
    assert "broken" in refused(bomb, "sheet.xlsx").message


@pytest.mark.parametrize(
    "part", ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"]
)
def test_a_broken_part(part: str) -> None:
    data = _changed(
        xlsx([["product", "unit_price"], ["a", 1]]), part, lambda body: body[: len(body) // 2]
    )
    assert "broken" in refused(data, "sheet.xlsx").message


def test_text_that_calls_itself_xlsx_and_two_sheets() -> None:
    assert "broken" in refused(csv("product,unit_price", "a,1"), "sheet.xlsx").message
    two = _two_sheets()
    assert "2 sheets" in refused(two, "sheet.xlsx").message


def _two_sheets() -> bytes:
    from_one = BytesIO(xlsx([["product", "unit_price"], ["a", 1]]))
    workbook = load_workbook(from_one)
    workbook.create_sheet("more")
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


# Writing

ODD = ["=1+1", "'=x", "-x", "-12.50", "a,b", 'a"b', "a;b", "Größe", "@x", "+1", "a\tb", ""]


@pytest.mark.parametrize(("write", "name"), [(write_csv, "a.csv"), (write_xlsx, "a.xlsx")])
def test_what_was_written_reads_back(write: Any, name: str) -> None:
    def rows() -> Iterator[list[str]]:
        return iter([["x", text] for text in ODD])

    data = b"".join(write(["product", "unit_price"], rows()))
    assert [cells.get("unit_price", "") for _, cells in read(data, name)] == ODD


def test_nothing_that_is_written_can_run() -> None:
    assert [harmless(text)[0] for text in ("=1", "+1", "-x", "@x")] == ["'"] * 4
    assert harmless("-1.5") == "-1.5"
