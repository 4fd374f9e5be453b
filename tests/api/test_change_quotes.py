"""Quotes against what is in service by REST: drafted, looked at, sent, accepted, refused."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from quotes.models import Quote
from subscriptions.models import Item
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import a_product, monthly
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service, billed_now, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
HERE = "/api/v1/change-quotes"


its_life = a_line_in_service


@pytest.fixture
def item(world: World) -> Item:
    """30.00 a month in advance since 1 January, billed for February; it is 10 February."""
    return Item.objects.get()


@pytest.fixture
def rep(as_: As) -> Person:
    return as_("sales")


def asked(item: Item, **given: Any) -> dict[str, Any]:
    change = {"item": item.pk, "action": "change", "quantity": "3"} | given.pop("change", {})
    account = item.account.reference
    return {"account": account, "start_on": "2026-03-01", "changes": [change]} | given


def test_from_draft_to_the_bill(world: World, rep: Person, item: Item) -> None:
    a_product(code="mail", name="Mail", charges=[monthly("5.00")])
    body = asked(item, lines=[{"product": "mail", "quantity": "2"}], valid_until="2026-02-20")
    before = (*written(), Quote.objects.count())
    dry = rep.post(HERE, body | {"dry_run": True})
    assert (dry.status_code, (*written(), Quote.objects.count())) == (200, before)
    brings = dry.json()
    assert {name: brings[name] for name in ("monthly_difference", "once", "first_bill_total")} == {
        "monthly_difference": "70.00",
        "once": "0.00",
        "first_bill_total": "100.00",
    }
    assert (brings["first_bill_on"], len(brings["months"])) == ("2026-03-01", 36)
    assert brings["months"][1] == {
        "month": "2026-03-01",
        "before": "30",
        "after": "100",
        "difference": "70",
    }

    drafted = rep.post(HERE, body)
    assert drafted.status_code == 201
    quote = drafted.json()
    assert (quote["kind"], quote["state"]) == ("change", "draft")
    assert [line["action"] for line in quote["lines"]] == ["change", "add"]
    sent = rep.post(f"{quote['url']}/send")
    assert (sent.status_code, sent.json()["monthly_total"]) == (200, "70.00")
    assert rep.get(f"{quote['url']}/delta").json() == brings

    ordered = rep.post("/api/v1/orders", {"quote": quote["id"], "by": "Dr. P. Hall"})
    assert ordered.status_code == 201
    assert ordered.json()["kind"] == "change"
    world.settle()
    world.on("2026-03-01")
    amounts = sorted(part["amount"] for part in brings["first_bill"])
    assert sorted(f"{float(amount):.2f}" for amount in amounts) == sorted(billed_now(world))


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"changes": []}, 422, "no_lines", "changes"),
        ({"changes": None}, 400, "malformed", "changes"),
        ({"start_on": None}, 400, "malformed", "start_on"),
        ({"start_on": "2026-02-09"}, 422, "validity_invalid", "valid_until"),
        ({"valid_until": "2026-03-02"}, 422, "validity_invalid", "valid_until"),
        ({"account": "nobody"}, 404, "not_found", "account"),
        ({"price": "1"}, 400, "malformed", "price"),
        ({"change": {"action": "add"}}, 400, "malformed", "changes[0].action"),
        ({"change": {"item": 10**15}}, 422, "item_unknown", "changes[0].item"),
        ({"change": {"quantity": "0"}}, 422, "quantity_invalid", "changes[0].quantity"),
        ({"change": {"unit_price": "1"}}, 400, "malformed", "changes[0].unit_price"),
        ({"change": {"product": "a\0b"}}, 400, "malformed", "changes[0].product"),
        (
            {"change": {"action": "renew", "months": 10**6}},
            422,
            "months_invalid",
            "changes[0].months",
        ),
        ({"change": {"on": "9999-12-31"}}, 422, "day_invalid", "changes[0].on"),
    ],
)
def test_refused_with_its_field(
    rep: Person, item: Item, given: dict[str, Any], status: int, code: str, field: str
) -> None:
    before = (*written(), Quote.objects.count())
    for dry in ({}, {"dry_run": True}):
        assert_problem(rep.post(HERE, asked(item, **given) | dry), status, code, field)
    assert (*written(), Quote.objects.count()) == before


@pytest.mark.parametrize("body", [[], "x", 7, None, {}])
def test_what_is_no_quote_is_refused(rep: Person, item: Item, body: Any) -> None:
    assert rep.post(HERE, body).status_code == 400


def test_only_for_those_who_may_quote(as_: As, item: Item) -> None:
    assert as_("order team").post(HERE, asked(item)).status_code == 403
    assert not Quote.objects.filter(kind="change").exists()


def test_a_quote_of_new_services_brings_no_delta(world: World, rep: Person, item: Item) -> None:
    quote = world.quote()
    assert_problem(rep.get(f"/api/v1/quotes/{quote.pk}/delta"), 409, "not_a_change_quote")
    assert rep.get("/api/v1/quotes/99999999/delta").status_code == 404


def test_a_second_acceptance_tells_the_order(world: World, rep: Person, item: Item) -> None:
    quote = rep.post(HERE, asked(item)).json()
    rep.post(f"{quote['url']}/send")
    told = {"quote": quote["id"], "by": "Dr. P. Hall"}
    assert rep.post("/api/v1/orders", told).status_code == 201
    assert_problem(rep.post("/api/v1/orders", told), 409, "already_ordered")
    assert Order.objects.filter(quote=quote["id"]).count() == 1


def test_what_was_sent_is_shown_in_as_many_queries_whatever_its_lines(
    world: World, rep: Person, item: Item
) -> None:
    def queries(lines: int) -> int:
        mail = [{"product": f"mail-{n}", "quantity": "1"} for n in range(lines)]
        quote = rep.post(HERE, asked(item, lines=mail)).json()
        rep.post(f"{quote['url']}/send")
        with CaptureQueriesContext(
            connection,
        ) as asked_for:
            assert rep.get(f"{quote['url']}/delta").status_code == 200
        return len(asked_for)

    for n in range(9):
        a_product(code=f"mail-{n}", name="Mail", charges=[monthly("5.00")])
    assert queries(1) == queries(9)
