"""Pools by REST: how they stand, lots, movements, members, grants, limits, top-up."""

from datetime import date
from typing import Any

import pytest

from subscriptions.models import Item, Pool, PoolGrant, PoolMember, PoolRefill
from subscriptions.usage.services import take_usage
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import a_product
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_plan, a_top_up, sold
from tests.subscriptions.usage.build import a_meter, an_event

pytestmark = pytest.mark.django_db
LIST = "/api/v1/pools"


@pytest.fixture
def item(world: World) -> Item:
    """A service that drew 30 of 100 minutes in January, and 130 in February."""
    a_meter()
    sold(world, a_plan("100"))
    item = a_drawer(world)
    world.on("2026-02-10")
    used = [
        an_event(item, units, f"2026-{day}T09:00:00Z")
        for units, day in (("30", "01-20"), ("130", "02-03"))
    ]
    take_usage(used, at=world.now)
    return item


@pytest.fixture
def finance(as_: As) -> Person:
    return as_("finance")


def of(part: str = "") -> str:
    return f"{LIST}/{Pool.objects.get().pk}{part}"


def test_reading(finance: Person, world: World, item: Item) -> None:
    pool = Pool.objects.get()
    (told,) = finance.get(LIST, {"account": world.account.reference, "meter": "minutes"}).json()[
        "results"
    ]
    assert told["number"] == pool.number
    assert (told["left"], told["standing"], told["unit"]) == ("0", "empty", "min")
    assert (told["drawn_this_month"], told["uncovered_this_month"]) == ("100", "30")
    assert finance.get(told["url"]).json() == told
    assert finance.get(LIST, {"hard": "true"}).json()["results"] == []
    lots = finance.get(of("/lots")).json()["results"]
    assert [(lot["begins_on"], lot["units"], lot["left"]) for lot in lots] == [
        ("2026-02-01", "100", "0"),
        ("2026-01-01", "100", "0"),
    ]
    assert lots[0]["item"]
    assert lots[0]["order"]
    assert lots[0]["grant"] is None


def test_the_pace_and_what_it_leads_to(finance: Person, world: World) -> None:
    a_meter()
    sold(world, a_top_up("200"))
    item = a_drawer(world)
    world.on("2026-02-10")
    take_usage([an_event(item, "100", "2026-02-03T09:00:00Z")], at=world.now)
    told = finance.get(of()).json()
    assert {
        name: told[name] for name in told if name.startswith(("a_", "fore", "runs", "look"))
    } == {
        "a_day": "10",
        "forecast_this_month": "280",
        "forecast_uncovered": "80",
        "runs_empty_on": "2026-02-21",
        "looked_until": "2026-05-13",
    }
    assert finance.get(LIST).json()["results"] == [told]
    world.on("2026-03-01")
    still = finance.get(of()).json()
    assert (still["a_day"], still["forecast_uncovered"], still["runs_empty_on"]) == ("0", "0", None)


def test_the_statement_by_pages(finance: Person, item: Item) -> None:
    whole = finance.get(of("/movements")).json()["results"]
    assert [(row["what"], row["units"], row["left"]) for row in whole] == [
        ("uncovered", "30", "0"),
        ("drawn", "-100", "0"),
        ("lapsed", "-70", "100"),
        ("came_in", "100", "170"),
        ("drawn", "-30", "70"),
        ("came_in", "100", "100"),
    ]
    assert whole[0]["service"] == item.number
    found, url = [], f"{of('/movements')}?page_size=4"
    while url:
        page = finance.get(url).json()
        found += page["results"]
        url = page["next"]
    assert found == whole

    def narrowed(**asked: str) -> int:
        return len(finance.get(of("/movements"), asked).json()["results"])

    assert narrowed(what="drawn") == 2
    assert narrowed(service=item.number) == 3
    assert narrowed(**{"from": "2026-02-01", "to": "2026-02-02"}) == 2


@pytest.mark.parametrize(
    ("part", "asked", "field"),
    [
        ("/movements", {"what": "nonsense"}, "what"),
        ("/movements", {"from": "yesterday"}, "from"),
        ("/movements", {"typo": "1"}, "typo"),
        ("/movements", {"cursor": "x"}, "cursor"),
        ("/movements", {"page_size": "0"}, "page_size"),
        ("/lots", {"typo": "1"}, "typo"),
        ("/members", {"typo": "1"}, "typo"),
        ("", {}, ""),
    ],
)
def test_what_cannot_be_read(
    finance: Person, item: Item, part: str, asked: dict[str, str], field: str
) -> None:
    if not part:
        assert_problem(finance.get(f"{LIST}/999999"), 404, "not_found")
        return
    answer = finance.get(of(part), asked)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_units_by_hand(finance: Person, item: Item) -> None:
    asked = {"units": "40.5", "reason": "An outage", "ends_on": "2026-03-01", "priority": 5}
    first = finance.post(of("/grants"), asked, headers={"Idempotency-Key": "g-1"})
    assert first.status_code == 201, first.json()
    again = finance.post(of("/grants"), asked, headers={"Idempotency-Key": "g-1"})
    assert again.json() == first.json()
    grant = PoolGrant.objects.get()
    assert finance.get(of("/grants")).json()["results"] == [first.json()]
    assert finance.get(of()).json()["left"] == "40.5"
    here = of(f"/grants/{grant.pk}")
    assert_problem(finance.delete(here), 422, "grant_refused", "reason")
    ended = finance.delete(f"{here}?reason=Wrong")
    assert (ended.status_code, ended.json()["ends_on"]) == (200, "2026-02-10")
    assert finance.get(of()).json()["left"] == "0"
    assert_problem(finance.delete(f"{here}?reason=Wrong"), 422, "end_refused", "ends_on")


@pytest.mark.parametrize(
    ("changed", "field", "status"),
    [
        ({"units": "0"}, "units", 422),
        ({"units": "-3"}, "units", 422),
        ({"units": "1e30"}, "units", 422),
        ({"units": "NaN"}, "units", 400),
        ({"units": "0.0000001"}, "units", 422),
        ({"reason": ""}, "reason", 400),
        ({"priority": 1001}, "priority", 422),
        ({"priority": 10**9}, "priority", 400),
        ({"begins_on": "2026-02-30"}, "begins_on", 400),
        ({"ends_on": "2026-01-01"}, "ends_on", 422),
        ({"price": "1"}, "price", 400),
    ],
)
def test_units_that_cannot_be_given(
    finance: Person, item: Item, changed: dict[str, Any], field: str, status: int
) -> None:
    answer = finance.post(of("/grants"), {"units": "1", "reason": "x"} | changed)
    assert answer.status_code == status, answer.json()
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not PoolGrant.objects.exists()


def test_members(finance: Person, world: World, item: Item) -> None:
    guest = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    theirs = a_drawer(world, account=guest)
    world.on("2026-02-10")
    made = finance.post(of("/members"), {"account": guest.reference})
    assert made.status_code == 201, made.json()
    assert made.json()["account"]["reference"] == guest.reference
    other = finance.post(of("/members"), {"service": theirs.number, "begins_on": "2026-02-01"})
    assert other.json()["service"] == theirs.number
    assert len(finance.get(of("/members")).json()["results"]) == 2
    held = finance.post(of("/members"), {"account": guest.pk})
    assert_problem(held, 409, "shared_elsewhere", "account")
    here = of(f"/members/{made.json()['id']}")
    assert_problem(finance.delete(f"{here}?ends_on=x"), 400, "malformed", "ends_on")
    assert_problem(finance.delete(f"{here}?ends_on=2026-01-01"), 422, "end_refused", "ends_on")
    assert finance.delete(f"{here}?ends_on=2062-03-01").json()["ends_on"] == "2062-03-01"
    assert finance.delete(f"{here}?ends_on=2026-03-01").json()["ends_on"] == "2026-03-01"
    assert finance.delete(here).json()["ends_on"] == "2026-02-10"
    assert_problem(finance.delete(f"{here}?ends_on=2026-03-01"), 422, "end_refused", "ends_on")
    assert PoolMember.objects.filter(ends_on=date(2026, 2, 10)).count() == 1
    assert_problem(finance.delete(of("/members/999999")), 404, "not_found")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "account"),
        ({"account": "nobody"}, "account"),
        ({"account": 10**9}, "account"),
        ({"service": "S-1"}, "service"),
        ({"service": "S-1.999999"}, "service"),
        ({"service": "a\0b"}, "service"),
        ({"account": True}, "account"),
    ],
)
def test_members_that_cannot_be(
    finance: Person, item: Item, asked: dict[str, Any], field: str
) -> None:
    answer = finance.post(of("/members"), asked)
    assert answer.status_code in (400, 422)
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not PoolMember.objects.exists()


def test_a_pool_is_opened_renamed_and_made_hard(finance: Person, world: World, item: Item) -> None:
    a_meter("gigabytes", unit="GB")
    made = finance.post(LIST, {"account": world.account.reference, "meter": "gigabytes"})
    assert made.status_code == 201, made.json()
    assert made["Location"] == made.json()["url"]
    again = finance.post(LIST, {"account": world.account.pk, "meter": "gigabytes"})
    assert_problem(again, 409, "pool_stands", "meter")
    unknown = finance.post(LIST, {"account": world.account.pk, "meter": "none"})
    assert_problem(unknown, 422, "not_pooled", "meter")
    told = finance.patch(made.json()["url"], {"name": "Data", "hard": True}).json()
    assert (told["name"], told["hard"]) == ("Data", True)
    assert finance.patch(made.json()["url"], {}).json() == told
    wrong = finance.patch(made.json()["url"], {"left": "5"})
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["field"] == "left"


def test_top_up(as_: As, item: Item) -> None:
    team = as_("order team")
    a_product(code="top-up", charges=[a_top_up("50")])
    assert_problem(team.get(of("/refill")), 404, "not_found")
    assert_problem(team.put(of("/refill"), {}), 422, "refill_refused", "below")
    asked = {"below": "20", "product": "top-up", "most_a_month": 2}
    told = team.put(of("/refill"), asked).json()
    assert (told["below"], told["product"], told["active"]) == ("20", "top-up", True)
    assert told["orders"] == []
    wrong = team.put(of("/refill"), asked | {"most_a_month": 99})
    assert_problem(wrong, 422, "refill_refused", "most_a_month")
    assert team.put(of("/refill"), {"active": False}).json()["active"] is False
    assert not PoolRefill.objects.get().active


def test_who_may(as_: As, item: Item) -> None:
    sales, team, finance = as_("sales"), as_("order team"), as_("finance")
    assert sales.get(LIST).status_code == 200
    assert_problem(sales.post(of("/members"), {}), 403, "permission_denied")
    assert_problem(sales.patch(of(), {"hard": True}), 403, "permission_denied")
    grant = {"units": "1", "reason": "x"}
    assert_problem(team.post(of("/grants"), grant), 403, "permission_denied")
    assert_problem(team.delete(of("/grants/1")), 403, "permission_denied")
    assert_problem(finance.put(of("/refill"), {}), 403, "permission_denied")
    assert_problem(as_("usage sender").get(LIST), 403, "permission_denied")
