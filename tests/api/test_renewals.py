"""Terms by REST: say what comes then, co-term, renew by hand, read which renewals are due."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Commitment, Item, RenewalDue
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import a_product, monthly
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]

LIST = "/api/v1/renewals"
TERM = {"months": 12, "starts_on": date(2026, 1, 1), "notice_days": 30}


def its_life(world: World) -> None:
    """Agreed for 2026, with 30 days of notice; it is 10 February."""
    agreed(world, a_line_in_service(world))


@pytest.fixture
def item(world: World) -> Item:
    return Item.objects.get()


@pytest.fixture
def rep(as_: As) -> Person:
    return as_("sales")


def agreed(world: World, item: Item, **given: Any) -> None:
    wish = Commit(**{"item_id": item.pk} | TERM | given)
    commit(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)


def one_more(world: World, code: str, **given: Any) -> Item:
    """Another service of the account, by another order, from the same day; agreed if asked for."""
    world.sell(products=[a_product(code=code, charges=[monthly("7.00")])])
    item = Item.objects.latest("pk")
    if given:
        agreed(world, item, **{"starts_on": None} | given)
    return item


def of(item: Item, verb: str) -> str:
    return f"/api/v1/subscriptions/{item.subscription_id}/commitments/{verb}"


def count() -> tuple[int, ...]:
    return Order.objects.count(), Commitment.objects.count()


def holds(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 201, answer.json()
    found: dict[str, Any] = answer.json()["commitments"][0]
    return found


# what comes then


def test_it_is_not_renewed(rep: Person, item: Item) -> None:
    told = holds(rep.post(of(item, "renewal"), {"item": item.pk, "renewal": "end"}))
    assert (told["number"], told["renewal"], told["ends_on"]) == (2, "end", "2027-01-01")
    placed = Order.objects.get(pk=told["order"])
    assert (placed.channel, placed.placed_by) == ("rest", rep.person)


def test_it_is_renewed_otherwise(rep: Person, item: Item) -> None:
    asked = {"item": item.pk, "renewal": "uplift", "uplift_percent": "3.5", "months": 24}
    told = holds(rep.post(of(item, "renewal"), asked))
    assert (told["renewal"], told["uplift_percent"], told["months"]) == ("uplift", "3.5", 24)


def test_the_price_then_is_told_to_the_cent(rep: Person, item: Item) -> None:
    asked = {"item": item.pk, "renewal": "uplift", "uplift_percent": "3.333"}
    holds(rep.post(of(item, "renewal"), asked))
    (due,) = rep.get(LIST).json()["results"]
    assert (due["before"], due["after"]) == ("30.00", "31.00")


def test_that_it_ends_wants_its_notice(world: World, as_: As, rep: Person, item: Item) -> None:
    world.on("2026-12-20")
    before, asked = count(), {"item": item.pk, "renewal": "end"}
    answer = rep.post(of(item, "renewal"), asked)
    assert_problem(answer, 409, "notice_too_short", "renewal")
    answer = rep.post(of(item, "renewal"), asked | {"waive_notice": True})
    assert_problem(answer, 409, "waiver_not_yours", "waive_notice")
    assert count() == before
    lead = as_("sales", "order lead")
    told = holds(lead.post(of(item, "renewal"), asked | {"waive_notice": True}))
    assert told["renewal"] == "end"


# one end for several


def test_terms_end_on_one_day(world: World, rep: Person, item: Item) -> None:
    other = one_more(world, "second", months=12)
    asked = {"items": [item.pk, other.pk], "to": "2027-06-01"}
    answer = rep.post(of(item, "co-term"), asked)
    assert answer.status_code == 201, answer.json()
    ends = {told["item"]: told["ends_on"] for told in answer.json()["commitments"]}
    assert ends == {item.pk: "2027-06-01", other.pk: "2027-06-01"}
    again = rep.post(of(item, "co-term"), asked)
    assert_problem(again, 409, "nothing_changes", "to")


def test_no_term_becomes_shorter(rep: Person, item: Item) -> None:
    before = count()
    answer = rep.post(of(item, "co-term"), {"items": [item.pk], "to": "2026-06-01"})
    assert_problem(answer, 409, "ends_earlier", "to")
    assert count() == before


# renewed by hand


def test_it_is_renewed_now(rep: Person, item: Item) -> None:
    told = holds(rep.post(of(item, "renew"), {"items": [item.pk]}))
    assert (told["number"], told["starts_on"], told["ends_on"]) == (2, "2027-01-01", "2028-01-01")
    assert Order.objects.get(pk=told["order"]).channel == "rest"


def test_what_ends_is_not_renewed(world: World, rep: Person, item: Item) -> None:
    rep.post(of(item, "renewal"), {"item": item.pk, "renewal": "end"})
    before = count()
    answer = rep.post(of(item, "renew"), {"items": [item.pk]})
    assert_problem(answer, 409, "nothing_to_renew", "item")
    assert count() == before


# doors


VERBS = ("renewal", "co-term", "renew")


def ask(person: Person, at: Item, verb: str, item: int, **said: Any) -> Any:
    headers = said.pop("headers", {})
    return person.post(of(at, verb), wanted(verb, item) | said, **headers)


def wanted(verb: str, item: int) -> dict[str, Any]:
    """What each verb needs to be told."""
    if verb == "renewal":
        return {"item": item, "renewal": "monthly"}
    return {"items": [item]} | ({"to": "2027-06-01"} if verb == "co-term" else {})


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_not_order_may_not_agree(as_: As, item: Item, verb: str) -> None:
    before = count()
    assert ask(as_("finance"), item, verb, item.pk).status_code == 403
    assert ask(as_(), item, verb, item.pk).status_code == 403
    assert count() == before


@pytest.mark.parametrize("verb", VERBS)
def test_the_service_of_another_is_refused(
    world: World, rep: Person, item: Item, verb: str
) -> None:
    theirs = world.an_account(reference="A-2")
    world.sell(account=theirs, products=[a_product(code="theirs", charges=[monthly("1.00")])])
    other = Item.objects.latest("pk")
    before = count()
    field = "item" if verb == "renewal" else "items"
    assert_problem(ask(rep, item, verb, other.pk), 422, "item_unknown", field)
    assert_problem(ask(rep, item, verb, 10**18), 422, "item_unknown", field)
    if verb == "co-term":
        answer = rep.post(of(item, verb), {"items": [item.pk, other.pk], "to": "2027-06-01"})
        assert_problem(answer, 422, "item_unknown", "item")
    assert count() == before


@pytest.mark.parametrize("verb", VERBS)
def test_what_cannot_be_read_is_refused(rep: Person, item: Item, verb: str) -> None:
    before = count()
    assert_problem(ask(rep, item, verb, item.pk, price="1"), 400, "malformed", "price")
    for body in ([], "x", 7, {}, {"items": "x"}, {"items": [True]}, {"item": [1]}):
        assert rep.post(of(item, verb), body).status_code == 400
    if verb != "renewal":
        field = "items"
        assert_problem(ask(rep, item, verb, item.pk, items=[]), 422, "no_services", field)
        assert ask(rep, item, verb, item.pk, items=[1] * 501).status_code == 400
    url = f"/api/v1/subscriptions/{10**18}/commitments/{verb}"
    assert rep.post(url, wanted(verb, 1)).status_code == 404
    assert count() == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_key_makes_it_happen_once(rep: Person, item: Item, verb: str) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": f"{verb}-1"}
    first, again = (ask(rep, item, verb, item.pk, headers=key) for _turn in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert Commitment.objects.count() == 2


# which are due


def test_the_list_says_what_comes_and_what_it_costs(world: World, rep: Person, item: Item) -> None:
    other = one_more(world, "second", months=6, renewal="uplift", uplift_percent="10")
    second, first = rep.get(LIST).json()["results"]
    assert first == {
        "item": item.pk,
        "number": item.number,
        "subscription": item.subscription_id,
        "subscription_url": f"/api/v1/subscriptions/{item.subscription_id}",
        "product": "line-30",
        "account": first["account"],
        "advocate": item.account.advocate.username if item.account.advocate else None,
        "due_on": "2027-01-01",
        "notice_on": "2026-12-02",
        "renewal": "same",
        "uplift_percent": "0",
        "months": 12,
        "currency": "EUR",
        "before": "30.00",
        "after": "30.00",
        "waits": False,
        "fault": "",
    }
    assert first["account"]["reference"] == item.account.reference
    assert (second["item"], second["due_on"]) == (other.pk, "2026-08-10")
    assert (second["before"], second["after"]) == ("7.00", "7.70")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("renewal=uplift", ["second"]),
        ("renewal=same&renewal=uplift", ["second", "line-30"]),
        ("due_before=2026-08-10", []),
        ("due_before=2026-08-11", ["second"]),
        ("due_after=2026-08-11", ["line-30"]),
        ("overdue=true", []),
        ("overdue=false", ["second", "line-30"]),
        ("account=nobody", []),
        ("advocate=nobody", []),
    ],
)
def test_the_list_is_narrowed(
    world: World, rep: Person, item: Item, query: str, found: list[str]
) -> None:
    one_more(world, "second", months=6, renewal="uplift", uplift_percent="10")
    answer = rep.get(f"{LIST}?{query}").json()["results"]
    assert [each["product"] for each in answer] == found
    whose = rep.get(f"{LIST}?account={item.account.reference}").json()["results"]
    assert len(whose) == 2


def test_the_list_has_a_door_and_knows_its_filters(as_: As, rep: Person, item: Item) -> None:
    assert as_().get(LIST).status_code == 403
    assert as_("finance").get(LIST).status_code == 200
    assert_problem(rep.get(f"{LIST}?due=2026"), 400, "malformed", "due")
    assert_problem(rep.get(f"{LIST}?due_before=x"), 400, "malformed", "due_before")
    assert rep.post(LIST, {}).status_code == 405


def test_the_list_asks_as_much_for_many_as_for_one(world: World, rep: Person, item: Item) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert rep.get(LIST).status_code == 200
        return len(seen)

    agreed(world, item, renewal="uplift", uplift_percent="3")
    rep.get(LIST)
    one = asked()
    for n in range(3):
        one_more(world, f"more-{n}", months=12, renewal="uplift", uplift_percent="3")
    assert RenewalDue.objects.count() == 4
    assert asked() == one
