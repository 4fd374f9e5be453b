"""May the customer use it? Asked by the customer's product, with a key that opens nothing else."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from knox.models import AuthToken

from o2b.customers.models import Account
from o2b.people.groups import ENTITLEMENT_CHECKER
from subscriptions.models import ItemVersion
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import a_product, a_user, an_account
from tests.subscriptions.having import Days, an_item

pytestmark = pytest.mark.django_db

LIST, CHECK = "/api/v1/entitlements", "/api/v1/entitlements/check"
JAN, FEB, FAR = date(2026, 1, 1), date(2026, 2, 1), date(2126, 1, 1)
SUITE = {"account": "A-4711", "product": "suite"}


@pytest.fixture
def checker(as_: As) -> Person:
    return as_(ENTITLEMENT_CHECKER)


@pytest.fixture
def account() -> Account:
    return an_account(reference="A-4711")


@pytest.fixture
def item(account: Account) -> Any:
    return an_item(
        account,
        a_product(code="suite"),
        Days(JAN, FAR, "2.5"),
        serial="SN-1",
        characteristics={"edition": "pro"},
    )


def test_yes(checker: Person, item: Any) -> None:
    answer = checker.get(CHECK, SUITE | {"on": "2026-03-01"})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "entitled": True,
            "product": "suite",
            "quantity": "2.5",
            "until": "2126-01-01",
            "reason": None,
            "since": None,
            "account": "A-4711",
            "on": "2026-03-01",
        },
    )


def test_no_says_since_when_it_is_suspended(checker: Person, account: Account) -> None:
    an_item(
        account,
        a_product(code="suite"),
        Days(JAN, FEB),
        Days(FEB, None, "7", standing="suspended"),
    )
    told = checker.get(CHECK, SUITE | {"on": "2026-03-01"}).json()
    assert (told["entitled"], told["quantity"], told["reason"], told["since"]) == (
        False,
        "0",
        "suspended",
        "2026-02-01",
    )
    listed = checker.get(LIST, {"account": "A-4711", "on": "2026-03-01"}).json()
    assert listed["entitlements"] == []
    assert [(each["product"], each["reason"], each["since"]) for each in listed["suspended"]] == [
        ("suite", "suspended", "2026-02-01")
    ]


def test_the_list(checker: Person, item: Any) -> None:
    answer = checker.get(LIST, {"account_id": item.account_id, "on": "2026-03-01"})
    assert answer.json() == {
        "entitlements": [
            {
                "item": item.number,
                "account": "A-4711",
                "product": "suite",
                "name": "Suite",
                "version": 1,
                "quantity": "2.5",
                "characteristics": {"edition": "pro"},
                "serials": ["SN-1"],
                "on": "2026-03-01",
                "until": "2126-01-01",
            }
        ],
        "suspended": [],
        "next": None,
    }


def test_an_answer_may_be_kept_for_a_moment_and_asked_again_cheaply(
    checker: Person, item: Any
) -> None:
    for path, asked in ((CHECK, SUITE), (LIST, {"account": "A-4711"})):
        first = checker.get(path, asked)
        assert first["Cache-Control"] == "private, max-age=30"
        assert "Authorization" in first["Vary"]
        for tag in (first["ETag"], f"W/{first['ETag']}", f'"other", {first["ETag"]}', "*"):
            again = checker.get(path, asked, headers={"If-None-Match": tag})
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
            assert again["Cache-Control"] == first["Cache-Control"]
        for tag in ('"other"', "junk", ""):
            assert checker.get(path, asked, headers={"If-None-Match": tag}).status_code == 200


def test_another_answer_has_another_tag(checker: Person, item: Any) -> None:
    first = checker.get(CHECK, SUITE)
    an_item(item.account, item.product_version, Days(JAN, FAR, "1.5"))
    changed = checker.get(CHECK, SUITE, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed.json()["quantity"]) == (200, "4")


def test_nobody_learns_whether_others_exist(checker: Person, item: Any) -> None:
    told = []
    for asked in (
        {"account": "A-1"},
        {"account": "a-4711"},
        {"account_id": 2**63 - 1},
        {"customer": 2**62},
        {"serial": "SN-2"},
        {"key": "AAAAA-BBBBB"},
    ):
        for path, more in ((LIST, {}), (CHECK, {"product": "suite"})):
            problem = assert_problem(checker.get(path, asked | more), 404, "not_found")
            told.append(problem["detail"])
    assert len(set(told)) == 1


def test_a_product_that_nobody_sells_is_not_there(checker: Person, item: Any) -> None:
    assert_problem(checker.get(CHECK, SUITE | {"product": "siute"}), 404, "not_found")
    assert_problem(checker.get(LIST, SUITE | {"product": "siute"}), 404, "not_found")


WRONG = [
    ({}, "account"),
    ({"account": "A-4711", "serial": "SN-1"}, "serial"),
    ({"account": ""}, "account"),
    ({"account": "A\0"}, "account"),
    ({"account": "A" * 41}, "account"),
    ({"account_id": "x"}, "account_id"),
    ({"account_id": "0"}, "account_id"),
    ({"account_id": str(10**30)}, "account_id"),
    ({"account_id": "9" * 5000}, "account_id"),
    ({"customer": str(2**63)}, "customer"),
    ({"serial": "S\0"}, "serial"),
    ({"serial": "S" * 121}, "serial"),
    ({"key": "\0"}, "key"),
    ({"account": "A-4711", "on": "2026-02-30"}, "on"),
    ({"account": "A-4711", "on": "today"}, "on"),
    ({"account": "A-4711", "on": "0000-00-00"}, "on"),
    ({"account": "A-4711", "when": "2026-01-01"}, "when"),
    ({"account": ["A-4711", "A-1"]}, "account"),
]


@pytest.mark.parametrize(("asked", "field"), WRONG)
def test_what_cannot_be_read_names_the_field(
    checker: Person, item: Any, asked: dict[str, Any], field: str
) -> None:
    assert_problem(checker.get(LIST, asked), 400, "malformed", field)
    assert_problem(checker.get(CHECK, asked | {"product": "suite"}), 400, "malformed", field)


@pytest.mark.parametrize("product", ["", "\0", "p" * 61])
def test_a_check_names_its_product(checker: Person, item: Any, product: str) -> None:
    asked = {"account": "A-4711", "product": product}
    assert_problem(checker.get(CHECK, asked), 400, "malformed", "product")


def test_without_a_product(checker: Person, item: Any) -> None:
    assert_problem(checker.get(CHECK, {"account": "A-4711"}), 400, "malformed", "product")


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day(checker: Person, item: Any, on: str) -> None:
    told = checker.get(CHECK, SUITE | {"on": on}).json()
    assert (told["entitled"], told["reason"]) == (
        False,
        "not_started" if on.startswith("0") else "ended",
    )
    assert checker.get(LIST, {"account": "A-4711", "on": on}).json()["entitlements"] == []


JUNK = st.text(max_size=12) | st.sampled_from(
    ["9" * 30, "-1", "\0", "2026-02-30", "A-4711", "suite", "NaN", "' OR 1=1", "%s", "{}"]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    asked=st.dictionaries(
        st.sampled_from(
            ["account", "account_id", "customer", "serial", "key", "product", "on", "after"]
        ),
        JUNK,
        max_size=4,
    ),
    path=st.sampled_from([LIST, CHECK]),
)
def test_whatever_is_asked(checker: Person, asked: dict[str, str], path: str) -> None:
    said = {name: value.encode(errors="replace") for name, value in asked.items()}
    answer = checker.get(path, said)
    assert answer.status_code in {200, 400, 404}
    if answer.status_code != 200:
        assert answer["Content-Type"] == "application/problem+json"


# The narrow key.


def test_only_who_may_ask(as_: As, item: Any) -> None:
    assert_problem(as_().get(CHECK, SUITE), 403, "permission_denied")
    assert_problem(as_().get(LIST, {"account": "A-4711"}), 403, "permission_denied")
    assert Client().get(CHECK, SUITE).status_code == 401
    for group in ("sales", "order team", "finance", "administrator"):
        assert as_(group).get(CHECK, SUITE).status_code == 200


def test_the_key_opens_nothing_else(checker: Person, item: Any) -> None:
    for path in ("accounts", "subscriptions", "orders", "quotes", "invoices", "catalog/products"):
        assert checker.get(f"/api/v1/{path}").status_code == 403, path
    browser = Client()
    browser.force_login(checker.person)
    for path in ("/subscriptions/", "/subscriptions/install-base/", "/customers/"):
        assert browser.get(path).status_code == 403, path


def test_with_its_token_a_check_takes_few_questions(item: Any) -> None:
    token = AuthToken.objects.create(user=a_user(ENTITLEMENT_CHECKER))[1]
    client, headers = Client(), {"Authorization": f"Token {token}"}
    assert client.get(CHECK, SUITE, headers=headers).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        assert client.get(CHECK, SUITE, headers=headers).json()["entitled"] is True
    assert len(captured) == 3, [query["sql"][:80] for query in captured]


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_it_is_only_read(checker: Person, item: Any, verb: str) -> None:
    for path in (LIST, CHECK):
        assert_problem(getattr(checker, verb)(path), 405, "method_not_allowed")
    assert ItemVersion.objects.count() == 1
