"""The list of orders: its filters live in the address, and cost no query more for many rows."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.customers.models import Account, Customer
from orders.models import Order
from tests.factories import a_user
from tests.orders.build import INSTALL, a_product, advance, an_account, entered, logged_in, team

pytestmark = pytest.mark.django_db

LIST = reverse("orders:list")


def rows(client: Client, **query: str) -> list[str]:
    """The numbers of the orders that the CSV of this address lists."""
    answer: Any = client.get(LIST, query | {"format": "csv"})
    lines = b"".join(answer.streaming_content).decode().splitlines()
    return [line.split(",")[0] for line in lines[1:]]


@pytest.fixture
def two() -> tuple[Order, Order]:
    """One by hand, late, urgent, promised and of Blue; one automatic and done."""
    blue = Customer.objects.create(name="Blue")
    advocate = a_user("sales", username="mara", first_name="Mara", last_name="Quint")
    account = an_account(reference="B-1", customer=blue, advocate=advocate)
    late = entered(account, a_product(code="fibre", name="Fibre 1", tasks=INSTALL), priority=2)
    Order.objects.filter(pk=late.pk).update(
        jeopardy="red",
        promised_on=date(2026, 2, 3),
        forecast_at=datetime(2026, 2, 9, 12, tzinfo=UTC),
    )
    done = entered(an_account(reference="G-1"), a_product(code="mail"), channel="rest")
    advance(done)
    Order.objects.filter(pk=done.pk).update(jeopardy="red", placed_at="2026-03-01T10:00Z")
    return late, done


@pytest.mark.parametrize(
    "query",
    [
        {"lateness": "red"},
        {"lateness": "endangered"},
        {"queue": "field"},
        {"product": "fibre"},
        {"product": "fibre 1"},
        {"customer": "b-1"},
        {"customer": "blu"},
        {"advocate": "mara"},
        {"channel": "screen"},
        {"priority": "2"},
        {"from": "2026-01-31", "until": "2026-01-31"},
        {"state": "scheduled"},
        {"q": "Blue", "lateness": "red", "queue": "field"},
    ],
    ids=str,
)
def test_filters(two, query):
    late, done = two
    assert rows(team(), **query) == [late.number]


def test_filters_that_find_the_other_or_nothing(two):
    late, done = two
    client = team()
    assert rows(client, **{"from": "2026-02-01"}) == [done.number]
    assert rows(client, lateness="green") == []
    assert rows(client, channel="rest") == [done.number]


@pytest.mark.parametrize(
    "query",
    [
        {"lateness": "purple"},
        {"queue": "n\0l"},
        {"queue": "nowhere"},
        {"advocate": "nobody"},
        {"priority": "99999999999999999999"},
        {"from": "2026-02-30"},
        {"until": "yesterday"},
        {"channel": "\0"},
    ],
    ids=str,
)
def test_what_is_unknown_is_ignored(two, query):
    assert len(rows(team(), **query)) == 2


def test_extreme_words_and_days_are_no_error(two):
    client = team()
    for query in (
        {"product": "\0"},
        {"product": "x" * 5000},
        {"customer": "%_\\"},
        {"until": "9999-12-31"},
        {"from": "0001-01-01"},
        {"sort": "-promised_on"},
    ):
        assert client.get(LIST, query).status_code == 200


def test_the_page_says_what_it_is_narrowed_by(two):
    late, done = two
    page = team().get(LIST, {"lateness": "red", "queue": "field"}).text
    assert "Lateness: <b>late</b>" in page
    assert f'href="{LIST}?lateness=red"' in page
    assert '<option value="red" selected>late</option>' in page
    assert 'name="sort"' not in page
    assert late.number in page
    assert "late</span>" in page
    assert "3 Feb 2026" in page
    assert "9 Feb 2026" in page
    assert "urgent" in page
    nothing = team().get(LIST, {"lateness": "green", "queue": "field"}).text
    assert "Nothing matches" in nothing


def test_the_sales_rep_finds_her_own_first(two):
    mara = logged_in(Account.objects.get(reference="B-1").advocate)
    page = mara.get(LIST).text
    assert '<option value="mara">me (' in page


def test_empty_days_stand_last_in_either_direction(two):
    late, done = two
    client = team()
    for sort in ("promised_on", "-promised_on", "forecast_at", "-forecast_at"):
        assert rows(client, sort=sort) == [late.number, done.number]


def test_the_csv_has_what_the_page_has_no_room_for(two):
    answer: Any = team().get(LIST, {"format": "csv", "lateness": "red"})
    head, row = b"".join(answer.streaming_content).decode().splitlines()
    assert head.split(",") == [
        *("Number", "Customer", "Account number", "State", "Lateness", "Priority", "Work from"),
        *("Promised", "Forecast", "Lines", "Channel", "Advocate", "Placed"),
    ]
    assert row.split(",")[1:9] == [
        *("Blue", "B-1", "scheduled", "red", "urgent", "", "2026-02-03"),
        "2026-02-09T12:00:00+00:00",
    ]


def test_queries_do_not_grow_with_orders(two):
    client = team()
    product = a_product(tasks=INSTALL)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST, {"lateness": "green", "queue": "field", "advocate": "mara"})
            client.get(LIST)
        return len(queries)

    entered(an_account(), product)
    count()
    one = count()
    for _each in range(8):
        entered(an_account(), product)
    assert count() == one


def test_an_accounts_panel_tells_lateness_and_leads_to_its_orders(two):
    late, done = two
    panel = (
        team()
        .get(reverse("orders:of-account", args=[late.account_id]), headers={"HX-Request": "true"})
        .text
    )
    assert "late</span>" in panel
    assert "?customer=B-1" in panel
