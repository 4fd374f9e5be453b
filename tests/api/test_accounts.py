"""Accounts by REST: open, change, close."""

from typing import Any

import pytest

from o2b.customers.models import Account, Customer
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_user, an_account, an_entity

pytestmark = pytest.mark.django_db

ACCOUNTS = "/api/v1/accounts"


def wish(**changes: Any) -> dict[str, Any]:
    return {"reference": "A-100", "name": "Acme", "legal_entity": "nordlicht"} | changes


@pytest.fixture
def admin(as_: As) -> Any:
    an_entity()
    return as_("administrator")


def test_open_change_close(admin: Any) -> None:
    rep = a_user("sales")
    opened = admin.post(ACCOUNTS, wish(customer_name="Acme SE", segment="big", bill_day=31))
    assert opened.status_code == 201
    account = opened.json()
    assert opened["Location"] == account["url"]
    assert (account["currency"], account["bill_day"], account["state"]) == ("EUR", 31, "open")
    assert (account["customer"]["name"], account["customer"]["segment"]) == ("Acme SE", "big")
    assert account["advocate"] == admin.person.username

    changed = admin.patch(account["url"], {"advocate": rep.username, "payment_days": 30}).json()
    assert (changed["advocate"], changed["payment_days"]) == (rep.username, 30)
    assert (changed["name"], changed["bill_day"]) == ("Acme", 31)

    assert admin.post(f"{account['url']}/close").json()["state"] == "closed"
    assert_problem(admin.patch(account["url"], {"name": "B"}), 409, "account_closed")


def test_a_second_account_of_a_customer(admin: Any) -> None:
    customer = an_account().customer
    second = admin.post(ACCOUNTS, wish(customer=customer.pk)).json()
    assert second["customer"]["id"] == customer.pk


@pytest.mark.parametrize(
    ("changes", "status", "code", "fields"),
    [
        ({"legal_entity": "nobody"}, 404, "not_found", ["legal_entity"]),
        ({"advocate": "nobody"}, 404, "not_found", ["advocate"]),
        ({"customer": 999_999}, 404, "not_found", ["customer"]),
        ({"reference": "taken"}, 422, "account_invalid", ["reference"]),
        ({"currency": "XXX"}, 422, "account_invalid", ["currency"]),
        ({"time_zone": "Mars/Olympus"}, 422, "account_invalid", ["time_zone"]),
        ({"bill_day": 32}, 400, "malformed", ["bill_day"]),
        ({"bill_day": 0}, 400, "malformed", ["bill_day"]),
        ({"payment_days": -1}, 400, "malformed", ["payment_days"]),
        ({"tax_exempt": "perhaps"}, 400, "malformed", ["tax_exempt"]),
        ({"name": ""}, 400, "malformed", ["name"]),
        ({"state": "closed"}, 400, "malformed", ["state"]),
    ],
    ids=str,
)
def test_bad_input(
    admin: Any, changes: dict[str, Any], status: int, code: str, fields: list[str]
) -> None:
    an_account(reference="taken")
    before = (Account.objects.count(), Customer.objects.count())
    assert_problem(admin.post(ACCOUNTS, wish(**changes)), status, code, *fields)
    assert (Account.objects.count(), Customer.objects.count()) == before


@pytest.mark.parametrize("group", ["order team", "finance"])
def test_only_sales_and_administrators_set_up(as_: As, group: str) -> None:
    account = an_account()
    client, url = as_(group), f"{ACCOUNTS}/{account.pk}"
    for answer in (
        client.post(ACCOUNTS, wish()),
        client.patch(url, {"name": "B"}),
        client.post(f"{url}/close"),
    ):
        assert_problem(answer, 403, "permission_denied")
    assert client.get(url).json()["name"] == account.name
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 2), ("state=open", 1), ("state=closed", 1), ("reference=A-1st", 1), ("customer=0", 0)],
)
def test_filters(as_: As, query: str, found: int) -> None:
    an_account(reference="A-1st")
    an_account(state="closed")
    assert len(as_("sales").get(f"{ACCOUNTS}?{query}").json()["results"]) == found
