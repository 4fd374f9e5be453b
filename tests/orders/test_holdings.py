"""What an account has counts where a product requires another; doors ask, services do not."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from o2b import clock
from o2b.asks import Holding, ask, held_by
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.errors import Refused
from orders.fulfilment.services import cancel_line
from orders.models import OrderLine
from quotes.models import Quote, QuoteLine
from quotes.services import draft_quote, send_quote
from subscriptions.models import Item, ServiceState
from subscriptions.services import start_items
from tests.api.problem import assert_problem
from tests.orders.build import NOON, a_product, a_user, an_account, entered, team, written
from tests.quotes.test_inputs_rules import amended, lines
from tests.subscriptions.build import AT, a_line, an_order

pytestmark = pytest.mark.django_db

S = OrderLine.State


@pytest.fixture
def account() -> Account:
    """An account that may want numbers for a trunk, and none of them together with ISDN."""
    trunk, isdn = a_product(code="trunk"), a_product(code="isdn")
    numbers = a_product(code="numbers", name="Numbers")
    amended(numbers, rules=[("requires", trunk), ("excludes", isdn)])
    return an_account(reference="N-1")


def has(account: Account, code: str, state: str = S.COMPLETED, quantity: str = "1") -> OrderLine:
    """The account ordered it; what is completed is in service."""
    version = ProductVersion.objects.filter(product__code=code).latest("number")
    line = a_line(an_order(account), version, state=state, quantity=quantity)
    start_items(order_id=line.order_id, at=AT)
    return line


HELD: list[tuple[str, int]] = [
    (S.SCHEDULED, 1),
    (S.PROVISIONING, 1),
    (S.HELD, 1),
    (S.WAITING, 1),
    (S.FALLOUT, 1),
    (S.DELIVERED, 1),
    (S.COMPLETED, 1),
    (S.CANCELLING, 0),
    (S.CANCELLED, 0),
]


@pytest.mark.parametrize(("state", "count"), HELD)
def test_what_is_ordered_or_in_service(account: Account, state: str, count: int) -> None:
    has(account, "trunk", state, quantity="3")
    has(an_account(), "isdn", state)
    expected = [Holding("trunk", Decimal(3))] * count
    assert ask("holdings", account.pk) == expected
    assert held_by(account.pk) == {holding.product for holding in expected}


@pytest.mark.parametrize(("state", "is_held"), [(s, s != "ended") for s in ServiceState.values])
def test_what_ended_is_held_no_more(account: Account, state: str, is_held: bool) -> None:
    has(account, "trunk")
    Item.objects.update(state=state)
    assert held_by(account.pk) == ({"trunk"} if is_held else set())


def test_quantities_of_many_lines_and_items_in_a_query_each(account: Account) -> None:
    for _each in range(3):
        has(account, "trunk", quantity="2")
        has(account, "isdn", S.SCHEDULED)
    with CaptureQueriesContext(connection) as asked:
        found = ask("holdings", account.pk)
    assert found == [Holding("isdn", Decimal(3)), Holding("trunk", Decimal(6))]
    assert len(asked) == 2


def fields(**given: str) -> dict[str, str]:
    until = clock.today() + timedelta(days=10)
    return {
        "account": "N-1",
        "valid_until": until.isoformat(),
        "lines": "1",
        "lines-0-product": "numbers",
        "lines-0-quantity": "1",
    } | given


def rest(group: str) -> APIClient:
    """A client of the API."""
    client = APIClient()
    client.default_format = "json"
    client.force_authenticate(a_user(group))
    return client


def everything() -> tuple[Any, ...]:
    return (*written(), Quote.objects.count(), QuoteLine.objects.count())


def test_pages_know_what_the_account_has(account: Account) -> None:
    rep, worker = team("sales"), team("order team")
    doors: list[Callable[[], Any]] = [
        lambda: rep.post("/quotes/new/", fields(do="save")),
        lambda: worker.post(reverse("orders:new"), fields(do="place")),
    ]
    before = everything()
    for door in doors:
        page = door()
        assert page.status_code == 422
        assert "Numbers needs Trunk (trunk) too." in page.text
    assert everything() == before
    line = has(account, "trunk", S.PROVISIONING)
    for door in doors:
        assert door().status_code == 302
    quote = Quote.objects.get()
    cancelled = OrderLine.objects.filter(pk=line.pk)
    cancelled.update(state=S.CANCELLED)
    before = everything()
    detail = rep.get(quote.get_absolute_url())
    assert "It cannot be sent like this: Numbers needs Trunk (trunk) too." in detail.text
    assert rep.post(f"/quotes/{quote.pk}/send/").status_code == 422
    assert everything() == before
    cancelled.update(state=S.PROVISIONING)
    assert "cannot be sent" not in rep.get(quote.get_absolute_url()).text
    rep.post(f"/quotes/{quote.pk}/send/")
    assert Quote.objects.get().state == "sent"


def test_the_api_knows_what_the_account_has(account: Account) -> None:
    wish: dict[str, Any] = {"account": "N-1", "lines": [{"product": "numbers", "quantity": 1}]}
    quote = wish | {"valid_until": clock.today().isoformat()}
    sales, worker = rest("sales"), rest("order team")
    before = everything()
    answer = sales.post("/api/v1/quotes", quote)
    assert_problem(answer, 422, "requires", "lines[0].product")
    assert_problem(worker.post("/api/v1/orders", wish), 422, "requires", "lines[0].product")
    assert everything() == before
    has(account, "trunk")
    drafted = sales.post("/api/v1/quotes", quote)
    assert drafted.status_code == 201
    Item.objects.update(state=ServiceState.ENDED)
    refused = sales.post(f"{drafted.json()['url']}/send")
    assert_problem(refused, 422, "requires", "lines[0].product")
    assert Quote.objects.get().state == "draft"
    Item.objects.update(state=ServiceState.SUSPENDED)
    assert sales.post(f"{drafted.json()['url']}/send").json()["state"] == "sent"
    assert worker.post("/api/v1/orders", wish).status_code == 201


def test_what_the_account_has_excludes_nothing(account: Account) -> None:
    has(account, "isdn")
    has(account, "trunk")
    assert team("sales").post("/quotes/new/", fields(do="save")).status_code == 302
    both = fields(lines="2") | {"lines-1-product": "isdn", "lines-1-quantity": "1"}
    page = team("sales").post("/quotes/new/", both | {"do": "save"})
    assert "Numbers cannot be had together with Isdn (isdn)." in page.text
    assert Quote.objects.count() == 1


def test_services_know_only_what_they_are_told(account: Account) -> None:
    has(account, "trunk")
    said: dict[str, Any] = {
        "account_id": account.pk,
        "owner_id": account.advocate_id,
        "valid_until": NOON.date(),
        "lines": lines(("numbers", 1)),
        "at": NOON,
    }
    before = everything()
    deeds: list[Callable[[], object]] = [
        lambda: draft_quote(**said),
        lambda: entered(account, lines=lines(("numbers", 1))),
    ]
    for deed in deeds:
        with pytest.raises(Refused, match="needs Trunk"):
            deed()
        assert everything() == before
    quote = draft_quote(**said, already={"trunk"})
    with pytest.raises(Refused, match="needs Trunk"):
        send_quote(quote_id=quote.pk, at=NOON)
    assert send_quote(quote_id=quote.pk, at=NOON, already={"trunk"}).state == "sent"
    assert entered(account, lines=lines(("numbers", 1)), already={"trunk"}).lines.count() == 1


def test_a_cancelled_order_line_is_not_held(account: Account) -> None:
    order = entered(account, lines=lines(("trunk", 1)))
    assert held_by(account.pk) == {"trunk"}
    cancel_line(line_id=order.lines.get().pk, at=NOON, reason="Ordered twice")
    assert held_by(account.pk) == set()
