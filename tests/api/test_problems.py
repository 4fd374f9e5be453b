"""Whatever is wrong with a request, the answer is problem+json and never a 500."""

import json
import logging
from typing import Any

import pytest
from django.conf import settings
from django.db import DataError
from django.test import RequestFactory
from rest_framework.test import APIClient

from o2b.api.problems import exception_handler
from o2b.models import Event
from orders.models import Order
from quotes.models import Quote
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_product, an_account

pytestmark = pytest.mark.django_db

ORDERS = "/api/v1/orders"
JSON = "application/json"


def raw(client: APIClient, body: Any, content_type: str = JSON, **headers: Any) -> Any:
    return client.generic("POST", ORDERS, body, content_type=content_type, **headers)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b'{"a": 1,}',
        b"\xff\xfe",
        b'{"quote": NaN}',
        b'{"quote": Infinity}',
        b'{"quote": -Infinity}',
        b'{"quote": 1e9999999999999999999999}',
        b'{"quote": ' + b"9" * 5000 + b"}",
        b'{"quote": 1, "quote": 2}',
        b"[" * 100_000,
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_no_json(as_: As, body: bytes) -> None:
    assert_problem(raw(as_("administrator"), body), 400, "malformed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"note": "a\\u0000b"}', "note"),
        ('{"note": "half \\ud800"}', "note"),
        ('{"lines": [{"product": "x\\u0000"}]}', "lines[0].product"),
        ('{"a\\u0000": 1}', None),
    ],
)
def test_characters_that_cannot_be_stored(as_: As, body: str, field: str | None) -> None:
    fields = [field] if field else []
    assert_problem(raw(as_("administrator"), body), 400, "malformed", *fields)


@pytest.mark.parametrize("body", ["[]", "5", '"text"', "null", "true", "[[1]]"])
def test_a_body_that_is_no_object(as_: As, body: str) -> None:
    told = raw(as_("administrator"), body)
    assert (told.status_code, told.json()["code"]) == (400, "malformed")


LINE = {"product": "fibre", "quantity": "1"}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"account": None}, ["account"]),
        ({"account": True}, ["account"]),
        ({"account": 1.5}, ["account"]),
        ({"account": ["A-1"]}, ["account"]),
        ({"account": {}}, ["account"]),
        ({"account": ""}, ["account"]),
        ({"account": 0}, ["account"]),
        ({"account": 10**30}, ["account"]),
        ({"lines": []}, ["lines"]),
        ({"lines": None}, ["lines"]),
        ({"lines": "fibre"}, ["lines"]),
        ({"lines": {}}, ["lines"]),
        ({"lines": [None]}, ["lines[0]"]),
        ({"lines": ["fibre"]}, ["lines[0]"]),
        ({"lines": [LINE, {}]}, ["lines[1].product", "lines[1].quantity"]),
        ({"lines": [LINE | {"quantity": True}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": "two"}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": "1_0"}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": "NaN"}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": "1e99999"}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": "1." + "0" * 39 + "1"}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": 10**60}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"quantity": None}]}, ["lines[0].quantity"]),
        ({"lines": [LINE | {"product": 5.5}]}, ["lines[0].product"]),
        ({"lines": [LINE | {"product": "x" * 61}]}, ["lines[0].product"]),
        ({"lines": [LINE | {"price": "0.01"}]}, ["lines[0].price"]),
        ({"lines": [LINE | {"discount_percent": "5"}]}, ["lines[0].discount_percent"]),
        ({"lines": [LINE | {"characteristics": []}]}, ["lines[0].characteristics"]),
        ({"lines": [LINE | {"characteristics": {"a": {}}}]}, ["lines[0].characteristics"]),
        ({"start_on": "31.01.2026"}, ["start_on"]),
        ({"start_on": "2026-02-30"}, ["start_on"]),
        ({"start_on": 20260131}, ["start_on"]),
        ({"start_on": "2026-01-31T00:00:00Z"}, ["start_on"]),
        ({"note": "x" * 2001}, ["note"]),
        ({"note": {}}, ["note"]),
        ({"surprise": 1}, ["surprise"]),
    ],
    ids=str,
)
def test_fields_that_cannot_be_read(as_: As, change: dict[str, Any], fields: list[str]) -> None:
    a_product(code="fibre")
    account = an_account()
    before = Event.objects.count()
    body = {"account": account.pk, "lines": [LINE]} | change
    assert_problem(as_("administrator").post(ORDERS, body), 400, "malformed", *fields)
    assert (Order.objects.count(), Event.objects.count()) == (0, before)


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"account": "A-nobody"}, 404, "not_found", "account"),
        ({"account": 999_999}, 404, "not_found", "account"),
        ({"account": 2**63 - 1}, 404, "not_found", "account"),
        ({"lines": [LINE | {"product": "unknown"}]}, 422, "product_unknown", "lines[0].product"),
        ({"lines": [LINE | {"quantity": 0}]}, 422, "quantity_invalid", "lines[0].quantity"),
        ({"lines": [LINE | {"quantity": "-1"}]}, 422, "quantity_invalid", "lines[0].quantity"),
        ({"lines": [LINE | {"quantity": 1.5}]}, 422, "quantity_invalid", "lines[0].quantity"),
        ({"lines": [LINE | {"quantity": "1e30"}]}, 422, "quantity_invalid", "lines[0].quantity"),
        ({"lines": [LINE | {"quantity": 10**30}]}, 422, "quantity_invalid", "lines[0].quantity"),
        (
            {"lines": [LINE | {"characteristics": {"colour": "red"}}]},
            422,
            "characteristic_invalid",
            "lines[0].characteristics",
        ),
    ],
    ids=str,
)
def test_values_that_can_be_read_and_are_refused(
    as_: As, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    a_product(code="fibre")
    account = an_account()
    before = Event.objects.count()
    body = {"account": account.pk, "lines": [LINE]} | change
    assert_problem(as_("administrator").post(ORDERS, body), status, code, field)
    assert (Order.objects.count(), Event.objects.count()) == (0, before)


def test_a_number_is_read_exactly(as_: As) -> None:
    """0.1 + 0.2 as a float would have seventeen decimals."""
    a_product(code="cable", quantity_places=2)
    body = json.dumps({"account": an_account().pk, "lines": [{"product": "cable", "quantity": 0}]})
    answer = raw(as_("administrator"), body.replace('"quantity": 0', '"quantity": 0.30'))
    assert answer.status_code == 201
    assert answer.json()["lines"][0]["quantity"] == "0.3"


def test_a_body_that_is_too_large(as_: As) -> None:
    body = b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    assert_problem(raw(as_("administrator"), body), 413, "too_large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
def test_a_body_of_another_kind(as_: As, content_type: str) -> None:
    assert_problem(raw(as_("administrator"), "a", content_type), 415, "unsupported_media_type")


def test_an_answer_of_another_kind(as_: As) -> None:
    answer = as_("administrator").get(ORDERS, HTTP_ACCEPT="application/xml")
    assert_problem(answer, 406, "not_acceptable")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_a_method_that_is_none(as_: As, method: str) -> None:
    assert_problem(getattr(as_("administrator"), method)(ORDERS), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "orders/999999",
        "orders/9223372036854775807",
        "orders/9999999999999999999",
        f"orders/{10**30}",
        "orders/abc",
        "orders/-1",
        "orders/1.5",
        "orders/%00",
        "quotes/999999",
        "accounts/999999",
        "catalog/products/nothing",
        "catalog/price-books/nothing",
        "order-lines/999999",
        "tasks/999999",
        "subscriptions/999999",
        "nowhere",
        "nowhere/",
        "",
    ],
)
def test_an_address_where_nothing_is(as_: As, path: str) -> None:
    assert_problem(as_("administrator").get(f"/api/v1/{path}"), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "quotes/{}/send",
        "quotes/{}/withdraw",
        "quotes/{}/accept",
        "quotes/{}/decline",
        "order-lines/{}/hold",
        "order-lines/{}/resume",
        "order-lines/{}/cancel",
        "tasks/{}/claim",
        "tasks/{}/release",
        "tasks/{}/complete",
        "tasks/{}/fail",
        "tasks/{}/retry",
    ],
)
@pytest.mark.parametrize("key", [999_999, 9999999999999999999, 10**30])
def test_a_verb_on_what_is_not_there(as_: As, path: str, key: int) -> None:
    address = f"/api/v1/{path.format(key)}"
    assert_problem(as_("administrator").post(address), 404, "not_found")


def test_outside_of_the_version_there_is_nothing(as_: As) -> None:
    assert_problem(as_("administrator").get("/api/v7/orders"), 404, "not_found")


def test_a_slash_too_many_does_no_harm(as_: As) -> None:
    assert as_("administrator").get("/api/v1/orders/").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("surprise=1", "surprise"),
        ("account_id=abc", "account_id"),
        ("channel=pigeon", "channel"),
        ("placed_after=yesterday", "placed_after"),
        ("account=a%00b", "account"),
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=abc", "page_size"),
        ("page_size=%D9%A3", "page_size"),
        ("cursor=abc", "cursor"),
        ("cursor=cD1hYmM%3D", "cursor"),
        ("cursor=cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "cursor"),
    ],
)
def test_a_question_that_cannot_be_read(as_: As, query: str, field: str) -> None:
    assert_problem(as_("administrator").get(f"{ORDERS}?{query}"), 400, "malformed", field)


@pytest.mark.parametrize("query", ["account_id=" + "9" * 30, "account=nobody", "quote=0"])
def test_a_filter_that_nothing_meets(as_: As, query: str) -> None:
    assert as_("administrator").get(f"{ORDERS}?{query}").json()["results"] == []


def test_what_nobody_expected_is_a_bare_500(caplog: pytest.LogCaptureFixture) -> None:
    request = RequestFactory().get("/api/v1/orders")
    with caplog.at_level(logging.CRITICAL, logger="o2b.api.problems"):
        answer = exception_handler(ZeroDivisionError("secret"), {"request": request})
    assert (answer.status_code, answer.data["code"]) == (500, "server_error")
    assert "secret" not in str(answer.data)


def test_what_only_the_database_refuses_is_no_500() -> None:
    request = RequestFactory().get("/api/v1/orders")
    answer = exception_handler(DataError("value out of range"), {"request": request})
    assert (answer.status_code, answer.data["code"]) == (422, "out_of_range")


def test_a_stranger_is_told_to_log_in() -> None:
    answer = APIClient().get(ORDERS)
    assert_problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Token"


def test_nothing_was_written_by_any_refusal(as_: As) -> None:
    raw(as_("administrator"), b"{")
    assert (Order.objects.count(), Quote.objects.count()) == (0, 0)
