"""The pages of pools: the list, one pool with its statement, sharing, giving, limits, top-up."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from o2b.customers.models import Account
from subscriptions.models import Item, Pool, PoolGrant, PoolMember, PoolRefill
from subscriptions.pools.pace import empty_on, lasts_days, standing_of
from subscriptions.pools.scene import scene_of
from subscriptions.pools.selectors import pool_states
from subscriptions.pools.services import grant_units, share_pool
from subscriptions.usage.services import take_usage
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.factories import a_product, a_user
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_plan, a_top_up, sold
from tests.subscriptions.usage.build import a_meter, an_event

pytestmark = pytest.mark.django_db
HERE = "/subscriptions/pools/"


@pytest.fixture
def team() -> Client:
    return client_of("order team")


@pytest.fixture
def finance() -> Client:
    return client_of("finance")


@pytest.fixture
def item(world: World) -> Item:
    """A service that draws from a pool of 100 minutes a month, of which 20 roll over."""
    a_meter()
    sold(world, a_plan("100", rollover="20"))
    item = a_drawer(world)
    world.on("2026-02-10")
    return item


def use(world: World, item: Item, units: str, day: str) -> None:
    take_usage([an_event(item, units, f"{day}T09:00:00Z")], at=world.now)


def of(pool: Pool | None = None, verb: str = "") -> str:
    return f"{HERE}{(pool or Pool.objects.get()).pk}/{verb}"


def rows(client: Client, url: str, **asked: str) -> list[Any]:
    answer = client.get(url, asked)
    assert answer.status_code == 200
    return [row.source for row in answer.context["rows"]]


def guest(world: World, **given: Any) -> Account:
    return world.an_account(legal_entity=world.account.legal_entity, currency="EUR", **given)


# the list


def test_without_pools_the_list_says_how_one_comes_to_be(team: Client) -> None:
    text = text_of(team.get(HERE))
    assert "A pool opens by itself when an order brings units of a meter" in text
    assert "Open a pool" in text


def test_the_list_says_how_each_stands(team: Client, world: World, item: Item) -> None:
    use(world, item, "95", "2026-02-09")
    (row,) = rows(team, HERE)
    assert (row.now.left, row.now.pace.drawn, row.now.standing) == (25, 95, "low")
    assert "running low" in text_of(team.get(HERE))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"standing": "low"}, 1),
        ({"standing": "empty"}, 1),
        ({"standing": "enough"}, 0),
        ({"standing": "nonsense"}, 2),
        ({"hard": "yes"}, 1),
        ({"hard": "no"}, 1),
        ({"meter": "minutes"}, 2),
        ({"q": "Nordwind"}, 1),
        ({"q": "minutes"}, 2),
        ({"q": "nobody"}, 0),
        ({"sort": "account"}, 2),
        ({"hard": "yes", "standing": "low"}, 0),
    ],
)
def test_the_list_narrows(
    team: Client, world: World, item: Item, asked: dict[str, str], found: int
) -> None:
    use(world, item, "95", "2026-02-09")
    Pool.objects.create(account=guest(world, name="Nordwind"), meter="minutes", hard=True)
    assert len(rows(team, HERE, **asked)) == found
    csv = team.get(HERE, asked | {"format": "csv"})
    assert len(b"".join(csv.streaming_content).splitlines()) == found + 1  # type: ignore[attr-defined]


def test_more_pools_than_are_looked_at_is_said(
    team: Client, world: World, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.pools.views.lists.MOST_JUDGED", 1)
    Pool.objects.create(account=guest(world), meter="minutes")
    assert "Only the newest 1 pools were looked at" in text_of(team.get(HERE, {"standing": "low"}))


def test_the_queries_of_the_list_do_not_grow_with_its_rows(
    team: Client, world: World, item: Item
) -> None:
    before = queries(team, HERE)
    for _ in range(4):
        account = guest(world)
        sold(world, a_plan("30"), on="2026-01-01", account=account)
        a_drawer(world, account=account)
    world.on("2026-02-10")
    assert len(rows(team, HERE)) == 5
    assert queries(team, HERE) == before


# one pool


def test_the_page_says_the_forecast_to_the_end_of_the_month(
    team: Client, world: World, item: Item
) -> None:
    use(world, item, "25", "2026-02-03")
    assert "Forecast to 28 Feb 2026 70 min all of it covered" in text_of(team.get(of()))
    use(world, item, "30", "2026-02-04")
    # 5.5 a day for 28 days, of the 120 there were with what rolled over.
    assert "Forecast to 28 Feb 2026 154 min 34 min of it not covered" in text_of(team.get(of()))


def test_the_page_of_a_pool(team: Client, world: World, item: Item) -> None:
    use(world, item, "85", "2026-01-20")
    use(world, item, "60", "2026-02-03")
    answer = team.get(of())
    text = text_of(answer)
    assert "55 min" in text, "15 of January and 100 of February, less 60"
    assert item.number in text
    assert "In which order units are drawn" in text
    told = [(r.source.what, r.source.units, r.source.left) for r in answer.context["rows"]]
    assert told == [
        ("drawn", -45, 55),
        ("drawn", -15, 100),
        ("rolled_over", 15, 115),
        ("came_in", 100, 115),
        ("drawn", -85, 15),
        ("came_in", 100, 100),
    ]
    assert b"<svg" in answer.content
    partial = team.get(of(), **HTMX)
    assert b"<h1" not in partial.content


def test_the_statement_ends_with_what_is_left(world: World, item: Item) -> None:
    use(world, item, "30", "2026-01-20")
    use(world, item, "155", "2026-02-03")
    scene = scene_of(Pool.objects.get().pk)
    (state,) = pool_states([scene.pool.pk])
    assert scene.left == state.drawing.left == scene.movements[0].left == 0
    assert [(str(m.what), m.units) for m in scene.movements[:1]] == [("uncovered", 35)]
    lapsed = [m for m in scene.movements if m.what == "lapsed"]
    assert [(m.day, m.units) for m in lapsed] == [(date(2026, 2, 1), -50)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"what": "drawn"}, 2),
        ({"what": "came_in"}, 2),
        ({"what": "lapsed"}, 1),
        ({"from": "2026-02-01", "until": "2026-02-01"}, 3),
        ({"q": "nobody"}, 0),
        ({"q": "S-"}, 6),
        ({"what": "nonsense"}, 6),
    ],
)
def test_the_statement_narrows(
    team: Client, world: World, item: Item, asked: dict[str, str], found: int
) -> None:
    use(world, item, "30", "2026-01-20")
    use(world, item, "5", "2026-02-03")
    assert len(rows(team, of(), **asked)) == found
    csv = team.get(of(), asked | {"format": "csv"})
    lines = b"".join(csv.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == found + 1
    assert lines[0].startswith("Number,Day,What,Units,Left after it")


def test_the_oldest_can_come_first(team: Client, world: World, item: Item) -> None:
    numbers = [row.number for row in rows(team, of(), sort="day")]
    assert numbers == sorted(numbers)
    assert [row.number for row in rows(team, of())] == numbers[::-1]


def test_the_queries_of_the_page_do_not_grow(team: Client, world: World, item: Item) -> None:
    use(world, item, "30", "2026-01-20")
    before = queries(team, of())
    pool = Pool.objects.get()
    for _ in range(3):
        other = a_drawer(world)
        sold(world, a_top_up("10"), on="2026-02-01")
        world.on("2026-02-10")
        use(world, other, "3", "2026-02-05")
        share_pool(pool_id=pool.pk, account=guest(world), at=world.now, by=a_user("finance").pk)
        grant_units(
            pool_id=pool.pk, units=Decimal(5), reason="x", at=world.now, by=a_user("finance").pk
        )
    # Events, members and orders are asked for once there are some.
    assert queries(team, of()) <= before + 2


def test_lists_in_full(team: Client, world: World, item: Item) -> None:
    pool = Pool.objects.get()
    use(world, item, "30", "2026-02-03")
    other = a_drawer(world)
    world.on("2026-02-10")
    account = guest(world, name="Nordwind")
    share_pool(pool_id=pool.pk, account=account, at=world.now, by=a_user("finance").pk)
    drawers = rows(team, of(verb="drawers/"))
    assert [(row.item.pk, row.drawn, row.by) for row in drawers] == [
        (item.pk, 30, "own"),
        (other.pk, 0, "own"),
    ]
    assert len(rows(team, of(verb="drawers/"), q=item.number)) == 1
    assert [row.item.pk for row in rows(team, of(verb="drawers/"), sort="drawn")] == [
        other.pk,
        item.pk,
    ]
    assert [(row.lot.units, row.left) for row in rows(team, of(verb="lots/"))] == [
        (100, 90),
        (100, 0),
    ]
    assert [row.account for row in rows(team, of(verb="members/"))] == [account]
    for verb in ("drawers/", "lots/", "members/"):
        assert team.get(of(verb=verb), {"format": "csv"}).status_code == 200
        assert team.get(of(verb=verb), {"q": "x"}).status_code == 200


# what one does


def test_a_pool_is_opened_by_hand(team: Client, world: World, item: Item) -> None:
    a_meter("gigabytes", unit="GB")
    asked = {"account": world.account.reference, "meter": "gigabytes", "name": "Data"}
    assert team.post(f"{HERE}new/", asked).status_code == 302
    assert Pool.objects.filter(meter="gigabytes", name="Data").exists()
    again = team.post(f"{HERE}new/", asked)
    assert again.status_code == 422
    assert "has a pool of gigabytes already" in again.context["form"].errors["meter"][0]
    wrong = team.post(f"{HERE}new/", asked | {"account": "nobody", "meter": "none"})
    assert set(wrong.context["form"].errors) == {"account", "meter"}


def test_an_account_shares_it_and_it_ends(team: Client, world: World, item: Item) -> None:
    account = guest(world, name="Nordwind")
    assert team.post(of(verb="share/"), {"account": account.reference}).status_code == 302
    member = PoolMember.objects.get()
    assert (member.account, member.begins_on) == (account, date(2026, 2, 10))
    assert "Nordwind" in text_of(team.get(of()))
    again = team.post(of(verb="share/"), {"account": account.reference})
    assert again.status_code == 422
    assert "End that first" in again.context["form"].errors["account"][0]
    here = f"{HERE}members/{member.pk}/end/"
    early = team.post(here, {"ends_on": "2026-01-01"})
    assert "ends before it began" in early.context["form"].errors["ends_on"][0]
    assert team.post(here, {"ends_on": "2062-03-01"}).status_code == 302
    assert "ends on 1 Mar 2062" in text_of(team.get(of())), "it may be corrected from here"
    assert team.post(here, {"ends_on": "2026-03-01"}).status_code == 302
    assert team.post(here, {"ends_on": ""}).status_code == 302
    member.refresh_from_db()
    assert member.ends_on == date(2026, 2, 10)
    late = team.post(here, {"ends_on": "2026-03-01"})
    assert "has ended already" in late.context["form"].errors["ends_on"][0]
    assert "Nordwind" not in text_of(team.get(of()))


def test_one_service_shares_it(team: Client, world: World, item: Item) -> None:
    theirs = a_drawer(world, account=guest(world))
    world.on("2026-02-10")
    assert team.post(of(verb="share/"), {"service": theirs.number}).status_code == 302
    assert PoolMember.objects.get().service == theirs
    for asked, field in (
        ({}, "account"),
        ({"service": "S-999999"}, "service"),
        ({"account": "nobody"}, "account"),
        ({"account": world.account.reference}, "account"),
        ({"service": theirs.number, "begins_on": "2026-02-30"}, "begins_on"),
        ({"service": theirs.number}, "service"),
    ):
        answer = team.post(of(verb="share/"), asked)
        assert answer.status_code == 422, asked
        assert list(answer.context["form"].errors) == [field], asked
    assert PoolMember.objects.count() == 1


def test_units_are_given_and_taken_back(finance: Client, world: World, item: Item) -> None:
    asked = {"units": "40", "reason": "An outage", "days": "30", "priority": "5"}
    assert finance.post(of(verb="give/"), asked).status_code == 302
    grant = PoolGrant.objects.get()
    assert (grant.units, grant.priority, grant.begins_on, grant.ends_on) == (
        Decimal(40),
        5,
        date(2026, 2, 10),
        date(2026, 3, 12),
    )
    text = text_of(finance.get(of()))
    assert "given by hand: An outage" in text
    assert "Take back" in text
    here = f"{HERE}grants/{grant.pk}/end/"
    assert list(finance.post(here, {"reason": " "}).context["form"].errors) == ["reason"]
    assert finance.post(here, {"reason": "Wrong customer"}).status_code == 302
    assert "ended" in str(finance.post(here, {"reason": "x"}).context["form"].errors)
    grant.refresh_from_db()
    assert grant.ends_on == date(2026, 2, 10)


def test_units_taken_back_later_say_why(finance: Client, world: World, item: Item) -> None:
    by = a_user("finance").pk
    grant_units(
        pool_id=Pool.objects.get().pk, units=Decimal(40), reason="An outage", at=world.now, by=by
    )
    world.on("2026-02-12")
    here = f"{HERE}grants/{PoolGrant.objects.get().pk}/end/"
    assert finance.post(here, {"reason": "Wrong customer"}).status_code == 302
    assert "taken back: Wrong customer" in text_of(finance.get(of()))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"units": "0"}, "units"),
        ({"units": "-1"}, "units"),
        ({"units": "NaN"}, "units"),
        ({"units": "0.0000001"}, "units"),
        ({"units": "1000000000000"}, "units"),
        ({"reason": ""}, "reason"),
        ({"priority": "1001"}, "priority"),
        ({"priority": "x"}, "priority"),
        ({"days": "0"}, "days"),
        ({"begins_on": "tomorrow"}, "begins_on"),
    ],
)
def test_units_that_cannot_be_given(
    finance: Client, item: Item, changed: dict[str, str], field: str
) -> None:
    asked = {"units": "40", "reason": "An outage", "priority": "100"} | changed
    answer = finance.post(of(verb="give/"), asked)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not PoolGrant.objects.exists()


def test_a_hard_limit_and_another_name(team: Client, item: Item) -> None:
    assert "is refused when it is sent" in text_of(team.get(of()))
    team.post(of(verb="harden/"), {"hard": "1"})
    team.post(of(verb="rename/"), {"name": "Field service"})
    pool = Pool.objects.get()
    assert (pool.hard, pool.name) == (True, "Field service")
    assert "Lift the hard limit" in text_of(team.get(of()))
    team.post(of(verb="harden/"), {"hard": "0"})
    assert not Pool.objects.get().hard


def test_automatic_top_up_on_the_page(team: Client, item: Item) -> None:
    a_product(code="top-up", charges=[a_top_up("50")])
    assert "top-up" in team.get(of(verb="refill/")).content.decode()
    asked = {"below": "20", "product": "top-up", "quantity": "1", "most_a_month": "3"}
    wrong = team.post(of(verb="refill/"), asked | {"product": "nothing"})
    assert list(wrong.context["form"].errors) == ["product"]
    assert team.post(of(verb="refill/"), asked).status_code == 302
    again = team.get(of(verb="refill/")).context["form"].initial
    assert (again["below"], again["quantity"]) == ("20", "1")
    text = text_of(team.get(of()))
    assert "When less than 20 min is left, 1 ×" in text
    assert "At most 3 orders a month." in text
    assert team.post(of(verb="refill/stop/")).status_code == 302
    assert not PoolRefill.objects.get().active


# who may


@pytest.mark.parametrize(
    ("group", "verb", "status"),
    [
        ("sales", "", 200),
        ("sales", "share/", 403),
        ("sales", "give/", 403),
        ("sales", "refill/", 403),
        ("order team", "share/", 200),
        ("order team", "give/", 403),
        ("order lead", "give/", 200),
        ("order team", "refill/", 200),
        ("finance", "share/", 200),
        ("finance", "give/", 200),
        ("finance", "refill/", 403),
        ("usage sender", "", 403),
    ],
)
def test_who_may_do_what(item: Item, group: str, verb: str, status: int) -> None:
    assert client_of(group).get(of(verb=verb)).status_code == status


def test_what_is_not_there(team: Client, finance: Client) -> None:
    for url in ("1/", "1/drawers/", "1/members/", "1/share/", "members/1/end/"):
        assert team.get(f"{HERE}{url}").status_code == 404
    assert finance.get(f"{HERE}grants/1/end/").status_code == 404


def test_sales_sees_no_buttons(item: Item) -> None:
    text = text_of(client_of("sales").get(of()))
    for word in ("Give units", "Rename", "Make it a hard limit"):
        assert word not in text


# elsewhere


def test_pages_of_usage_and_of_the_account_lead_to_the_pool(
    team: Client, world: World, item: Item
) -> None:
    use(world, item, "20", "2026-02-09")
    pool = Pool.objects.get()
    service = text_of(team.get(f"/subscriptions/usage/services/{item.pk}/"))
    assert f"pool {pool.number}: 100 min left" in service.replace(" :", ":"), service[-1500:]
    panel = text_of(team.get(f"/subscriptions/usage/of-subscription/{item.subscription_id}/"))
    assert "20 min covered by" in panel
    account = team.get(world.account.get_absolute_url()).content.decode()
    assert f"/subscriptions/pools/of-account/{world.account.pk}/" in account
    own = text_of(team.get(f"{HERE}of-account/{world.account.pk}/"))
    assert pool.number in own
    nobody = guest(world)
    assert "pools/of-account" not in team.get(nobody.get_absolute_url()).content.decode()


def test_options_of_what_one_types(team: Client, world: World, item: Item) -> None:
    found = team.get(f"{HERE}services/", {"service": item.number}).content.decode()
    assert item.number in found
    assert team.get(f"{HERE}services/", {"service": ""}).content.strip() == b""
    found = team.get(f"{HERE}accounts/", {"account": world.account.reference}).content.decode()
    assert world.account.reference in found


def test_the_search_finds_a_pool(team: Client, item: Item) -> None:
    pool = Pool.objects.get()
    Pool.objects.update(name="Field service")
    for words in (pool.number, pool.number.lower(), "field serv"):
        assert pool.get_absolute_url() in team.get("/search/", {"q": words}).content.decode()
    nothing = team.get("/search/", {"q": "U-99999999999999999999"}).content.decode()
    assert pool.get_absolute_url() not in nothing


# the arithmetic


def test_what_lasts_how_long() -> None:
    assert standing_of(Decimal(0), Decimal(0)) == "empty"
    assert standing_of(Decimal(1), Decimal(0)) == "enough"
    assert lasts_days(Decimal(1), Decimal(0)) is None
    assert lasts_days(Decimal("20.1"), Decimal(10)) == 3


def test_the_forecast_counts_units_that_come_and_lapse(world: World, item: Item) -> None:
    """80 are left and 100 come in March: 4 a day last until then, 7 a day do not."""
    use(world, item, "40", "2026-02-02")
    scene = scene_of(Pool.objects.get().pk)
    assert scene.pace.a_day == 4
    assert scene.empty_on == date(2026, 3, 28)
    use(world, item, "30", "2026-02-10")
    scene = scene_of(Pool.objects.get().pk)
    assert (scene.left, scene.pace.a_day) == (50, 7)
    assert scene.empty_on == date(2026, 2, 18)
    assert (
        empty_on([], [], a_day=Decimal(0), today=date(2026, 1, 1), until=date(2026, 2, 1)) is None
    )
