"""Ready packs load whole or not at all, link retired products on, and price what they say."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from o2b.catalog.models import (
    Contract,
    MeterVersion,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
)
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.resolution import Wanted, resolve
from o2b.catalog.selectors import meters_in_force
from o2b.catalog.services import successor_of, warnings_of_book_version
from o2b.charging import price
from o2b.customers.models import Account
from o2b.packs.meters import load_meter
from o2b.packs.reading import names
from o2b.packs.refusals import PackInvalid
from o2b.people.services import ensure_demo_people

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
OTHER_ZONES = "zone=mobile, zone=international"


def load(pack: str) -> dict[str, object]:
    out = StringIO()
    call_command("load_pack", pack, "--advocate", ensure_demo_people()[0].username, stdout=out)
    return json.loads(out.getvalue())


def charges_of(account: str, product: str, **characteristics: str) -> dict[str, Decimal]:
    """What one unit costs for a full period, by charge."""
    version = ProductVersion.objects.get(product__code=product, state=Lifecycle.PUBLISHED)
    wanted = Wanted(version, Decimal(1), characteristics=characteristics)
    found = resolve(
        account=Account.objects.select_related("customer", "legal_entity").get(reference=account),
        wanted=[wanted],
        on=date(2026, 11, 1),
    )
    return {charge.key: price(charge, Decimal(1)) for charge in found[0].terms.charges}


def test_three_packs_come_with_the_product():
    assert names() == ["laboratory", "software", "telecom"]


@pytest.mark.parametrize(
    ("pack", "loaded"),
    [
        ("telecom", {"products": 14, "plans": 14, "prices": 72, "contracts": 2, "accounts": 4}),
        ("software", {"products": 11, "plans": 11, "prices": 27, "contracts": 2, "accounts": 3}),
        ("laboratory", {"products": 10, "plans": 10, "prices": 46, "contracts": 1, "accounts": 3}),
    ],
)
def test_a_pack_is_loaded_published_and_signed(pack, loaded):
    told = load(pack)
    assert {name: told[name] for name in ("pack", *loaded)} == {"pack": pack, **loaded}
    assert not ProductVersion.objects.filter(state=Lifecycle.DRAFT).exists()
    assert not PriceBookVersion.objects.filter(state=Lifecycle.DRAFT).exists()
    assert not Contract.objects.filter(state=Contract.State.DRAFT).exists()
    for version in ProductVersion.objects.filter(state=Lifecycle.RETIRED):
        following = successor_of(version)
        assert following is not None
        assert following.state == Lifecycle.PUBLISHED


@pytest.mark.parametrize(
    ("pack", "meters"),
    [
        ("software", {"api-calls": "sum", "storage": "average", "payments": "each"}),
        ("telecom", {"voice": "each"}),
        ("laboratory", {"tests": "sum", "reports": "sum"}),
    ],
)
def test_a_pack_brings_the_meters_of_its_prices(pack, meters):
    load(pack)
    found = meters_in_force(date(2025, 1, 1))
    assert {code: row.aggregation.value for code, row in found.items()} == meters
    for version in PriceBookVersion.objects.filter(state=Lifecycle.PUBLISHED):
        # Telecom prices national calls alone, and says so: others are counted and cost nothing.
        left_over = {OTHER_ZONES} if pack == "telecom" else set()
        assert {w.facts["what"] for w in warnings_of_book_version(version)} == left_over
        usage = version.prices.filter(kind="usage")
        assert {price.meter for price in usage} == set(meters)


def test_a_meter_of_another_pack_is_used_again_if_it_is_the_same():
    said = {"code": "voice", "name": "Voice", "unit": "second", "aggregation": "each"}
    for _ in range(2):
        load_meter(said, starts_on=date(2025, 1, 1), at=NOW)
    assert MeterVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"unit": "minute"}, "another meter"),
        ({"colour": "red"}, "colour"),
        ({"code": "new", "aggregation": "median"}, "aggregation"),
        ({"code": "new", "unit": 7}, "code, name, unit"),
        ({"code": "new", "decimals": "two"}, "whole number"),
        ({"code": "new", "timed": "yes"}, "true or false"),
        ({"code": "new", "most": "much"}, "number"),
        ({"code": "new", "most": 1.5}, "number"),
        ({"code": "new", "least": 2, "most": 1}, "most: "),
        ({"code": "new", "dimensions": [{"name": "Zone"}]}, "dimensions[0].name"),
    ],
)
def test_a_meter_that_cannot_be_is_refused(said, words):
    fixed = {"code": "voice", "name": "Voice", "unit": "second", "aggregation": "each"}
    load_meter(fixed, starts_on=date(2025, 1, 1), at=NOW)
    with pytest.raises(PackInvalid) as caught, transaction.atomic():
        load_meter(fixed | said, starts_on=date(2025, 1, 1), at=NOW)
    assert words in caught.value.message
    assert caught.value.field == "pack.toml"
    assert MeterVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("pack", "account", "product", "characteristics", "costs"),
    [
        (
            "telecom",
            "TEL-1003",
            "circuit",
            {"bandwidth_mbps": "100", "term_years": "3"},
            {"monthly": "430", "installation": "700"},
        ),
        ("telecom", "TEL-1001", "voice-trunk", {}, {"monthly": "7.36"}),
        ("telecom", "TEL-1003", "voice-trunk", {}, {"monthly": "9"}),
        ("telecom", "TEL-1003", "desk-phone-rental", {"model": "W76"}, {"monthly": "6.5"}),
        ("telecom", "TEL-1003", "desk-phone-rental", {"model": "T54"}, {"monthly": "4.9"}),
        ("software", "SW-2003", "enterprise", {}, {"seats": "1500"}),
        ("software", "SW-2001", "enterprise", {}, {"seats": "1800"}),
        ("software", "SW-2003", "licence-key", {"edition": "cluster"}, {"licence": "7900"}),
        ("laboratory", "LAB-3001", "assay-metals", {"turnaround": "2 days"}, {"tests": "45"}),
        ("laboratory", "LAB-3003", "assay-metals", {"turnaround": "2 days"}, {"tests": "49"}),
        ("laboratory", "LAB-3003", "assay-toxicology", {"turnaround": "2 days"}, {"tests": "500"}),
        ("laboratory", "LAB-3001", "assay-toxicology", {"turnaround": "2 days"}, {"tests": "750"}),
    ],
)
def test_books_contracts_and_commitments_price_what_they_say(
    pack, account, product, characteristics, costs
):
    load(pack)
    assert charges_of(account, product, **characteristics) == {
        key: Decimal(value) for key, value in costs.items()
    }


def test_a_pack_is_loaded_once(capsys):
    load("software")
    before = Product.objects.count(), Account.objects.count(), PriceBookVersion.objects.count()
    call_command("load_pack", "software", stdout=StringIO(), stderr=(told := StringIO()))
    assert "is loaded" in told.getvalue()
    assert before == (
        Product.objects.count(),
        Account.objects.count(),
        PriceBookVersion.objects.count(),
    )


HEAD = """
title = "Own"
description = "Own"
customers = "customers.csv"
[entity]
code = "own"
name = "Own Ltd"
country = "GB"
currency = "GBP"
[[books]]
file = "book.csv"
code = "own-book"
segment = "own"
valid_from = 2026-01-01
"""
FILES = {
    "pack.toml": HEAD,
    "products.csv": "code,name\nchair,Chair\n",
    "book.csv": "product,key,kind,unit_price\nchair,price,one_time,80\n",
    "customers.csv": "reference,name,bill_day,payment_days\nOWN-1,First,1,14\n",
}


def folder_of(path: Path, **changes: str | None) -> str:
    for name, text in (FILES | {k.replace("_", "."): v for k, v in changes.items()}).items():
        if text is not None:
            (path / name).write_text(text, encoding="utf-8")
    return str(path)


def test_a_pack_of_ones_own_is_a_folder(tmp_path):
    told = load(folder_of(tmp_path))
    assert told["products"] == told["prices"] == told["accounts"] == 1
    assert Account.objects.get(reference="OWN-1").currency == "GBP"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pack_toml": "title ="}, "pack.toml"),
        ({"pack_toml": "title = 'x'"}, "description"),
        ({"pack_toml": HEAD.replace("book.csv", "../book.csv")}, "no file"),
        ({"book_csv": None}, "book.csv"),
        ({"book_csv": "product,key,kind,unit_price\nchair,price,one_time,8O\n"}, "unit_price"),
        ({"book_csv": "product,key,kind,unit_price\ntable,price,one_time,80\n"}, "table"),
        ({"products_csv": "code\nchair\n"}, "name"),
        ({"customers_csv": "reference,name,bill_day,payment_days\nA,B,first,14\n"}, "row 2"),
        ({"customers_csv": "reference\nA\n"}, "row 2"),
    ],
)
def test_a_broken_pack_names_its_fault_and_writes_nothing(tmp_path, changes, says):
    before = Product.objects.count(), PriceBook.objects.count(), Account.objects.count()
    with pytest.raises(CommandError, match=says):
        load(folder_of(tmp_path, **changes))
    assert before == (
        Product.objects.count(),
        PriceBook.objects.count(),
        Account.objects.count(),
    )


def test_an_unknown_pack_or_advocate_is_refused():
    ensure_demo_people()
    with pytest.raises(CommandError, match="laboratory, software, telecom"):
        call_command("load_pack", "bakery", stdout=StringIO())
    with pytest.raises(CommandError, match="nobody"):
        call_command("load_pack", "telecom", "--advocate", "nobody", stdout=StringIO())
    assert not Account.objects.exists()
