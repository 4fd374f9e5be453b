"""Usage that no price is for is counted, and whoever looks sees it before the bill."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from subscriptions.models import Item
from subscriptions.usage.selectors import unpriced_of_all, unpriced_usage
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    by_meter,
    statuses,
    taken,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 2, 10)
HERE = "/subscriptions/usage/"


def for_zone(zone: str, key: str = "mobile") -> dict[str, Any]:
    return by_meter(key, "0.20", details={"meter": "calls", "where": {"zone": [zone]}})


@pytest.fixture
def item(world: World) -> Item:
    """Sold for calls to mobiles; 5 of those came, 99 to the moon, 7 nobody knows where to."""
    a_meter("calls", dimensions=[{"name": "zone"}])
    item = a_metered_service(world, for_zone("mobile"))
    found = taken(
        call(item, "5", "mobile"),
        call(item, "90", "moon"),
        call(item, "9", "moon", "2026-02-08T12:00:00Z"),
        an_event(item, "7", meter="calls"),
    )
    assert statuses(found) == ["accepted"] * 4
    return item


def call(item: Item, value: str, zone: str, at: str = "2026-02-09T12:00:00Z") -> Any:
    return an_event(item, value, at, meter="calls", properties={"zone": zone})


def said(rows: Any) -> list[Any]:
    return [
        (each.dimensions, f"{each.first:%d}–{each.last:%d}", each.events, int(each.quantity))
        for each in rows
    ]


WITHOUT = [({"zone": "moon"}, "08–09", 2, 99), ({}, "09–09", 1, 7)]


def test_a_service_shows_what_none_of_its_prices_is_for(item: Item) -> None:
    assert sorted(said(unpriced_usage(item, today=TODAY)), key=lambda row: -row[2]) == WITHOUT
    client = Client()
    client.force_login(a_user("sales"))
    page = client.get(f"{HERE}services/{item.pk}/").content.decode()
    assert "Without a price" in page
    assert "zone: moon" in page


def test_the_desk_shows_it_of_all(world: World, item: Item) -> None:
    """Not what a price of its own service is for; nor what another's takes whole."""
    whole = a_metered_service(world, by_meter("calls"))
    taken(call(whole, "3", "moon"), call(whole, "3", "sun"))
    found = unpriced_of_all(since=date(2026, 2, 1), until=TODAY)
    assert {owner for owner, _ in found} == {item}
    assert said(each for _, each in found) == WITHOUT
    client = Client()
    client.force_login(a_user("sales"))
    page = client.get(f"{HERE}unpriced/?on=2026-02-10").content.decode()
    assert f"{HERE}services/{item.pk}/" in page
    assert "zone: moon" in page
    part = client.get(f"{HERE}unpriced/?on=2026-01-10", headers={"hx-request": "true"})
    assert "All usage of these days has a price." in part.content.decode()
    assert f"{HERE}unpriced/" in client.get(HERE).content.decode()
    nobody = Client()
    nobody.force_login(a_user())
    assert nobody.get(f"{HERE}unpriced/").status_code == 403


def test_nothing_is_asked_of_totals_where_prices_take_all(
    world: World, django_assert_num_queries: Any
) -> None:
    a_meter("calls", dimensions=[{"name": "zone"}])
    whole = a_metered_service(world, by_meter("calls"))
    taken(call(whole, "3", "moon"))
    with django_assert_num_queries(5):
        assert unpriced_usage(whole, today=TODAY) == []
