"""Price books from sheets: drafts, all or nothing, compared, taken back."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from o2b.catalog.exchange import charges
from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.options import BookOptions, OptionInvalid
from o2b.catalog.exchange.selectors import export_catalog
from o2b.catalog.exchange.services import NotUndoable, import_catalog, undo_import
from o2b.catalog.models import CatalogImport, Price, PriceBook, PriceBookVersion
from o2b.catalog.services import publish_price_book_version
from o2b.errors import Refused
from tests.factories import NOON, a_book_version, a_product
from tests.o2b.exchange.build import csv, faults, results, take, written, xlsx

pytestmark = pytest.mark.django_db

SPEEDS = [
    {"name": "speed", "type": "choice", "choices": ["100", "200"], "unit": "Mbit/s"},
    {"name": "years", "type": "integer", "minimum": 1, "maximum": 5},
    {"name": "floor", "type": "choice", "choices": [1, 2]},
]
HEADER = "product,key,kind,unit_price,model,tiers,interval"


@pytest.fixture(autouse=True)
def products() -> None:
    a_product(code="line", charges=[], characteristics=SPEEDS)
    a_product(code="seat", charges=[])


def test_a_sheet_becomes_a_draft_version_of_a_new_book() -> None:
    report = take(
        "books",
        csv(
            "product,key,kind,unit_price,interval,match.speed,match.years,discount_limit,tax_code",
            "line,monthly,recurring,49.90,month,100,1,,full",
            "line,monthly,recurring,59.90,month,100,2,15,full",
            "line,installation,one_time,99,,,,,",
        ),
    )
    assert (report.rows, report.counts, report.errors) == (3, {"new": 3}, 0)
    version = PriceBookVersion.objects.get()
    assert (version.state, version.number, str(version.valid_from)) == ("draft", 1, "2026-01-01")
    assert (version.book.code, version.book.currency, version.note) == ("list", "EUR", "sheet.csv")
    assert list(
        version.prices.order_by("pk").values_list(
            "product__code", "key", "unit_price", "interval_unit", "match", "discount_limit"
        )
    ) == [
        ("line", "monthly", Decimal("49.90"), "month", {"speed": "100", "years": "1"}, None),
        ("line", "monthly", Decimal("59.90"), "month", {"speed": "100", "years": "2"}, 15),
        ("line", "installation", Decimal(99), "", {}, None),
    ]
    assert results(report)[0] == (2, "new", 'line monthly {"speed": "100", "years": "1"}')
    taken = CatalogImport.objects.get(pk=report.import_id)
    assert (taken.rows, taken.report) == (3, {"rows": 3, "counts": {"new": 3}})
    assert taken.made == {
        "catalog.pricebookversion": [version.pk],
        "catalog.pricebook": [version.book_id],
    }


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    before = written()
    report = take("books", csv(HEADER, "seat,monthly,recurring,9.90,,,month"), dry_run=True)
    assert (report.counts, report.import_id, report.made) == ({"new": 1}, None, {})
    assert written() == before


# What a cell may say, and what the stored charge is.
SAID: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"interval": "quarter"}, {"interval_unit": "month", "interval_count": 3}),
    ({"interval": "half-year"}, {"interval_unit": "month", "interval_count": 6}),
    ({"interval": "2 years"}, {"interval_unit": "year", "interval_count": 2}),
    ({"interval": "14 days"}, {"interval_unit": "day", "interval_count": 14}),
    (
        {"model": "graduated", "tiers": "5:10:100; 15:5:50; *:2", "unit_price": ""},
        {
            "tiers": [
                {"up_to": "5", "unit_price": "10", "flat_fee": "100"},
                {"up_to": "15", "unit_price": "5", "flat_fee": "50"},
                {"unit_price": "2"},
            ]
        },
    ),
    (
        {"model": "graduated", "tiers": "500:5::100; *:2", "unit_price": "0"},
        {"tiers": [{"up_to": "500", "unit_price": "5", "block": "100"}, {"unit_price": "2"}]},
    ),
    ({"model": "package", "package_size": "10"}, {"details": {"package_size": "10"}}),
    (
        {"minimum": "5.50", "maximum": "100", "included": "3"},
        {"details": {"minimum": "5.5", "maximum": "100", "allowance": {"units": "3"}}},
    ),
    ({"kind": "usage"}, {"timing": "arrears"}),
    ({"timing": "arrears", "alignment": "calendar", "proration": "none"}, {"proration": "none"}),
    (
        {"kind": "usage", "meter": "voice", "where": "zone=eu | de; carrier=a"},
        {"details": {"meter": "voice", "where": {"carrier": ["a"], "zone": ["de", "eu"]}}},
    ),
    (
        {"kind": "usage", "where": '{"zone": ["a;b"]}'},
        {"details": {"where": {"zone": ["a;b"]}}},
    ),
    (
        {"grants": "500 data; rollover 100 for 2 periods; priority 10; prorated; once"},
        {
            "details": {
                "grant": {
                    "units": "500",
                    "meter": "data",
                    "rollover": "100",
                    "rollover_periods": 2,
                    "priority": 10,
                    "prorated": True,
                    "per_unit": False,
                }
            }
        },
    ),
    (
        {"kind": "one_time", "interval": "", "grants": "50.00 money; lasts 3 months"},
        {"details": {"grant": {"units": "50", "lasts": ["month", 3]}}},
    ),
    ({"details": '{"trial": ["month", 1, false]}'}, {"details": {"trial": ["month", 1, False]}}),
    ({"from_version": "2", "to_version": "3"}, {"from_version": 2, "to_version": 3}),
]


@pytest.mark.parametrize(("said", "stored"), SAID)
def test_each_column_is_read_and_comes_back(said: dict[str, str], stored: dict[str, Any]) -> None:
    row = {"product": "seat", "key": "k", "kind": "recurring", "unit_price": "2"}
    row |= {"interval": "month"} | said
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in row.values()]
    report = take("books", csv(",".join(row), ",".join(quoted)))
    assert faults(report) == []
    price = Price.objects.get()
    assert {name: getattr(price, name) for name in stored} == stored
    sheet = b"".join(export_catalog(kind="books", selection=price.version_id))
    again = take("books", sheet, dry_run=True)
    assert again.counts == {"unchanged": 1}


GOOD = {"product": "seat", "key": "k", "kind": "recurring", "unit_price": "2", "interval": "month"}
BAD: list[tuple[dict[str, str], str, str]] = [
    ({"product": "nothing"}, "column A (product)", "no product “nothing”"),
    ({"product": ""}, "column A (product)", "empty"),
    ({"key": ""}, "column B (key)", "code"),
    ({"key": "a b"}, "column B (key)", "code"),
    ({"key": "k" * 41}, "column B (key)", "40"),
    ({"kind": "often"}, "column C (kind)", "one_time, recurring, usage"),
    ({"unit_price": ""}, "column D (unit_price)", "no number"),
    ({"unit_price": "1,50"}, "column D (unit_price)", "write 1.50, with a point"),
    ({"unit_price": "1.234,50"}, "column D (unit_price)", "decimal comma"),
    ({"unit_price": "-1,50"}, "column D (unit_price)", "decimal comma"),
    ({"unit_price": "1e3"}, "column D (unit_price)", "exponent"),
    ({"unit_price": "NaN"}, "column D (unit_price)", "no number"),
    ({"unit_price": "Infinity"}, "column D (unit_price)", "no number"),
    ({"unit_price": "5 EUR"}, "column D (unit_price)", "no number"),
    ({"unit_price": "0.123456789"}, "column D (unit_price)", "8 after"),
    ({"unit_price": "123456789012345"}, "column D (unit_price)", "14 digits"),
    ({"unit_price": "=1+1"}, "column D (unit_price)", "formula"),
    ({"unit_price": "٣"}, "column D (unit_price)", "no number"),
    ({"interval": ""}, "column E (interval)", "needs an interval"),
    ({"interval": "sometimes"}, "column E (interval)", "no interval"),
    ({"interval": "0 months"}, "column E (interval)", "no interval"),
    ({"interval": "9999 months"}, "column E (interval)", "366"),
    ({"kind": "one_time"}, "column E (interval)", "no interval"),
    ({"model": "magic"}, "column F (model)", "magic"),
    ({"model": "graduated"}, "column G (tiers)", "needs tiers"),
    ({"model": "graduated", "tiers": "5:1; *:2"}, "", ""),
    ({"model": "graduated", "tiers": "5:1; 3:2"}, "column G (tiers)", "ascend"),
    ({"model": "graduated", "tiers": "*:1; 3:2"}, "column G (tiers)", "without end"),
    ({"model": "graduated", "tiers": "5"}, "column G (tiers)", "no tier"),
    ({"model": "graduated", "tiers": "5:1:2:3:4"}, "column G (tiers)", "no tier"),
    ({"model": "graduated", "tiers": "5:1,5"}, "column G (tiers)", "decimal comma"),
    ({"tiers": "5:1"}, "column G (tiers)", "has no tiers"),
    ({"model": "package"}, "column H (package_size)", "needs"),
    ({"model": "package", "package_size": "-1"}, "column H (package_size)", "more than zero"),
    ({"package_size": "5"}, "column H (package_size)", "does not use"),
    ({"minimum": "-1"}, "column I (minimum)", "negative"),
    ({"minimum": "5", "maximum": "4"}, "column J (maximum)", "below the minimum"),
    ({"included": "x"}, "column K (included)", "no number"),
    ({"timing": "later"}, "column L (timing)", "advance, arrears"),
    ({"kind": "usage", "timing": "advance"}, "column L (timing)", "arrears"),
    ({"details": "{"}, "column M (details)", "JSON"),
    ({"details": "[]"}, "column M (details)", "{…}"),
    ({"details": '{"minimum": 1.5}'}, "column M (details)", "quotes"),
    ({"details": '{"nothing": 1}'}, "column M (details)", "nothing"),
    ({"details": '{"minimum": "1"}', "minimum": "1"}, "column I (minimum)", "once"),
    ({"tax_code": "a b"}, "column N (tax_code)", "code"),
    ({"from_version": "0"}, "column O (from_version)", "whole number"),
    ({"from_version": "3", "to_version": "2"}, "column P (to_version)", "whole number from 3"),
    ({"discount_limit": "101"}, "column Q (discount_limit)", "0 to 100"),
    ({"match.speed": "300"}, "column R (match.speed)", "no characteristic"),
    ({"grants": "500"}, "column S (grants)", "write units and a meter"),
    ({"grants": "0 data"}, "column S (grants)", "grant.units: "),
    ({"grants": "5 data; lasts month"}, "column S (grants)", "last for its period"),
    ({"grants": "5 money; rollover 1"}, "column S (grants)", "money stays as long"),
    ({"grants": "5 data; priority 9999"}, "column S (grants)", "grant.priority: "),
    ({"kind": "usage", "grants": "5 data"}, "column S (grants)", "what is used grants nothing"),
    ({"details": '{"grant": {"units": "1"}}', "grants": "1 money"}, "column S (grants)", "once"),
]


@pytest.mark.parametrize(("wrong", "where", "words"), BAD)
def test_a_bad_row_is_named_with_its_cell(wrong: dict[str, str], where: str, words: str) -> None:
    optional = "model tiers package_size minimum maximum included timing details tax_code"
    names = [*GOOD, *optional.split(), "from_version", "to_version", "discount_limit"]
    row = dict.fromkeys([*names, "match.speed", "grants"], "") | GOOD | wrong
    before = written()
    lines = [[*GOOD.values()], [*row.values()]]
    lines[0][1] = "other"
    quoted = [",".join('"' + c.replace('"', '""') + '"' for c in line) for line in lines]
    report = take("books", csv(",".join(row), *quoted), dry_run=not where)
    if not where:
        assert faults(report) == []
        return
    assert [str(f.where) for f in report.faults] == [f"row 3, {where}"]
    assert words in report.faults[0].message
    assert report.errors == 1
    assert written() == before


@pytest.mark.parametrize(
    ("cells", "where", "words"),
    [
        ("300,1,", "column F (match.speed)", "100, 200"),
        ("100,6,", "column G (match.years)", "at most 5"),
        ("100,one,", "column G (match.years)", "a number"),
        ("100,1,3", "column H (match.floor)", "1, 2"),
    ],
)
def test_a_characteristic_outside_its_range(cells: str, where: str, words: str) -> None:
    before = written()
    header = "product,key,kind,unit_price,interval,match.speed,match.years,match.floor"
    report = take(
        "books",
        csv(header, "line,k,recurring,1,month,100,1,1", f"line,k,recurring,1,month,{cells}"),
    )
    assert [str(f.where) for f in report.faults] == [f"row 3, {where}"]
    assert words in report.faults[0].message
    assert written() == before


def test_the_same_charge_twice() -> None:
    line = "seat,monthly,recurring,9.90,,,month"
    report = take("books", csv(HEADER, line, line.replace("monthly", "other"), line))
    assert faults(report) == [
        "row 4, column B (key): The same charge stands in row 2: delete one of them."
    ]
    assert not PriceBook.objects.exists()


def test_many_faults_are_told_up_to_two_hundred() -> None:
    report = take("books", csv(HEADER, *["seat,k,recurring,x,,,month"] * 300))
    assert (report.errors, len(report.faults), report.rows) == (300, 200, 300)
    assert len(results(report)) == 300
    assert not PriceBook.objects.exists()


def test_a_sheet_that_breaks_off_leaves_nothing() -> None:
    before = written()
    good = [f"seat,k{i},recurring,1,,,month" for i in range(5000)]
    with pytest.raises(SheetRefused, match="row 5002"):
        take("books", csv(HEADER, *good, 'seat,"k"x,recurring,1,,,month'))
    with pytest.raises(SheetRefused, match="100,000"):
        take("books", b"product,key,kind,unit_price\n" + b"seat,k,one_time,1\n" * 100_001)
    assert written() == before


def test_an_xlsx_sheet_with_a_formula() -> None:
    before = written()
    rows: list[list[Any]] = [HEADER.split(","), ["seat", "k", "recurring", 9.9, "", "", "month"]]
    report = take("books", xlsx([*rows, ["seat", "x", "recurring", "=D2*2", "", "", "month"]]))
    assert [f.where for f in report.faults] == ["row 3, column D (unit_price)"]
    assert "formula" in report.faults[0].message
    assert written() == before
    assert take("books", xlsx(rows), file="a.xlsx").counts == {"new": 1}
    assert Price.objects.get().unit_price == Decimal("9.9")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"book": ""}, "book"),
        ({"book": "a b"}, "book"),
        ({"valid_from": ""}, "valid_from"),
        ({"valid_from": "01.02.2026"}, "valid_from"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"currency": ""}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"segment": "a b"}, "segment"),
        ({"name": "x" * 201}, "name"),
        ({"colour": "red"}, "colour"),
        ({"book": "there", "currency": "USD"}, "currency"),
        ({"book": "there", "segment": "gold"}, "segment"),
        ({"is_default": True}, "is_default"),
    ],
)
def test_an_option_that_contradicts(options: dict[str, Any], field: str) -> None:
    a_book_version(code="there")
    before = written()
    with pytest.raises(OptionInvalid) as caught:
        take("books", csv(HEADER, "seat,k,recurring,1,,,month"), **options)
    assert caught.value.field == field
    assert written() == before


def test_beside_the_version_before() -> None:
    lines = [f"seat,k{i},recurring,{i}.50,,,month" for i in range(4)]
    take("books", csv(HEADER, *lines))
    changed = [
        lines[0],
        lines[1].replace("1.50", "1.75"),
        lines[2].replace("month", "quarter"),
        "seat,fresh,recurring,8,,,month",
    ]
    report = take("books", csv(HEADER, *changed), valid_from="2026-02-01", currency="")
    assert report.counts == {"unchanged": 1, "changed": 2, "new": 1, "vanished": 1}
    assert [tuple(each) for each in report.each()] == [
        (2, "unchanged", "seat k0", "0.5", "0.5", ""),
        (3, "changed", "seat k1", "1.5", "1.75", "unit_price"),
        (4, "changed", "seat k2", "2.5", "2.5", "interval"),
        (5, "new", "seat fresh", "", "8", ""),
        (0, "vanished", "seat k3", "3.5", "", ""),
    ]
    assert list(PriceBookVersion.objects.values_list("number", "valid_from__month")) == [
        (2, 2),
        (1, 1),
    ]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_round_trip_changes_nothing(form: str) -> None:
    header = (
        "product,key,kind,unit_price,interval,match.speed,match.years,details,included,tiers,model"
    )
    take(
        "books",
        csv(
            header,
            "line,monthly,recurring,49.90,month,100,1,,3,,",
            "line,monthly,recurring,1.5,month,,,,,,",
            'line,u,usage,2,month,,,"{""allowance"":{""units"":""5"",""rollover"":""9""}}",,,',
            "seat,t,recurring,,quarter,,,,,5:10:100; *:2,volume",
            "seat,credit,one_time,-12.5,,,,,,,flat",
        ),
    )
    version = PriceBookVersion.objects.get()
    before = written()
    first = b"".join(export_catalog(kind="books", selection=version.pk, form=form))
    report = take("books", first, file=f"a.{form}")
    assert (report.counts, report.import_id) == ({"unchanged": 5}, None)
    assert written() == before
    # Into another book: the same sheet comes out.
    take("books", first, file=f"a.{form}", book="copy")
    copy = PriceBookVersion.objects.get(book__code="copy")
    table = export_catalog(kind="books", selection=copy.pk)
    original = export_catalog(kind="books", selection=version.pk)
    assert b"".join(table) == b"".join(original)


def test_undo_deletes_exactly_the_drafts() -> None:
    line = "seat,k,recurring,1,,,month"
    before = written()
    first = take("books", csv(HEADER, line))
    between = written()
    second = take("books", csv(HEADER, line.replace(",1,", ",2,")))
    undo_import(import_id=second.import_id, by_id=None, at=NOON)
    assert written() == between | {"CatalogImport": 2}
    with pytest.raises(NotUndoable, match="already"):
        undo_import(import_id=second.import_id, by_id=None, at=NOON)
    undo_import(import_id=first.import_id, by_id=None, at=NOON)
    assert written() == before | {"CatalogImport": 2}
    assert CatalogImport.objects.get(pk=first.import_id).undone_at == NOON


def test_undo_is_refused_once_something_is_published() -> None:
    report = take("books", csv(HEADER, "seat,k,recurring,1,,,month"))
    version = PriceBookVersion.objects.get()
    publish_price_book_version(version_id=version.pk, at=NOON)
    before = written()
    with pytest.raises(NotUndoable, match=str(version)):
        undo_import(import_id=report.import_id, by_id=None, at=NOON)
    assert written() == before


def test_a_book_that_got_another_version_stays_when_its_first_is_undone() -> None:
    line = "seat,k,recurring,1,,,month"
    first = take("books", csv(HEADER, line))
    take("books", csv(HEADER, line.replace(",1,", ",2,")))
    undo_import(import_id=first.import_id, by_id=None, at=NOON)
    assert list(PriceBookVersion.objects.values_list("number", flat=True)) == [2]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        import_catalog(kind="meters", stream=BytesIO(b"x"), file_name="x", by_id=None, at=NOON)
    assert caught.value.field == "kind"


def test_a_shape_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = charges._shape
    monkeypatch.setattr(charges, "_shape", lambda *a: calls.append(a) or real(*a))
    lines = [f"seat,k{i},recurring,{i},,,month" for i in range(50)]
    take("books", csv(HEADER, *lines))
    assert len(calls) == 1


def test_the_same_number_taken_meanwhile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another transaction makes the book between look-up and writing."""
    a_book_version(code="list", currency="EUR")
    before = written()
    monkeypatch.setattr(BookOptions, "open_book", lambda self: (self._new_book(), True))
    with pytest.raises(SheetRefused, match="meanwhile"):
        take("books", csv(HEADER, "seat,k,recurring,1,,,month"))
    assert written() == before


def test_from_when_until_when() -> None:
    line = csv(HEADER, "seat,k,recurring,1,,,month")
    take("books", line, valid_to="2026-07-01")
    assert str(PriceBookVersion.objects.get().valid_to) == "2026-07-01"
    with pytest.raises(OptionInvalid, match="ends before"):
        take("books", line, valid_to="2026-01-01")
