"""Quotes by REST: draft, send, withdraw, accept, decline."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b import clock
from o2b.customers.models import Account
from o2b.models import Event
from orders.models import Order
from quotes.models import Quote, QuoteLine
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_product, a_quote, a_sent_quote, an_account, monthly, setup_fee

pytestmark = pytest.mark.django_db

QUOTES = "/api/v1/quotes"


def wish(of: Account, **changes: Any) -> dict[str, Any]:
    return {
        "account": of.reference,
        "valid_until": str(clock.today() + timedelta(days=30)),
        "lines": [
            {"product": "fibre", "quantity": 2},
            {"product": "router", "quantity": "1", "discount_percent": "12.5"},
        ],
    } | changes


@pytest.fixture
def shop() -> Account:
    a_product(code="fibre", charges=[monthly("49.90"), setup_fee("99.00")])
    a_product(code="router", charges=[monthly("4.00")])
    return an_account(reference="A-77")


def test_draft_send_accept(as_: As, shop: Account) -> None:
    sales = as_("sales")
    drafted = sales.post(QUOTES, wish(shop, title="Fibre for the office"))
    assert drafted.status_code == 201
    quote = drafted.json()
    assert drafted["Location"] == quote["url"] == f"/api/v1/quotes/{quote['id']}"
    assert (quote["state"], quote["title"]) == ("draft", "Fibre for the office")
    assert quote["owner"] == sales.person.username
    assert [line["terms"] for line in quote["lines"]] == [None, None]

    sent = sales.post(f"{quote['url']}/send").json()
    assert sent["state"] == "sent"
    assert (sent["monthly_total"], sent["one_time_total"]) == ("103.30", "198.00")
    fibre, router = sent["lines"]
    assert [c["unit_price"] for c in fibre["terms"]["charges"]] == ["49.9", "99"]
    assert router["terms"]["charges"][0]["discounts"] == [{"kind": "percent", "value": "12.5000"}]
    assert [w["won"] for w in fibre["why"]] == [True]

    placed = sales.post(f"{quote['url']}/accept", {"by": "Ada Customer"})
    assert placed.status_code == 201
    order = placed.json()
    assert placed["Location"] == order["url"]
    assert (order["quote"], order["channel"]) == (quote["id"], "quote")
    assert [line["terms_digest"] for line in order["lines"]] == [
        line["terms"]["digest"] for line in sent["lines"]
    ]
    assert sales.get(quote["url"]).json()["accepted_by"] == "Ada Customer"


def test_accepting_twice_tells_the_order(as_: As) -> None:
    quote = a_sent_quote(at=clock.now(), valid_until=clock.today())
    sales = as_("sales")
    order = sales.post(f"{QUOTES}/{quote.pk}/accept").json()
    told = assert_problem(sales.post(f"{QUOTES}/{quote.pk}/accept"), 409, "already_ordered")
    assert (told["order_id"], told["url"]) == (order["id"], order["url"])
    assert_problem(sales.post("/api/v1/orders", {"quote": quote.pk}), 409, "already_ordered")
    assert Order.objects.count() == 1


def test_decline_says_why(as_: As) -> None:
    quote = a_sent_quote(at=clock.now(), valid_until=clock.today())
    sales = as_("sales")
    answer = sales.post(f"{QUOTES}/{quote.pk}/decline", {"reason": "too dear"})
    assert answer.status_code == 204
    told = sales.get(f"{QUOTES}/{quote.pk}").json()
    assert (told["state"], told["reason"]) == ("declined", "too dear")


def test_withdraw(as_: As) -> None:
    quote = a_quote()
    sales = as_("sales")
    assert sales.post(f"{QUOTES}/{quote.pk}/withdraw").json()["state"] == "withdrawn"
    assert_problem(sales.post(f"{QUOTES}/{quote.pk}/withdraw"), 409, "quote_not_open")
    assert_problem(sales.post(f"{QUOTES}/{quote.pk}/send"), 409, "quote_not_draft")
    assert_problem(sales.post(f"{QUOTES}/{quote.pk}/accept"), 409, "quote_not_open")


@pytest.mark.parametrize(
    ("changes", "status", "code", "fields"),
    [
        ({"account": "A-none"}, 404, "not_found", ["account"]),
        ({"valid_until": "01/02/2030"}, 400, "malformed", ["valid_until"]),
        ({"valid_until": None}, 400, "malformed", ["valid_until"]),
        ({"valid_until": "2020-01-01"}, 422, "validity_invalid", ["valid_until"]),
        ({"title": "x" * 201}, 400, "malformed", ["title"]),
        ({"lines": []}, 400, "malformed", ["lines"]),
        (
            {"lines": [{"product": "none", "quantity": 1}]},
            422,
            "product_unknown",
            ["lines[0].product"],
        ),
        (
            {"lines": [{"product": "fibre", "quantity": 1, "discount_percent": "101"}]},
            422,
            "discount_invalid",
            ["lines[0].discount_percent"],
        ),
        (
            {"lines": [{"product": "fibre", "quantity": 1, "discount_percent": "1.00001"}]},
            422,
            "discount_invalid",
            ["lines[0].discount_percent"],
        ),
        (
            {"lines": [{"product": "fibre", "quantity": 1, "unit_price": "1"}]},
            400,
            "malformed",
            ["lines[0].unit_price"],
        ),
    ],
    ids=str,
)
def test_bad_input(
    as_: As, shop: Account, changes: dict[str, Any], status: int, code: str, fields: list[str]
) -> None:
    before = Event.objects.count()
    assert_problem(as_("sales").post(QUOTES, wish(shop, **changes)), status, code, *fields)
    assert (Quote.objects.count(), QuoteLine.objects.count()) == (0, 0)
    assert Event.objects.count() == before


def test_a_closed_account_is_offered_nothing(as_: As, shop: Account) -> None:
    Account.objects.filter(pk=shop.pk).update(state=Account.State.CLOSED)
    assert_problem(as_("sales").post(QUOTES, wish(shop)), 409, "account_closed", "account")
    assert Quote.objects.count() == 0


@pytest.mark.parametrize("group", ["order team", "finance"])
@pytest.mark.parametrize("verb", ["", "/{}/send", "/{}/withdraw", "/{}/accept", "/{}/decline"])
def test_who_does_not_sell_may_only_read(as_: As, group: str, verb: str) -> None:
    quote = a_sent_quote(at=clock.now())
    client = as_(group)
    assert_problem(client.post(QUOTES + verb.format(quote.pk), {}), 403, "permission_denied")
    assert client.get(f"{QUOTES}/{quote.pk}").status_code == 200
    quote.refresh_from_db()
    assert (quote.state, Quote.objects.count()) == ("sent", 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("state=sent", 1),
        ("state=sent&state=draft", 2),
        ("state=declined", 0),
        ("account=A-1st", 1),
        ("created_after=2020-01-01T00:00:00Z", 2),
        ("created_before=2020-01-01T00:00:00Z", 0),
        ("valid_until_before=2020-01-01", 0),
    ],
)
def test_filters(as_: As, query: str, found: int) -> None:
    a_quote(account=an_account(reference="A-1st"))
    a_sent_quote()
    assert len(as_("sales").get(f"{QUOTES}?{query}").json()["results"]) == found


def test_queries_do_not_grow_with_rows_or_lines(as_: As) -> None:
    sales = as_("sales")
    sales.person.get_all_permissions()
    small = a_sent_quote(products=[a_product()])
    assert _queries(sales, f"{QUOTES}/{small.pk}") == 3
    few = _queries(sales, QUOTES)
    big = a_sent_quote(products=[a_product() for _ in range(5)])
    assert _queries(sales, f"{QUOTES}/{big.pk}") == 3
    assert _queries(sales, QUOTES) == few


def _queries(client: Any, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)
