"""Lists over all customers by REST: planned changes, services that end, the install base."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions.models import Act, Item
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import a_product, monthly
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]

PLANNED, ENDING, BASE = (
    f"/api/v1/{x}" for x in ("planned-changes", "services-ending", "install-base")
)


def its_life(world: World) -> Item:
    """Three from 1 March, over on 1 June; it is 10 February."""
    item = a_line_in_service(world)
    told(world, item, Act.QUANTITY, quantity="3", on=date(2026, 3, 1))
    told(world, item, Act.END, on=date(2026, 6, 1), reason="No more")
    return item


@pytest.fixture
def rep(as_: As) -> Person:
    return as_("sales")


def results(rep: Person, url: str) -> list[dict[str, Any]]:
    answer = rep.get(url)
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_planned_changes(rep: Person, item: Item) -> None:
    end, more = results(rep, PLANNED)
    assert (more["text"], more["act"], more["on"]) == (
        "Quantity 1 → 3 from 1 Mar 2026",
        "quantity",
        "2026-03-01",
    )
    assert (end["act"], end["reason"], end["number"]) == ("end", "No more", item.number)
    assert end["subscription_url"] == f"/api/v1/subscriptions/{item.subscription_id}"
    assert end["account"]["reference"] == item.account.reference
    reference = item.account.reference
    for query, acts in (
        ("act=end", ["end"]),
        ("act=end&act=quantity", ["end", "quantity"]),
        ("on_before=2026-06-01", ["quantity"]),
        ("on_after=2026-06-01", ["end"]),
        ("product=line-30", ["end", "quantity"]),
        ("product=nothing", []),
        (f"account={reference}", ["end", "quantity"]),
        ("account=nobody", []),
    ):
        assert [each["act"] for each in results(rep, f"{PLANNED}?{query}")] == acts, query


def test_what_has_come_is_planned_no_more(world: World, rep: Person, item: Item) -> None:
    world.on("2026-03-01")
    assert [each["act"] for each in results(rep, PLANNED)] == ["end"]


def test_a_change_after_a_transfer_is_of_who_has_it_then(
    world: World, rep: Person, item: Item
) -> None:
    other = world.an_account(reference="A-2")
    told(world, item, Act.TRANSFER, to_account_id=other.pk, on=date(2026, 4, 1))
    following = Item.objects.exclude(pk=item.pk).get()
    found = {each["act"]: each for each in results(rep, PLANNED)}
    assert {act: each["item"] for act, each in found.items()} == {
        "quantity": item.pk,
        "transfer": item.pk,
        "end": following.pk,
    }
    assert found["end"]["account"]["reference"] == "A-2"
    assert found["end"]["subscription"] == following.subscription_id
    assert [each["act"] for each in results(rep, f"{PLANNED}?account=A-2")] == ["end"]


def test_services_that_end(rep: Person, item: Item) -> None:
    (found,) = results(rep, ENDING)
    assert found == {
        "item": item.pk,
        "number": item.number,
        "subscription": item.subscription_id,
        "subscription_url": f"/api/v1/subscriptions/{item.subscription_id}",
        "account": found["account"],
        "product": "line-30",
        "version": 1,
        "state": "active",
        "started_on": "2026-01-01",
        "ended_on": "2026-06-01",
    }
    for query, n in (
        ("ended_before=2026-06-01", 0),
        ("ended_before=2026-06-02", 1),
        ("ended_after=2026-06-02", 0),
        ("product=line-30", 1),
        ("account=nobody", 0),
    ):
        assert len(results(rep, f"{ENDING}?{query}")) == n, query


def test_the_install_base(rep: Person, item: Item) -> None:
    (found,) = results(rep, BASE)
    assert (found["item"], found["product"], found["quantity"], found["state"]) == (
        item.pk,
        "line-30",
        "1",
        "active",
    )
    assert (found["on"], found["since"], found["until"]) == (
        "2026-02-10",
        "2026-01-01",
        "2026-06-01",
    )
    (then,) = results(rep, f"{BASE}?on=2026-03-01")
    assert (then["on"], then["quantity"]) == ("2026-03-01", "3")
    (gone,) = results(rep, f"{BASE}?on=2026-06-01")
    assert (gone["state"], gone["quantity"]) == ("ended", None)
    reference = item.account.reference
    for query, n in (
        ("state=active", 1),
        ("state=suspended", 0),
        ("state=ended&on=2026-06-01", 1),
        ("state=active&on=2026-06-01", 0),
        ("product=LINE-30", 1),
        ("product=nothing", 0),
        ("version=1", 1),
        ("version=2", 0),
        (f"account={reference}", 1),
        ("customer=nobody", 0),
        ("country=XX", 0),
        ("serial=SN-1", 0),
        ("kind=neither", 1),
        ("kind=equipment", 0),
    ):
        assert len(results(rep, f"{BASE}?{query}")) == n, query


@pytest.mark.parametrize("url", [PLANNED, ENDING, BASE])
def test_doors_and_filters(as_: As, rep: Person, item: Item, url: str) -> None:
    assert as_().get(url).status_code == 403
    assert as_("finance").get(url).status_code == 200
    assert_problem(rep.get(f"{url}?as-of=2026-03-01"), 400, "malformed", "as-of")
    assert rep.get(f"{url}?page_size=1").json()["results"]
    assert rep.post(url, {}).status_code == 405


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (PLANNED, "on_after"),
        (ENDING, "ended_before"),
        (BASE, "on"),
        (BASE, "state"),
        (BASE, "version"),
    ],
)
def test_what_cannot_be_read_is_refused(rep: Person, item: Item, url: str, name: str) -> None:
    assert_problem(rep.get(f"{url}?{name}=2026-02-30"), 400, "malformed", name)


def test_the_lists_ask_as_much_for_many_as_for_one(world: World, rep: Person, item: Item) -> None:
    def asked(url: str) -> int:
        rep.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert rep.get(url).status_code == 200
        return len(seen)

    urls = (PLANNED, ENDING, BASE, f"{BASE}?on=2026-03-01")
    few = [asked(url) for url in urls]
    for n in range(3):
        world.sell(products=[a_product(code=f"more-{n}", charges=[monthly("7.00")])])
        more = Item.objects.latest("pk")
        told(world, more, Act.QUANTITY, quantity="3", on=date(2026, 3, 1))
        told(world, more, Act.END, on=date(2026, 6, 1))
    assert [asked(url) for url in urls] == few
