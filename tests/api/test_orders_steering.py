"""Orders by REST as a whole: days, priority, hold, resume, cancel; and by the sheet."""

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orders.models import BulkOrder, Order, OrderLine, Task
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import INSTALL, a_product, a_sent_quote, a_user, an_account
from tests.orders.build import NOON, unread, written
from tests.orders.build_bulk import sheet

pytestmark = pytest.mark.django_db

ORDERS, BULK = "/api/v1/orders", "/api/v1/orders/bulk"
AHEAD = {"work_from": "2090-01-01", "promised_on": "2090-02-01"}


def ordered(team: Person, lines: int = 1, **given: Any) -> dict[str, Any]:
    account = an_account()
    codes = [a_product(tasks=INSTALL).product.code for _ in range(lines)]  # type: ignore[arg-type]
    wishes = [{"product": code, "quantity": 1} for code in codes]
    answer = team.post(ORDERS, {"account": account.reference, "lines": wishes} | given)
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def test_an_order_for_a_later_day(as_: As) -> None:
    team = as_("order team")
    order = ordered(team, priority=2, **AHEAD)
    assert (order["work_from"], order["promised_on"]) == ("2090-01-01", "2090-02-01")
    assert (order["priority"], order["jeopardy"]) == (2, "green")
    assert order["lines"][0]["state"] == "accepted"
    moved = team.post(f"{order['url']}/work-from", {"work_from": None, "reason": "Now"})
    assert moved.status_code == 200
    assert moved.json()["lines"][0]["state"] == "scheduled"
    again = team.post(f"{order['url']}/work-from", {"work_from": "2090-01-05", "reason": "Later"})
    assert_problem(again, 409, "order_begun", "work_from")
    task = team.get(f"/api/v1/tasks?order={order['id']}&state=ready").json()["results"][0]
    assert (task["priority"], task["jeopardy"], task["waits_for"]) == (2, "green", "")
    detail = team.get(task["url"]).json()
    assert (detail["costs"], detail["evidence"], detail["checklist"]) == ([], [], [])


def test_a_quote_for_a_later_day(as_: As) -> None:
    quote = a_sent_quote(at=NOON, valid_until=date(2090, 1, 1))
    order = as_("sales").post(ORDERS, {"quote": quote.pk} | AHEAD).json()
    assert (order["work_from"], order["lines"][0]["state"]) == ("2090-01-01", "accepted")


@pytest.mark.parametrize(
    ("said", "status", "field"),
    [
        ({"work_from": "soon"}, 400, "work_from"),
        ({"work_from": "2999-01-01"}, 422, "work_from"),
        ({"promised_on": "2020-01-01"}, 422, "promised_on"),
        ({"promised_on": "2090-01-01", "work_from": "2090-01-02"}, 422, "promised_on"),
        ({"priority": 3}, 422, "priority"),
        ({"priority": "high"}, 400, "priority"),
        ({"priority": 10**30}, 422, "priority"),
    ],
)
def test_days_that_cannot_be(as_: As, said: dict[str, Any], status: int, field: str) -> None:
    code = a_product().product.code
    body = {"account": an_account().reference, "lines": [{"product": code, "quantity": 1}]}
    before = written()
    answer = as_("order team").post(ORDERS, body | said)
    assert answer.status_code == status
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert written() == before


def test_hold_resume_priority_cancel(as_: As) -> None:
    team = as_("order team")
    order = ordered(team, lines=2)
    url = order["url"]
    held = team.post(f"{url}/hold", {"reason": "Unpaid"}).json()
    assert held["order"]["state"] == "held"
    assert [(r["position"], r["done"], r["state"]) for r in held["results"]] == [
        (1, True, "held"),
        (2, True, "held"),
    ]
    assert_problem(team.post(f"{url}/hold", {"reason": "Again"}), 409, "order_not_ready")
    assert team.post(f"{url}/resume").json()["order"]["state"] == "scheduled"
    assert team.post(f"{url}/priority", {"priority": 1}).status_code == 403
    assert set(Task.objects.values_list("priority", flat=True)) == {0}
    lead = as_("order lead")
    assert lead.post(f"{url}/priority", {"priority": 1}).json()["priority"] == 1
    assert set(Task.objects.values_list("priority", flat=True)) == {1}
    key = {"HTTP_IDEMPOTENCY_KEY": "cancel-1"}
    once = team.post(f"{url}/cancel", {"reason": "No more"}, **key)
    assert once.json()["order"]["state"] == "cancelled"
    assert team.post(f"{url}/cancel", {"reason": "No more"}, **key).json() == once.json()
    assert set(OrderLine.objects.values_list("state", flat=True)) == {"cancelled"}


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("hold", {}),
        ("hold", {"reason": ""}),
        ("cancel", {"reason": "x" * 2001}),
        ("cancel", {"reason": "x", "price": 1}),
        ("priority", {"priority": 9}),
        ("priority", {}),
        ("work-from", {"reason": "x"}),
        ("work-from", {"work_from": "2090-13-01", "reason": "x"}),
    ],
)
def test_bad_input_writes_nothing(as_: As, verb: str, body: dict[str, Any]) -> None:
    team = as_("order lead")
    order = ordered(team)
    before = written()
    answer = team.post(f"{order['url']}/{verb}", body)
    assert answer.status_code in (400, 422)
    assert written() == before
    assert team.post(f"{ORDERS}/999999999/{verb}", body).status_code in (400, 404, 422)
    assert as_("finance").post(f"{order['url']}/{verb}", body).status_code == 403


def test_filters(as_: As) -> None:
    team = as_("order team")
    first, second = ordered(team, priority=1), ordered(team)
    Order.objects.filter(pk=first["id"]).update(jeopardy="red", promised_on="2026-05-01")
    product = first["lines"][0]["product"]
    advocate = Order.objects.get(pk=first["id"]).account.advocate.username

    def found(query: str) -> list[int]:
        return [order["id"] for order in team.get(f"{ORDERS}?{query}").json()["results"]]

    for query in (
        "jeopardy=red",
        "priority=1",
        f"product={product}",
        f"advocate={advocate}",
        "promised_after=2026-05-01&promised_before=2026-05-02",
    ):
        assert found(query) == [first["id"]], query
    assert found("queue=field") == [second["id"], first["id"]]
    assert found("queue=nowhere") == found("product=nothing") == []
    assert team.get(f"{ORDERS}?product=n%00l").status_code == 400
    assert team.get(f"{ORDERS}?jeopardy=purple").status_code == 400


# sheets


@pytest.fixture
def shop() -> None:
    an_account(reference="N-1"), a_product(code="fibre")


def test_a_sheet_is_tried_and_placed(as_: As, shop: None) -> None:
    team = as_("order team")
    body = sheet("A,N-1,fibre,1", "B,N-1,fibre,0")
    tried = team.post(f"{BULK}?dry_run=true&name=may.csv", body, content_type="text/csv")
    assert tried.status_code == 202
    bulk = tried.json()
    assert tried["Location"] == bulk["url"]
    assert (bulk["file_name"], bulk["dry_run"], bulk["is_over"]) == ("may.csv", True, True)
    assert (bulk["rows"], bulk["orders_placed"], bulk["rejected"]) == (2, 1, 1)
    assert Order.objects.count() == 0
    refused = team.get(f"{bulk['rows_url']}?outcome=refused").json()["results"]
    assert [(row["row"], row["column"]) for row in refused] == [(3, "quantity")]
    assert refused[0]["told"] == ["order=B", "account=N-1", "product=fibre", "quantity=0"]
    placed = team.post(f"{bulk['url']}/place")
    assert (placed.status_code, placed.json()["dry_run"]) == (202, False)
    order = Order.objects.get()
    rows = team.get(f"{bulk['rows_url']}?outcome=placed").json()["results"]
    assert [row["order"] for row in rows] == [order.pk]
    assert team.get(f"{ORDERS}?bulk={bulk['id']}").json()["results"][0]["channel"] == "bulk"
    assert_problem(team.post(f"{bulk['url']}/place"), 409, "sheet_placed_already", "file")
    again = team.post(BULK, body, content_type="text/csv")
    assert_problem(again, 409, "sheet_placed_already", "file")
    assert team.get(BULK).json()["results"][0]["id"] == bulk["id"]
    assert Order.objects.count() == 1


def test_a_form_with_a_file_and_a_key(as_: As, shop: None) -> None:
    team = as_("order team")

    def send() -> Any:
        file = SimpleUploadedFile("orders.csv", sheet("A,N-1,fibre,1"), "text/csv")
        return team.post(BULK, {"file": file}, format="multipart", HTTP_IDEMPOTENCY_KEY="sheet-1")

    first = send()
    assert (first.status_code, first.json()["orders_placed"]) == (202, 1)
    assert send().json() == first.json()
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "kind", "query", "status"),
    [
        (b"", "text/csv", "", 400),
        (b"a,b\r\n1,2", "text/csv", "", 422),
        (b"\0\0\0", "text/csv", "", 422),
        (
            b"PK\x03\x04",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "",
            422,
        ),
        (b"{}", "application/json", "", 400),
        (b"[]", "application/json", "", 400),
        (b'{"file": "x"}', "application/json", "", 400),
        (b"x", "multipart/form-data", "", 400),
        (b"x", "multipart/form-data; boundary=y", "", 400),
        (b"x", "image/png", "", 415),
        (b"account,product,quantity\r\nN-1,fibre,1", "text/csv", "?dry_run=perhaps", 400),
        (b"x" * (10 * 1024 * 1024 + 1), "text/csv", "", 413),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_sheet_is_refused(
    as_: As, shop: None, body: bytes, kind: str, query: str, status: int
) -> None:
    answer = as_("order team").post(f"{BULK}{query}", body, content_type=kind)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert (BulkOrder.objects.count(), Order.objects.count()) == (0, 0)


def test_who_may_and_junk(as_: As, shop: None) -> None:
    assert as_("finance").get(BULK).status_code == 403
    team = as_("order team")
    for url in (f"{BULK}/999999999", f"{BULK}/999999999/rows"):
        assert team.get(url).status_code == 404
    assert team.post(f"{BULK}/999999999/place").status_code == 404
    bulk = team.post(f"{BULK}?dry_run=1", sheet("A,N-1,fibre,1"), content_type="text/csv").json()
    assert team.get(f"{bulk['rows_url']}?outcome=lost").status_code == 400


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/csv"])
def test_a_gigabyte_is_refused_before_it_is_read(shop: None, kind: str) -> None:
    client = Client()
    client.force_login(a_user("order team"))  # a session's token is looked for in the form
    assert_problem(unread(client, BULK, kind), 413, "too_large")
    assert not BulkOrder.objects.exists()
