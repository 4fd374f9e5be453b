"""The price simulator and the page of a contract with its documents."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from o2b.catalog.models import (
    Contract,
    ContractCommitment,
    ContractDocument,
    ContractPool,
    ContractPrice,
    ProductVersion,
)
from o2b.catalog.simulation import Wish, bill_days, simulate
from o2b.customers.models import Account
from tests.factories import a_contract, a_product, a_user, an_account, monthly, setup_fee

pytestmark = pytest.mark.django_db

TIERS = [{"up_to": "10", "unit_price": "12"}, {"unit_price": "9.5"}]
SPEED = {"name": "speed", "type": "choice", "choices": ["100", "400"], "required": True}
PDF = b"%PDF-1.7 hello"


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(a_user("sales"))
    return client


@pytest.fixture
def account() -> Account:
    return an_account(reference="A-100", name="Sunrise", bill_day=1)


@pytest.fixture
def seat() -> ProductVersion:
    charges = [monthly("0", model="graduated", tiers=TIERS), setup_fee("50")]
    return a_product(code="seat", name="Seat", charges=charges)


def asked(**changes: str) -> dict[str, str]:
    usual = {"account": "A-100", "product": "seat", "quantity": "37", "start": "2026-06-12"}
    return usual | {"months": "2"} | changes


def test_what_37_seats_from_the_12th_cost(account: Account, seat: ProductVersion) -> None:
    found = simulate(
        Wish(account=account, version=seat, quantity=Decimal(37), start=date(2026, 6, 12), months=2)
    )
    steps = {each.terms.key: [(s.label, s.result) for s in each.steps] for each in found.charges}
    assert steps["monthly"] == [
        ("tier", Decimal(120)),
        ("tier", Decimal("256.5")),
        ("sum", Decimal("376.5")),
    ]
    # 376.50 × 19/30 = 238.45, the setup fee of 50 for each of 37, and July in advance.
    bills = [(bill.on, bill.total) for bill in found.bills]
    assert bills == [
        (date(2026, 7, 1), Decimal("2464.95")),
        (date(2026, 8, 1), Decimal("376.50")),
        (date(2026, 9, 1), Decimal("376.50")),
    ]
    assert found.total == Decimal("3217.95")
    assert [(each.source, each.won) for each in found.candidates] == [("Default v1", True)]


@pytest.mark.parametrize(
    ("start", "day", "days"),
    [
        (date(2026, 6, 12), 12, [date(2026, 6, 12), date(2026, 7, 12)]),
        (date(2026, 6, 12), 1, [date(2026, 7, 1), date(2026, 8, 1)]),
        (date(2026, 1, 31), 31, [date(2026, 1, 31), date(2026, 2, 28)]),
    ],
)
def test_bills_come_on_the_bill_day(start: date, day: int, days: list[date]) -> None:
    assert bill_days(start=start, bill_day=day, months=1) == days


def test_usage_is_billed_for_what_is_used_each_month(account: Account) -> None:
    traffic = {
        "key": "traffic",
        "kind": "usage",
        "unit_price": Decimal("0.05"),
        "interval_unit": "month",
        "timing": "arrears",
        "details": {"allowance": {"units": "500"}},
    }
    version = a_product(charges=[traffic])
    found = simulate(Wish(account, version, Decimal(1), date(2026, 6, 1), 2, usage=Decimal(700)))
    assert [bill.total for bill in found.bills] == [Decimal(0), Decimal("10.00"), Decimal("10.00")]


def test_the_page_explains_and_its_address_holds_the_question(
    reader: Client, account: Account, seat: ProductVersion
) -> None:
    a_contract(account, discounts=[("percent", "10")])
    page = reader.get("/catalog/simulator/", asked(discount="5")).content.decode()
    for words in ("12 × 10", "9.5 × 27", "376.5 − 5 %", "357.675 − 10 %", "Default v1", "won"):
        assert words in page
    assert "19 of 30 days" in page
    part = reader.get("/catalog/simulator/", asked(), headers={"HX-Request": "true"})
    assert part.content.decode().startswith('<div id="simulator"')


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"account": "nobody"}, "account", "no such account"),
        ({"account": "A"}, "account", "Several"),
        ({"product": "none"}, "product", "no such product"),
        ({"product": "dream"}, "product", "not on sale"),
        ({"quantity": "0"}, "quantity", "more than zero"),
        ({"quantity": "1.5"}, "quantity", "whole"),
        ({"quantity": "many"}, "quantity", ""),
        ({"quantity": "1e999"}, "quantity", ""),
        ({"start": "soon"}, "start", "no day"),
        ({"discount": "101"}, "discount", ""),
        ({"months": "0"}, "months", ""),
        ({"months": "999"}, "months", ""),
        ({"product": "fibre"}, "c-speed", "missing"),
        ({"product": "fibre", "c-speed": "7"}, "c-speed", ""),
        ({"account": "\0"}, "account", ""),
    ],
)
def test_a_fault_stands_beside_its_field(
    reader: Client,
    account: Account,
    seat: ProductVersion,
    changes: dict[str, str],
    field: str,
    words: str,
) -> None:
    an_account(reference="A-200", name="Another")
    a_product(code="fibre", characteristics=[SPEED])
    dream = a_product(code="dream")
    ProductVersion.objects.filter(pk=dream.pk).update(state="retired")
    answer = reader.get("/catalog/simulator/", asked(**changes))
    assert answer.status_code == 200
    errors = answer.context["form"].errors
    assert list(errors) == [field]
    assert words in str(errors[field])
    assert "simulation" not in answer.context


def test_a_product_asks_its_own_fields(reader: Client, account: Account) -> None:
    a_product(code="fibre", characteristics=[SPEED])
    began = reader.get("/catalog/simulator/?product=fibre")
    assert [field.name for field in began.context["form"].asked] == ["c-speed"]
    assert not began.context["form"].errors
    told = reader.get("/catalog/simulator/", asked(product="fibre", **{"c-speed": "400"}))
    assert told.context["simulation"].wish.characteristics == {"speed": "400"}
    assert "Choose an account" in reader.get("/catalog/simulator/").content.decode()


def test_without_a_price_every_candidate_still_says_why(reader: Client, seat: Any) -> None:
    an_account(reference="A-100", currency="USD")
    page = reader.get("/catalog/simulator/", asked()).content.decode()
    assert "has no price in USD" in page
    assert "in EUR; the account pays in USD" in page


def test_nothing_is_written_and_reads_stay_constant(
    reader: Client, account: Account, seat: ProductVersion
) -> None:
    reader.get("/catalog/simulator/", asked())
    counts = []
    for months in ("1", "60"):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            reader.get("/catalog/simulator/", asked(months=months))
        statements = [each["sql"].split()[0] for each in seen.captured_queries]
        assert {"INSERT", "UPDATE", "DELETE"}.isdisjoint(statements)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 25


def test_accounts_are_offered(reader: Client, account: Account) -> None:
    told = reader.get("/catalog/simulator/accounts/?account=sun").content.decode()
    assert '<option value="A-100">Sunrise</option>' in told


@pytest.fixture
def contract(account: Account) -> Contract:
    contract = Contract.objects.create(account=account, code="F", valid_from=date(2026, 1, 1))
    product = a_product(code="sip", charges=[]).product
    ContractPrice.objects.create(contract=contract, product=product, **monthly("10"))
    ContractCommitment.objects.create(contract=contract, kind="minimum", amount=Decimal(100))
    ContractPool.objects.create(contract=contract, name="Minutes", units=5000, unit="minute")
    return contract


def test_a_contract_shows_all_that_was_negotiated(reader: Client, contract: Contract) -> None:
    page = reader.get(f"/catalog/contracts/{contract.pk}/").content.decode()
    for words in ("€10.00", "at least", "€100.00", "a month", "5,000 minute", "draft"):
        assert words in page
    assert "F v1" in reader.get("/catalog/contracts/").content.decode()


def test_a_document_is_kept_and_given_back_to_be_saved(contract: Contract) -> None:
    client = Client()
    client.force_login(a_user("product"))
    url = f"/catalog/contracts/{contract.pk}/"
    for _ in range(2):  # the same file twice is kept once
        file = SimpleUploadedFile("Vertrag “A”.pdf", PDF, "text/html")
        assert client.post(f"{url}attach/", {"file": file})["Location"] == url
    kept = ContractDocument.objects.get()
    assert (kept.content_type, kept.size, bytes(kept.body)) == ("application/pdf", 14, PDF)
    answer = client.get(f"{url}documents/{kept.pk}/")
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment; filename*=UTF-8''Vertrag%20")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    other = a_contract(an_account())
    assert client.get(f"/catalog/contracts/{other.pk}/documents/{kept.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("name", "body"),
    [("a.html", b"<script>"), ("a.pdf", b"<script>"), ("a.html", PDF), ("a.pdf", b""), ("", b"")],
)
def test_a_document_of_another_kind_is_refused(contract: Contract, name: str, body: bytes) -> None:
    client = Client()
    client.force_login(a_user("product"))
    told = {"file": SimpleUploadedFile(name, body)} if name else {}
    answer = client.post(f"/catalog/contracts/{contract.pk}/attach/", told)
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]
    assert not ContractDocument.objects.exists()


def test_who_may_attach_and_read(client: Client, contract: Contract) -> None:
    url = f"/catalog/contracts/{contract.pk}/"
    for path in ("attach/", "documents/1/"):
        assert client.get(f"{url}{path}").status_code == 302
    client.force_login(a_user("order team"))
    assert client.post(f"{url}attach/").status_code == 403
    assert client.get(f"{url}documents/1/").status_code == 404
    client.force_login(a_user())
    assert client.get(f"{url}documents/1/").status_code == 403
