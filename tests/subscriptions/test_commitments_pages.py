"""Pages and API of commitments: the list of renewals, one service's terms, and who may do what."""

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from knox.models import AuthToken

from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Commitment, Item, RenewalDue
from tests.factories import a_product, a_user, monthly

pytestmark = pytest.mark.django_db

LIST = "/subscriptions/renewals/"
JUNK = "\0<script>" + "x" * 3000


@pytest.fixture
def rep():
    return a_user("sales")


@pytest.fixture
def browser(rep):
    client = Client()
    client.force_login(rep)
    return client


def sold(world, code="line-30", price="30.00", **given):
    world.on("2026-01-01")
    world.sell(products=[a_product(code=code, charges=[monthly(price)])])
    item = Item.objects.latest("pk")
    if given:
        agreed(world, item, **given)
    return item


def agreed(world, item, **given):
    wish = Commit(**{"item_id": item.pk, "months": 12, "starts_on": date(2026, 1, 1)} | given)
    commit(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)


def page_of(item):
    return reverse("subscriptions:commitments", args=[item.pk])


# the list


def test_the_list_says_what_comes_and_what_it_costs(world, browser):
    item = sold(world, renewal="uplift", uplift_percent="10", notice_days=30)
    sold(world, code="second", price="7.00", renewal="end")
    said = browser.get(LIST).content.decode()
    for words in (
        str(item),
        "1 Jan 2027",
        "2 Dec 2026",
        "of 10 %",
        "€33.00",
        "€30.00",
        "ends",
    ):
        assert words in said
    assert browser.get(f"{LIST}?state=end").content.decode().count("data-row") == 1
    assert browser.get(f"{LIST}?q={item.number}").content.decode().count("data-row") == 1
    assert (
        browser.get(f"{LIST}?q={world.account.reference}").content.decode().count("data-row") == 2
    )
    assert browser.get(f"{LIST}?days=30").content.decode().count("data-row") == 0
    assert browser.get(f"{LIST}?days=365").content.decode().count("data-row") == 2
    own = world.account.advocate_id
    assert browser.get(f"{LIST}?advocate={own}").content.decode().count("data-row") == 2
    world.on("2027-02-01")
    assert browser.get(f"{LIST}?days=overdue").content.decode().count("data-row") == 2


def test_the_list_as_csv(world, browser):
    item = sold(world, renewal="uplift", uplift_percent="10")
    answer = browser.get(f"{LIST}?format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [row["Service"] for row in rows] == [item.number]
    assert (rows[0]["Price now"], rows[0]["Ends on"]) == ("30.00", "2027-01-01")
    assert rows[0]["Price then"].startswith("33")


def test_an_empty_list_says_so(browser):
    assert "No service is committed" in browser.get(LIST).content.decode()


def test_the_list_asks_as_much_for_many_as_for_one(world, browser):
    def asked():
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(LIST).status_code == 200
        return len(seen)

    sold(world, renewal="current")
    browser.get(LIST)
    one = asked()
    for n in range(4):
        sold(world, code=f"more-{n}", renewal="current")
    assert asked() == one


@pytest.mark.parametrize("query", ["q", "state", "sort", "page", "days", "advocate"])
def test_junk_in_the_address_is_no_error(world, browser, query):
    sold(world, renewal="same")
    assert browser.get(LIST, {query: JUNK}).status_code == 200
    assert browser.get(LIST, {query: "9" * 40}).status_code == 200


# one service


def test_a_term_is_agreed_on_its_page(world, browser, rep):
    item = sold(world)
    assert "Nothing is agreed" in browser.get(page_of(item)).content.decode()
    sent = {
        "do": "commit",
        "months": "24",
        "renewal": "uplift",
        "uplift_percent": "3.5",
        "notice_days": "90",
        "leaving_fee": "percent",
        "leaving_value": "50",
    }
    answer = browser.post(page_of(item), sent)
    assert (answer.status_code, answer.url) == (302, page_of(item))
    found = Commitment.objects.get()
    assert (str(found.starts_on), str(found.ends_on)) == ("2026-01-01", "2028-01-01")
    assert found.order_line.order.placed_by == rep
    said = browser.get(page_of(item)).content.decode()
    for words in ("1 Jan 2028", "3 Oct 2027", "€31.05", "50"):
        assert words in said


def test_what_comes_then_is_changed_on_its_page(world, browser):
    item = sold(world, renewal="same")
    other = sold(world, code="other", renewal="same")
    browser.post(page_of(item), {"do": "renewal", "renewal": "end"})
    assert Commitment.objects.filter(item=item).latest("number").renewal == "end"
    sent = {"do": "co_term", "to": "2027-06-30", "items": [item.pk, other.pk]}
    assert browser.post(page_of(item), sent).status_code == 302
    assert set(RenewalDue.objects.values_list("due_on", flat=True)) == {date(2027, 6, 30)}
    assert browser.post(page_of(other), {"do": "renew"}).status_code == 302
    assert str(Commitment.objects.filter(item=other).latest("number").ends_on) == "2028-06-30"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"do": "commit"}, 422),
        ({"do": "commit", "months": "0", "renewal": "same", "leaving_fee": "none"}, 422),
        ({"do": "commit", "months": "1", "renewal": "same", "leaving_fee": "none"}, 409),
        ({"do": "commit", "months": "9" * 40, "renewal": "same", "leaving_fee": "none"}, 422),
        ({"do": "commit", "months": "x", "renewal": JUNK, "leaving_fee": JUNK}, 422),
        (
            {
                "do": "commit",
                "months": "12",
                "renewal": "uplift",
                "uplift_percent": "1e400",
                "leaving_fee": "none",
            },
            422,
        ),
        (
            {
                "do": "commit",
                "months": "12",
                "renewal": "same",
                "leaving_fee": "none",
                "starts_on": "0001-01-01",
            },
            422,
        ),
        ({"do": "renewal", "renewal": "same"}, 409),
        ({"do": "renewal", "renewal": "uplift", "uplift_percent": "-1"}, 422),
        ({"do": "renewal"}, 422),
        ({"do": "co_term", "to": "2026-02-30"}, 422),
        ({"do": "co_term", "to": "2026-12-01", "items": "x"}, 422),
        ({"do": JUNK}, 422),
        ({}, 422),
    ],
)
def test_what_is_refused_is_said_on_the_page(world, browser, sent, status):
    item = sold(world, renewal="same")
    before = Commitment.objects.count()
    answer = browser.post(page_of(item), sent)
    assert answer.status_code == status
    assert Commitment.objects.count() == before


def test_who_may_only_look_changes_nothing(world):
    item = sold(world, renewal="same")
    client = Client()
    client.force_login(a_user("finance"))
    page = client.get(page_of(item))
    assert page.status_code == 200
    assert 'name="do"' not in page.content.decode()
    assert client.post(page_of(item), {"do": "renewal", "renewal": "end"}).status_code == 403
    client.force_login(a_user())
    assert client.get(LIST).status_code == 403
    assert client.get(page_of(item)).status_code == 403
    assert Client().get(LIST).status_code == 302
    client.force_login(a_user("sales"))
    assert client.get("/subscriptions/items/999999999/commitments/").status_code == 404


# the API


@pytest.fixture
def api(rep):
    _row, token = AuthToken.objects.create(user=rep)
    return Client(headers={"Authorization": f"Token {token}"})


def address(item):
    return f"/api/v1/subscriptions/{item.subscription_id}/commitments"


def posted(api, item, body):
    return api.post(address(item), body, content_type="application/json")


def test_terms_by_rest(world, api):
    item = sold(world)
    assert api.get(address(item)).json() == {"commitments": []}
    body = {"item": item.pk, "months": 12, "renewal": "uplift", "uplift_percent": "2.5"}
    answer = posted(api, item, body)
    assert answer.status_code == 201
    (told,) = answer.json()["commitments"]
    assert told | {"order": 0, "order_url": ""} == {
        "item": item.pk,
        "number": 1,
        "starts_on": "2026-01-01",
        "ends_on": "2027-01-01",
        "months": 12,
        "renewal": "uplift",
        "uplift_percent": "2.5",
        "notice_days": 0,
        "leaving_fee": "none",
        "leaving_value": "0",
        "order": 0,
        "order_url": "",
    }
    assert api.get(address(item)).json() == answer.json()


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"months": 0}, 422, "months_invalid"),
        ({"months": "x"}, 400, None),
        ({"months": None}, 400, None),
        ({"months": 10**30}, 400, None),
        ({"item": "x"}, 400, None),
        ({"item": 10**15}, 422, "item_unknown"),
        ({"renewal": "never"}, 400, None),
        ({"uplift_percent": "2"}, 422, "uplift_invalid"),
        ({"uplift_percent": {}}, 400, None),
        ({"notice_days": -1}, 422, "notice_invalid"),
        ({"leaving_fee": []}, 400, None),
        ({"leaving_value": "1e300"}, 422, "leaving_fee_invalid"),
        ({"starts_on": "2026-02-30"}, 400, None),
        ({"starts_on": "0001-01-01"}, 422, "day_invalid"),
        ({"starts_on": "2025-12-31"}, 409, "before_start"),
        ({"price": 1}, 400, None),
    ],
)
def test_junk_by_rest_is_a_problem(world, api, given, status, code):
    item = sold(world)
    answer = posted(api, item, {"item": item.pk, "months": 12} | given)
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    if code:
        assert answer.json()["code"] == code
    assert not Commitment.objects.exists()


def test_who_may_not_order_agrees_nothing_by_rest(world):
    item = sold(world)
    _row, token = AuthToken.objects.create(user=a_user("finance"))
    api = Client(headers={"Authorization": f"Token {token}"})
    assert api.get(address(item)).status_code == 200
    assert posted(api, item, {"item": item.pk, "months": 12}).status_code == 403
    assert Client().get(address(item)).status_code == 401
    assert posted(api, item, []).status_code in (400, 403)
    assert api.get("/api/v1/subscriptions/999999/commitments").status_code == 404
