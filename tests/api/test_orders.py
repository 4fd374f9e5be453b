"""Orders by REST: from a quote, without one, and how they are read."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b import clock
from o2b.catalog.services import retire_product
from o2b.customers.models import Account
from o2b.models import Event, Outbox
from orders.models import Order, OrderLine, Task
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_product, a_quote, a_sent_quote, an_account

pytestmark = pytest.mark.django_db

ORDERS = "/api/v1/orders"


def wish(of: Account, *codes: str, **changes: Any) -> dict[str, Any]:
    lines = [{"product": code, "quantity": 1} for code in codes]
    return {"account": of.reference, "lines": lines} | changes


@pytest.mark.parametrize("named_by", ["pk", "reference"])
def test_without_a_quote(as_: As, named_by: str) -> None:
    account = an_account()
    a_product(code="fibre"), a_product(code="router")
    team = as_("order team")
    body = wish(account, "fibre", "router", note="By noon", start_on="2026-12-01")
    answer = team.post(ORDERS, body | {"account": getattr(account, named_by)})
    assert answer.status_code == 201
    order = answer.json()
    assert answer["Location"] == order["url"] == f"{ORDERS}/{order['id']}"
    assert (order["channel"], order["quote"], order["kind"]) == ("rest", None, "new")
    assert (order["note"], order["start_on"]) == ("By noon", "2026-12-01")
    assert order["placed_by"] == team.person.username
    assert [line["product"] for line in order["lines"]] == ["fibre", "router"]
    assert {line["state"] for line in order["lines"]} == {"scheduled"}
    assert team.get(order["url"]).json() == order
    assert (OrderLine.objects.count(), Task.objects.count()) == (2, 2)
    line = team.get(order["lines"][0]["url"]).json()
    assert line["terms"]["charges"][0]["unit_price"] == "49.9"
    assert line["terms"]["start_rule"] == "on_date"


def test_of_a_quote(as_: As) -> None:
    quote = a_sent_quote(at=clock.now(), valid_until=clock.today())
    sales = as_("sales")
    answer = sales.post(ORDERS, {"quote": quote.pk, "by": "Ada"})
    assert answer.status_code == 201
    assert (answer.json()["quote"], answer.json()["channel"]) == (quote.pk, "rest")


@pytest.mark.parametrize(
    ("body", "status", "code", "fields"),
    [
        ({}, 400, "malformed", ["account", "lines"]),
        ({"quote": 999_999}, 404, "not_found", ["quote"]),
        ({"quote": "Q-1"}, 400, "malformed", ["quote"]),
        ({"quote": 10**30}, 400, "malformed", ["quote"]),
        ({"quote": -1}, 400, "malformed", ["quote"]),
        ({"quote": True}, 400, "malformed", ["quote"]),
        ({"quote": None}, 400, "malformed", ["quote"]),
        ({"quote": [1]}, 400, "malformed", ["quote"]),
        ({"quote": 1, "account": "A-1"}, 400, "malformed", ["account"]),
        ({"quote": 1, "lines": []}, 400, "malformed", ["lines"]),
        ({"quote": 1, "by": "x" * 201}, 400, "malformed", ["by"]),
    ],
    ids=str,
)
def test_bad_input(
    as_: As, body: dict[str, Any], status: int, code: str, fields: list[str]
) -> None:
    assert_problem(as_("administrator").post(ORDERS, body), status, code, *fields)
    assert (Order.objects.count(), Event.objects.count(), Outbox.objects.count()) == (0, 0, 0)


def test_an_expired_quote_is_not_ordered(as_: As) -> None:
    quote = a_sent_quote()
    type(quote).objects.filter(pk=quote.pk).update(valid_until="2026-02-01")
    before = Event.objects.count()
    assert_problem(as_("sales").post(ORDERS, {"quote": quote.pk}), 409, "quote_expired")
    assert (Order.objects.count(), Event.objects.count()) == (0, before)


def test_a_draft_is_not_ordered(as_: As) -> None:
    quote = a_quote(at=clock.now())
    assert_problem(as_("sales").post(ORDERS, {"quote": quote.pk}), 409, "quote_not_open")
    assert Order.objects.count() == 0


def test_a_closed_account_orders_nothing(as_: As) -> None:
    a_product(code="fibre")
    account = an_account(state=Account.State.CLOSED)
    answer = as_("order team").post(ORDERS, wish(account, "fibre"))
    assert_problem(answer, 409, "account_closed", "account")
    assert Order.objects.count() == 0


def test_no_price_in_the_currency_of_the_account(as_: As) -> None:
    a_product(code="fibre")
    answer = as_("order team").post(ORDERS, wish(an_account(currency="CHF"), "fibre"))
    assert_problem(answer, 422, "no_price", "lines[0].product")
    assert Order.objects.count() == 0


def test_a_legacy_form_is_translated_where_it_says_so(as_: As) -> None:
    isdn, voip = a_product(code="isdn"), a_product(code="voip", name="Voice")
    a_product(code="fibre")
    retire_product(
        product_id=isdn.product_id, successor_id=voip.product_id, on=clock.today(), by=None
    )
    team, account = as_("order team"), an_account()
    for said in ({}, {"legacy": False}):
        answer = team.post(ORDERS, wish(account, "fibre", "isdn", **said))
        assert_problem(answer, 409, "product_not_sold", "lines[1].product")
        assert "Voice (voip) has taken its place" in answer.json()["detail"]
    assert_problem(
        team.post(ORDERS, wish(account, "isdn", legacy="perhaps")), 400, "malformed", "legacy"
    )
    assert (Order.objects.count(), Task.objects.count(), Outbox.objects.count()) == (0, 0, 0)
    order = team.post(ORDERS, wish(account, "fibre", "isdn", legacy=True, note="By fax")).json()
    assert [line["product"] for line in order["lines"]] == ["fibre", "voip"]
    assert order["note"] == "By fax\nLine 2: isdn is retired; ordered as Voice v1."
    assert team.get(order["url"]).json()["note"] == order["note"]


@pytest.mark.parametrize(
    ("group", "of_quote", "status"),
    [
        ("sales", True, 201),
        ("sales", False, 403),
        ("order team", True, 403),
        ("order team", False, 201),
        ("finance", True, 403),
        ("finance", False, 403),
        ("administrator", True, 201),
        ("administrator", False, 201),
    ],
)
def test_who_may_order_which_way(as_: As, group: str, of_quote: bool, status: int) -> None:
    quote = a_sent_quote(at=clock.now(), products=[a_product(code="fibre")])
    body = {"quote": quote.pk} if of_quote else wish(an_account(), "fibre")
    answer = as_(group).post(ORDERS, body)
    assert answer.status_code == status
    assert Order.objects.count() == (status == 201)


def test_who_belongs_to_no_group_reads_nothing(as_: As) -> None:
    assert_problem(as_().get(ORDERS), 403, "permission_denied")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("account=A-9", 1),
        ("channel=rest", 1),
        ("channel=rest&channel=quote", 2),
        ("kind=new", 2),
        ("kind=renew", 0),
        ("placed_after=2020-01-01T00:00:00Z", 2),
        ("placed_before=2020-01-01T00:00:00%2B01:00", 0),
    ],
)
def test_filters(as_: As, query: str, found: int) -> None:
    admin = as_("administrator")
    quote = a_sent_quote(at=clock.now(), products=[a_product(code="fibre")])
    admin.post(f"/api/v1/quotes/{quote.pk}/accept")
    admin.post(ORDERS, wish(an_account(reference="A-9"), "fibre"))
    assert len(admin.get(f"{ORDERS}?{query}").json()["results"]) == found


def test_queries_do_not_grow_with_the_lines(as_: As) -> None:
    team = as_("order team")
    team.person.get_all_permissions()
    codes = [a_product().product.code for _ in range(6)]
    few, one = _queries(team, ORDERS, wish(an_account(), codes[0]))
    many, six = _queries(team, ORDERS, wish(an_account(), *codes))
    assert many == few
    assert _queries(team, one)[0] == _queries(team, six)[0] == 2
    assert _queries(team, ORDERS)[0] == 1


def _queries(client: Any, path: str, body: Any = None) -> tuple[int, str]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.post(path, body) if body else client.get(path)
    assert answer.status_code in {200, 201}, answer.json()
    return len(captured), answer.json().get("url", "")


@pytest.mark.parametrize(
    ("said", "start_on", "holds"),
    [
        ("", None, "on_delivery"),
        ("", "2026-03-01", "on_date"),
        ("each_part", None, "each_part"),
        ("on_delivery", "2026-03-01", "on_delivery"),
        ("on_date", "2026-03-01", "on_date"),
    ],
)
def test_a_line_says_when_billing_starts(
    as_: As, said: str, start_on: str | None, holds: str
) -> None:
    a_product(code="fibre")
    body = wish(an_account(), "fibre", start_on=start_on)
    body["lines"][0]["start_rule"] = said
    assert as_("order team").post(ORDERS, body).status_code == 201
    assert Order.objects.get().lines.get().terms.start_rule == holds


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ("some day", 422, "start_rule_invalid"),
        ("on_date", 422, "start_rule_invalid"),
        ("x" * 13, 400, "malformed"),
    ],
)
def test_a_start_that_cannot_be(as_: As, said: str, status: int, code: str) -> None:
    a_product(code="fibre")
    body = wish(an_account(), "fibre")
    body["lines"][0]["start_rule"] = said
    answer = as_("order team").post(ORDERS, body)
    assert_problem(answer, status, code, "lines[0].start_rule")
    assert Order.objects.count() == 0
