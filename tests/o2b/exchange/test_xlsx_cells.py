"""The cells of a workbook, as other programs write them: what they say, and what no sheet says."""

from collections.abc import Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.sheets import Layout, read_sheet
from tests.o2b.exchange.build import xlsx

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
TYPES = "[Content_Types].xml"
STRINGS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
LAYOUT = Layout(("product", "unit_price"))
PLAIN, DAY, TIMES = 0, 14, 46
START = "2026-01-15"
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
BROKEN = "The file is broken: it is no XLSX file. Save it again as XLSX."


def workbook(rows: str, *, texts: Sequence[str] = (), epoch_1904: bool = False) -> bytes:
    """A workbook whose rows below the header are given as XML; style 1 is a day, 2 a duration."""
    book = Workbook()
    if epoch_1904:
        book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    sheet.append(["product", "unit_price"])
    for i, number in enumerate((DAY, TIMES)):
        sheet.cell(3 + i, 1, 1).number_format = BUILTIN_FORMATS[number]
    plain = BytesIO()
    book.save(plain)
    strings = "".join(f"<si>{text}</si>" for text in texts)
    told = f'<Override PartName="/{STRINGS}" ContentType="{STRINGS_TYPE}"/></Types>'
    out = BytesIO()
    with ZipFile(plain) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = old.read(name).decode()
            if name == SHEET:
                head, _row, _rest = body.partition('<row r="3"')
                body = f"{head}{rows}</sheetData></worksheet>"
            new.writestr(name, body.replace("</Types>", told) if name == TYPES else body)
        new.writestr(STRINGS, f"<sst {NS}>{strings}</sst>")
    return out.getvalue()


def read(rows: str, **others: object) -> list[list[str]]:
    found = list(read_sheet(BytesIO(workbook(rows, **others)), name="a.xlsx", layout=LAYOUT))
    assert [str(fault) for row in found for fault in row.faults] == []
    return [list(row.cells.values()) for row in found]


def faulty(rows: str, **others: object) -> list[str]:
    found = read_sheet(BytesIO(workbook(rows, **others)), name="a.xlsx", layout=LAYOUT)
    return [str(fault) for row in found for fault in row.faults]


def refused(rows: str) -> str:
    with pytest.raises(SheetRefused) as caught:
        list(read_sheet(BytesIO(workbook(rows)), name="a.xlsx", layout=LAYOUT))
    return caught.value.message


def one(cell: str) -> str:
    return f'<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c>{cell}</row>'


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ('<c r="B2"><v>49.9</v></c>', "49.9"),
        ('<c r="B2" t="n"><v>49.899999999999999</v></c>', "49.9"),
        ('<c r="B2"><v>007</v></c>', "7"),
        ('<c r="B2"><v>000</v></c>', "0"),
        ('<c r="B2"><v>-3</v></c>', "-3"),
        ('<c r="B2"><v>1.5E3</v></c>', "1500"),
        ('<c r="B2"><v>999999999999999</v></c>', "999999999999999"),
        ('<c r="B2"><v>1000000000000000000</v></c>', "1000000000000000000"),
        ('<c r="B2" s="1"><v>46037</v></c>', START),
        ('<c r="B2" t="d"><v>2026-01-15T00:00:00</v></c>', START),
        ('<c r="B2" t="d"><v>2026-01-15</v></c>', START),
        ('<c r="B2" t="b"><v>0</v></c>', "false"),
        ('<c r="B2" t="str"><v>as text</v></c>', "as text"),
        ('<c r="B2" t="s"><v>0</v></c>', "shared"),
        ('<c r="B2" t="s"><v>1</v></c>', "in two runs"),
        ('<c r="B2" t="inlineStr"><is><r><t>in </t></r><r><t>two</t></r></is></c>', "in two"),
        ('<c r="B2" t="inlineStr"><is><t>x</t><rPh sb="0" eb="1"><t>y</t></rPh></is></c>', "x"),
        ('<c t="inlineStr"><is><t>beside the one before</t></is></c>', "beside the one before"),
        ('<c r="B2" t="n"/>', ""),
        ('<c r="B2" t="inlineStr"><is/></c>', ""),
        ("", ""),
    ],
)
def test_what_a_cell_says(cell: str, says: str) -> None:
    texts = ["<t>shared</t>", "<r><t>in </t></r><r><t>two runs</t></r>"]
    assert [row[1:] for row in read(one(cell), texts=texts)] == [[says] if cell else []]


def test_days_are_counted_from_the_workbooks_own_beginning() -> None:
    assert read(one('<c r="B2" s="1"><v>44575</v></c>'), epoch_1904=True) == [["a", START]]


def test_rows_without_numbers_count_themselves() -> None:
    row = '<row><c t="inlineStr"><is><t>a</t></is></c><c><v>1</v></c></row>'
    assert read(row * 2) == [["a", "1"], ["a", "1"]]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('<c r="B2"><f>1+1</f><v>2</v></c>', "formula"),
        ('<c r="B2" t="str"><f>A1</f><v>x</v></c>', "formula"),
        ('<c r="B2"><f t="shared" si="0"/><v>2</v></c>', "formula"),
        ('<c r="B2"><f t="array" ref="B2:B9">A1:A8</f><v>2</v></c>', "formula"),
        ('<c r="B2"><f t="dataTable" ref="B2:B9" r1="A1"/><v>2</v></c>', "formula"),
        ('<c r="B2" t="e"><v>#REF!</v></c>', "error"),
        ('<c r="B2" s="1"><v>1e12</v></c>', "error"),
        ('<c r="B2" s="1"><v>46037.5</v></c>', "time"),
        ('<c r="B2" s="2"><v>1.5</v></c>', "time"),
        ('<c r="B2"><v>1e999</v></c>', "15 digits"),
        ('<c r="B2"><v>10000000000000001</v></c>', "15 digits"),
    ],
)
def test_a_cell_that_cannot_stand_is_named(cell: str, words: str) -> None:
    (found,) = faulty(one(cell))
    assert found.startswith("row 2, column B (unit_price): ")
    assert words in found


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="3"/><row r="2"><c r="A2"><v>1</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row>',
        '<row r="1048577"><c r="A1"><v>1</v></c></row>',
        '<row r="x"><c r="A2"><v>1</v></c></row>',
        '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>2</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>',
        '<row r="2"><c r="XFE2"><v>1</v></c></row>',
        '<row r="2"><c r="AAAAAA2"><v>1</v></c></row>',
        one('<c r="B2"><v>one</v></c>'),
        one(f'<c r="B2"><v>{"9" * 5000}</v></c>'),
        one('<c r="B2" t="s"><v>99</v></c>'),
        one('<c r="B2" t="s"><v>-1</v></c>'),
        one('<c r="B2" t="odd"><v>1</v></c>'),
        one('<c r="B2" t="d"><v>yesterday</v></c>'),
        one('<c r="B2"><v>1</v>'),
    ],
)
def test_what_no_spreadsheet_writes_is_refused_and_nothing_left_out(rows: str) -> None:
    assert refused(rows) == BROKEN


def test_a_part_that_is_no_worksheet() -> None:
    out = BytesIO()
    with ZipFile(BytesIO(xlsx([["product", "unit_price"]]))) as old, ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, "<html/>" if name == SHEET else old.read(name))
    with pytest.raises(SheetRefused, match="broken"):
        list(read_sheet(out, name="a.xlsx", layout=LAYOUT))


def test_odd_properties_do_no_harm() -> None:
    """openpyxl would stumble over them; a sheet of prices needs none."""
    out = BytesIO()
    sheet = BytesIO(xlsx([["product", "unit_price"], ["a", 1]]))
    with ZipFile(sheet) as old, ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"<odd/>" if name == "docProps/core.xml" else old.read(name))
    rows = list(read_sheet(out, name="a.xlsx", layout=LAYOUT))
    assert [dict(row.cells) for row in rows] == [{"product": "a", "unit_price": "1"}]
