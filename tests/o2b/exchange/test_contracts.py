"""Contracts from sheets: a head that repeats, charges row by row."""

from decimal import Decimal

import pytest

from o2b.catalog.exchange.selectors import export_catalog
from o2b.catalog.exchange.services import NotUndoable, undo_import
from o2b.catalog.models import Contract, ContractCommitment, ContractPool
from o2b.catalog.services import sign_contract
from tests.factories import NOON, a_product, an_account
from tests.o2b.exchange.build import csv, faults, take, written

pytestmark = pytest.mark.django_db

HEADER = (
    "account,contract,valid_from,valid_to,term_months,discounts,commitments,pools,"
    "product,key,kind,unit_price,interval,match.speed"
)
MINIMUM = '"[{""kind"": ""minimum"", ""amount"": ""500"", ""interval"": ""quarter""}]"'
POOL = '"[{""name"": ""Data"", ""units"": ""1000"", ""unit"": ""GB"", ""price"": ""99.5""}]"'
ROWS = (
    f"A-77,C-1,2026-01-01,2028-01-01,24,10%; 5,{MINIMUM},{POOL},"
    "line,monthly,recurring,39.90,month,100",
    "A-77,C-1,2026-01-01,,,,,,line,setup,one_time,0,,",
    "A-78,C-9,2026-03-01,,,,,,,,,,,",
)


@pytest.fixture(autouse=True)
def accounts() -> None:
    an_account(reference="A-77")
    an_account(reference="A-78", currency="USD")
    specs = [{"name": "speed", "type": "integer"}]
    a_product(code="line", charges=[], characteristics=specs)


def test_rows_become_draft_contracts() -> None:
    report = take("contracts", csv(HEADER, *ROWS))
    assert faults(report) == []
    assert report.counts == {"new": 4}  # each head, and two charges
    first, second = Contract.objects.order_by("code")
    assert (first.state, first.number, first.term_months) == ("draft", 1, 24)
    assert (str(first.valid_from), str(first.valid_to)) == ("2026-01-01", "2028-01-01")
    assert [(d.kind, d.value) for d in first.discounts.all()] == [("percent", 10), ("amount", 5)]
    assert list(first.prices.order_by("pk").values_list("key", "unit_price", "match")) == [
        ("monthly", Decimal("39.90"), {"speed": "100"}),
        ("setup", Decimal(0), {}),
    ]
    commitment = ContractCommitment.objects.get(contract=first)
    assert (commitment.amount, commitment.interval_count) == (500, 3)
    pool = ContractPool.objects.get(contract=first)
    assert (pool.name, pool.units, pool.price) == ("Data", 1000, Decimal("99.5"))
    assert (second.account.reference, second.prices.count()) == ("A-78", 0)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_round_trip_changes_nothing(form: str) -> None:
    take("contracts", csv(HEADER, *ROWS))
    before = written()
    sheet = b"".join(export_catalog(kind="contracts", form=form))
    report = take("contracts", sheet, file=f"a.{form}")
    assert faults(report) == []
    assert (set(report.counts), report.import_id) == ({"unchanged"}, None)
    assert written() == before


def test_a_change_becomes_the_next_version_of_that_contract_alone() -> None:
    take("contracts", csv(HEADER, *ROWS))
    changed = [ROWS[0].replace("39.90", "35.00"), *ROWS[2:]]
    report = take("contracts", csv(HEADER, *changed))
    assert [tuple(each) for each in report.each()] == [
        (2, "changed", 'A-77 C-1 line monthly {"speed":"100"}', "39.9", "35", "unit_price"),
        (0, "vanished", "A-77 C-1 line setup", "0", "", ""),
        (3, "unchanged", "A-78 C-9", "", "", ""),
    ]
    assert list(Contract.objects.order_by("code", "number").values_list("code", "number")) == [
        ("C-1", 1),
        ("C-1", 2),
        ("C-9", 1),
    ]


BAD = [
    ("A-0,C-1,2026-01-01,,,,,,,,,,,", "column A (account)", "no account"),
    ("A-77,,2026-01-01,,,,,,,,,,,", "column B (contract)", "empty"),
    ("A-77,C-1,,,,,,,,,,,,", "column C (valid_from)", "YYYY-MM-DD"),
    ("A-77,C-1,1.2.2026,,,,,,,,,,,", "column C (valid_from)", "YYYY-MM-DD"),
    ("A-77,C-1,2026-02-30,,,,,,,,,,,", "column C (valid_from)", "YYYY-MM-DD"),
    ("A-77,C-1,2026-01-01,2026-01-01,,,,,,,,,,", "column D (valid_to)", "before it begins"),
    ("A-77,C-1,2026-01-01,,x,,,,,,,,,", "column E (term_months)", "whole number"),
    ("A-77,C-1,2026-01-01,,,101%,,,,,,,,", "column F (discounts)", "100"),
    ('A-77,C-1,2026-01-01,,,"1,5%",,,,,,,,', "column F (discounts)", "decimal comma"),
    ("A-77,C-1,2026-01-01,,,,[1],,,,,,,", "column G (commitments)", "objects"),
    (
        'A-77,C-1,2026-01-01,,,,"[{""kind"":""most"",""amount"":""1""}]",,,,,,,',
        "column G (commitments)",
        "minimum",
    ),
    (
        'A-77,C-1,2026-01-01,,,,"[{""kind"":""minimum"",""amount"":""1"",""product"":""x""}]",,,,,,,',
        "column G (commitments)",
        "no product",
    ),
    (
        'A-77,C-1,2026-01-01,,,,,"[{""name"":""a"",""units"":""0"",""unit"":""GB""}]",,,,,,',
        "column H (pools)",
        "more than nothing",
    ),
    (
        'A-77,C-1,2026-01-01,,,,,"[{""name"":""a"",""units"":""9999999999999"",""unit"":""GB""}]",,,,,,',
        "column H (pools)",
        "12 digits",
    ),
    ("A-77,C-1,2026-01-01,,,1.1234567%,,,,,,,,", "column F (discounts)", "6 decimals"),
    ("A-77,C-1,2026-01-01,,,,,,gone,k,one_time,1,,", "column I (product)", "no product"),
    ('A-77,C-1,2026-01-01,,,,,,line,k,one_time,"1,5",,', "column L (unit_price)", "comma"),
    ("A-77,C-1,2026-01-01,,,,,,line,k,one_time,1,,fast", "column N (match.speed)", "number"),
]


@pytest.mark.parametrize(("row", "where", "words"), BAD)
def test_a_bad_row_is_named_with_its_cell(row: str, where: str, words: str) -> None:
    before = written()
    report = take("contracts", csv(HEADER, ROWS[2], row))
    assert [f.where for f in report.faults] == [f"row 3, {where}"]
    assert words in report.faults[0].message
    assert written() == before


def test_rows_of_a_contract_agree_and_stand_together() -> None:
    before = written()
    later = "A-77,C-1,2026-02-01,,,,,,line,setup,one_time,0,,"
    report = take("contracts", csv(HEADER, ROWS[0], later, ROWS[2], ROWS[1]))
    assert [f.where for f in report.faults] == [
        "row 3, column C (valid_from)",
        "row 5, column B (contract)",
    ]
    report = take("contracts", csv(HEADER, ROWS[1], ROWS[1]))
    assert [f.where for f in report.faults] == ["row 3, column J (key)"]
    assert written() == before


def test_dry_run_undo_and_a_signed_contract() -> None:
    before = written()
    assert take("contracts", csv(HEADER, *ROWS), dry_run=True).counts == {"new": 4}
    assert written() == before
    report = take("contracts", csv(HEADER, *ROWS))
    undo_import(import_id=report.import_id, by_id=None, at=NOON)
    assert written() == before | {"CatalogImport": 1}
    assert not ContractPool.objects.exists()
    report = take("contracts", csv(HEADER, *ROWS))
    sign_contract(contract_id=Contract.objects.get(code="C-9").pk, at=NOON)
    with pytest.raises(NotUndoable, match="C-9"):
        undo_import(import_id=report.import_id, by_id=None, at=NOON)
    assert Contract.objects.count() == 2
