"""Idempotency-Key: one effect a key, the same answer again, also when two come at once."""

import threading
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from o2b.api import idempotency
from o2b.customers.models import Account
from o2b.models import Event, IdempotencyKey
from orders.models import Order
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_product, a_user, an_account

ORDERS = "/api/v1/orders"


@pytest.fixture
def account(db: None) -> Account:
    a_product(code="fibre")
    return an_account()


def body(account: Account, quantity: str = "1") -> dict[str, Any]:
    return {"account": account.pk, "lines": [{"product": "fibre", "quantity": quantity}]}


def keyed(client: APIClient, key: str, asked: Any, path: str = ORDERS) -> Any:
    return client.post(path, asked, headers={"Idempotency-Key": key})


def test_the_same_again(as_: As, account: Account) -> None:
    team = as_("order team")
    first = keyed(team, "k-1", body(account))
    again = keyed(team, "k-1", body(account))
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replay" not in first
    assert again["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert Order.objects.count() == 1


def test_blanks_and_the_order_of_names_do_not_matter(as_: As, account: Account) -> None:
    team = as_("order team")
    keyed(team, "k-1", body(account))
    turned = dict(reversed(body(account).items()))
    assert keyed(team, "k-1", turned)["Idempotent-Replay"] == "true"
    assert keyed(team, "k-1", body(account), f"{ORDERS}/")["Idempotent-Replay"] == "true"


@pytest.mark.parametrize("change", ["quantity", "path"])
def test_another_request_with_the_key(as_: As, account: Account, change: str) -> None:
    admin = as_("administrator")
    keyed(admin, "k-1", body(account))
    path = "/api/v1/quotes" if change == "path" else ORDERS
    asked = body(account, quantity="2" if change == "quantity" else "1")
    told = assert_problem(
        keyed(admin, "k-1", asked, path), 422, "idempotency_key_reused", "Idempotency-Key"
    )
    assert told["detail"]
    assert (Order.objects.count(), IdempotencyKey.objects.count()) == (1, 1)


def test_another_query_is_another_request(as_: As, account: Account) -> None:
    """A sheet that was tried with a key is not placed with it, nor said to be."""
    team, sheet = as_("order team"), b"account,product,quantity\r\n%s,fibre,1\r\n"
    body = sheet % account.reference.encode()

    def sent(query: str) -> Any:
        key = {"HTTP_IDEMPOTENCY_KEY": "k-1"}
        return team.post(f"{ORDERS}/bulk{query}", body, content_type="text/csv", **key)

    assert sent("?dry_run=true&name=a").json()["dry_run"] is True
    assert sent("?name=a&dry_run=true")["Idempotent-Replay"] == "true"
    for query in ("", "?dry_run=false&name=a", "?dry_run=true&name=b"):
        assert_problem(sent(query), 422, "idempotency_key_reused", "Idempotency-Key")
    assert (Order.objects.count(), IdempotencyKey.objects.count()) == (0, 1)


def test_a_key_is_one_users_own(as_: As, account: Account) -> None:
    first = keyed(as_("order team"), "k-1", body(account))
    second = keyed(as_("order team"), "k-1", body(account))
    assert first.json()["id"] != second.json()["id"]


def test_what_was_refused_may_be_tried_again(as_: As, account: Account) -> None:
    team = as_("order team")
    before = Event.objects.count()
    refused = keyed(team, "k-1", body(account, quantity="0"))
    assert_problem(refused, 422, "quantity_invalid", "lines[0].quantity")
    assert (IdempotencyKey.objects.count(), Event.objects.count()) == (0, before)
    assert keyed(team, "k-1", body(account)).status_code == 201


def test_another_one_s_permission_is_not_needed_for_a_replay_but_the_door_is(
    as_: As, account: Account
) -> None:
    team = as_("order team")
    keyed(team, "k-1", body(account))
    team.person.groups.clear()
    stranger = as_(user=type(team.person).objects.get(pk=team.person.pk))
    assert_problem(keyed(stranger, "k-1", body(account)), 403, "permission_denied")


@pytest.mark.parametrize("key", ["", "x" * 201, "ä", "tab\there"])
def test_a_key_that_is_none(as_: As, account: Account, key: str) -> None:
    answer = keyed(as_("order team"), key, body(account))
    assert_problem(answer, 400, "malformed", "Idempotency-Key")
    assert Order.objects.count() == 0


def test_verbs_take_effect_once_too(as_: As, account: Account) -> None:
    sales = as_("sales")
    asked = body(account) | {"valid_until": "2099-01-01"}
    quote = keyed(sales, "draft", asked, "/api/v1/quotes").json()
    first = keyed(sales, "send", None, f"{quote['url']}/send").json()
    assert keyed(sales, "send", None, f"{quote['url']}/send").json() == first
    order = keyed(sales, "accept", {"by": "Ada"}, f"{quote['url']}/accept")
    again = keyed(sales, "accept", {"by": "Ada"}, f"{quote['url']}/accept")
    assert (again.status_code, again.json()) == (201, order.json())
    assert Order.objects.count() == 1


def test_an_answer_without_a_body_is_repeated(as_: As, account: Account) -> None:
    sales = as_("sales")
    asked = body(account) | {"valid_until": "2099-01-01"}
    quote = sales.post("/api/v1/quotes", asked).json()
    sales.post(f"{quote['url']}/send")
    for _ in range(2):
        assert keyed(sales, "no", {"reason": "dear"}, f"{quote['url']}/decline").status_code == 204


@pytest.mark.django_db(transaction=True)
def test_many_at_once_have_one_effect(account: Account) -> None:
    person = a_user("order team")
    answers = _at_once(6, lambda: keyed(_client(person), "k-1", body(account)))
    assert Order.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [a for a in answers if a.status_code == 201]
    assert {a.json()["id"] for a in made} == {Order.objects.get().pk}
    for refused in answers:
        if refused.status_code == 409:
            assert refused.json()["code"] == "idempotency_key_in_progress"


@pytest.mark.django_db(transaction=True)
def test_a_key_in_progress_is_told_at_once(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = a_user("order team")
    held, go_on = threading.Event(), threading.Event()
    digest_of = idempotency.IdempotencyKey.objects.create

    def slowly(**given: Any) -> Any:
        held.set()
        assert go_on.wait(10)
        return digest_of(**given)

    monkeypatch.setattr(idempotency.IdempotencyKey.objects, "create", slowly)
    first: list[Any] = []
    thread = _thread(lambda: first.append(keyed(_client(person), "k-1", body(account))))
    assert held.wait(10)
    second = keyed(_client(person), "k-1", body(account))
    go_on.set()
    thread.join(10)
    assert_problem(second, 409, "idempotency_key_in_progress", "Idempotency-Key")
    assert (first[0].status_code, Order.objects.count()) == (201, 1)


def _client(person: Any) -> APIClient:
    client = APIClient()
    client.default_format = "json"
    client.force_authenticate(person)
    return client


def _thread(work: Any) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def _at_once(count: int, ask: Any) -> list[Any]:
    gate, answers = threading.Barrier(count), []

    def work() -> None:
        gate.wait(10)
        answers.append(ask())

    for thread in [_thread(work) for _ in range(count)]:
        thread.join(20)
    assert len(answers) == count
    return answers
