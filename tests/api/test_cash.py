"""From an order by REST to a paid invoice by REST; runs, invoices and payments on the way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillRun, Invoice, Payment
from o2b import clock
from o2b.customers.models import Account
from o2b.models import Event
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_product, an_account, an_entity, monthly, setup_fee

pytestmark = pytest.mark.django_db

RUNS, INVOICES, PAYMENTS = "/api/v1/bill-runs", "/api/v1/invoices", "/api/v1/payments"
TODAY = str(clock.today())


class House:
    """An account whose order was completed; finance is logged in."""

    def __init__(self, as_: As, drain: Callable[[], int]) -> None:
        self.drain = drain
        a_product(code="fibre", charges=[monthly("49.90"), setup_fee("99.00")])
        self.account: Account = an_account(reference="A-7")
        self.team, self.finance = as_("order team"), as_("finance")
        self.chief = as_("finance")
        line = {"product": "fibre", "quantity": 2}
        body = {"account": "A-7", "lines": [line], "start_on": TODAY[:8] + "01"}
        self.order = self.team.post("/api/v1/orders", body).json()
        drain()

    def run(self) -> dict[str, Any]:
        opened = self.finance.post(RUNS, {"legal_entity": "nordlicht", "on": TODAY})
        assert opened.status_code == 201, opened.json()
        self.drain()
        return dict(self.finance.get(opened.json()["url"]).json())

    def billed(self) -> dict[str, Any]:
        self.chief.post(f"{self.run()['url']}/approve")
        self.drain()
        (invoice,) = self.finance.get(INVOICES).json()["results"]
        return dict(invoice)


@pytest.fixture
def house(as_: As, drain: Callable[[], int]) -> House:
    return House(as_, drain)


def test_order_to_cash(house: House) -> None:
    assert house.team.get(house.order["url"]).json()["state"] == "completed"
    (found,) = house.team.get("/api/v1/subscriptions?account=A-7").json()["results"]
    subscription = house.team.get(found["url"]).json()
    assert (subscription["state"], subscription["order"]) == ("active", house.order["id"])
    (item,) = subscription["items"]
    assert (item["product"], item["versions"][0]["quantity"]) == ("fibre", "2")
    assert item["versions"][0]["terms"]["digest"] == house.order["lines"][0]["terms_digest"]

    run = house.run()
    assert (run["state"], run["legal_entity"]) == ("to_approve", "nordlicht")
    progress = run["progress"]
    assert (progress["looked_at"], progress["drafted"], progress["parked"]) == (1, 1, 0)
    assert run["totals"] == [{"currency": "EUR", "net": "297.80", "tax": "0.00", "total": "297.80"}]
    assert_problem(house.finance.post(f"{run['url']}/approve"), 409, "own_run")
    assert house.chief.post(f"{run['url']}/approve").status_code == 200
    house.drain()
    assert house.finance.get(run["url"]).json()["state"] == "finalised"
    assert house.finance.get(f"{run['url']}/parked").json()["results"] == []

    (head,) = house.finance.get(f"{INVOICES}?status=open&account=A-7").json()["results"]
    invoice = house.finance.get(head["url"]).json()
    assert (invoice["total"], invoice["open_amount"], invoice["run"]) == (
        "297.80",
        "297.80",
        run["id"],
    )
    assert sorted(line["amount"] for line in invoice["lines"]) == ["198.00", "99.80"]
    assert {line["terms_digest"] for line in invoice["lines"]} == {
        house.order["lines"][0]["terms_digest"]
    }

    page = house.finance.get(invoice["pdf_url"])
    assert (page["Content-Type"], page.content[:5]) == ("application/pdf", b"%PDF-")
    assert house.finance.get(invoice["pdf_url"], HTTP_ACCEPT="application/pdf").status_code == 200

    body = {"account": "A-7", "amount": "300", "received_on": TODAY, "reference": "bank 1"}
    paid = house.finance.post(PAYMENTS, body)
    assert paid.status_code == 201
    payment = paid.json()
    assert (payment["amount"], payment["allocated"], payment["credit"]) == (
        "300.00",
        "297.80",
        "2.20",
    )
    assert [(a["invoice"], a["amount"]) for a in payment["allocations"]] == [
        (invoice["id"], "297.80")
    ]
    assert house.finance.get(invoice["url"]).json()["status"] == "paid"
    stands = house.finance.get(f"/api/v1/accounts/{house.account.pk}/balance").json()
    assert stands == {
        "currency": "EUR",
        "billed": "297.80",
        "paid": "300.00",
        "owed": "-2.20",
        "open": "0.00",
        "credit": "2.20",
    }


def test_a_run_can_be_cancelled_until_it_is_approved(house: House) -> None:
    run = house.run()
    again = house.finance.post(RUNS, {"legal_entity": "nordlicht", "on": TODAY})
    assert_problem(again, 409, "run_overlaps", "legal_entity")
    assert house.finance.post(f"{run['url']}/cancel").json()["state"] == "cancelled"
    assert_problem(house.finance.post(f"{run['url']}/cancel"), 409, "run_not_ready")
    assert_problem(house.chief.post(f"{run['url']}/approve"), 409, "run_not_ready")
    assert Invoice.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "status", "code", "fields"),
    [
        ({}, 400, "malformed", ["legal_entity", "on"]),
        ({"legal_entity": "nobody", "on": TODAY}, 404, "not_found", ["legal_entity"]),
        ({"legal_entity": "nordlicht", "on": "31.01.2026"}, 400, "malformed", ["on"]),
        (
            {"legal_entity": "nordlicht", "on": TODAY, "accounts": []},
            400,
            "malformed",
            ["accounts"],
        ),
        (
            {"legal_entity": "nordlicht", "on": TODAY, "accounts": ["A-7", "A-none"]},
            404,
            "not_found",
            ["accounts[1]"],
        ),
        (
            {"legal_entity": "nordlicht", "on": TODAY, "accounts": ["A-7", None]},
            400,
            "malformed",
            ["accounts[1]"],
        ),
    ],
    ids=str,
)
def test_a_run_that_is_refused(
    as_: As, body: dict[str, Any], status: int, code: str, fields: list[str]
) -> None:
    an_entity(), an_account(reference="A-7")
    assert_problem(as_("finance").post(RUNS, body), status, code, *fields)
    assert (BillRun.objects.count(), Event.objects.count()) == (0, 0)


def test_a_run_over_some_accounts(house: House) -> None:
    body = {"legal_entity": "nordlicht", "on": TODAY, "accounts": ["A-7", house.account.pk]}
    assert house.finance.post(RUNS, body).json()["account_ids"] == [house.account.pk]


@pytest.mark.parametrize(
    ("changes", "status", "code", "fields"),
    [
        ({"account": "A-none"}, 404, "not_found", ["account"]),
        ({"amount": "0"}, 422, "payment_invalid", ["amount"]),
        ({"amount": "-5"}, 422, "payment_invalid", ["amount"]),
        ({"amount": "1.001"}, 422, "payment_invalid", ["amount"]),
        ({"amount": "1e30"}, 422, "payment_invalid", ["amount"]),
        ({"amount": True}, 400, "malformed", ["amount"]),
        ({"amount": "five"}, 400, "malformed", ["amount"]),
        ({"received_on": "2999-01-01"}, 422, "payment_invalid", ["received_on"]),
        ({"received_on": "1.1.2026"}, 400, "malformed", ["received_on"]),
        ({"reference": "x" * 141}, 400, "malformed", ["reference"]),
        (
            {"allocations": [{"invoice": 999_999, "amount": "1"}]},
            422,
            "payment_invalid",
            ["allocations"],
        ),
        (
            {"allocations": [{"invoice": 1, "amount": "1"}, {"invoice": 1, "amount": "1"}]},
            400,
            "malformed",
            ["allocations"],
        ),
        ({"allocations": [{"invoice": 1}]}, 400, "malformed", ["allocations[0].amount"]),
    ],
    ids=str,
)
def test_a_payment_that_is_refused(
    as_: As, changes: dict[str, Any], status: int, code: str, fields: list[str]
) -> None:
    an_account(reference="A-7")
    body = {"account": "A-7", "amount": "10.00", "received_on": TODAY} | changes
    assert_problem(as_("finance").post(PAYMENTS, body), status, code, *fields)
    assert (Payment.objects.count(), Event.objects.count()) == (0, 0)


def test_a_payment_may_stay_credit(house: House) -> None:
    invoice = house.billed()
    body = {"account": "A-7", "amount": 5, "received_on": TODAY, "allocations": []}
    assert house.finance.post(PAYMENTS, body).json()["credit"] == "5.00"
    part = {"allocations": [{"invoice": invoice["id"], "amount": "4.50"}]}
    assert house.finance.post(PAYMENTS, body | part).json()["credit"] == "0.50"
    assert house.finance.get(invoice["url"]).json()["open_amount"] == "293.30"


def test_the_same_payment_twice(house: House) -> None:
    body = {"account": "A-7", "amount": "5", "received_on": TODAY, "reference": "bank 1"}
    first = house.finance.post(PAYMENTS, body, headers={"Idempotency-Key": "k"})
    again = house.finance.post(PAYMENTS, body, headers={"Idempotency-Key": "k"})
    assert first.json() == again.json()
    assert_problem(house.finance.post(PAYMENTS, body), 409, "duplicate_payment", "reference")
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("group", ["sales", "order team"])
def test_who_does_not_bill(as_: As, group: str) -> None:
    client = as_(group)
    for path in (RUNS, PAYMENTS, f"{RUNS}/1/approve", f"{RUNS}/1/cancel", f"{RUNS}/1/pause"):
        assert_problem(client.post(path, {}), 403, "permission_denied")
    assert client.get(RUNS).status_code == 403
    assert client.get(INVOICES).status_code == (200 if group == "sales" else 403)


def test_queries_do_not_grow_with_the_lines(house: House) -> None:
    invoice = house.billed()
    house.finance.person.get_all_permissions()
    assert _queries(house.finance, INVOICES) == 1
    assert _queries(house.finance, PAYMENTS) == 1
    assert _queries(house.finance, RUNS) == 1
    # The document, its lines, its discounts, its parts.
    assert _queries(house.finance, invoice["url"]) == 4
    assert _queries(house.finance, "/api/v1/subscriptions") == 1


def _queries(client: Any, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)
